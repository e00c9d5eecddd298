"""`veogen validate` and what it prints."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from veogen.cli import veogen
from veogen.errors import ExitCode, UsageError

WRONG = "veogen: 1\nshots:\n  - {name: a, prompt: x, params: {durration: 8}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validate(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(veogen, ["validate", *arguments], standalone_mode=False)
    return result.return_value, result.stdout, result.stderr


def test_a_spec_without_mistakes_prints_nothing_to_stdout(project: Path) -> None:
    (project / "specs/a.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]")

    assert validate("specs") == (ExitCode.DONE, "", "1 spec: no mistakes\n")


def test_mistakes_are_lines_on_stdout(project: Path) -> None:
    (project / "specs/a.yaml").write_text(WRONG)

    assert validate("specs") == (
        ExitCode.USAGE,
        (
            "specs/a.yaml:3:35: error[unknown-key]: 'durration' is not a request parameter; "
            "did you mean 'duration'?\n"
        ),
        "1 spec: 1 error, 0 warnings\n",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "budget: {max_requests: 0}\nshots: [{name: a, prompt: x}]",
            "2:24: error[value]: 'max_requests' is at least 1, not 0",
            id="a ceiling that is none",
        ),
        pytest.param(
            "shots: [{name: a, prompt: '{{ city }}', "
            "matrix: {rows: [{city: A}, {city: B}], rows_key: [cty]}}]",
            "2:56: error[unknown-column]: rows_key: there is no column 'cty'; did you mean 'city'?",
            id="a key column that is none",
        ),
    ],
)
def test_a_mistake_is_told_without_what_follows_from_it(
    project: Path, text: str, expected: str
) -> None:
    (project / "a.yaml").write_text(f"veogen: 1\n{text}\n")

    _, told, _ = validate("a.yaml")

    assert told == f"a.yaml:{expected}\n"


def test_a_glob_matches_an_address_of_some_profile(project: Path) -> None:
    (project / "specs/a.yaml").write_text(
        "veogen: 1\nshots: [{name: a, prompt: x}]\n"
        "profiles: {late: {shots: [{name: b, prompt: y}]}}"
    )

    assert validate("specs", "--select", "b") == (ExitCode.DONE, "", "1 spec: no mistakes\n")
    with pytest.raises(UsageError, match="--select 'c' matches no address; the nearest are a, b"):
        veogen(["validate", "specs", "--select", "c"], standalone_mode=False)


def test_json_is_one_array(project: Path) -> None:
    (project / "specs/a.yaml").write_text(WRONG)

    code, stdout, stderr = validate("specs", "--format", "json")

    assert (code, stderr) == (ExitCode.USAGE, "1 spec: 1 error, 0 warnings\n")
    assert json.loads(stdout) == [
        {
            "path": "specs/a.yaml",
            "line": 3,
            "column": 35,
            "severity": "error",
            "code": "unknown-key",
            "message": "'durration' is not a request parameter",
            "hint": "did you mean 'duration'?",
        }
    ]


def test_annotations_name_files_from_the_root_of_the_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = project / "marketing" / "autumn"
    (below / "specs").mkdir(parents=True)
    (below / "veogen.yaml").touch()
    (below / "specs/a.yaml").write_text(WRONG)
    monkeypatch.chdir(below)

    code, out, _ = validate("specs", "--format", "github", "--set", "vars.v=[")

    assert code == ExitCode.USAGE
    assert [line.split("::")[1] for line in out.splitlines()] == [
        "error file=--set vars.v=[,line=1,col=8,title=veogen%3A setting",
        "error file=marketing/autumn/specs/a.yaml,line=3,col=35,title=veogen%3A unknown-key",
    ]
