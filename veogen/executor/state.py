"""The state of a run: journal, ledger and listener, and the one way to add to them."""

import contextlib
import json
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Protocol

from veogen.errors import VeogenError
from veogen.executor.amounts import AmountReader
from veogen.executor.directory import RunDirectory
from veogen.executor.journal import Journal
from veogen.executor.journal_mark import JournalFullError
from veogen.executor.options import CallbackOptions, Clock, RunPolicy
from veogen.executor.reconcile import imported_purchases, move_clip, unknown_requests
from veogen.executor.results_file import ResultsFile
from veogen.executor.transitions import Stop
from veogen.gateway.api import Upload
from veogen.planner.plan import Request
from veogen.results.events import Event, SubmitIntended, Video
from veogen.results.ledger import Ledger, RequestState
from veogen.text import counted

if TYPE_CHECKING:
    from veogen.executor.shared import SharedRun

SECRET_BYTES = 32

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_CALLBACK = "callback_url"


@dataclass(frozen=True, slots=True)
class CallbackUrl:
    """Where one run directory is told, at a path that nobody can guess."""

    callbacks: CallbackOptions
    secret: str

    @classmethod
    def of(cls, callbacks: CallbackOptions, ledger: Ledger) -> "CallbackUrl":
        """With the secret of an earlier run if there is one.

        Tasks that are still under way tell it, and a request that was not taken is sent again
        with the same bytes under the same key.
        """
        sent = []  # an address that a spec wrote is no secret of ours
        for standing in ledger.everything:
            intent = standing.record.last_submit
            if intent and callbacks.base in intent.body and _CALLBACK not in standing.request.body:
                head, _, secret = str(json.loads(intent.body).get(_CALLBACK)).rpartition("/")
                if head == callbacks.base and _SECRET.fullmatch(secret):
                    sent.append((intent.at, secret))
        return cls(callbacks, max(sent)[1] if sent else secrets.token_urlsafe(SECRET_BYTES))

    def for_request(self, request: Request) -> str | None:
        """What is sent with a request, unless it has an address of its own or takes none."""
        if _CALLBACK in request.body or request.model not in self.callbacks.models:
            return None
        return f"{self.callbacks.base}/{self.secret}"


