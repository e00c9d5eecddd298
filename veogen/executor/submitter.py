"""Which request is submitted next, when, and under which idempotency key."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import count
from math import isfinite
from typing import Generic, TypeVar

from veogen.executor.intervals import DurationEstimator, task_kind
from veogen.executor.options import Random, retry_wait
from veogen.executor.shared_messages import PieceTaken
from veogen.executor.state import RunState
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
from veogen.gateway.api import Accepted, Gateway, Submission
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.results.events import SubmitFailed, SubmitIntended, SubmitRejected, TaskCreated

T = TypeVar("T")


class DelayQueue(Generic[T]):
    """Things that wait for their times."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, T]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        return (thing for _, _, thing in self._waiting)

    def put(self, at: float, thing: T) -> None:
        heapq.heappush(self._waiting, (at, next(self._order), thing))

    def due(self, now: float) -> T | None:
        """Take out one whose time has come."""
        return heapq.heappop(self._waiting)[2] if self._waiting and self.next <= now else None

    @property
    def next(self) -> float:
        """When the next one is due; infinity when none waits."""
        return self._waiting[0][0] if self._waiting else float("inf")

    def clear(self) -> None:
        self._waiting.clear()


class RateLimiter:
    """Halves its limit when the gateway has no room and raises it by one as it takes again."""

    def __init__(self, most: int, per_minute: float | None = None) -> None:
        self.most = most
        self.limit = most
        self._per_minute = per_minute
        self._paused_until = 0.0
        self._next_submit = 0.0
        self._lowered_at = float("-inf")
        self._accepted = 0

    def ready_at(self, now: float) -> float:
        """The monotonic time from which the next submit may go."""
        return max(now, self._paused_until, self._next_submit)

    def submitted(self, now: float) -> None:
        if self._per_minute is not None:
            self._next_submit = max(now, self._next_submit) + 60.0 / self._per_minute

    def accepted(self) -> None:
        """Raise the limit by one for each full round that was taken (additive increase)."""
        self._accepted += 1
        if self._accepted >= self.limit and self.limit < self.most:
            self.limit += 1
            self._accepted = 0

    def throttled(self, now: float, wait: float) -> None:
        """Halve the limit, once for all refusals of one moment, and pause for `wait` seconds."""
        self._paused_until = max(self._paused_until, now + wait)
        self._accepted = 0
        if now - self._lowered_at >= 1.0:
            self.limit = max(1, self.limit // 2)
            self._lowered_at = now


class SubmitQueue:
    """Those that take longest come first, and among their like the first in the plan.

    A batch ends sooner when its long tasks do not begin last. Nobody knows how long a kind takes
    of which nothing was seen: it comes first, so that it is known soon.
    """

    def __init__(
        self, kind: Callable[[str], Hashable], seconds: Callable[[Hashable], float]
    ) -> None:
        self._kind = kind
        self._seconds = seconds
        self._places: dict[str, int] = {}
        self._by_kind: defaultdict[Hashable, list[tuple[int, str]]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def add(self, hashes: Iterable[str]) -> None:
        """Put these in, in the order of the plan."""
        for hash_ in hashes:
            self._places[hash_] = len(self._places)
            self.put(hash_)

    def put(self, hash_: str) -> None:
        """Put one in, at its place in the plan."""
        place = self._places.get(hash_, -1)
        heapq.heappush(self._by_kind[self._kind(hash_)], (place, hash_))

    def first(self) -> str:
        """The next one, which stays in."""
        return self._by_kind[self._next_kind()][0][1]

    def take(self) -> str:
        """Take the next one out."""
        kind = self._next_kind()
        _, hash_ = heapq.heappop(self._by_kind[kind])
        if not self._by_kind[kind]:
            del self._by_kind[kind]
        return hash_

    def clear(self) -> None:
        self._by_kind.clear()

    def _next_kind(self) -> Hashable:
        if len(self._by_kind) == 1:
            return next(iter(self._by_kind))
        firsts = ((self._seconds(kind), -row[0][0], kind) for kind, row in self._by_kind.items())
        return max(firsts, key=lambda one: one[:2])[2]


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to one POST."""

    attempt: SubmitAttempt
    answer: Submission | NotPermitted


Message = Submitted | PreparedBody


def key_for(hash_: str, attempt: int) -> str:
    """The idempotency key: made from hash and attempt, so that any machine makes the same.

    The gateway takes 16 to 96 characters of `[A-Za-z0-9._-]`.
    """
    return f"veogen-{hash_}-{attempt}"


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
        self._queue = SubmitQueue(self._kind, estimator.expected_next)
        self._waits_for_images = False
        self._resends: DelayQueue[SubmitAttempt] = DelayQueue()
        self._delayed: DelayQueue[str] = DelayQueue()
        self._posting: set[str] = set()
        self.why: str | None = None

    def add(self, hashes: Iterable[str]) -> None:
        """Buy these: in this order where money has a limit, else the longest first."""
        hashes = list(hashes)
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
        self._delay(hash_, retry_wait(tries, self._random))

    def throttled(self, wait: float = 0.0) -> None:
        """The gateway has no room: fewer at a time."""
        self._limiter.throttled(self._state.clock.monotonic(), wait)

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

    def next_due(self, now: float, in_flight: int) -> float | None:
        """When something can be sent next; None when only an answer can change that."""
        due = self._delayed.next
        if in_flight - len(self._resends) < self._limiter.limit:
            due = min(due, self._resends.next)
        waits = self._waits_for_images or self._waits_for_money
        if self._queue and in_flight < self._limiter.limit and not waits:
            due = now
        return max(due, self._limiter.ready_at(now)) if isfinite(due) else None

    def dispatch(self, now: float, in_flight: int) -> list[Step]:
        """Send what may be sent now; `in_flight` counts tasks and submissions."""
        if self._state.stop is not None:
            return [self.close_attempts("stopped", self._state.stop.message)]
        while hash_ := self._delayed.due(now):
            self._queue.put(hash_)
        others = in_flight - self.slots
        batch: list[tuple[SubmitAttempt, bool]] = []
        while self._limiter.ready_at(now) <= now:
            going = others + self.slots + len(batch)
            found = self._due_resend(now, going) or self._fresh(others, batch)
            if found is None:
                break
            batch.append(found)
            self._limiter.submitted(now)
        intents = [attempt.intent for attempt, new in batch if new]
        recorded = not intents or self._state.record_intents(intents)
        for attempt, new in batch:
            if recorded or not new:
                self._posting.add(attempt.intent.hash)
                self._start(partial(self._post, attempt))
        return []

    def handle(self, message: Message) -> Step:
        """What an answer comes to."""
        match message:
            case Submitted():
                return self._on_submit(message)
            case PreparedBody():
                return self._on_upload(message)

    def close_attempts(self, code: str, message: str) -> Step:
        """Drop all that is not on the wire; what was never sent stays planned."""
        dropped = tuple(close_attempt(attempt, code, message) for attempt in self._resends)
        self._queue.clear()
        self._resends.clear()
        self._delayed.clear()
        return Step(dropped)

    def _due_resend(self, now: float, in_flight: int) -> tuple[SubmitAttempt, bool] | None:
        """A submission to be sent again, if a slot of the (perhaps lowered) limit is free."""
        if in_flight - len(self._resends) >= self._limiter.limit:
            return None
        attempt = self._resends.due(now)
        return None if attempt is None else (attempt, False)

    def _fresh(
        self, others: int, batch: list[tuple[SubmitAttempt, bool]]
    ) -> tuple[SubmitAttempt, bool] | None:
        """The next request; those whose images are uploaded wait for that."""
        while self._queue and others + self.slots + len(batch) < self._limiter.limit:
            request = self._request(self._queue.first())
            if self._is_at_others(request.hash):
                self._queue.take()  # what becomes of it is waited for
                continue
            if not self._affordable(request, [attempt.intent for attempt, new in batch if new]):
                return None
            self._queue.take()
            if not self._uploads.needs(request):
                replays = int(self._state.policy.replay)
                return SubmitAttempt(intent=self._intent(request), replays=replays), True
            self._uploads.begin(request)
        return None

    def _kind(self, hash_: str) -> Hashable:
        """Where money has a limit all are alike: they are bought in plan order."""
        policy = self._state.policy
        if policy.max_credits is not None or policy.budget is not None:
            return None
        return task_kind(self._request(hash_))

    def _request(self, hash_: str) -> Request:
        request = self._state.ledger.request(hash_)
        if request is None:
            raise KeyError(hash_)
        return request

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

        What is before it in the plan and still uploads its images comes first.
        """
        state, price = self._state, request.credits or Decimal(0)
        under_way = sum(
            (i.estimate for i in pending if i.estimate is not None), self._uploads.price
        )
        spent = state.ledger.spent + under_way + price
        policy = state.policy
        if policy.max_credits is not None and spent - state.spent_before > policy.max_credits:
            reason = f"--max-credits {policy.max_credits}"
        elif policy.budget is not None and spent > policy.budget:
            reason = f"the budget of {policy.budget} credits"
        else:
            return self._has_piece(request, under_way, pending)
        self._waits_for_images = bool(self._uploads)
        if not self._waits_for_images:
            message = f"{reason} would be passed by {request.address} ({price} credits)"
            state.stop_buying(Stop("money", message))
        return False

    def _has_piece(
        self, request: Request, under_way: Decimal, pending: list[SubmitIntended]
    ) -> bool:
        """Whether this machine's piece of the budget covers it; without one it waits or stops."""
        state, price = self._state, request.credits or Decimal(0)
        if state.shared is None or state.shared.budget is None:
            return True
        following = [price] * max(1, self._limiter.most - len(pending))
        answer = state.shared.budget.affords(under_way + price, following, self._start)
        if not answer.granted and not answer.wait:
            message = (
                f"the budget of {state.policy.budget} credits would be passed by "
                f"{request.address} ({price} credits): other machines have taken the rest"
            )
            state.stop_buying(Stop("money", message))
        return answer.granted

    @property
    def _waits_for_money(self) -> bool:
        shared = self._state.shared
        return shared is not None and shared.budget is not None and shared.budget.waits

    def _is_at_others(self, hash_: str) -> bool:
        """Whether another machine that lives is buying it, as far as is known."""
        return self._state.shared is not None and self._state.shared.whose(hash_) == "others"

    def _next_attempt(self, hash_: str) -> int:
        attempts = self._state.ledger.record(hash_).attempts
        shared = self._state.shared
        return attempts + 1 if shared is None else shared.next_attempt(hash_, attempts)

    def _post(self, attempt: SubmitAttempt) -> Submitted:
        """Send it; in a store it is claimed before, or looked at again."""
        intent, shared = attempt.intent, self._state.shared
        if shared is not None:
            refused = shared.permit(attempt, self._request(intent.hash).address)
            if refused is not None:
                return Submitted(attempt, refused)
        return Submitted(attempt, self._gateway.submit(intent.body.encode(), intent.key))

    def _on_submit(self, message: Submitted) -> Step:
        clock, intent, answer = self._state.clock, message.attempt.intent, message.answer
        if isinstance(answer, Accepted):
            credits_ = self._state.read_amount(intent.hash, answer.credits, intent.estimate)
            answer = replace(answer, credits=credits_)
        step = on_submit(
            message.attempt,
            answer,
            monotonic=clock.monotonic(),
            now=clock.now(),
            random=self._random,
        )

        def after_commit() -> None:
            self._posting.discard(message.attempt.intent.hash)
            if step.retry is not None:
                self._resend(step.retry)
            elif step.stop is not None:
                self._state.stop_buying(step.stop)
            else:
                self.why = None
            if any(isinstance(event, TaskCreated) for event in step.events):
                self._limiter.accepted()
                self._on_accepted(message.attempt.intent.hash)
            elif any(isinstance(event, SubmitFailed | SubmitRejected) for event in step.events):
                self._uploads.unpin(message.attempt.intent.hash)

        return step._replace(after_commit=after_commit)

    def _resend(self, retry: Retry) -> None:
        if retry.attempt is not None:
            self.replay(retry.attempt, wait=retry.wait)
        self.why = f"waits {retry.wait:.0f} s: {retry.why}"
        if retry.throttled:
            self.throttled(retry.wait)

    def _delay(self, hash_: str, wait: float) -> None:
        self._delayed.put(self._state.clock.monotonic() + wait, hash_)

    def _on_upload(self, message: PreparedBody) -> Step:
        self._waits_for_images = False
        step = self._uploads.handle(message)
        if step.stop is not None:
            self._state.stop_buying(step.stop)
        elif step.retry is not None:
            self.why = step.retry.why
            self._delay(message.hash, step.retry.wait)
        elif not self._uploads.needs(self._request(message.hash)):
            self._queue.put(message.hash)
        return step
