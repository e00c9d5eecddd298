"""A Dask cluster that carries a plan out: scheduling, workers and their loss are Dask's.

https://distributed.dask.org: a batch is a task that is never the same twice (`pure=False`) and is
not tried again when it fails (`retries=0`); that of a worker that is lost goes to another one.
"""

import asyncio
import importlib.util
import os
import pickle
import queue
import re
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any, TypeAlias

from distributed import (
    CancelledError,
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    Status,
    Worker,
    get_worker,
)

from veogen import __version__
from veogen.errors import UsageError
from veogen.executor.batch_worker import WorkerName, run_batch
from veogen.executor.batches import (
    BatchEnded,
    BatchEvents,
    BatchJob,
    BatchResult,
    ClusterMessage,
    ClusterSeen,
    Wish,
)
from veogen.executor.options import Clock, SystemClock
from veogen.executor.shares import MOST
from veogen.gateway.settings import KEY

_LOCAL = re.compile(r"local:([1-9][0-9]{0,3})")
_CONNECT = 10.0
_START = 30.0
_RESULT = 30.0
_POLL = 1.0
_ANSWER = 10.0
_LEAVING = (Status.closing, Status.closing_gracefully, Status.closed, Status.failed)

_Post: TypeAlias = Callable[[ClusterMessage], None]


@contextmanager
def cluster_at(address: str, max_in_flight: int, *, simulated: bool) -> Iterator["DaskCluster"]:
    """The cluster at an address, or `local:N`: workers of this machine, on loopback.

    Raises `UsageError` when it does not answer, or names the workers that cannot take part.
    """
    match = _LOCAL.fullmatch(address)
    if match is None:
        if not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://\S+", address):
            raise UsageError(
                f"--dask {address}: the address of a scheduler is tcp://HOST:PORT or "
                "tls://HOST:PORT; local:N starts N workers on this machine"
            )
        with _client(address) as client:
            yield DaskCluster.checked(client, simulated=simulated)
        return
    workers = int(match[1])
    threads = max(1, ceil(max_in_flight / (workers * MOST)))
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None would listen everywhere
            worker_dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            preload=__name__,
        ) as cluster,
        _client(cluster.scheduler_address) as client,
    ):
        client.wait_for_workers(workers, timeout=_START * workers)
        yield DaskCluster.checked(client, simulated=simulated)


def dask_setup(worker: Worker) -> None:
    """As Dask calls it in each worker of `local:N`: a Ctrl-C is for the coordinator alone."""
    del worker
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"--dask {address}: no scheduler answers there: {error}") from None
    with client:
        yield client


