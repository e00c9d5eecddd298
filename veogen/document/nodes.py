"""The values of a document: plain Python values whose containers remember places.

Where a value stands is kept as a *mark*, the index of its first character, and becomes a place
only when somebody asks: ten megabytes of YAML hold half a million values.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML parsers count lines

_RARE_LINE_ENDS = ("\r", "\x85", "\u2028", "\u2029")
_BLOCK = re.compile(r"(&\S+\s+)?\|")


class Location(NamedTuple):
    """A point in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class SourceText:
    """A document as it was read, where an index (of a character) becomes a place when asked."""

    def __init__(self, path: str, raw: bytes) -> None:
        self.path = path
        self._raw = raw

    def place(self, index: int) -> Location:
        """The place of a character."""
        line = bisect_right(self._line_starts, index)
        return Location(self.path, line, index - self._line_starts[line - 1] + 1)

    def comment_after(self, index: int, text: str) -> Location | None:
        """Where a comment ends the plain scalar that begins there and is `text`, if one does."""
        words = r"\s+".join(map(re.escape, text.split()))
        comment = re.compile(rf"{words}[ \t]+#").match(self._text, index)
        return None if comment is None else self.place(comment.end() - 1)

    def is_block(self, index: int) -> bool:
        """Whether a literal block scalar begins there, perhaps after its anchor."""
        return _BLOCK.match(self._text, index) is not None

    @cached_property
    def _text(self) -> str:
        return self._raw.decode(errors="replace")

    @cached_property
    def _line_starts(self) -> "array[int]":
        rare = any(end in self._text for end in _RARE_LINE_ENDS)
        ends = (LINE_END if rare else re.compile("\n")).finditer(self._text)
        return array("I", [0, *(end.end() for end in ends)])


__all__ = [
    "Location",
    "Map",
    "Scalar",
    "Seq",
    "Step",
    "Value",
    "location_of",
    "value_at",
    "without_nulls",
]

Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = "Scalar | Map | Seq"
Step: TypeAlias = str | int


class _Position(NamedTuple):
    """A mark in a document that is not the container's own."""

    source: SourceText
    at: int


_Mark: TypeAlias = int | _Position | Location


class _Marked:
    """What maps and sequences share: a document, and marks of themselves and of what they hold."""

    __slots__ = ()

    if TYPE_CHECKING:  # slots of the classes below: their other base has a layout
        source: SourceText | None
        mark: _Mark
        marks: array[int] | list[_Mark]

    @property
    def place(self) -> Location:
        """Where the container begins."""
        return self._placed(self.mark)

    def _placed(self, mark: _Mark) -> Location:
        if isinstance(mark, int):
            return self._source.place(mark)
        return mark if isinstance(mark, Location) else mark.source.place(mark.at)

    @property
    def _source(self) -> SourceText:
        if self.source is None:
            raise LookupError("an index means nothing without its document")
        return self.source

    def _exported(self, mark: _Mark) -> _Mark:
        return _Position(self._source, mark) if isinstance(mark, int) else mark


