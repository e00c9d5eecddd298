"""The buying side of a run: which request is submitted next, when, and under which key."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from math import isfinite

from veogen.executor.breaker import Breaker, PostOutcome
from veogen.executor.ceilings import ReservedRatios
from veogen.executor.intervals import DurationEstimator, task_kind
from veogen.executor.options import Random, retry_wait, time_of_day
from veogen.executor.others import PieceTaken
from veogen.executor.state import RunState
from veogen.executor.submit_queue import DelayQueue, RateLimiter, SubmitQueue
from veogen.executor.transitions import (
    NotPermitted,
    Retry,
    Step,
    Stop,
    SubmitAttempt,
    close_attempt,
    on_submit,
)
from veogen.executor.uploads import PreparedBody, UploadQueue, Uploads
from veogen.gateway.api import (
    Accepted,
    Gateway,
    NotAccepted,
    ReadError,
    Rejected,
    Submission,
    Unknown,
)
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.results.events import SubmitFailed, SubmitIntended, SubmitRejected, TaskCreated
from veogen.results.facts import Purchase


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to one POST."""

    attempt: SubmitAttempt
    answer: Submission | NotPermitted


@dataclass(frozen=True, slots=True)
class GatewayRead:
    """The answer to a read that was made to see whether the gateway is there."""

    from_gateway: bool


Message = Submitted | PreparedBody | GatewayRead

_IN_DOUBT = "task-of-another"


def key_for(hash_: str, attempt: int) -> str:
    """The idempotency key: made from hash and attempt, so that any machine makes the same.

    The gateway takes 16 to 96 characters of `[A-Za-z0-9._-]`. The attempt comes first: one that
    keeps only the head of a key must not take the second attempt for the first.
    """
    return f"veogen-{attempt}-{hash_}"