class DaskCluster:
    """The workers behind a client, for the batches of one or more runs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._beats = count(1)
        self._posts: dict[str, _Post] = {}
        self._restricted: dict[Future, tuple[BatchJob, frozenset[str]]] = {}
        self._futures: dict[Future, tuple[str, int]] = {}
        self._tries = count(1)

    @classmethod
    def checked(cls, client: Client, *, simulated: bool) -> "DaskCluster":
        """A cluster whose workers can take part; raises `UsageError` that names those that cannot.

        One that comes later and cannot gets no batches.
        """
        mistakes = [
            f"{worker_name(address, seen)}: {mistake}"
            for address, seen in sorted(_asked(client).items())
            if (mistake := _mistake(seen, simulated=simulated)) is not None
        ]
        if mistakes:
            raise UsageError("\n".join(mistakes) + "\nnothing was sent")
        return cls(client)

    def listen(self, topic: str, post: _Post) -> None:
        """Have what workers say of this coordinator's batches posted."""
        self._posts[topic] = post

        def heard(event: tuple[float, Mapping[str, Any]]) -> None:
            post(BatchEvents(**event[1]["batch"]))

        self._client.subscribe_topic(topic, heard)

    def look(self, topic: str, wish: Wish) -> ClusterSeen:
        """Say that the coordinator lives, and what it wants; who the workers are."""
        if self._client.status != "running":
            return ClusterSeen({}, lost="the connection is broken")
        try:
            self._client.set_metadata([topic], {"beat": next(self._beats), "wish": wish})
            threads = self._client.nthreads()
        except (OSError, RuntimeError, CancelledError) as error:
            return ClusterSeen({}, lost=str(error) or type(error).__name__)
        for future, (job, allowed) in list(self._restricted.items()):
            if not allowed & threads.keys() and not future.done():  # they are all gone
                self._drop(future)
                self.submit(job, ())
        return ClusterSeen(threads)

    def submit(self, job: BatchJob, avoid: Collection[str]) -> None:
        """Hand a batch to any worker but those."""
        allowed = frozenset(self._client.nthreads()) - set(avoid) if avoid else frozenset[str]()
        future = self._client.submit(
            _task(),
            __version__,
            pickle.dumps(job),
            key=f"{job.topic}-{job.number}-{next(self._tries)}",
            pure=False,
            retries=0,
            workers=sorted(allowed) or None,
        )
        self._futures[future] = job.topic, job.number
        if allowed:
            self._restricted[future] = job, allowed
        future.add_done_callback(self._done)

    def _drop(self, future: Future) -> None:
        self._restricted.pop(future, None)
        self._futures.pop(future, None)
        future.release()

    def _done(self, future: Future) -> None:
        """Post what came of a batch; called in a thread of Dask's."""
        name = self._futures.pop(future, None)
        self._restricted.pop(future, None)
        if name is None:
            return
        topic, number = name
        self._posts[topic](_ended(number, future))
        future.release()

    def forget(self, topic: str) -> None:
        """The run is over: whatever still runs for it hears no more, and ends."""
        for future, (of, _) in list(self._futures.items()):
            if of == topic:
                self._drop(future)
        if self._posts.pop(topic, None) and self._client.status == "running":
            self._client.unsubscribe_topic(topic)


def _ended(number: int, future: Future) -> BatchEnded | ClusterSeen:
    """What a future comes to; one that is neither done nor failed is known to no scheduler."""
    if future.status == "finished":
        try:
            answer = future.result(timeout=_RESULT)
        except (OSError, CancelledError) as error:
            return BatchEnded(number, lost=str(error) or type(error).__name__)
        if isinstance(answer, BatchResult):
            return BatchEnded(number, answer)
        return BatchEnded(number, BatchResult(**answer))
    if future.status != "error":
        return ClusterSeen({}, lost="it knows no batch of this run any more")
    raised = future.exception(timeout=_RESULT)
    if isinstance(raised, KilledWorker):
        return BatchEnded(number, lost=f"{raised.allowed_failures} workers died with it")
    return BatchEnded(number, lost=str(raised), crash=raised)


def worker_name(address: str, seen: object) -> str:
    """How people are told of a worker."""
    name = seen.get("name") if isinstance(seen, dict) else None
    return f"worker {address}" if name in (None, address) else f"worker {name} ({address})"


def _asked(client: Client) -> Mapping[str, object]:
    """What each worker says of itself; one that is frozen now, and does not answer, is left out."""
    answers: queue.SimpleQueue[Mapping[str, object]] = queue.SimpleQueue()
    addresses = list(client.nthreads())

    def ask(address: str) -> None:
        try:
            answers.put(client.run(_probe(), workers=[address], on_error="return"))
        except (OSError, CancelledError) as error:  # it left in this very moment
            answers.put({address: error})

    for address in addresses:
        threading.Thread(target=ask, args=(address,), daemon=True).start()
    seen: dict[str, object] = {}
    with suppress(queue.Empty):
        while len(seen) < len(addresses):
            seen.update(answers.get(timeout=_ANSWER))
    return seen


