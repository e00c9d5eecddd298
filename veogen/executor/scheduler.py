"""Carrying a plan out: one thread owns all state, threads beside it do one call each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from veogen.executor import options as backoff
from veogen.executor.downloads import Courier, Fetched, Fetching
from veogen.executor.intervals import Forecast
from veogen.executor.poller import Read, Watching
from veogen.executor.state import Desk, Reaction, View
from veogen.executor.submitter import Buying, Submitted
from veogen.executor.transitions import Stop, Trying
from veogen.executor.uploads import Prepared, Uploads
from veogen.executor.workers import Crashed, Crew
from veogen.gateway.api import Gateway, NotAccepted, ReadError, Unknown
from veogen.results.events import Event, TaskCompleted, TaskFailed
from veogen.results.record import Record

GRACE = 10.0
"""Seconds for which an interrupted run waits for POSTs that were already sent."""

_TICK = 1.0


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user wants to leave."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Somebody says that a task has ended; it is looked at, never believed."""

    task_id: str


Message: TypeAlias = Submitted | Prepared | Read | Fetched | Interrupted | Hint


class Runner:
    """Buys, watches and fetches until nothing is left to do, or until it has to stop.

    Without `follow` it only submits.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        gateway: Gateway,
        uploads: Uploads,
        courier: Courier,
        crew: Crew[Message],
        chance: backoff.Chance,
        follow: bool = True,
    ) -> None:
        self._desk = desk
        self._crew = crew
        forecast = Forecast(desk.policy.poll_interval)
        self._watching = Watching(desk, gateway, crew.start, self._on_ended, forecast)
        taken = self._watching.watch if follow else _let_go
        post = partial(crew.start, prompt=True)  # a task id is on disk right after it is known
        self._buying = Buying(desk, gateway, uploads, chance, post, taken, forecast)
        self._fetching = Fetching(
            desk, courier, chance, crew.start, lambda h: self._watching.watch(h, first=0.0)
        )
        self._wanted: set[str] = set()
        self._silence: tuple[float, float] | None = None
        self._interrupted_at: float | None = None
        self._bug: BaseException | None = None

    def buy(self, hashes: Iterable[str]) -> None:
        """Submit these requests and bring home what they make."""
        hashes = list(hashes)
        self._wanted.update(hashes)
        self._buying.want(hashes)

    def replay(self, record: Record) -> None:
        """Send a held request's POST once more, with the same key and bytes."""
        if record.last_submit is None:
            raise ValueError(record.hash)
        self._wanted.add(record.hash)
        self._buying.replay(Trying(intent=record.last_submit, doubtful=True))

    def collect(self, hashes: Iterable[str]) -> None:
        """Look at the tasks of these requests and bring home what they made."""
        self._watching.watch_all(hashes)

    def record(self, events: Sequence[Event]) -> None:
        """Write down what somebody decided."""
        self._desk.record(events, self.view)

    def interrupt(self) -> None:
        """Leave soon; safe in a signal handler."""
        self._crew.post(Interrupted())

    def hint(self, task_id: str) -> None:
        """Look at a task now; safe in any thread."""
        self._crew.post(Hint(task_id))

    @property
    def interrupted(self) -> bool:
        return self._interrupted_at is not None

    def run(self) -> Stop | None:
        """Go on until nothing is left; the reason, if it stopped before the end.

        What a thread has crashed with is raised once everything known is on record.
        """
        self._desk.write_results(force=True)
        try:
            while not self._finished():
                self._dispatch()
                if self._finished():
                    break
                self._take(self._crew.wait(self._patience()))
                self._desk.write_results()
        finally:
            self._crew.dismiss()
            self._desk.write_results(force=True)
        if self._bug is not None:
            raise self._bug
        return self._desk.stop

    @property
    def _in_flight(self) -> int:
        return self._watching.tasks + self._buying.slots

    def view(self) -> View:
        """How the run stands now."""
        return View(ledger=self._desk.ledger, in_flight=self._in_flight, waiting=self._buying.why)

    def _finished(self) -> bool:
        if self._interrupted_at is not None:
            late = self._now() >= self._interrupted_at + GRACE
            return late or not self._buying.on_the_wire
        return self._buying.idle and self._watching.idle and self._fetching.idle

    def _now(self) -> float:
        return self._desk.clock.monotonic()

    def _dispatch(self) -> None:
        if self._interrupted_at is not None:
            return
        self._check_silence()
        stop = self._desk.stop
        if stop is not None and stop.deaf:
            self._watching.drop()
        now = self._now()
        self._fetching.dispatch(now)
        self._watching.dispatch(now)
        self._react(self._buying.dispatch(now, self._in_flight))

    def _patience(self) -> float:
        """Seconds until something is due, at most a tick: the bar moves and signals are seen."""
        now = self._now()
        due = [
            self._buying.next_due(now, self._in_flight),
            self._watching.next_due(),
            self._fetching.next_due(),
        ]
        return min([_TICK, *(max(0.0, at - now) for at in due if at is not None)])

    def _take(self, messages: list[Message | Crashed]) -> None:
        reactions: list[Reaction] = []
        for message in messages:
            self._listen(message)
            match message:
                case Submitted() | Prepared():
                    reactions.append(self._buying.handle(message))
                case Read():
                    reactions.extend(self._watching.handle(message))
                case Fetched():
                    reactions.append(self._fetching.handle(message))
                case Interrupted():
                    self._leave()
                case Hint(task_id=task_id):
                    self._watching.look_now(task_id)
                case Crashed(error=error):
                    self._bug = self._bug or error
                    self._leave()
        self._react(reactions)
        if self.interrupted:
            self._react([self._buying.give_up("interrupted", "veogen was interrupted")])
        self._desk.listener.tick(self.view())

    def _react(self, reactions: list[Reaction]) -> None:
        """Make everything durable in one go, then let each reaction go on."""
        events = [event for reaction in reactions for event in reaction.events]
        if events:
            self._desk.record(events, self.view)
        for reaction in reactions:
            reaction.then()

    def _on_ended(self, event: Event) -> None:
        """A task has ended: fetch what it made, or buy it again if that may help."""
        self._buying.ended(event.hash)
        match event:
            case TaskCompleted(hash=hash_):
                self._fetching.fetch(hash_)
            case TaskFailed(hash=hash_, code=code):
                if code == "resource_exhausted":
                    self._buying.crowded()
                record = self._desk.ledger.record(hash_)
                if hash_ in self._wanted and record.retries_left(self._desk.policy.task_retries):
                    self._buying.retry(hash_, record.attempts)
            case _:
                return

    def _leave(self) -> None:
        """Begin nothing more; only what is on the wire is waited for, as it may be paid."""
        if self._interrupted_at is None:
            self._interrupted_at = self._now()
            if self._buying.on_the_wire:
                self._desk.listener.note("interrupted: waiting for what was already sent")
        self._watching.drop()
        self._fetching.drop()

    def _listen(self, message: Message | Crashed) -> None:
        """Keep watch over a gateway that answers nothing at all."""
        match message:
            case Submitted(answer=answer):
                self._heard(answered=not _unanswered(answer))
            case Read(answers=answers) if answers:
                self._heard(answered=not all(map(_unanswered, answers.values())))
            case _:
                return

    def _heard(self, *, answered: bool) -> None:
        now = self._now()
        since, _ = self._silence or (now, now)
        self._silence = None if answered else (since, now)

    def _check_silence(self) -> None:
        """One lost call is no silence: it was asked again, for a while at least."""
        if self._silence is None:
            return
        (first, last), patience = self._silence, self._desk.policy.silence
        if self._now() - first >= patience and last - first >= patience / 4:
            self._desk.halt(Stop("silent", f"the gateway has not answered for {patience:.0f} s"))


def _let_go(hash_: str) -> None:
    """What was taken is brought home by another run."""
    del hash_


def _unanswered(answer: object) -> bool:
    match answer:
        case NotAccepted(reached=False) | ReadError(reached=False) | Unknown(status=None):
            return True
        case _:
            return False
