"""Whether money allows the next request, by what is really reserved (contract, 6.8)."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_UP, Decimal

from veogen.executor.options import RunPolicy
from veogen.executor.others import PieceTaken
from veogen.executor.state import RunState
from veogen.executor.submit_queue import DelayQueue
from veogen.executor.transitions import Stop, SubmitAttempt
from veogen.executor.uploads import UploadQueue
from veogen.results.ledger import Ledger, RequestState
from veogen.text import credits_text

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


class SpendingLimit:
    """The ceiling of a command, the budget of a run, and this machine's piece of that budget.

    It knows what is on the wire, waits to be sent again or uploads its images: that is not counted
    yet, or not with what the gateway may really reserve for it.
    """

    def __init__(
        self,
        state: RunState,
        posting: Mapping[str, SubmitAttempt],
        resends: DelayQueue[SubmitAttempt],
        uploads: UploadQueue,
        start: Callable[[Callable[[], PieceTaken]], None],
    ) -> None:
        self._state = state
        self._posting = posting
        self._resends = resends
        self._uploads = uploads
        self._start = start
        self._ratios = ReservedRatios()
        self._waits_for_answer = False

    @property
    def has_ceiling(self) -> bool:
        """Whether what this command or its run spends has a limit."""
        policy = self._state.policy
        return policy.max_credits is not None or policy.budget is not None

    @property
    def waits(self) -> bool:
        """Whether nothing more is sent before an answer has come, or a piece of the budget."""
        shared = self._state.shared
        waits_for_piece = shared is not None and shared.budget is not None and shared.budget.waits
        return self._waits_for_answer or waits_for_piece

    def go_on(self) -> None:
        """Something was answered: what has waited for it is looked at again."""
        self._waits_for_answer = False

    def observe(self) -> None:
        """Learn from what earlier runs have seen."""
        if self.has_ceiling:
            self._ratios.observe_all(self._state.ledger.everything)

    def sent(self, hash_: str, estimate: Decimal | None) -> None:
        """It is on its way."""
        self._ratios.sent(self._model(hash_), estimate, hash_)

    def answered(self, hash_: str, estimate: Decimal | None, reserved: Decimal | None) -> None:
        """It is answered and is not sent again; `reserved` is what was named for its task."""
        self._ratios.answered(self._model(hash_), estimate, hash_, reserved)

    def affords(self, hash_: str, pending: Sequence[SubmitAttempt]) -> bool:
        """Whether ceiling and budget allow it beside `pending`; if not, the run stops here.

        What is before it in the plan and still uploads its images comes first, and so does the
        answer to the first of its kind: it says what is really reserved.
        """
        if not self.has_ceiling:
            return True
        state, request = self._state, self._state.request(hash_)
        kind = request.model, request.credits
        beside = [(self._model(a.intent.hash), a.intent.estimate) for a in pending]
        is_second = kind in beside and not self._ratios.is_answered(*kind)
        if is_second or not self._ratios.may_send(*kind):
            self._waits_for_answer = True
            return False
        price = self._raised(hash_, request.credits)
        # what is not counted yet of what was sent, or is about to be
        waiting = (attempt for attempt in self._resends if not attempt.maybe_accepted)
        under_way = self._uploads.price
        for intent in [attempt.intent for attempt in (*pending, *waiting)]:
            under_way += self._raised(intent.hash, intent.estimate)
        for intent in [attempt.intent for attempt in self._posting.values()]:
            under_way += self._raised(intent.hash, intent.estimate) - (intent.estimate or 0)
        spent, policy = state.ledger.spent + under_way + price, state.policy
        if policy.max_credits is not None and spent - state.spent_before > policy.max_credits:
            reason = f"--max-credits {policy.max_credits}"
        elif policy.budget is not None and spent > policy.budget:
            reason = f"the budget of {policy.budget} credits"
        else:
            return self._has_piece(request.address, price, under_way, len(pending))
        self._waits_for_answer = bool(self._uploads or self._posting or self._resends or pending)
        if not self._waits_for_answer:
            message = f"{reason} would be passed by {request.address} ({price} credits)"
            state.stop_buying(Stop("money", message))
        return False

    def _has_piece(self, address: str, price: Decimal, under_way: Decimal, pending: int) -> bool:
        """Whether this machine's piece of the budget covers it; without one it waits or stops."""
        state = self._state
        if state.shared is None or state.shared.budget is None:
            return True
        following = [price] * max(1, state.policy.max_in_flight - pending)
        answer = state.shared.budget.affords(price, under_way, following, self._start)
        if not answer.granted and not answer.wait:
            message = (
                f"the budget of {state.policy.budget} credits would be passed by "
                f"{address} ({price} credits): other machines have taken the rest"
                + "".join(
                    f"; {process} is silent: if it is gone for good, veogen resolve RUN --close "
                    f"{process}"
                    for process in state.shared.budget.silent_holders()
                )
            )
            state.stop_buying(Stop("money", message))
        return answer.granted

    def _raised(self, hash_: str, estimate: Decimal | None) -> Decimal:
        return self._ratios.raised(self._model(hash_), estimate or Decimal(0))

    def _model(self, hash_: str) -> str:
        return self._state.request(hash_).model


def money_notes(ledger: Ledger, policy: RunPolicy, spent_before: Decimal) -> Iterator[str]:
    """What was paid beyond a ceiling, or more than once for one request and by whose decision."""
    spent, beyond, limit = ledger.spent, None, ""
    if policy.max_credits is not None and spent - spent_before > policy.max_credits:
        beyond, limit = spent - spent_before, f"--max-credits {credits_text(policy.max_credits)}"
    elif policy.budget is not None and spent > policy.budget:
        beyond, limit = spent, f"the budget of {credits_text(policy.budget)}"
    if beyond is not None:
        yield (
            f"{credits_text(beyond)} credits count, which is more than {limit}: for what was "
            "already sent the gateway reserved more than its price says"
        )
    for request, record in ledger.everything:
        paid = [p for p in record.purchases if p.task_id and p.status != "failed"]
        if len(paid) < 2:  # noqa: PLR2004 - as it should be
            continue
        tasks = []
        for purchase in paid:
            attempt = record.facts.attempt(purchase.attempt)
            by = f", {attempt.abandoned}" if attempt and attempt.abandoned else ""
            tasks.append(f"{purchase.task_id} (attempt {purchase.attempt}, {purchase.status}{by})")
        yield f"{request.address}: paid for {len(paid)} times: {'; '.join(tasks)}"
