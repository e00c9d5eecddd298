"""What a difference costs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from veogen.planner.plan import Request, total_credits

_MILLI = Decimal("0.001")


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


NOTHING = Money(old=Decimal("0.000"), new=Decimal("0.000"), to_buy=Decimal("0.000"))


def money(
    old: Iterable[Request], new: Iterable[Request], is_bought: Callable[[Request], bool]
) -> Money:
    """The money of two plans, when `is_bought` tells of a request whether it is paid for."""
    after = tuple(new)
    return Money(
        old=_total(old),
        new=_total(after),
        to_buy=_total(request for request in after if not is_bought(request)),
    )


def _total(requests: Iterable[Request]) -> Decimal | None:
    total = total_credits(requests)
    return None if total is None else total.quantize(_MILLI)


def _sum(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left + right
