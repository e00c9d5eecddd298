"""What a command says beside its data, and the files that it was asked to write."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from veogen.document.files import read_file
from veogen.document.nodes import LINE_END
from veogen.document.problems import Problem
from veogen.errors import UsageError
from veogen.text import Colour, Paint, columns, paint, plain, plain_json, shortened, uncoloured


def echo(text: str) -> None:
    """Say something on a line of its own, safely: names of files and the network are input."""
    click.echo(plain(text), err=True)


_COLOURS: Mapping[str, Colour] = {"error": "red", "warning": "yellow"}
_WIDTH = 160  # columns of a source line that are shown
_BEFORE = 80  # characters of it that are shown before the caret


def as_json(problems: Iterable[Problem]) -> str:
    """One array, whatever the number of files."""
    fields = [
        {
            "path": problem.place.path,
            "line": problem.place.line,
            "column": problem.place.column,
            "severity": problem.severity,
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]
    return plain_json(json.dumps(fields, indent=2, ensure_ascii=False))


_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_TEXT | str.maketrans({":": "%3A", ",": "%2C"})


def as_annotations(problems: Iterable[Problem]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request.

    Paths are those from the root of the repository, as GitHub asks for it.
    """
    in_repository: dict[str, str] = {}
    lines = list[str]()
    for problem in problems:
        path = problem.place.path
        if path not in in_repository:
            file = Path(path).absolute()
            tops = (folder for folder in file.parents if (folder / ".git").exists())
            top = next(tops, None) if file.exists() else None
            in_repository[path] = file.relative_to(top).as_posix() if top else path
        properties = {
            "file": in_repository[path],
            "line": str(problem.place.line),
            "col": str(problem.place.column),
            "title": f"veogen: {problem.code}",
        }
        listed = ",".join(f"{k}={text.translate(_IN_PROPERTY)}" for k, text in properties.items())
        text = problem.text.translate(_IN_TEXT)
        lines.append(plain(f"::{problem.severity} {listed}::{text}"))
    return "\n".join(lines)


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
    """A line each; on a terminal with the source line, or the part that is meant, and a caret."""
    if not terminal:
        return "\n".join(plain(str(problem)) for problem in problems)
    sources: dict[str, Sequence[str]] = {}
    texts = list[str]()
    for problem in problems:
        place, path = problem.place, problem.place.path
        kind = paint(f"{problem.severity}[{problem.code}]", _COLOURS[problem.severity])
        texts.append(f"{paint(plain(str(place)), 'bold')}: {kind}: {plain(problem.text)}")
        if path not in sources:
            try:
                source = read_file(Path(path)).decode("utf-8-sig", "replace")
                sources[path] = LINE_END.split(source)
            except OSError:
                sources[path] = ()
        if place.line <= len(sources[path]):
            line, number = sources[path][place.line - 1], str(place.line)
            at = min(place.column - 1, len(line))
            start = max(0, at - _BEFORE) if len(line) > _WIDTH else 0
            before = f"{'…' if start else ''}{plain(line[start:at])}"
            rest = shortened(plain(line[at : at + _WIDTH]), _WIDTH - columns(before))
            texts.append(f"{paint(f'{number} |', 'dim')} {before}{rest}")
            margin = paint(f"{' ' * len(number)} |", "dim")
            texts.append(f"{margin} {' ' * columns(before)}{paint('^', 'green')}")
    return "\n".join(texts)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all; raises `UsageError` where it cannot be."""
    from veogen.executor.directory import whole  # noqa: PLC0415 - few commands write a file

    with _write_errors(path), whole(path) as file:
        yield file


@contextmanager
def output_file(path: Path | None) -> Iterator[BinaryIO]:
    """What a user names for output: a file as `whole_file`, a link's target, a device or pipe.

    None is stdout.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():
        with _write_errors(path), path.open("wb") as stream:
            yield stream
    else:
        with whole_file(Path(os.path.realpath(path)) if path.is_symlink() else path) as file:
            yield file


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror}") from None
