"""What a command says beside its data."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TextIO

import click

from veogen.document.files import read_file
from veogen.document.nodes import LINE_END, Location
from veogen.document.problems import Problem
from veogen.text import Colour, Paint, columns, paint, plain, plain_json, shortened, uncoloured


def echo(text: str) -> None:
    """Say something on a line of its own, safely: names of files and the network are input."""
    click.echo(plain(text), err=True)


_COLOURS: Mapping[str, Colour] = {"error": "red", "warning": "yellow"}
_WIDTH = 160  # columns of a source line that are shown
_BEFORE = 80  # characters of it that are shown before the caret


def as_json(problems: Iterable[Problem]) -> str:
    """One array, whatever the number of files."""
    fields = [_fields(problem) for problem in problems]
    return plain_json(json.dumps(fields, indent=2, ensure_ascii=False))


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
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    in_repository = lru_cache(maxsize=None)(_in_repository)
    return "\n".join(plain(_annotation(problem, in_repository)) for problem in problems)


def _in_repository(path: str) -> str:
    """A path from the root of its repository, as GitHub asks for it."""
    file = Path(path).absolute()
    for folder in file.parents:
        if (folder / ".git").exists():
            return file.relative_to(folder).as_posix() if file.exists() else path
    return path


def _annotation(problem: Problem, in_repository: Callable[[str], str]) -> str:
    properties = {
        "file": in_repository(problem.place.path),
        "line": problem.place.line,
        "col": problem.place.column,
        "title": f"veogen: {problem.code}",
    }
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{problem.severity} {listed}::{_data(problem.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def print_problems(
    problems: Sequence[Problem], stream: TextIO, environ: Mapping[str, str] = os.environ
) -> None:
    """Write problems for whoever reads the stream; nothing when there are none."""
    if problems:
        text = as_text(problems, terminal=stream.isatty(), paint=paint(stream, environ))
        click.echo(text, file=stream)
        if stream.isatty() and (topics := topics_about(problems)):
            pages = ", ".join(f"veogen help {topic}" for topic in topics)
            click.echo(f"The reference tells more: {pages}", file=stream)


_CODES_OF_TOPICS: Mapping[str, frozenset[str]] = {
    "matrix": frozenset(
        {
            "axis-value",
            "empty-axis",
            "incomplete-include",
            "matches-nothing",
            "missing-id",
            "repeated-combination",
            "repeated-value",
            "unknown-axis",
            "unknown-value",
            "zip",
        }
    ),
    "rows": frozenset({"column", "rows", "unknown-column", "unused-column"}),
    "templates": frozenset(
        {
            "comment",
            "control-character",
            "empty-text",
            "left-over-template",
            "not-text",
            "template-limit",
            "template-not-found",
            "undefined",
        }
    ),
    "profiles": frozenset({"unknown-profile"}),
    "picks": frozenset({"no-picks", "promotes"}),
    "policy": frozenset({"model-not-allowed", "raised-limit"}),
    "money": frozenset({"over-budget", "unknown-price"}),
    "spec": frozenset(
        {
            "bad-name",
            "duplicate-name",
            "extends-loop",
            "merge",
            "missing-key",
            "missing-prompt",
            "reserved-name",
            "same-address",
            "same-request",
            "setting",
            "unknown-key",
            "version",
        }
    ),
}


def topics_about(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The pages of the reference that explain what some problems are about."""
    codes = {problem.code for problem in problems}
    return tuple(topic for topic, about in _CODES_OF_TOPICS.items() if codes & about)


def as_text(problems: Iterable[Problem], *, terminal: bool, paint: Paint = uncoloured) -> str:
    """A line each; on a terminal with the source line and a caret below it."""
    if not terminal:
        return "\n".join(plain(str(problem)) for problem in problems)
    lines_of = lru_cache(maxsize=8)(_lines)
    return "\n".join(line for problem in problems for line in _for_people(problem, lines_of, paint))


def _for_people(
    problem: Problem, lines_of: Callable[[str], Sequence[str]], paint: Paint
) -> Iterator[str]:
    place, text = plain(str(problem.place)), plain(problem.text)
    kind = paint(f"{problem.severity}[{problem.code}]", _COLOURS[problem.severity])
    yield f"{paint(place, 'bold')}: {kind}: {text}"
    lines = lines_of(problem.place.path)
    if problem.place.line <= len(lines):
        yield from _excerpt(lines[problem.place.line - 1], problem.place, paint)


def _excerpt(line: str, place: Location, paint: Paint) -> Iterator[str]:
    """The line, or the part of a long one that the place is in, and a caret."""
    at = min(place.column - 1, len(line))
    start = max(0, at - _BEFORE) if len(line) > _WIDTH else 0
    before, rest = plain(line[start:at]), plain(line[at : at + _WIDTH])
    before = f"…{before}" if start else before
    number = str(place.line)
    yield f"{paint(f'{number} |', 'dim')} {before}{shortened(rest, _WIDTH - columns(before))}"
    margin = paint(f"{' ' * len(number)} |", "dim")
    yield f"{margin} {' ' * columns(before)}{paint('^', 'green')}"


def _lines(path: str) -> Sequence[str]:
    try:
        return LINE_END.split(read_file(Path(path)).decode("utf-8-sig", "replace"))
    except OSError:
        return ()
