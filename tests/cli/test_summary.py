"""The last words of a command."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from support.virtual import VIDEO, World, cities, request

from veogen.cli.runs import print_summary
from veogen.cli.status_text import lines
from veogen.errors import ExitCode
from veogen.executor.decisions import Resolution
from veogen.executor.snapshot import read_snapshot
from veogen.gateway.api import Unknown
from veogen.results.advice import RunCommands


def test_the_last_words_count_clips_that_are_not_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "trip")
    world.downloader.answers.append(replace(VIDEO, path="videos/clip.mp4", warnings=("audio",)))

    print_summary(world.path, world.run(cities("Tokyo", "Oslo")))

    assert capsys.readouterr().err == (
        "2 requests: 2 completed; 2 videos (1 with a warning). "
        "76.032 credits reserved or charged so far. trip/results.json\n"
        "Look at them: veogen gallery trip --open\n"
    )


def test_the_last_words_about_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "trip")

    print_summary(world.path, world.run(cities()))

    assert capsys.readouterr().err == (
        "0 requests; 0 videos. 0.000 credits reserved or charged so far. trip/results.json\n"
    )


def test_of_what_the_gateway_names_no_amount_run_and_status_tell_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "trip")
    world.run(cities("Tokyo"))
    world.gateway.credits = None
    outcome = world.run(cities("Tokyo", "Oslo"))

    print_summary(world.path, outcome)
    now = world.clock.now()
    status = lines(read_snapshot(world.path, now), RunCommands("trip"), now, lambda text, _: text)

    assert capsys.readouterr().err.splitlines()[0] == (
        "2 requests: 2 completed; 2 videos. 38.016 credits reserved or charged so far; "
        "38.016 more by estimate, as the gateway named no amount. trip/results.json"
    )
    assert list(status)[-6:-3] == [
        "2 videos, 38.016 credits reserved or charged",
        "38.016 more by estimate, as the gateway named no amount",
        "76.032 credits count against a budget: all that may have been charged",
    ]


def test_what_somebody_decided_about_is_still_to_be_brought_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "trip")
    world.gateway.answers.append(Unknown(code="lost", message="the connection broke"))
    world.run(cities("Tokyo", "Oslo"))

    print_summary(world.path, world.decide(Resolution("replay", request("Tokyo").address)))

    assert capsys.readouterr().err.splitlines()[1:] == [
        "Bring home what it makes: veogen collect trip"
    ]


def test_what_is_still_held_after_a_decision_is_to_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "trip")
    lost = Unknown(code="lost", message="the connection broke")
    world.gateway.answers.extend([lost, lost])
    world.run(cities("Tokyo", "Oslo", "Rome"))

    outcome = world.decide(Resolution("abandon", request("Tokyo").address))
    print_summary(world.path, outcome)

    assert outcome.code == ExitCode.INDETERMINATE
    assert capsys.readouterr().err.splitlines()[1:] == [
        "What stands where, and what to do: veogen status trip"
    ]
