"""How one text became another, word by word."""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from veogen.planner.diff.words import token_pieces

Sign: TypeAlias = Literal["=", "-", "+"]
Change: TypeAlias = tuple[Sign, str]

_ALONE = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"  # scripts that put no space between words
_TOKEN = re.compile(rf"\s+|(?:{_ALONE}|(?:(?!{_ALONE})\w)+|[^\w\s])\s*")


def word_changes(old: str, new: str) -> tuple[Change, ...]:
    """What is kept, taken away or added; `=` and `-` make up `old`, `=` and `+` `new`."""
    return tuple(_changes(old, new))


def _changes(old: str, new: str) -> Iterator[Change]:
    for piece in token_pieces(_TOKEN.findall(old), _TOKEN.findall(new)):
        if piece.is_kept:
            yield "=", piece.old
            continue
        if piece.old:
            yield "-", piece.old
        if piece.new:
            yield "+", piece.new
