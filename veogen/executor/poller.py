"""The watching side of a run: one list of due times for all tasks, no thread a task."""

import heapq
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count

from veogen.executor.intervals import Forecast, kind_of
from veogen.executor.state import Desk, Reaction
from veogen.executor.transitions import after_read
from veogen.gateway.api import Gateway, ReadError, Task
from veogen.results.events import Event, TaskCompleted, TaskFailed
from veogen.results.record import Record

_READS_AT_ONCE = 32
_CROWD, _APART = 50, 0.05
"""Fifty tasks, which are one read, every twentieth of a second."""

_EARLY = 0.02
"""So much of its wait a task may be looked at early, when others are looked at anyway."""


@dataclass(frozen=True, slots=True)
class Read:
    """The answers to one read of some tasks, by hash."""

    answers: Mapping[str, Task | ReadError]


@dataclass(slots=True)
class _Watch:
    """A task that is looked at from time to time; `undone`: when it was last seen to go on."""

    task_id: str
    kind: Hashable
    since: float
    accepted: float
    undone: float | None = None
    looks: int = 0
    due: float = 0.0
    early: float = 0.0


class Watching:
    """Owns which task is looked at next, and when."""

    def __init__(
        self,
        desk: Desk,
        gateway: Gateway,
        start: Callable[[Callable[[], Read]], None],
        ended: Callable[[Event], None],
        forecast: Forecast,
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._start = start
        self._ended = ended
        self._forecast = forecast
        self._watched: dict[str, _Watch] = {}
        self._hashes: dict[str, str] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = count()
        self._reading = 0

    def watch_all(self, hashes: Iterable[str]) -> None:
        """Follow tasks that may have ended long ago: their first looks are now, a crowd's soon.

        Else they would all be due at one moment again and again, and most of them late.
        """
        for place, hash_ in enumerate(hashes):
            self.watch(hash_, first=place // _CROWD * _APART)

    def watch(self, hash_: str, *, first: float | None = None) -> None:
        """Follow a request's task until it ends, or until the task time-out.

        `first` is how many seconds from now it is looked at, if not when it is worth it.
        """
        record, clock = self._desk.ledger.record(hash_), self._desk.clock
        now = clock.monotonic()
        age = max(0.0, clock.now() - (record.accepted_at or clock.now()))
        watch = _Watch(record.task_id or "", self._kind(record), since=now, accepted=now - age)
        self._watched[hash_] = watch
        self._hashes[watch.task_id] = hash_
        if record.estimated_seconds is not None:
            self._forecast.told(watch.kind, record.estimated_seconds)
        self._look_in(self._interval(record, watch) if first is None else first, hash_, watch)

    def look_now(self, task_id: str) -> None:
        """A hint that a task has ended: look at it at once, if it is watched."""
        hash_ = self._hashes.get(task_id)
        watch = self._watched.get(hash_) if hash_ else None
        if hash_ and watch and watch.task_id == task_id:
            self._look_in(0.0, hash_, watch)

    def drop(self) -> None:
        """Stop watching."""
        self._watched.clear()
        self._due.clear()

    @property
    def idle(self) -> bool:
        return not self._watched and not self._reading

    @property
    def tasks(self) -> int:
        """How many tasks of the gateway are followed."""
        return len(self._watched)

    def next_due(self) -> float | None:
        if not self._due or self._reading >= _READS_AT_ONCE:
            return None
        return self._due[0][0]

    def dispatch(self, now: float) -> None:
        """Read what is due, as many tasks at once as the gateway allows."""
        while self._due and self._due[0][0] <= now and self._reading < _READS_AT_ONCE:
            due = self._together(now)
            if due:
                self._read(due)

    def _together(self, now: float) -> dict[str, str]:
        """What is due, filled up with what will be so soon that a read of its own is a waste."""
        found: dict[str, str] = {}
        while self._due and len(found) < self._gateway.reads_at_once:
            at, _, hash_ = self._due[0]
            watch = self._watched.get(hash_)
            if watch is None or watch.due != at:  # dropped, or due at another time by now
                heapq.heappop(self._due)
            elif at - watch.early <= now:
                heapq.heappop(self._due)
                found[hash_] = watch.task_id
            else:
                break
        return found

    def handle(self, message: Read) -> list[Reaction]:
        """What the answers come to, one reaction a task."""
        self._reading -= 1
        return [
            self._after_read(hash_, answer)
            for hash_, answer in message.answers.items()
            if hash_ in self._watched
        ]

    def _read(self, due: Mapping[str, str]) -> None:
        self._reading += 1
        self._start(lambda: Read(_by_hash(due, self._gateway.tasks(list(due.values())))))

    def _after_read(self, hash_: str, answer: Task | ReadError) -> Reaction:
        watch, clock = self._watched[hash_], self._desk.clock
        record = self._desk.ledger.record(hash_)
        seen = after_read(
            record,
            answer,
            looks=watch.looks,
            now=clock.now(),
            interval=lambda: self._interval(record, watch),
        )

        def then() -> None:
            if self._watched.get(hash_) is not watch:  # dropped by what came with the answer
                return
            watch.looks = seen.looks
            if seen.stop is not None:
                self._desk.halt(seen.stop)
            elif seen.ask_again is None:
                self._finish(hash_, watch, seen.events[0])
            elif clock.monotonic() - watch.since >= self._desk.policy.task_timeout:
                self._leave(hash_)
            else:
                if seen.events:
                    watch.undone = clock.monotonic()
                self._look_in(seen.ask_again, hash_, watch)

        return Reaction(seen.events, then)

    def _finish(self, hash_: str, watch: _Watch, event: Event) -> None:
        del self._watched[hash_]
        if isinstance(event, TaskCompleted | TaskFailed):
            self._learn(watch)
        self._ended(event)

    def _learn(self, watch: _Watch) -> None:
        """The task ended between the last two looks, or nobody saw when."""
        took = self._desk.clock.monotonic() - watch.accepted
        if watch.undone is not None:
            self._forecast.learn(watch.kind, (watch.undone - watch.accepted + took) / 2)
        elif watch.accepted == watch.since:
            self._forecast.learn(watch.kind, took, at_most=True)

    def _leave(self, hash_: str) -> None:
        watch = self._watched.pop(hash_)
        request = self._desk.ledger.request(hash_)
        self._desk.listener.note(
            f"{request.address if request else hash_}: {watch.task_id} has not ended within "
            f"{self._desk.policy.task_timeout:.0f} s; it stays submitted: run again, or collect"
        )

    def _look_in(self, seconds: float, hash_: str, watch: _Watch) -> None:
        """Look then, or when its time is over, whichever is first; what was due before is not."""
        now = self._desk.clock.monotonic()
        end = max(now, watch.since + self._desk.policy.task_timeout)
        watch.due = min(now + seconds, end)
        watch.early = (watch.due - now) * _EARLY
        heapq.heappush(self._due, (watch.due, next(self._order), hash_))

    def _interval(self, record: Record, watch: _Watch) -> float:
        age = self._desk.clock.monotonic() - watch.accepted
        return self._forecast.wait(watch.kind, age, record.estimated_seconds)

    def _kind(self, record: Record) -> Hashable:
        request = self._desk.ledger.request(record.hash)
        return None if request is None else kind_of(request)


def _by_hash(
    due: Mapping[str, str], answers: Mapping[str, Task | ReadError]
) -> dict[str, Task | ReadError]:
    return {hash_: answers[task_id] for hash_, task_id in due.items() if task_id in answers}
