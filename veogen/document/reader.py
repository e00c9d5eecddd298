"""What people write, with nothing surprising in it: a YAML 1.2 document with places, or JSON.

The document is read from a parser's events. JSON is as its standard has it, each key once.
"""

import gc
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import PurePosixPath
from typing import Any, NoReturn

import yaml
from yaml._yaml import CParser  # libyaml, which every wheel of PyYAML has
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from veogen.document.files import Files, OutsideRootError, nearest_file
from veogen.document.nodes import LINE_END, Location, Map, Scalar, Seq, SourceText, Value
from veogen.document.problems import MistakesError, Problem
from veogen.jsontext import strict


@dataclass(slots=True)
class Anchor:
    """A value with a name; `size` is its length written out, None while it is being read."""

    value: Value
    start: int
    charged: int
    size: int | None = None
    height: int | None = None


class Anchors:
    """The anchors of a document; `charged` is what all aliases so far stand for, in characters."""

    def __init__(self) -> None:
        self._by_name: dict[str, Anchor] = {}
        self.charged = 0

    def open(self, name: str, value: Value, start: int) -> Anchor:
        anchor = self._by_name[name] = Anchor(value, start, self.charged)
        return anchor

    def close(self, anchor: Anchor, end: int) -> None:
        anchor.size = end - anchor.start + self.charged - anchor.charged

    def get(self, name: str) -> Anchor | None:
        return self._by_name.get(name)

    def charge(self, anchor: Anchor) -> None:
        """Count the characters that an alias of `anchor` stands for."""
        self.charged += anchor.size or 0

    def height(self, anchor: Anchor, limit: int) -> int:
        """How many containers are nested in the value; at most `limit` + 1."""
        if anchor.height is None:
            height, level = 0, _containers([anchor.value])
            while level and height <= limit:
                height += 1
                values = (outer.values() if isinstance(outer, Map) else outer for outer in level)
                level = _containers(chain.from_iterable(values))
            anchor.height = height
        return anchor.height


def _containers(values: Iterable[Value]) -> list[Map | Seq]:
    return [value for value in values if isinstance(value, Map | Seq)]


MERGE = "<<"


def resolve_merge(mapping: Map) -> None:
    """Put what `<<` names in its place; of several mappings the first wins."""
    named = mapping[MERGE]
    sources: list[Any] = named if isinstance(named, Seq) else [named]
    if not all(isinstance(source, Map) for source in sources):
        message = "'<<' takes a mapping, or a list of mappings"
        raise MistakesError([Problem(mapping.value_place(MERGE), "error", "merge", message)])
    written = Map.like(mapping)
    for key, value in mapping.items():
        written.take(mapping, key, value)
    mapping.clear()
    mapping.marks, mapping.positions = [], None
    for key, value in written.items():
        if key != MERGE:
            mapping.take(written, key, value)
            continue
        for source in sources:
            for name, inherited in source.items():
                if name not in written and name not in mapping:
                    mapping.take(source, name, inherited)


LONGEST_NUMBER = 300

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}

# What does not begin with one of these is a string.
FIRST = frozenset({text[:1] for text in _WORDS} | set("-+.0123456789"))


class NumberError(ValueError):
    """A number that has more digits than anything needs, or that no float can hold."""


def scalar(text: str) -> Scalar:
    """The value of a plain scalar: `16:9`, `no` and `1_000` are strings, `010` is ten."""
    if text in _WORDS:
        return _WORDS[text]
    is_integer = _INT.fullmatch(text) is not None
    if not is_integer and not _FLOAT.fullmatch(text):
        return text
    if len(text) > LONGEST_NUMBER:
        raise NumberError(f"a number has at most {LONGEST_NUMBER} digits, not {len(text)}")
    if is_integer:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NumberError(f"{text} is larger than any number can be")
    return number


_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
        return found or Problem(Location(path, 1, 1), "error", "yaml-syntax", str(error))
    message = str(getattr(error, "problem", None) or "this is not YAML")
    text = raw.decode(errors="replace")
    place = Location(path, mark.line + 1, mark.column + 1)
    if not text[mark.index :].strip():  # where the text ends, not where the file does
        place = _place_after(text.rstrip(), path)
    if "cannot start any token" in message and text[mark.index : mark.index + 1] == "\t":
        return Problem(place, "error", "yaml-syntax", "a tab cannot indent; write spaces")
    hint = next((hint for part, hint in _HINTS.items() if part in message), None)
    return Problem(place, "error", "yaml-syntax", message, hint)


