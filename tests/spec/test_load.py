"""What a spec says once its levels are laid over one another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from veogen.document.problems import MistakesError
from veogen.spec.load import load_spec

Write = Callable[[str, str], Path]

HEAD = "veogen: 1\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return Path(name)

    return write


def mistakes(path: Path, profile: str | None = None, *settings: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        load_spec(path, profile=profile, settings=settings)
    return [str(problem) for problem in caught.value.problems]


LEVELS = """
extends: base.yaml
params: {duration: 4, quality: 720p, n: 2, seed: 3}
profiles:
  draft: {params: {quality: 1080p}, shots: [{name: a, params: {n: 4}}]}
shots:
  - {name: a, prompt: x, params: {n: 3, seed: null}}
"""


def test_a_stronger_level_wins_name_by_name(write: Write) -> None:
    write("base.yaml", "params: {duration: 6, person_generation: dont_allow}")
    path = write("a.yaml", HEAD + LEVELS)

    plain = load_spec(path).shots[0]
    shot = load_spec(path, profile="draft", settings=["params.duration=8"]).shots[0]

    assert plain.base.params == {
        "duration": 4,
        "person_generation": "dont_allow",
        "quality": "720p",
        "n": 3,
    }
    assert plain.top.params == {}
    assert shot.base == plain.base
    assert shot.top.params == {"quality": "1080p", "n": 4, "duration": 8}


def test_an_unknown_parameter_is_named_where_it_is_written(write: Write) -> None:
    path = write(
        "specs/a.yaml", HEAD + "shots:\n  - {name: a, prompt: x, params: {durration: 8}}\n"
    )

    assert mistakes(path) == [
        (
            "specs/a.yaml:3:35: error[unknown-key]: 'durration' is not a request parameter; "
            "did you mean 'duration'?"
        )
    ]


def test_a_mistake_in_a_base_stands_in_the_base(write: Write) -> None:
    write("base.yaml", "params: {duration: 5}")
    path = write("a.yaml", HEAD + "extends: base.yaml\nshots: [{name: a, prompt: x}]")

    assert mistakes(path) == ["base.yaml:1:20: error[value]: duration is one of 4, 6, 8, not 5"]


def test_a_mistake_in_a_setting_shows_the_setting(write: Write) -> None:
    path = write("a.yaml", HEAD + "shots: [{name: a, prompt: x}]")

    assert mistakes(path, None, "params.seed=0") == [
        "--set params.seed=0:1:13: error[value]: seed is at least 1, not 0"
    ]
