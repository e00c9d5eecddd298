"""A batch on a worker: the ordinary run of a part of the plan, its clips kept in the store.

Its directory is in the worker's scratch space and goes when the store knows everything. What a
killed worker left there is gone on with by the next batch on that machine, as by the next process
of any journal.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath

from veogen.errors import ExitCode, UsageError, VeogenError
from veogen.executor.batches import BatchEvents, BatchJob, BatchResult, WorkerLink
from veogen.executor.connect import connected
from veogen.executor.joining import StoreChoice
from veogen.executor.journal_mark import JournalError
from veogen.executor.open_run import open_run
from veogen.executor.options import SystemClock
from veogen.executor.run import Dependencies, Run, Selection
from veogen.executor.scheduler import Scheduler
from veogen.executor.shared import this_machine
from veogen.executor.state import RunProgress
from veogen.executor.transitions import Stop
from veogen.gateway.settings import KEY, from_environment
from veogen.results.events import Event, to_json
from veogen.results.ledger import RequestState
from veogen.store.opening import open_store
from veogen.store.signs import machine_name

_SECONDS_BETWEEN = 0.5
_STOP = Stop("cluster", "the coordinator has ended or is silent; nothing more is bought")
_LEAVING = Stop("cluster", "the worker was told to leave")


@dataclass(frozen=True, slots=True)
class WorkerName:
    """A worker as the cluster knows it, and as people are told of it."""

    address: str
    name: str


class BatchListener:
    """Sends what happens to the coordinator, and does what that wishes."""

    def __init__(self, number: int, link: WorkerLink) -> None:
        self._number = number
        self._link = link
        self._clock = SystemClock()
        self._events: list[str] = []
        self._notes: list[str] = []
        self._sent_at = float("-inf")
        self._sent = (0, "")
        self._has_stopped = False
        self.scheduler: Scheduler | None = None

    def start(self, counted: Collection[str], progress: RunProgress) -> None:
        del counted, progress

    def event(self, event: Event, standing: RequestState, progress: RunProgress) -> None:
        del standing, progress
        self._events.append(to_json(event))

    def note(self, message: str) -> None:
        self._notes.append(message)

    def tick(self, progress: RunProgress) -> None:
        wish, scheduler = self._link.wish, self.scheduler
        if scheduler is not None and wish == "leave" and not scheduler.interrupted:
            scheduler.interrupt()
        elif scheduler is not None and wish == "stop" and not self._has_stopped:
            self._has_stopped = True
            scheduler.stop(_STOP)
        seen = progress.in_flight, progress.waiting or ""
        is_news = bool(self._events or self._notes or seen != self._sent)
        now = self._clock.monotonic()
        if is_news and now - self._sent_at >= _SECONDS_BETWEEN:
            self._sent, self._sent_at = seen, now
            self._send(progress.in_flight, progress.waiting)

    def end(self) -> None:
        self._send(0, None)

    def _send(self, in_flight: int, waiting: str | None) -> None:
        message = BatchEvents(self._number, self._events, self._notes, in_flight, waiting)
        self._events, self._notes = [], []
        self._link.send(message)


def run_batch(
    job: BatchJob, link: WorkerLink, worker: WorkerName, scratch: Path, environ: Mapping[str, str]
) -> BatchResult:
    """Carry a batch out; a dead end is told in the result, as the worker lives on."""
    listener = BatchListener(job.number, link)
    try:
        stop = _carry_out(job, listener, scratch, environ)
    except VeogenError as error:
        is_usage = error.exit_code == ExitCode.USAGE
        return BatchResult(
            worker=worker.address, name=worker.name, error=str(error), is_usage=is_usage
        )
    finally:
        listener.end()
    return BatchResult(worker=worker.address, name=worker.name, stop=stop)


def _carry_out(
    job: BatchJob, listener: BatchListener, scratch: Path, environ: Mapping[str, str]
) -> Stop | None:
    if job.gateway == "simulated" and not environ.get(KEY, "").strip():
        environ = {**environ, KEY: "simulated"}  # a simulator takes any key
    settings = from_environment(environ)
    store = open_store(job.store_url, environ, SystemClock())
    policy, models = job.policy, {str(request.body.get("model")) for request in job.plan.requests}
    with connected(
        replace(settings, base_url=job.base_url, files_url=job.files_url),
        policy,
        models=models,
        request_timeout=job.request_timeout,
        say=listener.note,
    ) as connection:
        if connection.simulated != (job.gateway == "simulated"):
            raise UsageError("the gateway is real here and simulated there; nothing was sent")
        parts = connection.dependencies(
            lambda path, at_most: _image(job.images, path, at_most), job.models
        )
        choice = StoreChoice(store=store, run=job.run, part=True)
        with _session(job, replace(parts, store=choice), listener, scratch) as session:
            listener.scheduler = session.scheduler
            records = {r.hash: session.ledger.record(r.hash) for r in session.to_buy}
            session.to_buy = tuple(  # what failed since it was handed out waits for a person
                request
                for request in session.to_buy
                if (record := records[request.hash]).status != "failed"
                or record.attempts <= job.attempts[request.hash]
            )
            outcome = session.run(connection.stop, max_credits=policy.max_credits)
    return _LEAVING if outcome.interrupted else outcome.stop


def _image(images: Mapping[str, bytes], path: PurePosixPath, at_most: int) -> bytes:
    del at_most  # it was read within it
    content = images.get(str(path))
    if content is None:
        raise FileNotFoundError(errno.ENOENT, "it could not be read where the run began", str(path))
    return content


@contextmanager
def _session(
    job: BatchJob, parts: Dependencies, listener: BatchListener, scratch: Path
) -> Iterator[Run]:
    """A run in a directory that a killed worker left, else in a new one, which goes at the end."""
    digest = hashlib.sha256(f"{job.store_url} {job.run}".encode()).hexdigest()[:16]
    home = scratch / f"veogen-{digest}"
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        path, session = _opened(job, parts, listener, home, stack)
        yield session
        stack.close()
        if session.is_all_in_store:
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):  # others may have theirs there
                home.rmdir()
        else:
            kept = path.rename(home / _directory_name(NOBODY))
            listener.note(f"{kept}: kept, as the store does not have all of it yet")


NOBODY = 0
"""In the name of a directory that is left: its process goes on, and has no more use for it."""


def _directory_name(process: int) -> str:
    """A name that tells whose directory it is."""
    return f"{machine_name(this_machine())}.{process}.{secrets.token_hex(6)}"


def _left_behind(home: Path) -> Iterator[Path]:
    """The directories of processes of this machine that are gone, each now this process's own.

    Of several that want one the first to rename it has it.
    """
    for path in sorted(home.iterdir()):
        machine, _, rest = path.name.partition(".")
        process = rest.partition(".")[0]
        if machine != machine_name(this_machine()) or not process.isdecimal():
            continue
        try:
            if int(process) != NOBODY:
                os.kill(int(process), 0)
                continue  # it lives
        except PermissionError:  # somebody else's does too
            continue
        except ProcessLookupError:
            pass
        with suppress(OSError):
            yield path.rename(home / _directory_name(os.getpid()))


def _opened(
    job: BatchJob, parts: Dependencies, listener: BatchListener, home: Path, stack: ExitStack
) -> tuple[Path, Run]:
    fresh = home / _directory_name(os.getpid())
    for path in chain(_left_behind(home), [fresh]):
        try:
            run = open_run(
                path,
                plan=job.plan,
                dependencies=parts,
                policy=job.policy,
                listener=listener,
                selection=Selection(selected=job.attempts.keys()),
            )
            return path, stack.enter_context(run)
        except JournalError as error:
            if path == fresh:
                raise
            listener.note(f"{path}: left alone: {error}")
    raise AssertionError(home)
