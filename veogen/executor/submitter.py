"""The buying side of a run: which request is submitted next, when, and under which key."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite

from msgspec.structs import replace as replace_field

from veogen.executor.breaker import Breaker, PostOutcome
from veogen.executor.ceilings import SpendingLimit
from veogen.executor.intervals import DurationEstimator, task_kind
from veogen.executor.options import Random, retry_wait, time_of_day
from veogen.executor.others import PieceTaken
from veogen.executor.state import RunState
from veogen.executor.submit_queue import DelayQueue, RateLimiter, SubmitQueue
from veogen.executor.transitions import (
    NotPermitted,
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
from veogen.models.parameters import Json
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.results.events import SubmitIntended, TaskCreated
from veogen.results.facts import Purchase


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to the POST of a request."""

    hash: str
    answer: Submission | NotPermitted


@dataclass(frozen=True, slots=True)
class GatewayRead:
    """The answer to a read that was made to see whether the gateway is there."""

    from_gateway: bool


_IN_DOUBT = "task-of-another"
_SKIPS_BEFORE_JUMP = 4
"""After so many requests in a row that another machine has begun, this one continues elsewhere."""


def key_for(hash_: str, attempt: int) -> str:
    """The idempotency key: made from hash and attempt, so that any machine makes the same.

    The gateway takes 16 to 96 characters of `[A-Za-z0-9._-]`. The attempt comes first: one that
    keeps only the head of a key must not take the second attempt for the first.
    """
    return f"veogen-{attempt}-{hash_}"


def intent_for(
    request: Request, attempt: int, body: Mapping[str, Json], now: float
) -> SubmitIntended:
    """What is on record before a request is sent: its key and the very bytes of its body."""
    return SubmitIntended(
        hash=request.hash,
        attempt=attempt,
        key=key_for(request.hash, attempt),
        body=canonical(dict(body)).decode(),
        estimate=request.credits,
        at=now,
    )


