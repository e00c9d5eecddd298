"""Credits: what a request costs by the catalogue's figures, and the account that pays."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from veogen.catalogue.models import Model
from veogen.simulator.refusals import RefusedError
from veogen.simulator.stage import number_of, seconds_of

_STEP = Decimal("0.001")


def price(model: Model, settled: Mapping[str, Any]) -> Decimal:
    """Credits for a request; nothing where the catalogue has no price."""
    rule = model.price
    if rule is None:
        return Decimal(0)
    amount: Decimal = rule.credits * number_of(settled)
    if rule.per_second:
        amount *= seconds_of(settled)
    for multiplier in rule.multipliers:
        if multiplier.when.items() <= settled.items():
            amount *= multiplier.times
            break
    return max(rule.minimum, amount).quantize(_STEP, ROUND_HALF_UP)


class Account:
    """One balance for every key: reserved when a task is made, charged or returned at its end."""

    def __init__(self, credits_: Decimal) -> None:
        self.remaining = credits_
        self.reserved = self.charged = self.returned = Decimal(0)

    def reserve(self, amount: Decimal) -> None:
        """Set `amount` aside; raises `RefusedError`."""
        if amount > self.remaining:
            raise RefusedError(
                402,
                "the balance is not enough",
                "insufficient_user_quota",
                estimated_credits=float(amount),
                account_balance_credits=float(self.remaining),
                remaining_credits=float(self.remaining),
            )
        self.hold(amount)

    def hold(self, amount: Decimal) -> None:
        """Set `amount` aside for a task that was taken already, be the balance what it is."""
        self.remaining -= amount
        self.reserved += amount

    def charge(self, amount: Decimal) -> None:
        self.reserved -= amount
        self.charged += amount

    def give_back(self, amount: Decimal) -> None:
        self.reserved -= amount
        self.remaining += amount
        self.returned += amount
