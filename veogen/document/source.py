"""The text of a document, and where its lines begin."""

import re
from array import array
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML parsers count lines

_RARE_LINE_ENDS = ("\r", "\x85", "\u2028", "\u2029")
_BLOCK = re.compile(r"(&\S+\s+)?[|>]")


class Place(NamedTuple):
    """A point in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Source:
    """A document as it was read, where an index (of a character) becomes a place when asked."""

    def __init__(self, path: str, raw: bytes) -> None:
        self.path = path
        self._raw = raw

    def place(self, index: int) -> Place:
        """The place of a character."""
        line = bisect_right(self._line_starts, index)
        return Place(self.path, line, index - self._line_starts[line - 1] + 1)

    def is_block(self, index: int) -> bool:
        """Whether a block scalar begins there, perhaps after its anchor."""
        return _BLOCK.match(self._text, index) is not None

    @cached_property
    def _text(self) -> str:
        return self._raw.decode(errors="replace")

    @cached_property
    def _line_starts(self) -> "array[int]":
        rare = any(end in self._text for end in _RARE_LINE_ENDS)
        ends = (LINE_END if rare else re.compile("\n")).finditer(self._text)
        return array("I", [0, *(end.end() for end in ends)])
