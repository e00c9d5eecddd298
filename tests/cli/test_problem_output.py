"""How problems are shown to people, to programs and on pull requests."""

import io
import json
import os
from pathlib import Path

import pytest

from veogen.cli.help import topics
from veogen.cli.output import as_annotations, as_json, as_text, print_problems, topics_about
from veogen.document.nodes import Location
from veogen.document.problems import Problem


def problem(path: str = "a.yaml", line: int = 1, column: int = 1, **changes: str) -> Problem:
    return Problem(
        Location(path, line, column),
        "warning" if changes.get("severity") == "warning" else "error",
        "some-code",
        changes.get("message", "this is wrong"),
        changes.get("hint"),
    )


def shown(*problems: Problem) -> list[str]:
    return as_text(problems, terminal=True).splitlines()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_off_a_terminal_a_problem_is_a_line() -> None:
    found = [problem(line=12, column=9, hint="write it so"), problem(severity="warning")]

    assert as_text(found, terminal=False).splitlines() == [
        "a.yaml:12:9: error[some-code]: this is wrong; write it so",
        "a.yaml:1:1: warning[some-code]: this is wrong",
    ]


def test_on_a_terminal_the_line_and_a_caret_follow() -> None:
    Path("a.yaml").write_text("veogen: 1\nname: Big\n")

    assert shown(problem(line=2, column=7)) == [
        "a.yaml:2:7: error[some-code]: this is wrong",
        "2 | name: Big",
        "  |       ^",
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "excerpt"),
    [
        pytest.param("a: 東京 x", 1, 7, ["1 | a: 東京 x", "  |         ^"], id="wide letters"),
        pytest.param("a:\tx", 1, 4, ["1 | a: x", "  |    ^"], id="a tab"),
        pytest.param(
            "a: \x1b[31mx", 1, 9, ["1 | a: \\x1b[31mx", "  |            ^"], id="an escape"
        ),
        pytest.param("a\u2028b: x", 2, 1, ["2 | b: x", "  | ^"], id="a line end as YAML has it"),
        pytest.param("\ufeffa: x", 1, 1, ["1 | a: x", "  | ^"], id="a byte order mark"),
        pytest.param("a: x", 1, 9, ["1 | a: x", "  |     ^"], id="behind the line"),
        pytest.param(
            "a" * 500,
            1,
            201,
            [f"1 | …{'a' * 158}…", f"  | {' ' * 81}^"],
            id="a long line",
        ),
    ],
)
def test_the_caret_stands_below_the_place(
    text: str, line: int, column: int, excerpt: list[str]
) -> None:
    Path("a.yaml").write_text(text)

    assert shown(problem("a.yaml", line, column))[1:] == excerpt


@pytest.mark.parametrize(
    "path",
    [pytest.param("nope.yaml", id="no file"), pytest.param("--set vars.x=1", id="a setting")],
)
def test_without_a_source_the_line_stands_alone(path: str) -> None:
    assert shown(problem(path)) == [f"{path}:1:1: error[some-code]: this is wrong"]


def test_a_pipe_is_no_source() -> None:
    os.mkfifo("pipe.yaml")

    assert shown(problem("pipe.yaml")) == ["pipe.yaml:1:1: error[some-code]: this is wrong"]


def test_no_message_can_command_a_terminal() -> None:
    found = [problem("a\x1b[2J.yaml", message="'\x1b]0;x\x07\n' is wrong")]

    for terminal in (True, False):
        assert as_text(found, terminal=terminal) == (
            "a\\x1b[2J.yaml:1:1: error[some-code]: '\\x1b]0;x\\x07 ' is wrong"
        )


def test_what_no_encoding_has_is_spelled_out_for_programs() -> None:
    found = [problem("caf\udce9.yaml", message="\x1b[2J")]

    assert '"path": "caf\\udce9.yaml"' in as_json(found)
    assert as_annotations(found) == (
        "::error file=caf\\udce9.yaml,line=1,col=1,title=veogen%3A some-code::\\x1b[2J"
    )


def test_json_has_every_field() -> None:
    found = [problem(line=12, column=9, hint="write it so")]

    assert json.loads(as_json(found)) == [
        {
            "path": "a.yaml",
            "line": 12,
            "column": 9,
            "severity": "error",
            "code": "some-code",
            "message": "this is wrong",
            "hint": "write it so",
        }
    ]


def test_annotations_escape_what_means_something_to_github() -> None:
    found = [problem("a,b:c%.yaml", 12, 9, message="50% of\nit::error::x", hint="a, b")]

    assert as_annotations(found) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=12,col=9,title=veogen%3A some-code"
        "::50%25 of%0Ait::error::x; a, b"
    )


class Screen(io.StringIO):
    """A terminal without colours."""

    def isatty(self) -> bool:
        return True


def of_code(code: str) -> Problem:
    return Problem(Location("a.yaml", 1, 1), "error", code, "this is wrong", None)


@pytest.mark.parametrize(
    ("codes", "pages"),
    [
        pytest.param(["unknown-key"], ("spec",), id="one"),
        pytest.param(["undefined", "empty-axis", "zip"], ("matrix", "templates"), id="several"),
        pytest.param(["yaml-syntax"], (), id="none"),
    ],
)
def test_mistakes_have_pages_that_explain_them(codes: list[str], pages: tuple[str, ...]) -> None:
    known = {topic for kind in topics().values() for topic in kind}

    assert topics_about(map(of_code, codes)) == pages
    assert set(pages) <= known


def test_people_are_told_where_to_read_on_and_programs_are_not() -> None:
    screen, pipe = Screen(), io.StringIO()

    for stream in (screen, pipe):
        print_problems([of_code("column")], stream, {"NO_COLOR": "1"})

    told = "a.yaml:1:1: error[column]: this is wrong\n"
    assert pipe.getvalue() == told
    assert screen.getvalue() == f"{told}The reference tells more: veogen help rows\n"
