"""Whether the account's balance fell by what the journals say was bought."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from veogen.gateway.answers import Balance, Unread
from veogen.results.ledger import Ledger
from veogen.results.records import Purchase

_NOISE = Decimal("0.01")
"""Balances may be rounded otherwise than prices."""

_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost: `low` at least and `high` at most."""

    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.low - other.high, self.high - other.low)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:.3f}"
        return f"between {self.low:.3f} and {self.high:.3f}"


class Reckoning:
    """Begun before the first submit, closed after the end."""

    def __init__(self, balance: Callable[[], Balance | Unread], ledgers: Iterable[Ledger]) -> None:
        self._balance = balance
        self._ledgers = tuple(ledgers)
        self._before = dict(_purchases(self._ledgers))
        self._balance_before = balance()

    def close(self) -> str | None:
        """What to say when the two disagree; None when they agree, or cannot be compared."""
        if not isinstance(self._balance_before, Balance):
            return None
        recorded = newly_spent(self._before, dict(_purchases(self._ledgers)))
        if recorded is None:
            return None
        balance = self._balance()
        if not isinstance(balance, Balance):
            return None
        fell = self._balance_before.user_remaining - balance.user_remaining
        if recorded.low - _NOISE <= fell <= recorded.high + _NOISE:
            return None
        moved = f"fell by {fell:.3f}" if fell >= 0 else f"rose by {-fell:.3f}"
        return (
            f"note: the account's balance {moved} credits while this command recorded purchases "
            f"of {recorded}; others who use the account may explain it, or a return that is still "
            "to come. If not, compare 'veogen status' with the gateway's own bill"
        )


def newly_spent(before: Mapping[_Key, Purchase], after: Mapping[_Key, Purchase]) -> Cost | None:
    """What the purchases of a run come to; None if there were none, or one of unknown price."""
    moved = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    changed = [(before.get(key), after.get(key)) for key in moved]
    if not changed or any(p and p.credits is None for pair in changed for p in pair):
        return None
    return sum((cost(now) - cost(then) for then, now in changed), Cost())


def cost(purchase: Purchase | None) -> Cost:
    """What one attempt cost, as far as it is known."""
    if purchase is None or purchase.failed or purchase.credits is None:
        return Cost()
    certain = Decimal(0) if purchase.task_id is None else purchase.credits
    return Cost(certain, purchase.credits)


def _purchases(ledgers: Iterable[Ledger]) -> Iterator[tuple[_Key, Purchase]]:
    """Every attempt of every request; equal requests of two plans are two purchases."""
    for number, ledger in enumerate(ledgers):
        for standing in ledger.everything:
            for attempt, purchase in standing.record.purchases.items():
                yield (f"{number}/{standing.record.hash}", attempt), purchase
