"""The parsers that make events, and their complaints in words that say what to write."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import yaml

from veogen.document.problems import Problem
from veogen.document.source import LINE_END, Place

ParserFactory: TypeAlias = Callable[[bytes], Any]

_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HINTS = {
    "mapping values are not allowed": "quote a text that has ': ' in it",
    "expected key": "check the indentation and the quotes here and above",
    "expected <block end>": "check the indentation and the quotes here and above",
    "could not find expected ':'": "a key is followed by ': ' on the same line",
    "cannot start any token": "quote a text that begins with this character",
    "unexpected end of stream": "a quote or bracket that opens here is never closed",
    "node content": "a bracket that opens here or above is never closed",
    "expected ',' or": "a bracket that opens here or above is never closed",
    "invalid Unicode character": "write the character itself, or \\U and its eight hex digits",
    "unknown escape character": "write \\\\ for a backslash, or take single quotes",
}


class _PurePythonParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's own parser, where it was built without libyaml."""

    def __init__(self, raw: bytes) -> None:
        yaml.reader.Reader.__init__(self, raw)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)

    def get_event(self) -> Any:
        """The next event; what is no character, which libyaml refuses, is refused here too."""
        try:
            event: Any = yaml.parser.Parser.get_event(self)  # type: ignore[no-untyped-call]
        except (ValueError, OverflowError):  # of `chr`
            raise _no_character(self.get_mark()) from None
        text: Any = getattr(event, "value", None)
        if text and _SURROGATE.search(text):
            raise _no_character(event.start_mark)
        return event


def _no_character(mark: Any) -> yaml.YAMLError:
    message = "found invalid Unicode character escape code"
    return yaml.scanner.ScannerError(problem=message, problem_mark=mark)


def pure_python_parser(raw: bytes) -> Any:
    return _PurePythonParser(raw)


def fastest_parser(raw: bytes) -> Any:
    """The parser of libyaml, where PyYAML has it."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser  # noqa: PLC0415 - is not there without libyaml

        return CParser(raw)
    return pure_python_parser(raw)


def encoding_problem(raw: bytes, path: str) -> Problem | None:
    """What to say of bytes that are not UTF-8 text, or None."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        place = _place_after(raw[: error.start].decode(), path)
        return Problem(place, "error", "encoding", "this is not UTF-8 text")
    refused = _REFUSED.search(text)
    if refused is None:
        return None
    message = f"the character {refused[0]!a} may stand here only escaped, in double quotes"
    return Problem(_place_after(text[: refused.start()], path), "error", "encoding", message)


def syntax_problem(error: yaml.YAMLError, raw: bytes, path: str) -> Problem:
    """A parser's complaint, with its place."""
    mark: Any = getattr(error, "problem_mark", None)
    if mark is None:
        found = encoding_problem(raw, path)
        return found or Problem(Place(path, 1, 1), "error", "yaml-syntax", str(error))
    message = str(getattr(error, "problem", None) or "this is not YAML")
    text = raw.decode(errors="replace")
    place = Place(path, mark.line + 1, mark.column + 1)
    if not text[mark.index :].strip():  # where the text ends, not where the file does
        place = _place_after(text.rstrip(), path)
    if "cannot start any token" in message and text[mark.index : mark.index + 1] == "\t":
        return Problem(place, "error", "yaml-syntax", "a tab cannot indent; write spaces")
    hint = next((hint for part, hint in _HINTS.items() if part in message), None)
    return Problem(place, "error", "yaml-syntax", message, hint)


def _place_after(text: str, path: str) -> Place:
    lines = LINE_END.split(text.removeprefix("\ufeff"))
    return Place(path, len(lines), len(lines[-1]) + 1)