def _place_after(text: str, path: str) -> Location:
    lines = LINE_END.split(text.removeprefix("\ufeff"))
    return Location(path, len(lines), len(lines[-1]) + 1)


MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the parser would read it

# What is due in a container where no key waits for its value.
_ITEM, _KEY = object(), object()

_scalar = lru_cache(maxsize=4096)(scalar)


def read_document(
    files: Files, path: PurePosixPath, place: Location | None = None, *, name: str | None = None
) -> Value:
    """The document in a file that is asked for at `place`, under a name if it has another there.

    Raises `MistakesError`, be it that there is no such file, that it cannot be read, or that it
    is no document.
    """
    shown, hint = files.shown(path), None
    name = shown if name is None else name
    try:
        raw = files.read(path, MAX_BYTES)
    except OutsideRootError as error:
        code, message = "outside-root", str(error)
    except FileNotFoundError:
        code, message = "missing-file", f"there is no file {name!r}"
        hint = nearest_file(files, path)
    except OSError as error:
        code, message = "missing-file", f"{name!r} cannot be read: {error.strerror}"
    else:
        return read(raw, shown)
    raise MistakesError([Problem(place or Location(shown, 1, 1), "error", code, message, hint)])


def read(raw: bytes, path: str, *, max_bytes: int = MAX_BYTES) -> Value:
    """The one document in `raw`; `path` is the name that its places carry.

    Raises `MistakesError`.
    """
    if len(raw) > max_bytes:
        message = f"a file has at most {max_bytes >> 20} MiB, not {len(raw) / 1024**2:.1f}"
        raise MistakesError([Problem(Location(path, 1, 1), "error", "too-large", message)])
    if raw.startswith(_UTF_16) and (problem := encoding_problem(raw, path)):
        raise MistakesError([problem])
    raw = raw.removeprefix(_BYTE_ORDER_MARK)
    source = SourceText(path, raw)
    # While a tree grows there is no garbage in it, and looking for some costs a tenth more.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _Builder(source, CParser(raw), names=b"&" in raw or b"!" in raw).document()
    except yaml.YAMLError as error:
        raise MistakesError([syntax_problem(error, raw, path)]) from None
    finally:
        if collects:
            gc.enable()


