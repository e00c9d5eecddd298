"""What a difference costs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from veogen.planner.plan import NO_CREDITS, Request, total_credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Credits of both plans, and what is still to be bought; None where a price is unknown."""

    old: Decimal | None
    new: Decimal | None
    to_buy: Decimal | None

    @property
    def delta(self) -> Decimal | None:
        return None if self.old is None or self.new is None else self.new - self.old

    def __add__(self, other: Self) -> "Money":
        return Money(
            old=_sum(self.old, other.old),
            new=_sum(self.new, other.new),
            to_buy=_sum(self.to_buy, other.to_buy),
        )


NOTHING = Money(old=NO_CREDITS, new=NO_CREDITS, to_buy=NO_CREDITS)


def money(
    old: Iterable[Request], new: Iterable[Request], is_bought: Callable[[Request], bool]
) -> Money:
    """The money of two plans, when `is_bought` tells of a request whether it is paid for."""
    after = tuple(new)
    return Money(
        old=total_credits(old),
        new=total_credits(after),
        to_buy=total_credits(request for request in after if not is_bought(request)),
    )


def _sum(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left + right
