"""Which tasks are read next, and when: one list of due times for all, no thread a task."""

import heapq
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import count

from msgspec.structs import replace

from veogen.executor.intervals import DurationEstimator, task_kind
from veogen.executor.state import RunState
from veogen.executor.transitions import Step, on_poll
from veogen.gateway.api import Gateway, ReadError, Task
from veogen.results.events import Event, TaskCompleted, TaskFailed, TaskProgressed
from veogen.results.record import Record, links_may_live

_READS_AT_ONCE = 32
_BATCH, _APART = 50, 0.05
"""Fifty tasks, which are one read, every twentieth of a second."""

_EARLY = 0.02
"""So much of its wait a task may be looked at early, when others are looked at anyway."""

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class TasksRead:
    """The answers to one read of some tasks, by their ids."""

    answers: Mapping[str, Task | ReadError]


@dataclass(slots=True)
class _PolledTask:
    """A task that is looked at from time to time.

    `expected` is how many seconds it takes, about; `undone` when it was last seen to go on;
    `named` what the gateway said last that it has reserved, and that it costs.
    """

    hash: str
    task_id: str
    kind: Hashable
    since: float
    accepted: float
    expected: float | None
    undone: float | None = None
    last_answer: Task | ReadError | None = None
    named: tuple[Decimal | None, Decimal | None] = (None, None)
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
        self._due: list[tuple[float, int, str]] = []
        self._order = count()
        self._reading = 0

    def watch_all(self, hashes: Iterable[str]) -> None:
        """Follow tasks that may have ended long ago: their first looks are now, a crowd's soon.

        Else they would all be due at one moment again and again, and most of them late.
        """
        for place, hash_ in enumerate(hashes):
            self.watch(hash_, first=place // _BATCH * _APART)

    def watch(self, hash_: str, task_id: str | None = None, *, first: float | None = None) -> None:
        """Follow a task of a request until it ends, or until the task time-out.

        Without an id it is the one that counts, and with it whatever else was bought for the
        request and goes on. `first` is how many seconds from now it is looked at, if not when it
        is worth it.
        """
        state, clock = self._state, self._state.clock
        counts = state.ledger.record(hash_)
        if task_id is None:
            others = tasks_beside(counts, clock.now())
            for other in others:
                if other not in self._followed:
                    self.watch(hash_, other, first=first)
            task = counts.facts.task(counts.task_id)
            is_whole = counts.status == "completed" and not counts.remote_videos
            if others and (task is None or task.end_read or task.abandoned or is_whole):
                return
        record = as_of(counts, task_id or counts.task_id or "")
        request, now = state.ledger.request(hash_), clock.monotonic()
        kind = None if request is None else task_kind(request)
        age = max(0.0, clock.now() - (record.accepted_at or clock.now()))
        expected = record.estimated_seconds  # as the gateway says, else as its model does
        if expected is None and request is not None:
            expected = state.policy.expected_seconds.get(request.model)
        watch = _PolledTask(hash_, record.task_id or "", kind, now, now - age, expected)
        self._followed[watch.task_id] = watch
        if expected is not None:
            self._estimator.hint(watch.kind, expected)
        self._poll_in(self._interval(watch) if first is None else first, watch)

    def poll_now(self, task_id: str) -> None:
        """A hint that a task has ended: look at it at once, if it is watched."""
        if task_id in self._followed:
            self._poll_in(0.0, self._followed[task_id])

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
            due: list[str] = []
            while self._due and len(due) < self._gateway.reads_at_once:
                at, _, task_id = self._due[0]
                watch = self._followed.get(task_id)
                if watch is None or watch.due != at:  # dropped, or due at another time by now
                    heapq.heappop(self._due)
                elif at - watch.early <= now:
                    heapq.heappop(self._due)
                    due.append(task_id)
                else:
                    break
            if due:
                self._reading += 1
                self._start(partial(self._read, due))

    def _read(self, due: Sequence[str]) -> TasksRead:
        return TasksRead(self._gateway.tasks(due))

    def handle(self, message: TasksRead) -> list[Step]:
        """What the answers come to, one step a task."""
        self._reading -= 1
        return [
            self._on_poll(self._followed[task_id], answer)
            for task_id, answer in message.answers.items()
            if task_id in self._followed
        ]

    def _on_poll(self, watch: _PolledTask, answer: Task | ReadError) -> Step:
        """What an answer says of the task that is followed, whichever purchase counts by now."""
        hash_, request = watch.hash, self._state.ledger.request(watch.hash)
        record = as_of(self._state.ledger.record(hash_), watch.task_id)
        watch.last_answer = answer
        if isinstance(answer, Task) and answer.id == watch.task_id:
            named = (answer.reserved, answer.credits)
            is_news, watch.named = named != watch.named, named
            if is_news:  # its unit, where the run begins here
                self._state.read_amount(hash_, answer.reserved)
            if answer.credits is not None and (is_news or answer.state == "completed"):
                answer = answer._replace(credits=self._state.read_amount(hash_, answer.credits))
        step = on_poll(
            record,
            answer,
            empty_polls=watch.empty_polls,
            now=self._state.clock.now(),
            interval=partial(self._interval, watch),
            videos=request.videos if request is not None and request.body else None,
        )
        return Step(step.events, step.retry, step.stop, partial(self._go_on, watch, step))

    def _go_on(self, watch: _PolledTask, step: Step) -> None:
        """Once an answer is on record: look again, unless the task or its time is over."""
        now = self._state.clock.monotonic()
        if self._followed.get(watch.task_id) is not watch:  # dropped by what came with the answer
            return
        if step.stop is not None:
            self._state.stop_buying(step.stop)
        elif step.retry is None:
            del self._followed[watch.task_id]
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
            self._time_out(watch)
        else:
            watch.empty_polls = step.retry.empty_polls
            if isinstance(step.events[0] if step.events else None, TaskProgressed):
                watch.undone = now
            self._poll_in(step.retry.wait, watch)

    def _time_out(self, watch: _PolledTask) -> None:
        """Leave a task submitted, and say what the gateway said last."""
        del self._followed[watch.task_id]
        request = self._state.ledger.request(watch.hash)
        last_words = ""
        match watch.last_answer:
            case ReadError() as error:
                last_words = f". The last answer was: {error.message} ({error.code})"
                if error.status == _NOT_FOUND:
                    last_words += "; is this the account that bought it?"
            case Task() as task if task.id == watch.task_id:
                last_words = f". The last answer was: {task.state}"
            case Task() as task:
                last_words = f". The last answer was of another task, {task.id}"
            case None:  # it was never answered
                pass
        self._state.listener.note(
            f"{request.address if request else watch.hash}: {watch.task_id} has not ended within "
            f"{self._state.policy.task_timeout:.0f} s; it stays submitted: run again, or collect"
            f"{last_words}"
        )

    def _poll_in(self, seconds: float, watch: _PolledTask) -> None:
        """Look then, or when its time is over, whichever is first; what was due before is not."""
        now = self._state.clock.monotonic()
        end = max(now, watch.since + self._state.policy.task_timeout)
        watch.due = min(now + seconds, end)
        watch.early = (watch.due - now) * _EARLY
        heapq.heappush(self._due, (watch.due, next(self._order), watch.task_id))

    def _interval(self, watch: _PolledTask) -> float:
        age = self._state.clock.monotonic() - watch.accepted
        return self._estimator.next_interval(watch.kind, age, watch.expected)


def tasks_beside(record: Record, now: float) -> list[str]:
    """The tasks beside the one that counts of which something may still come.

    A clip of theirs that did not come is fetched where the request has its own; where nothing is
    to come of the one that counts, while its link may live.
    """
    is_over = record.status in ("failed", "indeterminate", "undelivered")
    return [
        p.task_id
        for p in record.others
        if p.task_id
        and (
            p.status == "submitted"
            or (p.status == "undelivered" and record.status == "completed")
            or (
                p.status == "undelivered"
                and is_over
                and links_may_live(as_of(record, p.task_id), now)
            )
        )
    ]


def as_of(record: Record, task_id: str) -> Record:
    """Where a request stands as far as one of its tasks goes, whichever purchase counts."""
    task = None if task_id == record.task_id else record.facts.task(task_id)
    if task is None:
        return record
    return replace(
        record,
        status=task.status,
        task_id=task_id,
        videos=task.videos,
        remote_videos=task.away,
        links=task.links,
        accepted_at=task.accepted_at,
        estimated_seconds=task.estimated_seconds,
        made_at=task.made_at,
    )
