"""A difference made ready for people: changes in groups, money, and what else to know."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from veogen.planner.diff.compare import Difference
from veogen.planner.diff.groups import Group
from veogen.planner.diff.money import NOTHING, Money
from veogen.planner.plan import Request
from veogen.terminal import counted

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
    """Videos that come and go, and requests that become others, change their address or stay."""

    added: int
    removed: int
    changed: int
    renamed: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one command compares; false when nothing differs.

    Its own notes are of all specs together.
    """

    reviews: tuple[Review, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(review.difference for review in self.reviews)

    @property
    def money(self) -> Money:
        return sum((review.money for review in self.reviews), NOTHING)

    @property
    def counts(self) -> Counts:
        differences = [review.difference for review in self.reviews]
        return Counts(
            added=sum(_videos(one.added) for one in differences),
            removed=sum(_videos(one.removed) for one in differences),
            changed=sum(len(one.changed) for one in differences),
            renamed=sum(len(one.renamed) for one in differences),
            unchanged=sum(len(one.unchanged) for one in differences),
        )

    @property
    def headline(self) -> str:
        """All of it on one line: `+4 clips, 3 changed: 304.128 credits to buy`."""
        if not self:
            return "no difference"
        counts, to_buy = self.counts, self.money.to_buy
        parts = [f"+{counted(counts.added, 'clip')}"] if counts.added else []
        if counts.removed:
            lost = f"{counts.removed:,}" if counts.added else counted(counts.removed, "clip")
            parts.append(f"\u2212{lost}")
        parts += [f"{counts.changed:,} changed"] if counts.changed else []
        parts += [f"{counts.renamed:,} renamed"] if counts.renamed else []
        price = "an unknown price" if to_buy is None else f"{to_buy} credits"
        return f"{', '.join(parts)}: {price} to buy"


def diff_data(report: Report) -> dict[str, Any]:
    """The contract's JSON; of several specs the sum."""
    differences = [review.difference for review in report.reviews]
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
        "unchanged": report.counts.unchanged,
        "credits": _money_data(report.money),
    }


def _money_data(money: Money) -> dict[str, str | None]:
    amounts = {"old": money.old, "new": money.new, "delta": money.delta, "to_buy": money.to_buy}
    return {name: None if amount is None else str(amount) for name, amount in amounts.items()}


def _videos(requests: Iterable[Request]) -> int:
    return sum(request.videos for request in requests)