class Submitter:
    """Owns what is to be bought, what is being sent, and what is to be sent again."""

    def __init__(
        self,
        state: RunState,
        gateway: Gateway,
        uploads: Uploads,
        random: Random,
        start: Callable[[Callable[[], Submitted | PreparedBody | GatewayRead | PieceTaken]], None],
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
        self._queue = SubmitQueue(self._kind, estimator.expected_next)
        self._skipped_in_a_row = 0
        self._resends: DelayQueue[SubmitAttempt] = DelayQueue()
        self._delayed: DelayQueue[str] = DelayQueue()
        self._posting: dict[str, SubmitAttempt] = {}
        self._spending = SpendingLimit(state, self._posting, self._resends, self._uploads, start)
        self._task_ids: dict[str, tuple[str, int]] = {}
        self._purchases_when_queued: dict[str, tuple[Purchase, ...]] = {}
        self._why: str | None = None

    @property
    def why(self) -> str | None:
        """Why it waits, if it does."""
        if self._breaker.phase == "paused" and self._has_more:
            return "waits until the gateway answers: what was sent came to nothing"
        return self._why

    def add(self, hashes: Iterable[str]) -> None:
        """Buy these: in this order where money has a limit, else the longest first."""
        hashes = list(hashes)
        self._spending.observe()
        for hash_ in hashes:
            self._purchases_when_queued[hash_] = self._state.ledger.record(hash_).purchases
        self._queue.add(hashes)
        self._uploads.expect(map(self._state.request, hashes))

    def upload(self, request: Request) -> Mapping[str, Json] | ReadError:
        """The body of a request, its images uploaded while the caller waits."""
        return self._uploads.upload(request)

    def replay(self, attempt: SubmitAttempt, *, wait: float = 0.0) -> None:
        """Send a recorded intent once more, with its own key and bytes."""
        self._resends.put(self._state.clock.monotonic() + wait, attempt)

    def ended(self, hash_: str) -> None:
        """The gateway is done with a task, and with its images once no other task has them."""
        purchases = self._state.ledger.record(hash_).purchases
        if not any(p.status in ("submitted", "indeterminate") for p in purchases):
            self._uploads.unpin(hash_)

    def retry(self, hash_: str, tries: int) -> None:
        """Buy a new attempt of a failed task after a while, unless one is about to be bought.

        A person may have asked for that before the failure was read here.
        """
        self._purchases_when_queued[hash_] = self._state.ledger.record(hash_).purchases
        resends = (attempt.intent.hash for attempt in self._resends)
        places = (self._queue, self._delayed, self._uploads, self._posting, resends)
        if any(hash_ in place for place in places):
            return
        self._delay(hash_, retry_wait(tries, self._random))

    def throttled(self, wait: float = 0.0) -> None:
        """The gateway has no room: fewer at a time."""
        self._limiter.throttled(self._state.clock.monotonic(), wait)

    def on_free_read(self, *, from_gateway: bool) -> None:
        """Something free was answered."""
        now = self._state.clock.monotonic()
        self._breaker = self._breaker.on_read(own=from_gateway, now=now)

    @property
    def idle(self) -> bool:
        """Whether nothing is being sent or waits to be."""
        return not (self.on_the_wire or self._has_more)

    @property
    def _has_more(self) -> bool:
        """Whether anything is still to be sent: else nobody asks whether the gateway is back."""
        return bool(self._queue or self._resends or self._delayed)

    @property
    def on_the_wire(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._posting or self._uploads)

    @property
    def slots(self) -> int:
        """How many tasks these submissions may become."""
        return len(self._posting) + len(self._resends) + len(self._uploads)

    @property
    def _is_trial(self) -> bool:
        return self._breaker.phase == "trial"

    def next_due(self, now: float, in_flight: int) -> float | None:
        """When something can be sent next; None when only an answer can change that."""
        if not self._has_more:
            return None
        if self._breaker.phase == "paused":
            return self._breaker.read_at
        due = self._delayed.next
        if self._breaker.may_send:
            if in_flight - len(self._resends) < self._limiter.limit:
                due = min(due, self._resends.next)
            is_free = in_flight < self._limiter.limit and not (self._is_trial and self._resends)
            if self._queue and is_free and not self._spending.waits:
                due = now
        return max(due, self._limiter.ready_at(now)) if isfinite(due) else None

    def dispatch(self, now: float, in_flight: int) -> list[Step]:
        """Send what may be sent now; `in_flight` counts tasks and submissions."""
        if not self._may_buy(now):
            reason = self._state.stop
            return [self.close_attempts("stopped", reason.message)] if reason else []
        batch, others = list[SubmitAttempt](), in_flight - self.slots
        while self._breaker.may_send and self._limiter.ready_at(now) <= now:
            going = others + self.slots + len(batch)
            attempt = self._due_resend(now, going) or self._fresh(others, batch)
            if attempt is None:
                break
            batch.append(replace(attempt, trial=self._is_trial))
            self._breaker = self._breaker.sent()
            self._limiter.submitted(now)
        # what may have been accepted is on record already; the rest is before it is sent
        intents = [attempt.intent for attempt in batch if not attempt.maybe_accepted]
        recorded = not intents or self._state.record_intents(intents)
        for attempt in batch:
            if recorded or attempt.maybe_accepted:
                self._posting[attempt.intent.hash] = attempt
                self._spending.sent(attempt.intent.hash, attempt.intent.estimate)
                self._start(partial(self._post, attempt))
        return []

    def _may_buy(self, now: float) -> bool:
        """Whether the run goes on buying, once all that could stop it is looked at."""
        state, waiting = self._state, bool(self._resends)
        if state.stop is None and waiting and self._breaker.is_overdue(now):
            state.stop_buying(Stop("outage", "nothing was taken for half an hour"))
        if state.stop is None and (self._queue or waiting):
            state.take_in_results()
        if state.stop is not None:
            return False
        if self._has_more and self._breaker.wants_read(now):
            self._breaker = self._breaker.reading(now)
            self._start(self._read)
        while hash_ := self._delayed.due(now):
            self._queue.put(hash_)
        return True

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
        # the same attempt with the same key and bytes
        again = replace_field(attempt.intent, at=self._state.clock.now())
        return replace(attempt, intent=again)

    def _fresh(self, others: int, batch: list[SubmitAttempt]) -> SubmitAttempt | None:
        """The next request; those whose images are uploaded wait for that."""
        if self._is_trial and self._resends:  # that one is the one request after a pause
            return None
        state = self._state
        while self._queue and others + self.slots + len(batch) < self._limiter.limit:
            hash_ = self._queue.first()
            if state.is_begun_elsewhere(hash_) or self._is_bought_elsewhere(hash_):
                self._queue.take()
                if state.shared is not None:  # what becomes of it there is waited for
                    state.shared.skipped.add(hash_)
                    self._skipped_in_a_row += 1
                continue
            if self._skipped_in_a_row >= _SKIPS_BEFORE_JUMP and state.shared is not None:
                self._queue.begin_at(state.shared.place_apart)
                self._skipped_in_a_row = 0
                continue
            self._skipped_in_a_row = 0
            if not self._spending.affords(hash_, batch):
                return None
            self._queue.take()
            request = state.request(hash_)
            if self._uploads.needs(request):
                self._uploads.begin(request)
                continue
            attempt = state.ledger.record(hash_).attempts + 1
            if state.shared is not None:
                attempt = state.shared.next_attempt(hash_, attempt - 1)
            body, callback_url = dict(self._uploads.body(request)), state.callback_url
            if callback_url and (url := callback_url.for_request(request)):
                body["callback_url"] = url
            intent = intent_for(request, attempt, body, state.clock.now())
            return SubmitAttempt(intent=intent, replays=int(state.policy.replay))
        return None

    def _is_bought_elsewhere(self, hash_: str) -> bool:
        """Whether another machine has bought it since it was put in."""
        record = self._state.ledger.record(hash_)
        if record.purchases == self._purchases_when_queued.get(hash_, ()):
            return False
        request = self._state.request(hash_)
        self._state.listener.note(
            f"{request.address}: it was bought elsewhere meanwhile ({record.status}); not again"
        )
        if record.status in ("submitted", "undelivered"):
            self._on_accepted(hash_)
        return True

    def _kind(self, hash_: str) -> Hashable:
        """Where money has a limit all are alike: they are bought in plan order."""
        return None if self._spending.has_ceiling else task_kind(self._state.request(hash_))

    def _read(self) -> GatewayRead:
        answer = self._gateway.models()
        return GatewayRead(not isinstance(answer, ReadError) or answer.from_gateway)

    def _post(self, attempt: SubmitAttempt) -> Submitted:
        """Send it; in a store it is claimed before, or looked at again."""
        intent, shared = attempt.intent, self._state.shared
        if shared is not None:
            refused = shared.permit(attempt, self._state.request(intent.hash).address)
            if refused is not None:
                return Submitted(intent.hash, refused)
        return Submitted(intent.hash, self._gateway.submit(intent.body.encode(), intent.key))

    def submitted(self, message: Submitted) -> Step:
        """What the answer to a POST comes to."""
        attempt = self._posting[message.hash]
        number, estimate, trial = attempt.intent.attempt, attempt.intent.estimate, attempt.trial
        answer = self._of_this_attempt(message.answer, (message.hash, number))
        if isinstance(answer, Accepted):
            amount = self._state.read_amount(message.hash, answer.credits, estimate)
            answer = replace(answer, credits=amount)
        step = on_submit(attempt, answer, now=self._state.clock.now(), random=self._random)

        def after_commit() -> None:
            self._posting.pop(message.hash, None)
            self._spending.go_on()
            self._learn(answer, step, trial=trial)
            if step.retry is None:
                reserved = answer.credits if isinstance(answer, Accepted) else None
                self._spending.answered(message.hash, estimate, reserved)
            else:
                if step.retry.attempt is not None:
                    self.replay(step.retry.attempt, wait=step.retry.wait)
                until = time_of_day(self._state.clock.now() + step.retry.wait)
                self._why = f"waits {step.retry.wait:.0f} s, until {until}: {step.retry.why}"
                if step.retry.throttled:
                    self.throttled(step.retry.wait)
            if step.stop is not None:
                self._state.stop_buying(step.stop)
            elif step.retry is None:
                self._why = None
            if any(isinstance(event, TaskCreated) for event in step.events):
                self._limiter.accepted()
                self._on_accepted(message.hash)
            elif step.retry is None:
                self.ended(message.hash)

        return step._replace(after_commit=after_commit)

    def _of_this_attempt(
        self, answer: Submission | NotPermitted, attempt: tuple[str, int]
    ) -> Submission | NotPermitted:
        """An answer that names a task which another request, or attempt, owns is none."""
        if not isinstance(answer, Accepted):
            return answer
        first = self._task_ids.setdefault(answer.task_id, attempt)
        owner = self._state.ledger.owner(answer.task_id) or first
        if owner == attempt:
            return answer
        request = self._state.ledger.request(owner[0])
        whose = request.address if request else owner[0][:10]
        task = f"{answer.task_id}, the task of attempt {owner[1]} of {whose}"
        return Unknown(code=_IN_DOUBT, message=f"the answer names {task}", status=200)

    def _learn(self, answer: Submission | NotPermitted, step: Step, *, trial: bool) -> None:
        """What the answer says of the gateway: whether it is there, and takes anything."""
        outcome: PostOutcome = "unknown"
        match answer:
            case Accepted():
                outcome = "taken"
            case Rejected():
                outcome = "refused"
            case NotAccepted() if step.retry is not None:
                outcome = "not-taken"
            case _:  # nobody knows what became of it
                pass
        if isinstance(answer, NotPermitted):
            self._skipped_in_a_row = _SKIPS_BEFORE_JUMP
            self._breaker = self._breaker.not_sent()
        else:
            now = self._state.clock.monotonic()
            self._breaker = self._breaker.on_post(outcome, now, trial=trial)
        if self._breaker.stop is not None:
            self._state.stop_buying(Stop("outage", self._breaker.stop))

    def _delay(self, hash_: str, wait: float) -> None:
        self._delayed.put(self._state.clock.monotonic() + wait, hash_)

    def prepared(self, message: PreparedBody) -> Step:
        """What the upload of a request's images comes to."""
        self._spending.go_on()
        step = self._uploads.handle(message)
        if step.stop is not None:
            self._state.stop_buying(step.stop)
        elif step.retry is not None:
            self._why = step.retry.why
            self._delay(message.hash, step.retry.wait)
        elif not self._uploads.needs(self._state.request(message.hash)):
            self._queue.put(message.hash)
        return step
