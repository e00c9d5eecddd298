"""Texts compared word by word."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_TOKENS, _MOST_MATCHES = 6_000, 50_000
"""Comparing takes the square of the tokens, and of those that are equal the cube."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: in both when `old` and `new` are equal, else replaced by the other."""

    old: str
    new: str

    @property
    def is_kept(self) -> bool:
        return self.old == self.new


@lru_cache(maxsize=1024)
def word_pieces(old: str, new: str) -> tuple[Piece, ...]:
    """Both texts cut into what they share and what was replaced.

    Joined, the old sides are `old` and the new sides `new`.
    """
    return tuple(_merged(token_pieces(_TOKEN.findall(old), _TOKEN.findall(new))))


def token_pieces(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    """Two texts in tokens, as what they share and what was replaced; too much is, as a whole."""
    start = _shared(before, after)
    end = _shared(before[:start:-1], after[:start:-1])
    head, tail = "".join(before[:start]), "".join(before[len(before) - end :])
    middle = before[start : len(before) - end], after[start : len(after) - end]
    pieces = (Piece(head, head), *_opcodes(*middle), Piece(tail, tail))
    return (piece for piece in pieces if piece.old or piece.new)


def _shared(before: Sequence[str], after: Sequence[str]) -> int:
    """With how many equal tokens both begin."""
    pairs = enumerate(zip(before, after, strict=False))
    shorter = min(len(before), len(after))
    return next((index for index, (left, right) in pairs if left != right), shorter)


def replacements(pieces: Sequence[Piece]) -> tuple[tuple[str, str], ...]:
    """What was replaced by what, white space around it left away."""
    return tuple((piece.old.strip(), piece.new.strip()) for piece in pieces if not piece.is_kept)


def _opcodes(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    if len(before) + len(after) > _MOST_TOKENS or _matches(before, after) > _MOST_MATCHES:
        yield Piece("".join(before), "".join(after))
        return
    matcher = SequenceMatcher(_is_gap, before, after, autojunk=False)
    for _, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        yield Piece("".join(before[old_from:old_to]), "".join(after[new_from:new_to]))


def _matches(before: Sequence[str], after: Sequence[str]) -> int:
    """How many pairs of equal tokens there are that a comparison begins at."""
    counts = Counter(after)
    return sum(counts[token] for token in before if not _is_gap(token))


def _is_gap(text: str) -> bool:
    """Whether a text is nothing but space between words of one line."""
    return text.isspace() and "\n" not in text


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Replaced pieces with nothing but a space between them become one: people read phrases."""
    waiting: list[Piece] = []
    for piece in pieces:
        is_gap = piece.is_kept and _is_gap(piece.old)
        if waiting and (is_gap or not piece.is_kept):
            waiting.append(piece)
        elif piece.is_kept:
            yield from _joined(waiting)
            waiting = []
            yield piece
        else:
            waiting = [piece]
    yield from _joined(waiting)


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """The pieces as one, but for a gap that they end with."""
    tail = pieces.pop() if pieces and pieces[-1].is_kept else None
    if pieces:
        yield Piece("".join(p.old for p in pieces), "".join(p.new for p in pieces))
    if tail is not None:
        yield tail
