"""Carrying a plan out: one thread owns all state, threads beside it do one call each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from veogen.executor.batches import BatchEnded, BatchEvents, ClusterMessage, ClusterSeen
from veogen.executor.downloads import Downloaded, Downloader, DownloadQueue
from veogen.executor.intervals import DurationEstimator
from veogen.executor.options import Random
from veogen.executor.others import ClipMoved, Followed, OthersWork, PieceTaken
from veogen.executor.poller import Poller, TasksRead
from veogen.executor.state import RunProgress, RunState
from veogen.executor.submitter import GatewayRead, Submitted, Submitter
from veogen.executor.transitions import NotPermitted, Step, Stop, SubmitAttempt
from veogen.executor.uploads import PreparedBody, Uploads
from veogen.executor.workers import Crashed, WorkerPool
from veogen.gateway.api import Gateway, NotAccepted, ReadError, Unknown
from veogen.models.parameters import Json
from veogen.planner.plan import Request
from veogen.results.events import Event, TaskCompleted, TaskFailed
from veogen.results.record import Record

if TYPE_CHECKING:
    from veogen.executor.coordinator import ClusterWork, Coordinator

GRACE = 10.0
"""Seconds for which an interrupted run waits for POSTs that were already sent."""

CLUSTER_GRACE = 30.0
"""Seconds for which it waits for workers of a cluster to do the same and to say so."""

_TICK = 1.0


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user wants to leave."""


@dataclass(frozen=True, slots=True)
class TaskHint:
    """Somebody says that a task has ended; it is looked at, never believed."""

    task_id: str


@dataclass(frozen=True, slots=True)
class StopWanted:
    """Somebody else wants nothing more to be bought here."""

    stop: Stop


Answer: TypeAlias = (
    Submitted
    | GatewayRead
    | PreparedBody
    | TasksRead
    | Downloaded
    | Followed
    | PieceTaken
    | ClipMoved
    | ClusterMessage
)
"""What a call that was made beside the owner brings back."""

RunMessage: TypeAlias = Answer | Interrupted | TaskHint | StopWanted


