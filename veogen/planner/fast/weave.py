"""Lines put together from texts that were made once for each value of an axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress, islice, product
from math import prod
from operator import itemgetter
from typing import TypeAlias

from veogen.planner.seen import Seen

INNER = 512  # so many lines at least have their outer values in common
BLOCK = 1024

_HASHED = '{"request":'
_END = ',"images":[]}\n'


@dataclass(frozen=True, slots=True)
class Varying:
    """A text for each point of a dimension; dimensions count from 0, the slowest first."""

    dimension: int
    texts: tuple[str, ...]


Part: TypeAlias = str | Varying
Parts: TypeAlias = Sequence[Part]
Args: TypeAlias = tuple[str, ...]
Rows: TypeAlias = Iterator[tuple[Args, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """The lines of one shot: what is before the hash, between it and the request, the request.

    `tail` is what is hashed after the request, `kept` has a 0 for each line that is left out.
    """

    sizes: tuple[int, ...]
    before: Parts
    between: Parts
    request: Parts
    tail: Parts
    kept: bytes | None

    def blocks(self, seen: Seen) -> Iterator[str]:
        """All lines in order, many at a time; their hashes are seen."""
        split = len(self.sizes)
        while split and prod(self.sizes[split:]) < INNER:
            split -= 1
        inner = list(product(*map(range, self.sizes[split:])))
        fields = [
            _Field(parts, split, inner)
            for parts in (self.before, self.between, self.request, self.tail)
        ]
        for index, outer in enumerate(product(*map(range, self.sizes[:split]))):
            rows: Rows = zip(*(field.args for field in fields), strict=True)
            if self.kept is not None:
                rows = compress(rows, self.kept[index * len(inner) : (index + 1) * len(inner)])
            yield from _blocks([field.form(outer) for field in fields], rows, seen)


class _Field:
    """One field of a line: a form for outer values, with blanks for the inner ones."""

    def __init__(self, parts: Parts, split: int, inner: Sequence[tuple[int, ...]]) -> None:
        self._parts, self._split = parts, split
        blanks = [p for p in parts if isinstance(p, Varying) and p.dimension >= split]
        columns = [
            [blank.texts[index] for index in map(itemgetter(blank.dimension - split), inner)]
            for blank in blanks
        ]
        self.args: list[Args] = list(zip(*columns, strict=True)) if blanks else [()] * len(inner)

    def form(self, outer: tuple[int, ...]) -> str:
        return "".join(self._shown(part, outer) for part in self._parts)

    def _shown(self, part: Part, outer: tuple[int, ...]) -> str:
        if isinstance(part, Varying):
            if part.dimension >= self._split:
                return "%s"
            part = part.texts[outer[part.dimension]]
        return part.replace("%", "%%")


def _blocks(forms: Sequence[str], rows: Rows, seen: Seen) -> Iterator[str]:
    before, between, request, tail = forms
    while chunk := list(islice(rows, BLOCK)):
        lines, hashes = [], []
        for of_before, of_between, of_request, of_tail in chunk:
            body = request % of_request
            hash_ = sha256((_HASHED + body + tail % of_tail).encode()).hexdigest()
            hashes.append(hash_)
            lines.append(before % of_before + hash_ + between % of_between + body + _END)
        seen.add_all(hashes)
        yield "".join(lines)
