"""Problems as text with the source line, as JSON, and as annotations of a pull request."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from veogen.document.problems import Problem

_COLOURS = {"error": "red", "warning": "yellow"}


def as_json(problems: Iterable[Problem]) -> str:
    """One array, whatever the number of files."""
    return json.dumps([_fields(problem) for problem in problems], indent=2, ensure_ascii=False)


def _fields(problem: Problem) -> dict[str, str | int | None]:
    return {
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def as_annotations(problems: Iterable[Problem]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    return "\n".join(map(_annotation, problems))


def _annotation(problem: Problem) -> str:
    properties = {
        "file": problem.place.path,
        "line": problem.place.line,
        "col": problem.place.column,
        "title": f"veogen {problem.code}",
    }
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{problem.severity} {listed}::{_data(problem.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_text(problems: Sequence[Problem], *, terminal: bool) -> str:
    """A line each; on a terminal with the source line and a caret below it."""
    return "\n".join(_for_people(problem) if terminal else str(problem) for problem in problems)


def _for_people(problem: Problem) -> str:
    severity = click.style(
        f"{problem.severity}[{problem.code}]", fg=_COLOURS[problem.severity], bold=True
    )
    first = f"{click.style(str(problem.place), bold=True)}: {severity}: {problem.text}"
    return "\n".join([first, *_excerpt(problem)])


def _excerpt(problem: Problem) -> list[str]:
    line = _source_line(problem)
    if line is None:
        return []
    margin = f"{problem.place.line:5} | "
    before = line[: problem.place.column - 1]
    indent = "".join("\t" if character == "\t" else " " for character in before)
    return [
        f"{margin}{line}",
        f"{' ' * (len(margin) - 2)}| {indent}{click.style('^', fg='green', bold=True)}",
    ]


def _source_line(problem: Problem) -> str | None:
    try:
        text = Path(problem.place.path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    lines = text.splitlines()
    return lines[problem.place.line - 1] if problem.place.line <= len(lines) else None
