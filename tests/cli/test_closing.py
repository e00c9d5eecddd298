"""The last words of a command."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.sessions import World, cities
from support.virtual import VIDEO

from veogen.cli.closing import say


def test_the_last_words_count_clips_that_are_not_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "trip")
    world.courier.answers.append(replace(VIDEO, path="videos/clip.mp4", warnings=("audio",)))

    say(world.path, world.run(cities("Tokyo", "Oslo")))

    assert capsys.readouterr().err == (
        "2 requests: 2 completed; 2 videos (1 with a warning). "
        "76.032 credits reserved or charged so far. trip/results.json\n"
        "Look at them: veogen gallery trip\n"
    )