def _probe() -> Callable[..., Mapping[str, Any]]:
    """What a worker is asked first. It travels as code, since its veogen may be any or none."""

    def seen(dask_worker: Any) -> Mapping[str, Any]:
        found = importlib.util.find_spec("veogen")
        version = importlib.import_module("veogen").__version__ if found else None
        return {
            "name": str(dask_worker.name),
            "version": version,
            "key": bool(os.environ.get("EVOLINK_API_KEY", "").strip()),
            "store": importlib.util.find_spec("obstore") is not None,
        }

    return seen


def _mistake(seen: object, *, simulated: bool) -> str | None:
    """Why a worker cannot take part."""
    if not isinstance(seen, dict):
        return f"it cannot be asked: {seen}"
    if seen["version"] is None:
        return "veogen is not installed there"
    if seen["version"] != __version__:
        return f"it has veogen {seen['version']}, and this is {__version__}"
    if not seen["store"]:
        return "a store needs the extra there: pip install 'veogen[store]'"
    if not (seen["key"] or simulated):
        return f"{KEY} is not set there: a worker has the key in its own environment"
    return None


def _task() -> Callable[[str, bytes], Any]:
    """What a worker does. It travels as code: what it needs of veogen it asks for there."""

    def carry_out(version: str, job: bytes) -> Any:
        there = importlib.import_module("veogen").__version__
        if there != version:
            worker = get_worker()
            return {
                "worker": worker.address,
                "name": f"worker {worker.name} ({worker.address})",
                "error": f"it has veogen {there}, and its coordinator {version}",
                "is_usage": True,
            }
        cluster = importlib.import_module("veogen.executor.cluster")
        return cluster.carry_out(pickle.loads(job))  # noqa: S301 - Dask ran this very code too

    return carry_out


def carry_out(job: BatchJob) -> BatchResult:
    """Carry a batch out in a thread of a worker."""
    worker = get_worker()
    name = worker_name(worker.address, {"name": str(worker.name)})
    scratch = Path(worker.local_directory).parent
    link = DaskLink(worker, job.topic, job.silence, SystemClock())
    threading.Thread(target=link.listen, daemon=True, name="veogen-link").start()
    try:
        return run_batch(job, link, WorkerName(worker.address, name), scratch, os.environ)
    finally:
        link.close()


class DaskLink:
    """A worker's way to its coordinator: asks whether that lives, and what it wants."""

    def __init__(self, worker: Worker, topic: str, silence: float, clock: Clock) -> None:
        self._worker = worker
        self._topic = topic
        self._clock = clock
        self._silence = silence
        self._heard_at = clock.monotonic()
        self._beat = 0
        self._wish: Wish = "go"
        self._ended = threading.Event()

    @property
    def wish(self) -> Wish:
        return "leave" if self._worker.status in _LEAVING else self._wish

    def send(self, message: BatchEvents) -> None:
        self._worker.log_event(self._topic, {"batch": asdict(message)})

    def listen(self) -> None:
        """Ask until the batch has ended; in a thread of its own."""
        loop, scheduler = self._worker.loop.asyncio_loop, self._worker.scheduler
        while not self._ended.wait(_POLL):
            question = scheduler.get_metadata(keys=[self._topic], default=None)
            asked = asyncio.run_coroutine_threadsafe(question, loop)
            try:
                self._hear(asked.result(timeout=_ANSWER))
            except (OSError, RuntimeError, asyncio.CancelledError):
                self._hear(None)
            finally:
                asked.cancel()

    def close(self) -> None:
        self._ended.set()

    def _hear(self, told: Mapping[str, Any] | None) -> None:
        """Asked first and judged then: who was frozen hears before it takes itself for alone."""
        now = self._clock.monotonic()
        if told is not None and told["beat"] != self._beat:
            self._beat, self._heard_at, self._wish = told["beat"], now, told["wish"]
        elif now - self._heard_at >= self._silence and self._wish == "go":
            self._wish = "stop"
