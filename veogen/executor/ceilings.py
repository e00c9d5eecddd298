"""What a request counts for where money has a limit: by what is really reserved (contract, 6.8)."""

from collections.abc import Hashable, Iterable
from decimal import ROUND_UP, Decimal

from veogen.results.ledger import RequestState

_MILLI = Decimal("0.001")


class ReservedRatios:
    """Learns from what the gateway reserves how far our estimates are off.

    Of each model and estimate the first request is answered before a second is sent, and the
    largest ratio of reserved to estimated that a model has shown raises every estimate after it.
    """

    def __init__(self) -> None:
        self._ratios: dict[str, Decimal] = {}
        self._first: dict[tuple[str, Decimal | None], Hashable] = {}
        self._answered: set[tuple[str, Decimal | None]] = set()

    def raised(self, model: str, estimate: Decimal) -> Decimal:
        """An estimate as the gateway may reserve it; never less than it says."""
        ratio = self._ratios.get(model)
        if ratio is None or ratio <= 1:
            return estimate
        return (estimate * ratio).quantize(_MILLI, ROUND_UP)

    def may_send(self, model: str, estimate: Decimal | None) -> bool:
        """Whether a request of that kind need not wait for the answer to the first one."""
        return (model, estimate) not in self._first or (model, estimate) in self._answered

    def sent(self, model: str, estimate: Decimal | None, name: Hashable) -> None:
        """One of that kind is on its way."""
        self._first.setdefault((model, estimate), name)

    def answered(
        self, model: str, estimate: Decimal | None, name: Hashable, reserved: Decimal | None = None
    ) -> None:
        """It is answered: taken with an amount or without, refused, or held."""
        if self._first.get((model, estimate)) == name:
            self._answered.add((model, estimate))
        if reserved is not None and estimate:
            self.observe(model, estimate, reserved)

    def is_answered(self, model: str, estimate: Decimal | None) -> bool:
        """Whether one of that kind was answered."""
        return (model, estimate) in self._answered

    def observe_all(self, standings: Iterable[RequestState]) -> None:
        """What earlier runs have seen."""
        for request, record in standings:
            estimates = {attempt.number: attempt.estimate for attempt in record.facts.attempts}
            for task in record.facts.tasks:
                estimate = estimates.get(task.attempt)
                if task.own and estimate is not None and task.reserved is not None:
                    self.observe(request.model, estimate, task.reserved)

    def observe(self, model: str, estimate: Decimal, reserved: Decimal) -> None:
        """What was reserved for a request of a model, also of an earlier run."""
        if estimate > 0:
            ratio = reserved / estimate
            self._ratios[model] = max(ratio, self._ratios.get(model, ratio))