_WRITE_EVERY, _WRITE_SHARE = 3.0, 20.0
"""Seconds from one rewriting of the results to the next, and how often what the last one took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """How the run stands as a whole; `waiting` says why it waits, if it does."""

    ledger: Ledger
    in_flight: int
    waiting: str | None


class Listener(Protocol):
    """Whoever watches a run: a bar, lines, a stream of JSON, nobody."""

    def start(self, counted: Collection[str], progress: RunProgress) -> None:
        """The run begins; it is about the requests of the plan whose hashes are `counted`."""
        ...

    def event(self, event: Event, standing: RequestState, progress: RunProgress) -> None:
        """Something happened to a request."""
        ...

    def note(self, message: str) -> None:
        """Something happened to the run."""
        ...

    def tick(self, progress: RunProgress) -> None:
        """Time has passed."""
        ...

    def end(self) -> None:
        """The run has ended, though its directory may still be open; said once or more."""
        ...


class NullListener:
    """Watches and says nothing."""

    def start(self, counted: Collection[str], progress: RunProgress) -> None:
        del counted, progress

    def event(self, event: Event, standing: RequestState, progress: RunProgress) -> None:
        del event, standing, progress

    def note(self, message: str) -> None:
        del message

    def tick(self, progress: RunProgress) -> None:
        del progress

    def end(self) -> None:
        """Nothing to say."""


class RunState:
    """Journal first, then the fold, then everybody else."""

    def __init__(
        self,
        *,
        journal: Journal,
        ledger: Ledger,
        directory: RunDirectory,
        results: ResultsFile,
        policy: RunPolicy,
        clock: Clock,
        listener: Listener,
    ) -> None:
        self._journal = journal
        self.shared: SharedRun | None = None
        self._directory = directory
        self._results = results
        self.policy = policy
        self.clock = clock
        self.listener = listener
        self.ledger = ledger
        self.spent_before = self.ledger.spent
        self.callback_url = (
            CallbackUrl.of(policy.callbacks, self.ledger) if policy.callbacks else None
        )
        self.stop: Stop | None = None
        self.progress: Callable[[], RunProgress] = partial(
            RunProgress, ledger=ledger, in_flight=0, waiting=None
        )
        self._learned: set[str] = set()
        self.has_workers = False
        self._amounts = AmountReader()
        self._unsaved: list[Event] = []
        self._write_due = float("-inf")
        self._digest: bytes | None = None
        self._dirty = True

    def request(self, hash_: str) -> Request:
        """A request of this run; raises `KeyError` for another."""
        request = self.ledger.request(hash_)
        if request is None:
            raise KeyError(hash_)
        return request

    def is_begun_elsewhere(self, hash_: str) -> bool:
        """Whether another machine has begun to buy a request since it was put into the queue."""
        if self.shared is None:
            return False
        record = self.ledger.record(hash_)
        if not self.shared.may_claim(hash_, record):
            return True
        is_open = record.status == "planned" or record.retries_left(self.policy.task_retries)
        return hash_ in self._learned and not is_open

    def read_amount(
        self, hash_: str, amount: Decimal | None, estimate: Decimal | None = None
    ) -> Decimal | None:
        """An amount that the gateway names for a request, in credits.

        One out of all proportion to the estimate, without `estimate` that of the plan, stops the
        run: nobody knows what is paid.
        """
        request = self.ledger.request(hash_)
        if estimate is None and request is not None:
            estimate = request.credits
        if amount is None:
            return None
        read = self._amounts.read(amount, estimate)
        if read.note is not None:
            self.listener.note(read.note)
        if read.wrong is not None:
            address = hash_ if request is None else request.address
            self.stop_buying(Stop("amount", f"{address}: {read.wrong}"))
        return read.credits

    def record(self, events: Sequence[Event], *, is_told: bool = False) -> None:
        """Make events durable, fold them in, and tell whoever watches, unless that is done."""
        self._keep(events)
        seen = self.progress()
        for event in events:
            before = self.ledger.record(event.hash)
            record = self.ledger.apply(event)
            request = self.ledger.request(event.hash)
            self._dirty = self._dirty or record is not before
            if request is not None and not is_told:
                self.listener.event(event, RequestState(request, record), seen)
        if self.shared is not None:
            self.shared.record(events, self.ledger)

    def learn(self, events: Sequence[Event], *, by_workers: bool = False) -> None:
        """Take in what others did: it is no spending of this run's, unless they are its workers."""
        if not events:
            return
        before = self.ledger.spent
        self._learned.update(event.hash for event in events)
        self._keep(events)
        for event in events:
            record, request = self.ledger.apply(event), self.ledger.request(event.hash)
            if request is not None:
                self.listener.event(event, RequestState(request, record), self.progress())
        self._dirty = True
        if not by_workers:
            self.spent_before += self.ledger.spent - before

    def record_intents(self, events: Sequence[SubmitIntended]) -> bool:
        """Make intents durable; False, and the run stops, when that cannot be done."""
        if not self._is_in_place():
            return False
        try:
            self._journal.append(events, self.clock.now())
        except JournalFullError as error:
            self.stop_buying(Stop("disk", f"the journal cannot be written: {error}"))
            return False
        for event in events:
            self.ledger.apply(event)
        if self.shared is not None and self.shared.budget is not None:
            self.shared.budget.intend(events)
        return True

    def _is_in_place(self) -> bool:
        """Whether others would know of what is bought now; if not the run stops."""
        if self._journal.in_place and self._directory.is_ours:
            return True
        text = (
            f"{self._directory.path}: its journal, or the file that keeps others out, was moved, "
            "deleted or replaced while the run was on; nothing more is bought"
        )
        self.stop_buying(Stop("journal", text))
        return False

    def keep_uploads(self, uploads: Mapping[str, Upload]) -> None:
        """Remember files that were uploaded, so that each is uploaded once."""
        try:
            self._journal.keep_uploads(uploads)
        except JournalFullError as error:
            self.stop_buying(Stop("disk", f"the journal cannot be written: {error}"))

    def forget_upload(self, sha256: str) -> None:
        """Forget a file that is about to be deleted at the gateway."""
        try:
            self._journal.forget_upload(sha256)
        except JournalFullError as error:
            self.stop_buying(Stop("disk", f"the journal cannot be written: {error}"))

    def delete_clip(self, video: Video) -> None:
        """Delete the file of a clip that the store keeps."""
        with contextlib.suppress(OSError):
            (self._directory.path / video.path).unlink()

    def move_clip(self, video: Video, path: str) -> Video:
        """The clip under another name, or under its own where that is taken."""
        return video.at(path) if move_clip(self._directory.path, video, path) else video

    def mtime(self, video: Video) -> int:
        """When the file of a video was changed last, in nanoseconds; 0 when it is not there."""
        try:
            return (self._directory.path / video.path).stat().st_mtime_ns
        except OSError:
            return 0

    def stop_buying(self, stop: Stop) -> None:
        """Buy nothing more; the first reason is told, a deaf one outranks the others."""
        if self.stop is None:
            self.listener.note(f"stopped: {stop.message}")
        if self.stop is None or (stop.gateway_unreachable and not self.stop.gateway_unreachable):
            self.stop = stop

    @property
    def results_trouble(self) -> VeogenError | None:
        """Why the committed results could not be written: somebody made something else of them."""
        return self._results.trouble

    def take_in_results(self) -> None:
        """Take in what a pull has brought into `results.json` since it was looked at."""
        try:
            manifest = self._results.changed()
        except VeogenError as error:
            self.listener.note(f"it is left as it is, the journal has everything: {error}")
            return
        if manifest is None:
            return
        now, is_ours = self.clock.now(), self._results.is_as_written
        news = list(imported_purchases(manifest, self.ledger, now, is_ours))
        if unknown := list(unknown_requests(manifest, self.ledger)):
            self._persist(lambda: self._journal.remember(unknown))
            planned = [standing.request for standing in self.ledger.planned]
            self.ledger.adopt(planned, [*self._journal.former(), *unknown])
        if news:
            self.learn(news)
            self.listener.note(f"taken in: what others bought of {counted(len(news), 'request')}")
        self._dirty = True

    def write_results(self, *, force: bool = False) -> None:
        """Rewrite `results.json` if something happened, every few seconds at most.

        Where that takes long, as with very many requests or on a slow disk, it is done seldom.
        """
        begun = self.clock.monotonic()
        if not force and not (self._dirty and begun >= self._write_due):
            return
        self._is_in_place()
        self.take_in_results()
        try:
            digest = self._results.write(self.ledger)
            if digest is not None and digest != self._digest:
                self._journal.keep_results_digest(digest.hex())
                self._digest = digest
        except JournalFullError as error:
            self.stop_buying(Stop("disk", f"the journal cannot be written: {error}"))
        except OSError as error:
            self._directory.release_disk()
            self.stop_buying(Stop("disk", f"{self._directory.results}: {error.strerror}"))
            if force:
                try:  # for the last time, with the room that was kept back
                    self._results.write(self.ledger)
                except OSError as last:
                    self.listener.note(
                        f"{self._directory.results}: it could not be written ({last.strerror}); "
                        "the journal has everything: make room and run again"
                    )
        took = self.clock.monotonic() - begun
        self._write_due = begun + max(_WRITE_EVERY, _WRITE_SHARE * took)
        self._dirty = False

    def _keep(self, events: Sequence[Event]) -> None:
        """What has happened cannot be refused."""
        self._unsaved.extend(events)
        if self._persist(lambda: self._journal.append(self._unsaved, self.clock.now())):
            self._unsaved.clear()
            return
        for event in self._unsaved:
            self.listener.note(f"NOT ON RECORD, keep this line: {event}")

    def _persist(self, write: Callable[[], None]) -> bool:
        """Write to the journal, on a full disk with the room of the reserve; whether it was."""
        try:
            write()
        except JournalFullError as error:
            self._directory.release_disk()
            self.stop_buying(Stop("disk", f"the journal cannot be written: {error}"))
            try:
                write()
            except JournalFullError:
                return False
        return True
