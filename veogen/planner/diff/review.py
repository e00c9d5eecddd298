"""A difference made ready for people: changes in groups, money, and what else to know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from veogen.planner.diff.compare import Difference
from veogen.planner.diff.groups import Group
from veogen.planner.diff.money import NOTHING, Money
from veogen.planner.plan import Request

FORMAT = "veogen.diff/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One spec before and after; `old` and `new` say where each was read, None where it is not."""

    name: str
    old: str | None
    new: str | None
    difference: Difference
    groups: tuple[Group, ...]
    money: Money
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Videos that come and go, and requests that become others or change their address."""

    added: int
    removed: int
    changed: int
    renamed: int
    unchanged: int


def counts(reviews: Iterable[Review]) -> Counts:
    differences = [review.difference for review in reviews]
    return Counts(
        added=sum(_videos(one.added) for one in differences),
        removed=sum(_videos(one.removed) for one in differences),
        changed=sum(len(one.changed) for one in differences),
        renamed=sum(len(one.renamed) for one in differences),
        unchanged=sum(len(one.unchanged) for one in differences),
    )


def total(reviews: Iterable[Review]) -> Money:
    return sum((review.money for review in reviews), NOTHING)


def headline(reviews: Sequence[Review]) -> str:
    """All of it in one line: `+4 clips, 3 changed: 304.128 credits to buy`."""
    if not any(review.difference for review in reviews):
        return "no difference"
    counted, money = counts(reviews), total(reviews)
    parts = [f"+{counted.added} {'clip' if counted.added == 1 else 'clips'}"]
    parts += [f"\u2212{counted.removed}"] if counted.removed else []
    parts += [f"{counted.changed} changed"] if counted.changed else []
    parts += [f"{counted.renamed} renamed"] if counted.renamed else []
    price = "an unknown price" if money.to_buy is None else f"{money.to_buy} credits"
    return f"{', '.join(parts)}: {price} to buy"


def _videos(requests: Iterable[Request]) -> int:
    return sum(request.videos for request in requests)


def diff_data(reviews: Iterable[Review]) -> dict[str, Any]:
    """The contract's JSON; of several specs the sum."""
    found = tuple(reviews)
    differences = [review.difference for review in found]
    money = total(found)
    return {
        "format": FORMAT,
        "added": [request.address for one in differences for request in one.added],
        "removed": [request.address for one in differences for request in one.removed],
        "renamed": [[old.address, new.address] for one in differences for old, new in one.renamed],
        "changed": [
            {
                "address": change.address,
                "fields": {name: list(pair) for name, pair in change.fields.items()},
            }
            for one in differences
            for change in one.changed
        ],
        "unchanged": sum(len(one.unchanged) for one in differences),
        "credits": {
            name: None if amount is None else str(amount)
            for name, amount in (
                ("old", money.old),
                ("new", money.new),
                ("delta", money.delta),
                ("to_buy", money.to_buy),
            )
        },
    }
