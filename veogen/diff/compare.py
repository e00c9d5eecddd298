"""Two plans held against each other: their requests, their money, and what they are allowed.

What a request is decides first, its address second.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from pathlib import PurePosixPath
from typing import Self, TypeAlias

from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.nodes import Map, Seq, Value
from veogen.document.problems import MistakesError
from veogen.document.reader import read_document
from veogen.jsontext import compact
from veogen.models.parameters import Json
from veogen.planner.identity import FILE, canonical, with_images
from veogen.planner.plan import NO_CREDITS, Request, total_credits
from veogen.spec.params import as_json
from veogen.spec.project import POLICY
from veogen.spec.types import Limits
from veogen.text import rounded_credits

Fields: TypeAlias = Mapping[str, tuple[Json, Json]]


def changed_fields(old: Request, new: Request) -> Fields:
    """Parameters of the body, and `output`; None where one side is silent.

    Images that changed under one name stand as the SHA-256s of their bytes. Values compare with
    their types: `1` is neither `1.0` nor true.
    """
    before, after = _fields(old, new), _fields(new, old)
    changed: dict[str, tuple[Json, Json]] = {}
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        are_texts = isinstance(was, str) and isinstance(now, str)
        if was != now if are_texts else canonical(was) != canonical(now):
            changed[name] = was, now
    return changed


def _fields(request: Request, other: Request) -> dict[str, Json]:
    """The fields of a request; images whose bytes are others in `other` by their hash."""
    own, others = _hashes(request), _hashes(other)
    changed = {
        url: f"sha256:{sha256}" for url, sha256 in own.items() if others.get(url, sha256) != sha256
    }
    return {**with_images(request.body, changed), "output": request.output}


def changed_images(old: Request, new: Request) -> frozenset[str]:
    """The parameters in which an image has other bytes under one name."""
    before = {**old.body, "output": old.output}
    return frozenset(name for name, value in _fields(old, new).items() if value != before[name])


def _hashes(request: Request) -> dict[str, str]:
    return {FILE + image.path: image.sha256 for image in request.images}


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

    def __repr__(self) -> str:
        parts = ("added", "removed", "renamed", "changed", "unchanged")
        return f"<Difference {', '.join(f'{len(getattr(self, p))} {p}' for p in parts)}>"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditChange:
    """Credits of both plans, and what is still to be bought; None where a price is unknown.

    `open_before` is that part of it which the old plan holds too: no change makes it.
    """

    old: Decimal | None
    new: Decimal | None
    to_buy: Decimal | None
    open_before: Decimal | None

    @property
    def delta(self) -> Decimal | None:
        if self.old is None or self.new is None:
            return None
        return rounded_credits(self.new - self.old)

    @property
    def by_change(self) -> Decimal | None:
        """What the change itself makes to be bought."""
        if self.to_buy is None or self.open_before is None:
            return None
        return self.to_buy - self.open_before

    def __add__(self, other: Self) -> "CreditChange":
        return CreditChange(
            old=_sum(self.old, other.old),
            new=_sum(self.new, other.new),
            to_buy=_sum(self.to_buy, other.to_buy),
            open_before=_sum(self.open_before, other.open_before),
        )


ZERO = CreditChange(old=NO_CREDITS, new=NO_CREDITS, to_buy=NO_CREDITS, open_before=NO_CREDITS)


def credit_change(
    old: Iterable[Request], new: Iterable[Request], is_bought: Callable[[Request], bool]
) -> CreditChange:
    """The money of two plans, when `is_bought` tells of a request whether it is paid for."""
    before, after = tuple(old), tuple(new)
    to_buy = [request for request in after if not is_bought(request)]
    held = {request.hash for request in before}
    return CreditChange(
        old=total_credits(before),
        new=total_credits(after),
        to_buy=total_credits(to_buy),
        open_before=total_credits(request for request in to_buy if request.hash in held),
    )


def _sum(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else rounded_credits(left + right)


_NOTHING = "none"


def budget_changes(old: Limits, new: Limits) -> Iterator[str]:
    """The ceilings of a spec that differ: `budget.max_credits: 20000 → 90000`."""
    for name in ("max_credits", "max_requests"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            shown = (_NOTHING if each is None else str(each) for each in (before, after))
            yield f"budget.{name}: {' → '.join(shown)}"


def policy_changes(old: Files, new: Files) -> Iterator[str]:
    """The values of a project's policy, and of its file of prices, that differ."""
    before, after = _policy_values(old), _policy_values(new)
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, _NOTHING), after.get(name, _NOTHING)
        if was != now:
            yield f"{name}: {was} → {now}"


def _policy_values(files: Files) -> dict[str, str]:
    """Every value by the file and the keys that lead to it."""
    path = PurePosixPath(POLICY)
    tree = _tree(files, path)
    values = dict(_flat(tree, f"{POLICY}: "))
    prices = tree.get("prices")
    if isinstance(prices, str):
        try:
            priced = _tree(files, inside(path.parent, prices))
        except OutsideRootError:
            return values
        values |= dict(_flat(priced, f"{prices}: "))
    return values


def _tree(files: Files, path: PurePosixPath) -> Map | dict[str, Value]:
    """The mapping in a file, an empty one where there is none: its mistakes are told elsewhere."""
    try:
        tree = read_document(files, path)
    except MistakesError:
        return {}
    return tree if isinstance(tree, Map) else {}


def _flat(tree: Mapping[str, Value], before: str) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Map):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, Seq):
            yield f"{before}{name}", compact(as_json(value))
        else:
            yield f"{before}{name}", str(value) if value is not None else _NOTHING