class _Builder:
    """Builds values from events without recursion, so that depth is ours to limit.

    Without `names` there can be no anchors and tags: a million events need not be asked for them.
    """

    def __init__(self, source: SourceText, parser: Any, *, names: bool) -> None:
        self._source = source
        self._names = names
        self._next = parser.get_event
        self._anchors = Anchors()
        self._merging: list[Map] = []
        self._keys = {MERGE: MERGE}  # texts that are strings as keys, each in memory once

    def document(self) -> Value:  # noqa: C901, PLR0912, PLR0915 - one loop, see below
        # It runs a million times for ten megabytes: local names and few calls. A container is
        # put into its parent when it begins; `due` is the key that waits for a value.
        next_event, known, merging = self._next, self._keys.get, self._merging
        source, names = self._source, self._names
        root = Seq.begun(source, 0)
        stack: list[tuple[Any, Any, Anchor | None]] = []
        container: Any = root
        due: Any = _ITEM
        add_mark = root.marks.append
        while True:
            event: Any = next_event()
            kind = type(event)
            if kind is ScalarEvent:
                value = event.value
                add_mark(event.start_mark.index)
                if names and (event.anchor is not None or event.tag is not None):
                    self._name(event, value)
                if due is _KEY:
                    due = known(value) or self._key(value, event)
                    if due in container:
                        self._refuse_duplicate(due, container, event)
                    if due is MERGE and not event.style:
                        merging.append(container)
                    continue
                if not event.style and value[:1] in FIRST:
                    value = self._plain(value, event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                mark = event.start_mark.index
                new = Map if kind is MappingStartEvent else Seq
                value = new.begun(source, mark)
                add_mark(mark)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                if merging and merging[-1] is container:
                    resolve_merge(merging.pop())
                container, due, anchor = stack.pop()
                if anchor is not None:
                    self._anchors.close(anchor, event.end_mark.index)
                add_mark = container.marks.append
                continue
            elif kind is AliasEvent:
                value = self._aliased(event, len(stack))
                add_mark(event.start_mark.index)
            elif kind is StreamEndEvent:
                return root[0] if root else None
            else:
                if kind is DocumentStartEvent and root:
                    message = "a file holds one document; a second begins here"
                    self._fail(event, "documents", message)
                continue
            if due is _ITEM:
                container.append(value)
            elif due is _KEY:
                due = self._key(value, event)
                if due in container:
                    self._refuse_duplicate(due, container, event)
                continue
            else:
                container[due] = value
                due = _KEY
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                named = names and (event.anchor is not None or event.tag is not None)
                stack.append((container, due, self._name(event, value) if named else None))
                if len(stack) > MAX_DEPTH:
                    self._refuse_depth(event)
                container = value
                due = _KEY if kind is MappingStartEvent else _ITEM
                add_mark = value.marks.append

    def _plain(self, text: str, event: Any) -> Value:
        try:
            return _scalar(text)
        except NumberError as error:
            self._fail(event, "number", str(error))

    def _key(self, value: Value, event: Any) -> str:
        """The value as a key; remembered when no style of writing makes it anything else."""
        plain = isinstance(event, ScalarEvent) and not event.style
        key = self._plain(event.value, event) if plain else value
        if isinstance(key, Map | Seq):
            hint = "quote a text that begins with '{{'" if isinstance(key, Map) else None
            self._fail(event, "key", "a key is a string, not a mapping or a list", hint)
        if not isinstance(key, str):
            text = event.value if isinstance(event, ScalarEvent) else str(key)
            hint = f'write "{text}"' if text else None
            self._fail(event, "key", f"a key is a string, not {text or 'nothing'}", hint)
        if plain:
            self._keys[key] = key
        return key

    def _name(self, event: Any, value: Value) -> Anchor | None:
        """Look at what is rare: tags, which are refused, and anchors."""
        if event.tag is not None:
            hint = "remove it; quotes make a string"
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._fail(event, "tag", f"a spec has no tags such as {tag!r}", hint)
        if event.anchor is None:
            return None
        anchor = self._anchors.open(event.anchor, value, event.start_mark.index)
        if not isinstance(value, Map | Seq):
            anchor.value = value if event.style else self._plain(event.value, event)
            self._anchors.close(anchor, event.end_mark.index)
        return anchor

    def _aliased(self, event: Any, depth: int) -> Value:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            self._fail(event, "alias", f"there is no anchor '&{event.anchor}' above this")
        if anchor.size is None:
            self._fail(event, "alias", f"'*{event.anchor}' stands inside of what it stands for")
        self._anchors.charge(anchor)
        if self._anchors.charged > MAX_BYTES:
            message = "with its aliases written out, this file is larger than 10 MiB"
            self._fail(event, "too-large", message)
        if depth + self._anchors.height(anchor, MAX_DEPTH) > MAX_DEPTH:
            self._refuse_depth(event)
        return anchor.value

    def _refuse_depth(self, event: Any) -> NoReturn:
        self._fail(event, "too-deep", f"values are nested at most {MAX_DEPTH} deep")

    def _refuse_duplicate(self, key: str, mapping: Map, event: Any) -> NoReturn:
        first = mapping.key_place(key)
        message = f"{key!r} is a key of this mapping already, in line {first.line}"
        self._fail(event, "duplicate-key", message)

    def _fail(self, event: Any, code: str, message: str, hint: str | None = None) -> NoReturn:
        mark = event.start_mark
        place = Location(self._source.path, mark.line + 1, mark.column + 1)
        raise MistakesError([Problem(place, "error", code, message, hint)])


class NotJsonError(ValueError):
    """A text is no JSON; `column` counts from 1 in the text."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


def read_json(text: str) -> Any:
    """The value that a text is; raises `NotJsonError`."""
    try:
        value = strict(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"this is not JSON: {error.msg}", error.colno) from None
    except (RecursionError, ValueError) as error:
        raise NotJsonError(f"this is not JSON that can be read: {error}") from None
    if _is_deeper(value, MAX_DEPTH):
        raise NotJsonError(f"values are nested at most {MAX_DEPTH} deep")
    return value


def _is_deeper(value: Any, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(_is_deeper(item, most - 1) for item in inner)
