"""Two plans held against each other: what a request is decides first, its address second."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

from veogen.planner.diff.fields import Fields, changed_fields
from veogen.planner.plan import Request

Pair: TypeAlias = tuple[Request, Request]


@dataclass(frozen=True, slots=True)
class Change:
    """A request under one address before and after, and the fields that differ."""

    old: Request
    new: Request
    fields: Fields

    @property
    def address(self) -> str:
        return self.new.address

    @property
    def is_same_clip(self) -> bool:
        """Whether what is bought is the same: only its path, or who is told of it, differs."""
        return self.old.hash == self.new.hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What became of the requests of one plan in another; false when nothing did.

    What was removed stands in the order of the old plan, all else in that of the new one.
    """

    added: tuple[Request, ...]
    removed: tuple[Request, ...]
    renamed: tuple[Pair, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Pair, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.renamed or self.changed)


def compare(old: Iterable[Request], new: Iterable[Request]) -> Difference:
    """Pair the requests that are the same by hash, then those that share an address."""
    before, after = tuple(old), tuple(new)
    same = tuple(_pairs(before, after, "hash"))
    gone = _others(before, (request for request, _ in same))
    come = _others(after, (request for _, request in same))
    edited = tuple(_pairs(gone, come, "address"))
    in_place = [pair for pair in same if pair[0].address == pair[1].address]
    changes = {
        new.address: Change(old, new, fields)
        for old, new in (*in_place, *edited)
        if (fields := changed_fields(old, new))
    }
    return Difference(
        added=_others(come, (request for _, request in edited)),
        removed=_others(gone, (request for request, _ in edited)),
        renamed=tuple(pair for pair in same if pair[0].address != pair[1].address),
        changed=tuple(changes[one.address] for one in after if one.address in changes),
        unchanged=tuple(pair for pair in in_place if pair[1].address not in changes),
    )


def _pairs(old: Sequence[Request], new: Sequence[Request], key: str) -> Iterator[Pair]:
    """Those that are equal in `key`, in the order of `new`."""
    of = attrgetter(key)
    known = {of(request): request for request in old}
    for request in new:
        if of(request) in known:
            yield known[of(request)], request


def _others(requests: Sequence[Request], without: Iterable[Request]) -> tuple[Request, ...]:
    paired = {request.address for request in without}
    return tuple(request for request in requests if request.address not in paired)