class Map(_Marked, dict[str, Value]):
    """A mapping that knows where it, its keys and its values stand.

    `marks` alternates between keys and values, in the order of the keys.
    """

    __slots__ = ("mark", "marks", "positions", "source")

    def __init__(self, place: Location) -> None:
        super().__init__()
        self.source = None
        self.mark = place
        self.marks = []
        self.positions: dict[str, int] | None = None  # of marks, once somebody asks

    @classmethod
    def begun(cls, source: SourceText, index: int) -> "Map":
        """An empty map that was read; the reader adds values and marks by itself, for speed."""
        new = cls.__new__(cls)
        new.source, new.mark, new.marks, new.positions = source, index, array("I"), None
        return new

    @classmethod
    def like(cls, other: "Map") -> "Map":
        """An empty map at the place of another."""
        new = cls.__new__(cls)
        mark = other._exported(other.mark)  # noqa: SLF001 - of our own class
        new.source, new.mark, new.marks, new.positions = None, mark, [], None
        return new

    def put(self, key: str, value: Value, key_place: Location, value_place: Location) -> None:
        self._put(key, value, key_place, value_place)

    def take(self, source: "Map", key: str, value: Value) -> None:
        """Put `value` with the places that `key` has in `source`."""
        self._put(key, value, *source._marks_of(key))  # noqa: SLF001 - of our own class

    def rename(self, key: str, to: str) -> None:
        """Give a value another key, in the same place and order."""
        items = list(self.items())
        self.clear()
        self.update({to if name == key else name: value for name, value in items})
        self.positions = None

    def key_place(self, key: str) -> Location:
        """Where the key stands, or the map if it has no such key."""
        return self._placed(self.marks[self._position(key)]) if key in self else self.place

    def value_place(self, key: str) -> Location:
        """Where the value stands, or the map if it has no such key."""
        return self._placed(self.marks[self._position(key) + 1]) if key in self else self.place

    def is_block(self, key: str) -> bool:
        """Whether the value was written as a literal block, whose lines are those of the file."""
        mark = self._marks_of(key)[1]
        return isinstance(mark, _Position) and mark.source.is_block(mark.at)

    def comment_after(self, key: str) -> Location | None:
        """Where a comment ends a text that was written without quotes, if one does."""
        mark, value = self._marks_of(key)[1], self[key]
        if not isinstance(mark, _Position) or not isinstance(value, str):
            return None
        return mark.source.comment_after(mark.at, value)

    def _marks_of(self, key: str) -> tuple[_Mark, _Mark]:
        at = self._position(key)
        return self._exported(self.marks[at]), self._exported(self.marks[at + 1])

    def _put(self, key: str, value: Value, key_mark: _Mark, value_mark: _Mark) -> None:
        marks = self.marks = _loosened(self.marks)
        if key in self:
            at = self._position(key)
            marks[at : at + 2] = [key_mark, value_mark]
        else:
            if self.positions is not None:
                self.positions[key] = len(marks)
            marks += (key_mark, value_mark)
        self[key] = value

    def _position(self, key: str) -> int:
        if self.positions is None:
            self.positions = {name: 2 * index for index, name in enumerate(self)}
        return self.positions[key]


class Seq(_Marked, list[Value]):
    """A sequence that knows where it and its items stand."""

    __slots__ = ("mark", "marks", "source")

    def __init__(self, place: Location) -> None:
        super().__init__()
        self.source = None
        self.mark = place
        self.marks = []

    @classmethod
    def begun(cls, source: SourceText, index: int) -> "Seq":
        """An empty sequence that was read; the reader adds values and marks by itself."""
        new = cls.__new__(cls)
        new.source, new.mark, new.marks = source, index, array("I")
        return new

    def add(self, value: Value, place: Location) -> None:
        self.append(value)
        marks = self.marks = _loosened(self.marks)
        marks.append(place)

    def value_place(self, index: int) -> Location:
        return self._placed(self.marks[index])


def _loosened(marks: "array[int] | list[_Mark]") -> list[_Mark]:
    """The marks as a list, which takes those of other documents too."""
    return marks if isinstance(marks, list) else list(marks)


def without_nulls(tree: Map) -> Map:
    """The map without the keys that are taken away, at every level but inside lists."""
    inner = {key: without_nulls(each) for key, each in tree.items() if isinstance(each, Map)}
    if None not in tree.values() and all(each is tree[key] for key, each in inner.items()):
        return tree
    kept = Map.like(tree)
    for key, value in tree.items():
        if value is not None:
            kept.take(tree, key, inner.get(key, value))
    return kept


def location_of(tree: Map | Seq, path: Sequence[Step], *, key: bool = False) -> Location:
    """The place of the value at `path`, or of the nearest value above it that exists.

    With `key` the place of the last step's key instead of its value.
    """
    here: Value = tree
    place = tree.place
    for index, step in enumerate(path):
        if isinstance(here, Map) and isinstance(step, str) and step in here:
            is_last = index == len(path) - 1
            place = here.key_place(step) if key and is_last else here.value_place(step)
            here = here[step]
        elif isinstance(here, Seq) and isinstance(step, int) and step < len(here):
            place = here.value_place(step)
            here = here[step]
        else:
            break
    return place


def value_at(tree: Value, path: Sequence[Step]) -> Value:
    """The value at `path`, or None when there is none."""
    here = tree
    for step in path:
        if isinstance(here, Map) and isinstance(step, str):
            here = here.get(step)
        elif isinstance(here, Seq) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            return None
    return here


def with_location(value: Any, place: Location) -> Value:
    """The value as a document in which everything stands at one place."""
    match value:
        case dict():
            mapping = Map(place)
            for key, item in value.items():
                mapping.put(key, with_location(item, place), place, place)
            return mapping
        case list():
            sequence = Seq(place)
            for item in value:
                sequence.add(with_location(item, place), place)
            return sequence
        case _:
            scalar: Value = value
            return scalar


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: not if it holds half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
