"""How one text became another, word by word."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

Sign: TypeAlias = Literal["=", "-", "+"]
Piece: TypeAlias = tuple[Sign, str]

_ALONE = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"  # scripts that put no space between words
_TOKEN = re.compile(rf"\s+|(?:{_ALONE}|(?:(?!{_ALONE})\w)+|[^\w\s])\s*")


def word_changes(old: str, new: str) -> tuple[Piece, ...]:
    """Pieces that are kept, taken away or added; `=` and `-` make up `old`, `=` and `+` `new`."""
    return tuple(_changes(_TOKEN.findall(old), _TOKEN.findall(new)))


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield "=", "".join(old[a:b])
            continue
        if a < b:
            yield "-", "".join(old[a:b])
        if c < d:
            yield "+", "".join(new[c:d])