class Scheduler:
    """Buys, watches and fetches until nothing is left to do, or until it has to stop.

    Without `follow` it only submits.
    """

    def __init__(
        self,
        state: RunState,
        *,
        gateway: Gateway,
        uploads: Uploads,
        downloader: Downloader,
        workers: WorkerPool[RunMessage],
        random: Random,
        follow: bool = True,
    ) -> None:
        self._state = state
        state.progress = self.progress
        self._workers = workers
        estimator = DurationEstimator(state.policy.poll_interval)
        self._poller = Poller(state, gateway, workers.start, self._on_ended, estimator)
        self._wanted: set[str] = set()
        # without following what was taken is brought home by another run
        taken = self._poller.watch if follow else self._wanted.discard
        post = partial(workers.start, urgent=True)  # a task id is on disk right after it is known
        self._others = OthersWork(state, workers.start, self.buy, self.collect)
        self._submitter = Submitter(state, gateway, uploads, random, post, taken, estimator)
        self._downloads = DownloadQueue(
            state, downloader, random, workers.start, partial(self._poller.watch, first=0.0)
        )
        self._batches: Coordinator | None = None
        self._silence: tuple[float, float] | None = None
        self._interrupted_at: float | None = None
        self._bug: BaseException | None = None

    def buy(self, hashes: Iterable[str]) -> None:
        """Submit these requests and bring home what they make."""
        hashes = list(hashes)
        self._wanted.update(hashes)
        self._submitter.add(hashes)

    def replay(self, record: Record) -> None:
        """Send a held request's POST once more, with the same key and bytes."""
        if record.intent is None:
            raise ValueError(record.hash)
        self._wanted.add(record.hash)
        self._submitter.replay(SubmitAttempt(intent=record.intent, maybe_accepted=True))

    def upload(self, request: Request) -> Mapping[str, Json] | ReadError:
        """The body of a request, its images uploaded while the caller waits."""
        return self._submitter.upload(request)

    def share(self, wanted: Collection[str], counted: Collection[str]) -> None:
        """Other machines carry this run out too: these are to be bought, those to be settled."""
        self._others.begin(wanted, counted)

    def hand_out(
        self, work: "ClusterWork", requests: Iterable[Request], attempts: Mapping[str, int]
    ) -> None:
        """Have workers carry these out; of them buy those in `attempts`, after so many."""
        from veogen.executor.coordinator import Coordinator  # noqa: PLC0415 - few have a cluster

        if self._state.shared is None:
            raise ValueError("a run on a cluster has a store")
        shared, workers = self._state.shared, self._workers
        self._batches = Coordinator(self._state, shared, work, workers.start, workers.post)
        self._batches.begin(requests, attempts)

    def collect(self, hashes: Iterable[str], retried: Iterable[str] = ()) -> None:
        """Look at the tasks of these requests and bring home what they made.

        Those in `retried` are bought again if they have failed for a passing reason.
        """
        self._wanted.update(retried)
        self._poller.watch_all(hashes)

    def look_once_more(self) -> None:
        """Hear what other machines did, when nothing is left to do here."""
        self._others.look_once_more()

    def record(self, events: Sequence[Event]) -> None:
        """Write down what somebody decided."""
        self._state.record(events)

    def interrupt(self) -> None:
        """Leave soon; safe in a signal handler."""
        self._workers.post(Interrupted())

    def stop(self, stop: Stop) -> None:
        """Buy nothing more, and bring home what was bought; safe in any thread."""
        self._workers.post(StopWanted(stop))

    def hint(self, task_id: str) -> None:
        """Look at a task now; safe in any thread."""
        self._workers.post(TaskHint(task_id))

    @property
    def interrupted(self) -> bool:
        return self._interrupted_at is not None

    def run(self) -> Stop | None:
        """Go on until nothing is left; the reason, if it stopped before the end.

        What a thread has crashed with is raised once everything known is on record.
        """
        self._state.write_results(force=True)
        try:
            while not self._finished():
                if self._interrupted_at is None:
                    self._check_silence()
                    if self._state.stop is not None and self._state.stop.gateway_unreachable:
                        self._poller.drop()
                    now = self._now()
                    self._downloads.dispatch(now)
                    self._poller.dispatch(now)
                    self._commit(self._submitter.dispatch(now, self._in_flight))
                    self._others.dispatch(alone=self._has_no_work)
                if self._batches is not None:
                    self._batches.dispatch(self._now())
                    if self._batches.failure is not None:
                        self._crash(self._batches.failure)
                if self._finished():
                    break
                self._handle_messages(self._workers.wait(self._patience()))
                self._state.write_results()
        finally:
            if self._batches is not None:
                self._batches.end()
            self._workers.shutdown()
            self._state.write_results(force=True)
        if self._bug is not None:
            raise self._bug
        return self._state.stop

    @property
    def _in_flight(self) -> int:
        return self._poller.tasks + self._submitter.slots

    def progress(self) -> RunProgress:
        """How the run stands now."""
        in_flight, why = self._in_flight, self._submitter.why
        if self._batches is not None:
            in_flight, why = in_flight + self._batches.in_flight, why or self._batches.why
        return RunProgress(ledger=self._state.ledger, in_flight=in_flight, waiting=why)

    def _finished(self) -> bool:
        if self._interrupted_at is not None:
            waited = self._now() - self._interrupted_at
            has_left = not self._submitter.on_the_wire or waited >= GRACE
            return has_left and (self._has_no_batches or waited >= CLUSTER_GRACE)
        return self._has_no_work and self._has_no_batches and self._others.idle

    @property
    def _has_no_batches(self) -> bool:
        return self._batches is None or self._batches.idle

    @property
    def _has_no_work(self) -> bool:
        return self._submitter.idle and self._poller.idle and self._downloads.idle

    def _now(self) -> float:
        return self._state.clock.monotonic()

    def _patience(self) -> float:
        """Seconds until something is due, at most a tick: the bar moves and signals are seen."""
        now = self._now()
        due = [self._batches.next_due() if self._batches is not None else None]
        if self._interrupted_at is None:  # else nothing more is begun
            due += [
                self._submitter.next_due(now, self._in_flight),
                self._poller.next_due(),
                self._downloads.next_due(),
                self._others.next_due(alone=self._has_no_work),
            ]
        return min([_TICK, *(max(0.0, at - now) for at in due if at is not None)])

    def _handle_messages(self, messages: list[RunMessage | Crashed]) -> None:
        steps: list[Step] = []
        for message in messages:
            match message:
                case Interrupted():
                    self._leave()
                case Crashed(error=error):
                    self._crash(error)
                case TaskHint(task_id=task_id):
                    self._poller.poll_now(task_id)
                case StopWanted(stop=stop):
                    self._state.stop_buying(stop)
                    self._others.drop()
                case _:
                    self._track_outage(message)
                    steps.extend(self._steps(message))
        self._commit(steps)
        if self.interrupted:
            self._commit([self._submitter.close_attempts("interrupted", "veogen was interrupted")])
        self._state.listener.tick(self.progress())

    def _steps(self, message: Answer) -> list[Step]:
        """What an answer comes to."""
        match message:
            case Submitted():
                return [self._submitter.submitted(message)]
            case PreparedBody():
                return [self._submitter.prepared(message)]
            case TasksRead():
                return self._poller.handle(message)
            case Downloaded():
                return [self._downloads.handle(message)]
            case Followed() | PieceTaken() | ClipMoved():
                self._others.handle(message)
            case BatchEvents() | BatchEnded() | ClusterSeen():
                if self._batches is not None:
                    self._batches.handle(message)
            case GatewayRead():
                self._submitter.on_free_read(from_gateway=message.from_gateway)
        return []

    def _commit(self, steps: list[Step]) -> None:
        """Make everything durable in one go, then let each step go on."""
        events = [event for step in steps for event in step.events]
        if events:
            self._state.record(events)
        for step in steps:
            step.after_commit()

    def _on_ended(self, event: Event) -> None:
        """A task has ended: fetch what it made, or buy it again if that may help."""
        self._submitter.ended(event.hash)
        match event:
            case TaskCompleted(hash=hash_, task_id=task_id):
                self._downloads.enqueue(hash_, task_id)
            case TaskFailed(hash=hash_, code=code):
                if code == "resource_exhausted":
                    self._submitter.throttled()
                record = self._state.ledger.record(hash_)
                if hash_ in self._wanted and record.retries_left(self._state.policy.task_retries):
                    self._submitter.retry(hash_, record.attempts)
            case _:
                return

    def _crash(self, error: BaseException) -> None:
        """A bug: it is raised once everything known is on record."""
        self._bug = self._bug or error
        self._leave()

    def _leave(self) -> None:
        """Begin nothing more; only what is on the wire is waited for, as it may be paid."""
        if self._interrupted_at is None:
            self._interrupted_at = self._now()
            if self._submitter.on_the_wire:
                self._state.listener.note("interrupted: waiting for what was already sent")
        self._poller.drop()
        self._downloads.drop()
        self._others.drop()
        if self._batches is not None:
            self._batches.drop()

    def _track_outage(self, message: Answer) -> None:
        """Keep watch over a gateway that answers nothing of its own at all."""
        match message:
            case Submitted(answer=NotPermitted()):
                self._others.claimed(message.hash)
            case Submitted(answer=answer):
                self._note_answered(answered=not _unanswered(answer))
            case TasksRead(answers=answers) if answers:
                answered = not all(map(_unanswered, answers.values()))
                self._note_answered(answered=answered)
                self._submitter.on_free_read(from_gateway=answered)
            case GatewayRead(from_gateway=from_gateway):
                self._note_answered(answered=from_gateway)
            case _:
                return

    def _note_answered(self, *, answered: bool) -> None:
        now = self._now()
        since, _ = self._silence or (now, now)
        self._silence = None if answered else (since, now)

    def _check_silence(self) -> None:
        """One lost call is no silence: it was asked again, for a while at least."""
        if self._silence is None:
            return
        (first, last), patience = self._silence, self._state.policy.silence
        if self._now() - first >= patience and last - first >= patience / 4:
            self._state.stop_buying(
                Stop("silent", f"the gateway has not answered for {patience:.0f} s")
            )


def _unanswered(answer: object) -> bool:
    """Whether nothing came, or what came was not the gateway's own."""
    match answer:
        case NotAccepted(reached=False) | ReadError(reached=False) | Unknown(status=None):
            return True
        case NotAccepted() | ReadError() | Unknown():
            return not answer.from_gateway
        case _:
            return False
