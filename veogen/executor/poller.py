"""Which tasks are read next, and when: one list of due times for all, no thread a task."""

import heapq
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count

from veogen.executor.intervals import DurationEstimator, task_kind
from veogen.executor.state import RunState
from veogen.executor.transitions import Step, on_poll
from veogen.gateway.api import Gateway, ReadError, Task
from veogen.results.events import Event, TaskCompleted, TaskFailed, TaskProgressed
from veogen.results.record import Record

_READS_AT_ONCE = 32
_BATCH, _APART = 50, 0.05
"""Fifty tasks, which are one read, every twentieth of a second."""

_EARLY = 0.02
"""So much of its wait a task may be looked at early, when others are looked at anyway."""

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class TasksRead:
    """The answers to one read of some tasks, by hash."""

    answers: Mapping[str, Task | ReadError]


@dataclass(slots=True)
class _PolledTask:
    """A task that is looked at from time to time; `undone`: when it was last seen to go on."""

    task_id: str
    kind: Hashable
    since: float
    accepted: float
    undone: float | None = None
    last_error: ReadError | None = None
    empty_polls: int = 0
    due: float = 0.0
    early: float = 0.0


class Poller:
    """Owns which task is looked at next, and when."""

    def __init__(
        self,
        state: RunState,
        gateway: Gateway,
        start: Callable[[Callable[[], TasksRead]], None],
        ended: Callable[[Event], None],
        estimator: DurationEstimator,
    ) -> None:
        self._state = state
        self._gateway = gateway
        self._start = start
        self._ended = ended
        self._estimator = estimator
        self._followed: dict[str, _PolledTask] = {}
        self._hashes: dict[str, str] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = count()
        self._reading = 0

    def watch_all(self, hashes: Iterable[str]) -> None:
        """Follow tasks that may have ended long ago: their first looks are now, a crowd's soon.

        Else they would all be due at one moment again and again, and most of them late.
        """
        for place, hash_ in enumerate(hashes):
            self.watch(hash_, first=place // _BATCH * _APART)

    def watch(self, hash_: str, *, first: float | None = None) -> None:
        """Follow a request's task until it ends, or until the task time-out.

        `first` is how many seconds from now it is looked at, if not when it is worth it.
        """
        ledger, clock = self._state.ledger, self._state.clock
        record, request, now = ledger.record(hash_), ledger.request(hash_), clock.monotonic()
        kind = None if request is None else task_kind(request)
        age = max(0.0, clock.now() - (record.accepted_at or clock.now()))
        watch = _PolledTask(record.task_id or "", kind, since=now, accepted=now - age)
        self._followed[hash_] = watch
        self._hashes[watch.task_id] = hash_
        expected = self._expected(record)
        if expected is not None:
            self._estimator.hint(watch.kind, expected)
        self._poll_in(self._interval(record, watch) if first is None else first, hash_, watch)

    def poll_now(self, task_id: str) -> None:
        """A hint that a task has ended: look at it at once, if it is watched."""
        hash_ = self._hashes.get(task_id)
        watch = self._followed.get(hash_) if hash_ else None
        if hash_ and watch and watch.task_id == task_id:
            self._poll_in(0.0, hash_, watch)

    def drop(self) -> None:
        """Stop watching."""
        self._followed.clear()
        self._due.clear()

    @property
    def idle(self) -> bool:
        return not self._followed and not self._reading

    @property
    def tasks(self) -> int:
        """How many tasks of the gateway are followed."""
        return len(self._followed)

    def next_due(self) -> float | None:
        if not self._due or self._reading >= _READS_AT_ONCE:
            return None
        return self._due[0][0]

    def dispatch(self, now: float) -> None:
        """Read what is due, as many tasks at once as the gateway allows.

        A read is filled up with what will be due so soon that a read of its own is a waste.
        """
        while self._due and self._due[0][0] <= now and self._reading < _READS_AT_ONCE:
            due: dict[str, str] = {}
            while self._due and len(due) < self._gateway.reads_at_once:
                at, _, hash_ = self._due[0]
                watch = self._followed.get(hash_)
                if watch is None or watch.due != at:  # dropped, or due at another time by now
                    heapq.heappop(self._due)
                elif at - watch.early <= now:
                    heapq.heappop(self._due)
                    due[hash_] = watch.task_id
                else:
                    break
            if due:
                self._reading += 1
                self._start(partial(self._read, due))

    def _read(self, due: Mapping[str, str]) -> TasksRead:
        answers = self._gateway.tasks(list(due.values()))
        return TasksRead({hash_: answers[id_] for hash_, id_ in due.items() if id_ in answers})

    def handle(self, message: TasksRead) -> list[Step]:
        """What the answers come to, one step a task."""
        self._reading -= 1
        return [
            self._on_poll(hash_, answer)
            for hash_, answer in message.answers.items()
            if hash_ in self._followed
        ]

    def _on_poll(self, hash_: str, answer: Task | ReadError) -> Step:
        """What an answer says of the task that is followed, whichever purchase counts by now."""
        watch, record = self._followed[hash_], self._state.ledger.record(hash_)
        request = self._state.ledger.request(hash_)
        task = record.facts.task(watch.task_id)
        if task is not None and watch.task_id != record.task_id:
            record = record._replace(status=task.status, task_id=watch.task_id, links=task.links)
        watch.last_error = answer if isinstance(answer, ReadError) else None
        if isinstance(answer, Task) and answer.id == watch.task_id:
            self._state.read_amount(hash_, answer.reserved)  # its unit, where the run begins here
            answer = answer._replace(credits=self._state.read_amount(hash_, answer.credits))
        step = on_poll(
            record,
            answer,
            empty_polls=watch.empty_polls,
            now=self._state.clock.now(),
            interval=lambda: self._interval(record, watch),
            videos=request.videos if request is not None and request.body else None,
        )
        return step._replace(after_commit=lambda: self._go_on(hash_, watch, step))

    def _go_on(self, hash_: str, watch: _PolledTask, step: Step) -> None:
        """Once an answer is on record: look again, unless the task or its time is over."""
        now = self._state.clock.monotonic()
        if self._followed.get(hash_) is not watch:  # dropped by what came with the answer
            return
        if step.stop is not None:
            self._state.stop_buying(step.stop)
        elif step.retry is None:
            del self._followed[hash_]
            ended = step.events[0]
            if isinstance(ended, TaskCompleted | TaskFailed):
                took = now - watch.accepted
                if watch.undone is not None:  # it ended between the last two looks
                    undone = watch.undone - watch.accepted
                    self._estimator.observe(watch.kind, (undone + took) / 2)
                elif watch.accepted == watch.since:  # else nobody saw when
                    self._estimator.observe(watch.kind, took, at_most=True)
            self._ended(ended)
        elif now - watch.since >= self._state.policy.task_timeout:
            self._time_out(hash_, watch)
        else:
            watch.empty_polls = step.retry.empty_polls
            if isinstance(step.events[0] if step.events else None, TaskProgressed):
                watch.undone = now
            self._poll_in(step.retry.wait, hash_, watch)

    def _time_out(self, hash_: str, watch: _PolledTask) -> None:
        """Leave a task submitted, and say what the gateway said last if that was no state."""
        del self._followed[hash_]
        request, error = self._state.ledger.request(hash_), watch.last_error
        last_words = ""
        if error is not None:
            last_words = f". The last answer was: {error.message} ({error.code})"
            if error.status == _NOT_FOUND:
                last_words += "; is this the account that bought it?"
        self._state.listener.note(
            f"{request.address if request else hash_}: {watch.task_id} has not ended within "
            f"{self._state.policy.task_timeout:.0f} s; it stays submitted: run again, or collect"
            f"{last_words}"
        )

    def _poll_in(self, seconds: float, hash_: str, watch: _PolledTask) -> None:
        """Look then, or when its time is over, whichever is first; what was due before is not."""
        now = self._state.clock.monotonic()
        end = max(now, watch.since + self._state.policy.task_timeout)
        watch.due = min(now + seconds, end)
        watch.early = (watch.due - now) * _EARLY
        heapq.heappush(self._due, (watch.due, next(self._order), hash_))

    def _interval(self, record: Record, watch: _PolledTask) -> float:
        age = self._state.clock.monotonic() - watch.accepted
        return self._estimator.next_interval(watch.kind, age, self._expected(record))

    def _expected(self, record: Record) -> float | None:
        """How long a task takes, about: as the gateway says, else as its model does."""
        request = self._state.ledger.request(record.hash)
        if record.estimated_seconds is not None or request is None:
            return record.estimated_seconds
        return self._state.policy.expected_seconds.get(request.model)