class Submitter:
    """Owns what is to be bought, what is being sent, and what is to be sent again."""

    def __init__(
        self,
        state: RunState,
        gateway: Gateway,
        uploads: Uploads,
        random: Random,
        start: Callable[[Callable[[], Message | PieceTaken]], None],
        on_accepted: Callable[[str], None],
        estimator: DurationEstimator,
    ) -> None:
        self._state = state
        self._gateway = gateway
        self._uploads = UploadQueue(state, uploads, random, start)
        self._random = random
        self._start = start
        self._on_accepted = on_accepted
        self._limiter = RateLimiter(state.policy.max_in_flight, state.policy.submit_rate)
        self._breaker = Breaker.of(state.policy.max_in_flight)
        self._ratios = ReservedRatios()
        self._queue = SubmitQueue(self._kind, estimator.expected_next)
        self._waits = False
        self._resends: DelayQueue[SubmitAttempt] = DelayQueue()
        self._delayed: DelayQueue[str] = DelayQueue()
        self._posting: dict[str, SubmitIntended] = {}
        self._task_ids: dict[str, SubmitIntended] = {}
        self._stands: dict[str, tuple[Purchase, ...]] = {}
        self.why: str | None = None

    def add(self, hashes: Iterable[str]) -> None:
        """Buy these: in this order where money has a limit, else the longest first."""
        hashes = list(hashes)
        if self._has_ceiling:
            self._ratios.observe_all(self._state.ledger.everything)
        for hash_ in hashes:
            self._stands[hash_] = self._state.ledger.record(hash_).purchases
        self._queue.add(hashes)
        self._uploads.expect(map(self._request, hashes))

    def replay(self, attempt: SubmitAttempt, *, wait: float = 0.0) -> None:
        """Send a recorded intent once more, with its own key and bytes."""
        self._resends.put(self._state.clock.monotonic() + wait, attempt)

    def ended(self, hash_: str) -> None:
        """The gateway is done with a task, and with its images."""
        self._uploads.unpin(hash_)

    def retry(self, hash_: str, tries: int) -> None:
        """Buy a new attempt of a failed task after a while."""
        self._stands[hash_] = self._state.ledger.record(hash_).purchases
        self._delay(hash_, retry_wait(tries, self._random))

    def throttled(self, wait: float = 0.0) -> None:
        """The gateway has no room: fewer at a time."""
        self._limiter.throttled(self._state.clock.monotonic(), wait)

    def heard(self, *, from_gateway: bool) -> None:
        """Something free was answered."""
        now = self._state.clock.monotonic()
        self._breaker = self._breaker.on_read(own=from_gateway, now=now)

    @property
    def idle(self) -> bool:
        """Whether nothing is being sent or waits to be."""
        return not (self.on_the_wire or self._queue or self._resends or self._delayed)

    @property
    def on_the_wire(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._posting or self._uploads)

    @property
    def slots(self) -> int:
        """How many tasks these submissions may become."""
        return len(self._posting) + len(self._resends) + len(self._uploads)

    @property
    def _may_post(self) -> bool:
        return len(self._posting) < self._breaker.posts

    @property
    def _is_trial(self) -> bool:
        return self._breaker.phase == "trial"

    def next_due(self, now: float, in_flight: int) -> float | None:
        """When something can be sent next; None when only an answer can change that."""
        if self._state.stop is not None:
            return None
        if self._breaker.phase == "paused":
            return self._breaker.read_at
        due = self._delayed.next
        if self._may_post:
            if in_flight - len(self._resends) < self._limiter.limit:
                due = min(due, self._resends.next)
            is_free = in_flight < self._limiter.limit and not (self._is_trial and self._resends)
            if self._queue and is_free and not (self._waits or self._waits_for_money):
                due = now
        return max(due, self._limiter.ready_at(now)) if isfinite(due) else None

    def dispatch(self, now: float, in_flight: int) -> list[Step]:
        """Send what may be sent now; `in_flight` counts tasks and submissions."""
        if self._state.stop is None and self._resends and self._breaker.is_overdue(now):
            self._state.stop_buying(Stop("outage", "nothing was taken for half an hour"))
        if self._state.stop is None and (self._queue or self._resends):
            self._state.take_in_results()
        if self._state.stop is not None:
            return [self.close_attempts("stopped", self._state.stop.message)]
        if self._breaker.wants_read(now):
            self._breaker = self._breaker.reading(now)
            self._start(self._read)
        while hash_ := self._delayed.due(now):
            self._queue.put(hash_)
        self._send(self._batch(now, in_flight - self.slots))
        return []

    def _batch(self, now: float, others: int) -> list[SubmitAttempt]:
        """What can be sent now, beside `others` that are in flight."""
        batch: list[SubmitAttempt] = []
        while self._limiter.ready_at(now) <= now:
            if len(self._posting) + len(batch) >= self._breaker.posts:
                break
            going = others + self.slots + len(batch)
            attempt = self._due_resend(now, going) or self._fresh(others, batch)
            if attempt is None:
                break
            batch.append(replace(attempt, trial=self._is_trial))
            self._limiter.submitted(now)
        return batch

    def _send(self, batch: list[SubmitAttempt]) -> None:
        """Post what is on record; a submission that may have been accepted is so already."""
        intents = [attempt.intent for attempt in batch if not attempt.maybe_accepted]
        recorded = not intents or self._state.record_intents(intents)
        for attempt in batch:
            if recorded or attempt.maybe_accepted:
                intent = attempt.intent
                self._posting[intent.hash] = intent
                self._ratios.sent(self._model(intent.hash), intent.estimate, intent.hash)
                self._start(partial(self._post, attempt))

    def handle(self, message: Message) -> Step:
        """What an answer comes to."""
        match message:
            case Submitted():
                return self._on_submit(message)
            case PreparedBody():
                return self._on_upload(message)
            case GatewayRead():
                self.heard(from_gateway=message.from_gateway)
                return Step()

    def close_attempts(self, code: str, message: str) -> Step:
        """Drop all that is not on the wire; what was never sent stays planned."""
        dropped = tuple(close_attempt(attempt, code, message) for attempt in self._resends)
        self._queue.clear()
        self._resends.clear()
        self._delayed.clear()
        return Step(dropped)

    def _due_resend(self, now: float, in_flight: int) -> SubmitAttempt | None:
        """A submission to be sent again, if a slot of the (perhaps lowered) limit is free."""
        if in_flight - len(self._resends) >= self._limiter.limit:
            return None
        attempt = self._resends.due(now)
        if attempt is None or attempt.maybe_accepted:
            return attempt
        if self._is_bought_elsewhere(attempt.intent.hash):
            return None
        return replace(attempt, intent=_again(attempt.intent, self._state.clock.now()))

    def _fresh(self, others: int, batch: list[SubmitAttempt]) -> SubmitAttempt | None:
        """The next request; those whose images are uploaded wait for that."""
        if self._is_trial and self._resends:  # that one is the one request after a pause
            return None
        while self._queue and others + self.slots + len(batch) < self._limiter.limit:
            request = self._request(self._queue.first())
            if self._is_at_others(request.hash) or self._is_bought_elsewhere(request.hash):
                self._queue.take()
                self._skip(request.hash)
                continue
            if not self._affordable(request, [attempt.intent for attempt in batch]):
                return None
            self._queue.take()
            if not self._uploads.needs(request):
                replays = int(self._state.policy.replay)
                return SubmitAttempt(intent=self._intent(request), replays=replays)
            self._uploads.begin(request)
        return None

    def _is_bought_elsewhere(self, hash_: str) -> bool:
        """Whether another machine has bought it since it was put in."""
        record = self._state.ledger.record(hash_)
        if record.purchases == self._stands.get(hash_, ()):
            return False
        request = self._request(hash_)
        self._state.listener.note(
            f"{request.address}: it was bought elsewhere meanwhile ({record.status}); not again"
        )
        if record.status in ("submitted", "undelivered"):
            self._on_accepted(hash_)
        return True

    @property
    def _has_ceiling(self) -> bool:
        policy = self._state.policy
        return policy.max_credits is not None or policy.budget is not None

    def _kind(self, hash_: str) -> Hashable:
        """Where money has a limit all are alike: they are bought in plan order."""
        return None if self._has_ceiling else task_kind(self._request(hash_))

    def _request(self, hash_: str) -> Request:
        request = self._state.ledger.request(hash_)
        if request is None:
            raise KeyError(hash_)
        return request

    def _model(self, hash_: str) -> str:
        return self._request(hash_).model

    def _intent(self, request: Request) -> SubmitIntended:
        attempt = self._next_attempt(request.hash)
        body, callback_url = dict(self._uploads.body(request)), self._state.callback_url
        if callback_url and (url := callback_url.for_request(request)):
            body["callback_url"] = url
        return SubmitIntended(
            hash=request.hash,
            attempt=attempt,
            key=key_for(request.hash, attempt),
            body=canonical(body).decode(),
            estimate=request.credits,
            at=self._state.clock.now(),
        )

    def _affordable(self, request: Request, pending: list[SubmitIntended]) -> bool:
        """Whether ceiling and budget allow it; if not, the run stops here, in plan order.

        What is before it in the plan and still uploads its images comes first, and so does the
        answer to the first of its kind: it says what is really reserved.
        """
        if not self._has_ceiling:
            return self._has_piece(request, pending)
        if not self._may_be_priced(request, pending):
            self._waits = True
            return False
        state, policy = self._state, self._state.policy
        price = self._raised(request.hash, request.credits)
        spent = state.ledger.spent + self._under_way(pending) + price
        if policy.max_credits is not None and spent - state.spent_before > policy.max_credits:
            reason = f"--max-credits {policy.max_credits}"
        elif policy.budget is not None and spent > policy.budget:
            reason = f"the budget of {policy.budget} credits"
        else:
            return self._has_piece(request, pending)
        self._waits = bool(self._uploads or self._posting or self._resends or pending)
        if not self._waits:
            message = f"{reason} would be passed by {request.address} ({price} credits)"
            state.stop_buying(Stop("money", message))
        return False

    def _has_piece(self, request: Request, pending: list[SubmitIntended]) -> bool:
        """Whether this machine's piece of the budget covers it; without one it waits or stops."""
        state = self._state
        if state.shared is None or state.shared.budget is None:
            return True
        price = self._raised(request.hash, request.credits)
        under_way = self._under_way(pending)
        following = [price] * max(1, self._limiter.most - len(pending))
        answer = state.shared.budget.affords(under_way + price, following, self._start)
        if not answer.granted and not answer.wait:
            message = (
                f"the budget of {state.policy.budget} credits would be passed by "
                f"{request.address} ({price} credits): other machines have taken the rest"
                + "".join(
                    f"; {process} is silent: if it is gone for good, veogen resolve RUN --close "
                    f"{process}"
                    for process in state.shared.budget.silent_holders()
                )
            )
            state.stop_buying(Stop("money", message))
        return answer.granted

    @property
    def _waits_for_money(self) -> bool:
        shared = self._state.shared
        return shared is not None and shared.budget is not None and shared.budget.waits

    def _is_at_others(self, hash_: str) -> bool:
        """Whether another machine has begun to buy it since it was put into the queue."""
        state = self._state
        if state.shared is None:
            return False
        record = state.ledger.record(hash_)
        if not state.shared.may_claim(hash_, record):
            return True
        is_open = record.status == "planned" or record.retries_left(state.policy.task_retries)
        return hash_ in state.learned and not is_open

    def _skip(self, hash_: str) -> None:
        """What becomes of it at another machine of the store is waited for."""
        if self._state.shared is not None:
            self._state.shared.skipped.add(hash_)

    def _next_attempt(self, hash_: str) -> int:
        attempts = self._state.ledger.record(hash_).attempts
        shared = self._state.shared
        return attempts + 1 if shared is None else shared.next_attempt(hash_, attempts)

    def _may_be_priced(self, request: Request, pending: list[SubmitIntended]) -> bool:
        kinds = [(self._model(intent.hash), intent.estimate) for intent in pending]
        if (request.model, request.credits) in kinds and not self._ratios.is_answered(
            request.model, request.credits
        ):
            return False
        return self._ratios.may_send(request.model, request.credits)

    def _raised(self, hash_: str, estimate: Decimal | None) -> Decimal:
        return self._ratios.raised(self._model(hash_), estimate or Decimal(0))

    def _under_way(self, pending: list[SubmitIntended]) -> Decimal:
        """What is not counted yet of what was sent, or is about to be."""
        waiting = [a.intent for a in self._resends if not a.maybe_accepted]
        sent = sum(
            (self._raised(i.hash, i.estimate) - (i.estimate or 0) for i in self._posting.values()),
            Decimal(0),
        )
        to_send = sum((self._raised(i.hash, i.estimate) for i in (*pending, *waiting)), Decimal(0))
        return sent + to_send + self._uploads.price

    def _read(self) -> GatewayRead:
        answer = self._gateway.models()
        return GatewayRead(not isinstance(answer, ReadError) or answer.from_gateway)

    def _post(self, attempt: SubmitAttempt) -> Submitted:
        """Send it; in a store it is claimed before, or looked at again."""
        intent, shared = attempt.intent, self._state.shared
        if shared is not None:
            refused = shared.permit(attempt, self._request(intent.hash).address)
            if refused is not None:
                return Submitted(attempt, refused)
        return Submitted(attempt, self._gateway.submit(intent.body.encode(), intent.key))

    def _on_submit(self, message: Submitted) -> Step:
        clock, intent = self._state.clock, message.attempt.intent
        answer = self._of_this_attempt(message.answer, intent)
        if isinstance(answer, Accepted):
            credits_ = self._state.read_amount(intent.hash, answer.credits, intent.estimate)
            answer = replace(answer, credits=credits_)
        step = on_submit(message.attempt, answer, now=clock.now(), random=self._random)

        def after_commit() -> None:
            self._posting.pop(intent.hash, None)
            self._waits = False
            self._learn(message.attempt, answer, step)
            if step.retry is not None:
                self._resend(step.retry)
            elif step.stop is not None:
                self._state.stop_buying(step.stop)
            else:
                self.why = None
            if any(isinstance(event, TaskCreated) for event in step.events):
                self._limiter.accepted()
                self._on_accepted(intent.hash)
            elif step.retry is None and any(
                isinstance(event, SubmitFailed | SubmitRejected) for event in step.events
            ):
                self._uploads.unpin(intent.hash)

        return step._replace(after_commit=after_commit)

    def _of_this_attempt(
        self, answer: Submission | NotPermitted, intent: SubmitIntended
    ) -> Submission | NotPermitted:
        """An answer that names a task which another request, or attempt, owns is none."""
        if not isinstance(answer, Accepted):
            return answer
        task_id = answer.task_id
        first = self._task_ids.setdefault(task_id, intent)
        owner = self._state.ledger.owner(task_id) or (first.hash, first.attempt)
        if owner == (intent.hash, intent.attempt):
            return answer
        request = self._state.ledger.request(owner[0])
        whose = request.address if request else owner[0][:10]
        return Unknown(
            code=_IN_DOUBT,
            message=f"the answer names {task_id}, the task of attempt {owner[1]} of {whose}",
            status=200,
        )

    def _learn(self, attempt: SubmitAttempt, answer: Submission | NotPermitted, step: Step) -> None:
        """What the answer says of the gateway: whether it is there, and what it reserves."""
        now, intent = self._state.clock.monotonic(), attempt.intent
        if not isinstance(answer, NotPermitted):
            outcome = _outcome(answer, step)
            self._breaker = self._breaker.on_post(outcome, now, trial=attempt.trial)
        if self._breaker.stop is not None:
            self._state.stop_buying(Stop("outage", self._breaker.stop))
        elif self._breaker.phase == "paused":
            self.why = "waits until the gateway answers: what was sent came to nothing"
        if step.retry is None:
            reserved = answer.credits if isinstance(answer, Accepted) else None
            model = self._model(intent.hash)
            self._ratios.answered(model, intent.estimate, intent.hash, reserved)

    def _resend(self, retry: Retry) -> None:
        if retry.attempt is not None:
            self.replay(retry.attempt, wait=retry.wait)
        until = time_of_day(self._state.clock.now() + retry.wait)
        self.why = f"waits {retry.wait:.0f} s, until {until}: {retry.why}"
        if retry.throttled:
            self.throttled(retry.wait)

    def _delay(self, hash_: str, wait: float) -> None:
        self._delayed.put(self._state.clock.monotonic() + wait, hash_)

    def _on_upload(self, message: PreparedBody) -> Step:
        self._waits = False
        step = self._uploads.handle(message)
        if step.stop is not None:
            self._state.stop_buying(step.stop)
        elif step.retry is not None:
            self.why = step.retry.why
            self._delay(message.hash, step.retry.wait)
        elif not self._uploads.needs(self._request(message.hash)):
            self._queue.put(message.hash)
        return step


def _again(intent: SubmitIntended, now: float) -> SubmitIntended:
    """The same attempt with the same key and bytes, to be sent once more."""
    return SubmitIntended(
        hash=intent.hash,
        attempt=intent.attempt,
        key=intent.key,
        body=intent.body,
        estimate=intent.estimate,
        at=now,
    )


def _outcome(answer: Submission, step: Step) -> PostOutcome:
    """What became of a POST, as far as an outage goes."""
    match answer:
        case Accepted():
            return "taken"
        case Rejected():
            return "refused"
        case NotAccepted() if step.retry is not None:
            return "not-taken"
        case _:
            return "unknown"
