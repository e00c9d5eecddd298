"""The buying side of a run: which request is submitted next, when, and under which key."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from math import isfinite
from typing import Generic, TypeVar

from veogen.executor import options as backoff
from veogen.executor.intervals import Forecast, kind_of
from veogen.executor.state import Desk, Reaction
from veogen.executor.transitions import Again, Stop, Trying, after_submit, give_up
from veogen.executor.uploads import Prepared, Preparing, Uploads
from veogen.gateway.api import Gateway, Submission
from veogen.models.model import Json
from veogen.planner.identity import canonical
from veogen.results.events import SubmitFailed, SubmitIntended, SubmitRejected, TaskCreated
from veogen.results.ledger import Entry

T = TypeVar("T")


class Later(Generic[T]):
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


class Pace:
    """Halves its limit when the gateway has no room and raises it by one as it takes again."""

    def __init__(self, most: int, per_minute: float | None = None) -> None:
        self.most = most
        self.limit = most
        self._per_minute = per_minute
        self._paused_until = 0.0
        self._next_submit = 0.0
        self._lowered_at = float("-inf")
        self._taken = 0

    def ready_at(self, now: float) -> float:
        """The monotonic time from which the next submit may go."""
        return max(now, self._paused_until, self._next_submit)

    def submitted(self, now: float) -> None:
        if self._per_minute is not None:
            self._next_submit = max(now, self._next_submit) + 60.0 / self._per_minute

    def taken(self) -> None:
        """Raise the limit by one for each full round that was taken (additive increase)."""
        self._taken += 1
        if self._taken >= self.limit and self.limit < self.most:
            self.limit += 1
            self._taken = 0

    def crowded(self, now: float, wait: float) -> None:
        """Halve the limit, once for all refusals of one moment, and pause for `wait` seconds."""
        self._paused_until = max(self._paused_until, now + wait)
        self._taken = 0
        if now - self._lowered_at >= 1.0:
            self.limit = max(1, self.limit // 2)
            self._lowered_at = now


class Ready:
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

    def want(self, hashes: Iterable[str]) -> None:
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

    trying: Trying
    answer: Submission


Message = Submitted | Prepared


def key_for(hash_: str, attempt: int) -> str:
    """The idempotency key: made from hash and attempt, so that any machine makes the same.

    The gateway takes 16 to 96 characters of `[A-Za-z0-9._-]`.
    """
    return f"veogen-{hash_}-{attempt}"


class Buying:
    """Owns what is to be bought, what is being sent, and what is to be sent again."""

    def __init__(
        self,
        desk: Desk,
        gateway: Gateway,
        uploads: Uploads,
        chance: backoff.Chance,
        start: Callable[[Callable[[], Message]], None],
        taken: Callable[[str], None],
        forecast: Forecast,
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._images = Preparing(desk, uploads, chance, start)
        self._chance = chance
        self._start = start
        self._taken = taken
        self._pace = Pace(desk.policy.max_in_flight, desk.policy.submit_rate)
        self._ready = Ready(self._kind, forecast.likely)
        self._waits_for_images = False
        self._again: Later[Trying] = Later()
        self._later: Later[str] = Later()
        self._posting: set[str] = set()
        self.why: str | None = None

    def want(self, hashes: Iterable[str]) -> None:
        """Buy these: in this order where money has a limit, else the longest first."""
        hashes = list(hashes)
        self._ready.want(hashes)
        self._images.expect(map(self._request, hashes))

    def replay(self, trying: Trying) -> None:
        """Send a recorded intent once more, with its own key and bytes."""
        self._again.put(self._desk.clock.monotonic(), trying)

    def ended(self, hash_: str) -> None:
        """The gateway is done with a task, and with its images."""
        self._images.release(hash_)

    def retry(self, hash_: str, tries: int) -> None:
        """Buy a new attempt of a failed task after a while."""
        self._put_later(hash_, backoff.wait(tries, self._chance))

    def crowded(self, wait: float = 0.0) -> None:
        """The gateway has no room: fewer at a time."""
        self._pace.crowded(self._desk.clock.monotonic(), wait)

    @property
    def idle(self) -> bool:
        """Whether nothing is being sent or waits to be."""
        return not (self.on_the_wire or self._ready or self._again or self._later)

    @property
    def on_the_wire(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._posting or self._images)

    @property
    def slots(self) -> int:
        """How many tasks these submissions may become."""
        return len(self._posting) + len(self._again) + len(self._images)

    def next_due(self, now: float, in_flight: int) -> float | None:
        """When something can be sent next; None when only an answer can change that."""
        due = self._later.next
        if in_flight - len(self._again) < self._pace.limit:
            due = min(due, self._again.next)
        if self._ready and in_flight < self._pace.limit and not self._waits_for_images:
            due = now
        return max(due, self._pace.ready_at(now)) if isfinite(due) else None

    def dispatch(self, now: float, in_flight: int) -> list[Reaction]:
        """Send what may be sent now; `in_flight` counts tasks and submissions."""
        if self._desk.stop is not None:
            return [self.give_up("stopped", self._desk.stop.message)]
        self._wake(now)
        others = in_flight - self.slots
        batch: list[tuple[Trying, bool]] = []
        while self._pace.ready_at(now) <= now:
            going = others + self.slots + len(batch)
            found = self._due_again(now, going) or self._fresh(others, batch)
            if found is None:
                break
            batch.append(found)
            self._pace.submitted(now)
        self._send(batch)
        return []

    def handle(self, message: Message) -> Reaction:
        """What an answer comes to."""
        match message:
            case Submitted():
                return self._after_submit(message)
            case Prepared():
                return self._after_upload(message)

    def give_up(self, code: str, message: str) -> Reaction:
        """Drop all that is not on the wire; what was never sent stays planned."""
        dropped = tuple(give_up(trying, code, message) for trying in self._again)
        self._ready.clear()
        self._again.clear()
        self._later.clear()
        return Reaction(dropped)

    def _wake(self, now: float) -> None:
        while hash_ := self._later.due(now):
            self._ready.put(hash_)

    def _due_again(self, now: float, in_flight: int) -> tuple[Trying, bool] | None:
        """A submission to be sent again, if a slot of the (perhaps lowered) limit is free."""
        if in_flight - len(self._again) >= self._pace.limit:
            return None
        trying = self._again.due(now)
        return None if trying is None else (trying, False)

    def _fresh(self, others: int, batch: list[tuple[Trying, bool]]) -> tuple[Trying, bool] | None:
        """The next request; those whose images are uploaded wait for that."""
        while self._ready and others + self.slots + len(batch) < self._pace.limit:
            request = self._request(self._ready.first())
            if not self._affordable(request, [trying.intent for trying, new in batch if new]):
                return None
            self._ready.take()
            if not self._images.needs(request):
                replays = int(self._desk.policy.replay)
                return Trying(intent=self._intent(request), replays=replays), True
            self._images.begin(request)
        return None

    def _kind(self, hash_: str) -> Hashable:
        """Where money has a limit all are alike: they are bought in plan order."""
        policy = self._desk.policy
        if policy.max_credits is not None or policy.budget is not None:
            return None
        return kind_of(self._request(hash_))

    def _request(self, hash_: str) -> Entry:
        request = self._desk.ledger.request(hash_)
        if request is None:
            raise KeyError(hash_)
        return request

    def _intent(self, request: Entry) -> SubmitIntended:
        attempt = self._desk.ledger.record(request.hash).attempts + 1
        return SubmitIntended(
            hash=request.hash,
            attempt=attempt,
            key=key_for(request.hash, attempt),
            body=canonical(self._body(request)).decode(),
            estimate=request.credits,
            at=self._desk.clock.now(),
        )

    def _body(self, request: Entry) -> dict[str, Json]:
        body, bell = dict(self._images.body(request)), self._desk.bell
        url = bell.url(request) if bell else None
        return body if url is None else {**body, "callback_url": url}

    def _affordable(self, request: Entry, pending: list[SubmitIntended]) -> bool:
        """Whether ceiling and budget allow it; if not, the run stops here, in plan order.

        What is before it in the plan and still uploads its images comes first.
        """
        desk, price = self._desk, request.credits or Decimal(0)
        under_way = sum((i.estimate for i in pending if i.estimate is not None), self._images.price)
        spent = desk.ledger.spent + under_way + price
        policy = desk.policy
        if policy.max_credits is not None and spent - desk.spent_before > policy.max_credits:
            reason = f"--max-credits {policy.max_credits}"
        elif policy.budget is not None and spent > policy.budget:
            reason = f"the budget of {policy.budget} credits"
        else:
            return True
        self._waits_for_images = bool(self._images)
        if not self._waits_for_images:
            message = f"{reason} would be passed by {request.address} ({price} credits)"
            desk.halt(Stop("money", message))
        return False

    def _send(self, batch: list[tuple[Trying, bool]]) -> None:
        """Put intents on disk, then the requests on the wire."""
        intents = [trying.intent for trying, new in batch if new]
        recorded = not intents or self._desk.intend(intents)
        for trying, new in batch:
            if recorded or not new:
                self._posting.add(trying.intent.hash)
                self._start(lambda trying=trying: self._post(trying))  # type: ignore[misc]

    def _post(self, trying: Trying) -> Submitted:
        intent = trying.intent
        return Submitted(trying, self._gateway.submit(intent.body.encode(), intent.key))

    def _after_submit(self, message: Submitted) -> Reaction:
        clock = self._desk.clock
        sent = after_submit(
            message.trying,
            message.answer,
            monotonic=clock.monotonic(),
            now=clock.now(),
            chance=self._chance,
        )

        def then() -> None:
            self._posting.discard(message.trying.intent.hash)
            if sent.again is not None:
                self._put_off(sent.again)
            elif sent.stop is not None:
                self._desk.halt(sent.stop)
            else:
                self.why = None
            if any(isinstance(event, TaskCreated) for event in sent.events):
                self._pace.taken()
                self._taken(message.trying.intent.hash)
            elif any(isinstance(event, SubmitFailed | SubmitRejected) for event in sent.events):
                self._images.release(message.trying.intent.hash)

        return Reaction(sent.events, then)

    def _put_off(self, again: Again) -> None:
        now = self._desk.clock.monotonic()
        self._again.put(now + again.wait, again.trying)
        self.why = f"waits {again.wait:.0f} s: {again.why}"
        if again.crowded:
            self.crowded(again.wait)

    def _put_later(self, hash_: str, wait: float) -> None:
        self._later.put(self._desk.clock.monotonic() + wait, hash_)

    def _after_upload(self, message: Prepared) -> Reaction:
        self._waits_for_images = False
        found = self._images.handle(message)
        self.why = found.why or self.why
        if found.ready:
            self._ready.put(message.hash)
        elif found.wait is not None:
            self._put_later(message.hash, found.wait)
        return Reaction(found.events)
