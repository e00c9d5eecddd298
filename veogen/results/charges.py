"""What the gateway reserved and charged, beside what was estimated: the audit of a run's money."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from veogen.results.ledger import RequestState
from veogen.text import counted, credits_text

_PLACES = Decimal("0.01")


class Charge(NamedTuple):
    """One request's money, of the attempt that counts; None where it is not known."""

    estimate: Decimal | None
    reserved: Decimal | None
    charged: Decimal | None

    @property
    def differs(self) -> bool:
        """Whether the gateway names another amount than was estimated."""
        named = (self.reserved, self.charged)
        return any(amount not in (None, self.estimate) for amount in named)


def charge_of(state: RequestState) -> Charge:
    """What is known of one request's money; a task that failed is not charged."""
    record = state.record
    task = record.facts.task(record.task_id)
    if task is None:
        return Charge(state.request.credits, None, None)
    charged = None if record.status == "failed" else task.charged
    return Charge(state.request.credits, task.reserved, charged)


class ChargeTotals(NamedTuple):
    """Sums over requests; each amount beside the estimates of those that have it."""

    requests: int
    estimate: Decimal
    reserved: Decimal
    reserved_estimate: Decimal
    charged: Decimal
    charged_estimate: Decimal

    @classmethod
    def of(cls, charges: Iterable[Charge]) -> "ChargeTotals":
        """What an unknown amount belongs to is left out of its sum, and so is its estimate."""
        estimated = [charge for charge in charges if charge.estimate is not None]
        reserved = [charge for charge in estimated if charge.reserved is not None]
        charged = [charge for charge in estimated if charge.charged is not None]
        return cls(
            requests=len(estimated),
            estimate=_sum(charge.estimate for charge in estimated),
            reserved=_sum(charge.reserved for charge in reserved),
            reserved_estimate=_sum(charge.estimate for charge in reserved),
            charged=_sum(charge.charged for charge in charged),
            charged_estimate=_sum(charge.estimate for charge in charged),
        )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def difference_notes(states: Iterable[RequestState]) -> Iterator[str]:
    """Where what the gateway names is not what was estimated, a sentence each; without a stop."""
    named = map(charge_of, states)
    charges = [charge for charge in named if charge.estimate is not None]
    if not any(charge.differs for charge in charges):
        return
    totals = ChargeTotals.of(charges)
    if totals.reserved != totals.reserved_estimate:
        yield _difference("reserved", totals.reserved, totals.reserved_estimate)
    if totals.charged != totals.charged_estimate:
        yield _difference("charged", totals.charged, totals.charged_estimate)
    unlike = sum(charge.differs for charge in charges)
    if totals.reserved == totals.reserved_estimate and totals.charged == totals.charged_estimate:
        whose = counted(unlike, "request")
        yield f"{whose} at another amount than was estimated, the same in all"


def _difference(verb: str, amount: Decimal, estimate: Decimal) -> str:
    times = f", {(amount / estimate).quantize(_PLACES)} times as much" if estimate else ""
    return f"{verb} {credits_text(amount)} where {credits_text(estimate)} were estimated{times}"
