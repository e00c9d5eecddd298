"""Sides paired spec by spec, and what became of each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from veogen.cli.options import SpecOptions
from veogen.cli.sides import Side
from veogen.document.values import Place
from veogen.planner.budget import over_budget, over_limits
from veogen.planner.diff.causes import causes_of
from veogen.planner.diff.compare import Difference, compare
from veogen.planner.diff.groups import grouped
from veogen.planner.diff.money import money
from veogen.planner.diff.review import Report, Review
from veogen.planner.plan import Request, total_credits
from veogen.planner.selection import selected
from veogen.spec.model import Spec

Pair: TypeAlias = tuple[Side | None, Side | None]


def compared(old: Sequence[Side], new: Sequence[Side], options: SpecOptions) -> Report:
    """What buying `new` would be, measured by `old`."""
    pairs = list(_narrowed(list(_pairs(old, new)), options))
    return Report(reviews=tuple(_review(*pair) for pair in pairs), notes=tuple(_over_limits(new)))


def _pairs(old: Sequence[Side], new: Sequence[Side]) -> Iterator[Pair]:
    """The same spec of both sides: by its path, else by its name; and what has no other."""
    if len(old) == 1 and len(new) == 1:
        yield old[0], new[0]
        return
    left = list(old)
    partners: dict[int, Side] = {}
    for key in (_path, _name):
        for index, side in enumerate(new):
            partner = next((one for one in left if key(one) == key(side)), None)
            if index not in partners and partner is not None:
                partners[index] = partner
                left.remove(partner)
    for index, side in enumerate(new):
        yield partners.get(index), side
    for side in left:
        yield side, None


def _path(side: Side) -> tuple[str, str | None]:
    return side.plan.spec, side.plan.profile


def _name(side: Side) -> tuple[str, str | None]:
    return side.plan.name, side.plan.profile


def _narrowed(pairs: Sequence[Pair], options: SpecOptions) -> Iterator[Pair]:
    """Only the requests that are selected; a glob may be meant for either side of any pair."""
    if not options.select and not options.deselect:
        yield from pairs
        return
    sides = [side for pair in pairs for side in pair if side is not None]
    addresses = dict.fromkeys(r.address for side in sides for r in side.plan.requests)
    chosen = selected(addresses, options.select, options.deselect)
    for before, after in pairs:
        yield _only(before, chosen), _only(after, chosen)


def _only(side: Side | None, chosen: frozenset[str]) -> Side | None:
    if side is None:
        return None
    kept = tuple(request for request in side.plan.requests if request.address in chosen)
    return replace(side, plan=replace(side.plan, requests=kept))


def _review(old: Side | None, new: Side | None) -> Review:
    before, after = _requests(old), _requests(new)
    difference = compare(before, after)
    known = new or old
    return Review(
        name=known.plan.name if known else "",
        old=old.shown if old else None,
        new=new.shown if new else None,
        difference=difference,
        groups=grouped(difference.changed, causes_of(_spec(old), _spec(new))),
        money=money(before, after, _is_bought(old)),
        notes=tuple(_notes(old, new, difference)),
    )


def _requests(side: Side | None) -> tuple[Request, ...]:
    return side.plan.requests if side else ()


def _spec(side: Side | None) -> Spec | None:
    return side.spec if side else None


def _is_bought(old: Side | None) -> Callable[[Request], bool]:
    """What the old side's results tell; where there are none, all that it holds counts as bought.

    The results of the new side do not count: a pull request could write into them what it likes.
    """
    results = old.results if old else None
    if results is not None:
        return lambda request: not results.would_buy(request.hash)
    held = {request.hash for request in _requests(old)}
    return lambda request: request.hash in held


def _notes(old: Side | None, new: Side | None, difference: Difference) -> Iterator[str]:
    if old is not None and new is not None and old.plan.name != new.plan.name:
        yield (
            f"the name changes from {old.plan.name} to {new.plan.name}: a run begins a new "
            f"directory, runs/{new.plan.name}, and buys everything in it anew, "
            f"{_credits(new.plan.requests)} credits"
        )
    if new is not None:
        yield from (p.message for p in over_budget(new.plan, _place(new)))
    moved = [pair for pair in difference.unchanged if pair[0].credits != pair[1].credits]
    if moved:
        before, after = (_credits(side) for side in zip(*moved, strict=True))
        yield f"a price moved: {before} → {after} credits for requests that stay the same"


def _over_limits(sides: Iterable[Side]) -> Iterator[str]:
    """What the team's limits have against all new plans together."""
    found = [(side.spec, side.plan) for side in sides if side.spec is not None]
    yield from (problem.message for problem in over_limits(found))


def _place(side: Side) -> Place:
    return Place(side.shown, 1, 1)


def _credits(requests: Iterable[Request]) -> str:
    total = total_credits(requests)
    return "unknown" if total is None else str(total)
