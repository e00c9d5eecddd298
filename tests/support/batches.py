"""Whole batches in simulated time: tasks that take as long as real ones, by one process or a cluster."""

import heapq
import json
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil, log
from pathlib import Path
from typing import Any, TypeAlias

from support.virtual import (
    VIDEO,
    NoUploads,
    VirtualClock,
    VirtualDownloader,
    VirtualGateway,
    VirtualWorkers,
    World,
    plan,
)
from support.virtual import request as city
from veogen.errors import ExitCode
from veogen.executor.batches import (
    BatchEnded,
    BatchJob,
    BatchResult,
    ClusterMessage,
    ClusterSeen,
    ClusterTask,
    Wish,
)
from veogen.executor.connect import OfflineGateway
from veogen.executor.coordinator import ClusterWork
from veogen.executor.directory import RunDirectory
from veogen.executor.journal import Header, Journal
from veogen.executor.options import RunPolicy
from veogen.executor.others import Followed
from veogen.executor.results_file import ResultsFile
from veogen.executor.scheduler import RunMessage, Scheduler
from veogen.executor.state import NullListener, RunState
from veogen.executor.transitions import Stop
from veogen.gateway.api import Accepted, ReadError, Task
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request
from veogen.results.events import Event, PurchaseImported
from veogen.results.ledger import Ledger
from veogen.results.manifest import ManifestRenderer
from veogen.results.record import Record

Draw: TypeAlias = Callable[[random.Random], float]

LATENCY = 0.1
"""Of every answer in the virtual world."""


def even(chance: random.Random) -> float:
    return chance.lognormvariate(log(110), 0.3)


def two_kinds(chance: random.Random) -> float:
    quick = chance.random() < 0.6
    return chance.lognormvariate(log(70 if quick else 270), 0.15)


def slow_tail(chance: random.Random) -> float:
    return even(chance) * (chance.uniform(3, 8) if chance.random() < 0.05 else 1)


DISTRIBUTIONS: Mapping[str, tuple[Draw, float]] = {
    "log-normal": (even, 120),
    "two kinds": (two_kinds, 120),
    "a slow tail": (slow_tail, 120),
    "estimates a third of the truth": (even, 40),
}
"""How long tasks take, and what the gateway says they will, in seconds."""


@dataclass
class Realistic(VirtualGateway):
    """Tasks take what `durations` say, by the prompt; it counts reads and how late the last is."""

    durations: Mapping[str, float] = field(default_factory=dict)
    estimates: Mapping[str, float] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    done_at: dict[str, float] = field(default_factory=dict)
    lags: dict[str, float] = field(default_factory=dict)
    calls: int = 0

    def submit(self, body: bytes, key: str) -> Accepted:
        prompt = json.loads(body)["prompt"]
        self.taken.append(prompt)
        self.estimate = self.estimates[prompt]
        taken = self.take(key)
        self.done_at[taken.task_id] = self.clock.monotonic() + self.durations[prompt]
        return taken

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        self.calls += 1
        now = self.clock.monotonic()
        for task_id in task_ids:
            if now >= self.done_at[task_id]:
                self.lags.setdefault(task_id, now - self.done_at[task_id])
        return super().tasks(task_ids)

    def _task(self, task_id: str) -> Task | ReadError:
        self.takes = self.done_at[task_id] - self.born[task_id]
        return super()._task(task_id)

    def _in_flight(self) -> int:
        return 0


@dataclass(frozen=True)
class Took:
    """Seconds in all, and of the ideal list schedule; reads of tasks, calls, mean seconds late.

    `order` has the prompts as they were submitted.
    """

    makespan: float
    ideal: float
    reads: int
    calls: int
    lag: float
    order: Sequence[str]


def carried(
    folder: Path,
    wanted: Plan,
    durations: Mapping[str, float],
    estimates: Mapping[str, float],
    policy: RunPolicy,
) -> Took:
    """A plan carried out; `durations` and `estimates` are by prompt."""
    world = World(folder)
    gateway = world.gateway = Realistic(world.clock, durations=durations, estimates=estimates)
    outcome = world.run(wanted, policy)
    assert outcome.code == ExitCode.DONE
    return Took(
        makespan=world.clock.monotonic(),
        ideal=ideal([durations[prompt] for prompt in gateway.taken], policy),
        reads=len(gateway.read_ids),
        calls=gateway.calls,
        lag=sum(gateway.lags.values()) / len(gateway.lags),
        order=gateway.taken,
    )


def ideal(durations: Sequence[float], policy: RunPolicy) -> float:
    """The makespan of this order when every end is known at once."""
    slots = [0.0] * policy.max_in_flight
    pause = 60 / policy.submit_rate if policy.submit_rate else 0.0
    next_submit = 0.0
    for duration in durations:
        start = max(heapq.heappop(slots), next_submit)
        next_submit = start + pause
        heapq.heappush(slots, start + duration + 2 * LATENCY)
    return max(slots)


def every(seconds: float, durations: Sequence[float]) -> tuple[int, float]:
    """Reads in all and mean lag when each task is read at a fixed interval until it has ended."""
    looks = [ceil(duration / seconds) for duration in durations]
    late = sum(look * seconds - took for look, took in zip(looks, durations, strict=True))
    return sum(looks), late / len(durations)


def alike(count: int) -> Plan:
    """Requests of one kind."""
    return plan(*(city(str(number)) for number in range(count)))


def mixed(short: int, long: int) -> Plan:
    """Clips of four seconds, and behind them some of eight."""
    kinds = [4] * short + [8] * long
    return plan(*(_of(number, seconds) for number, seconds in enumerate(kinds)))


def _of(number: int, seconds: int) -> Request:
    found = city(str(number))
    body = {**found.body, "duration": seconds}
    return Request(
        address=found.address,
        hash=request_hash(body, 1),
        shot=found.shot,
        take=1,
        variables=found.variables,
        output=found.output,
        body=body,
        credits=found.credits,
        seconds=seconds,
        place=found.place,
    )


class VirtualClips:
    """Clips that stay where they are."""

    idle = True

    def next(self) -> None:
        """Nothing moves."""

    def drop(self) -> None:
        """Nothing moves."""


class SeldomWritten(ResultsFile):
    """Every thousandth rewriting: on a clock on which none takes time they would be all there is."""

    _asked = 0

    def write(self, ledger: Ledger) -> bytes | None:
        self._asked += 1
        return super().write(ledger) if self._asked % 1000 == 1 else self._digest


@dataclass
class VirtualStore:
    """What a coordinator asks its part in a store, of workers that never conflict."""

    clock: VirtualClock
    bought: dict[str, str] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    process: str = "here.1"
    sign_every: float = 60.0
    looks: int = 0
    next_look: int = 1
    budget: None = None
    skipped: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    heard_at: float = 0.0
    clips: VirtualClips = field(default_factory=VirtualClips)

    def next_due(self, *, idle: bool) -> float:
        del idle
        return float("inf")

    def follow(self, *, idle: bool, at_once: bool = False) -> Callable[[], Followed] | None:
        del idle
        if not at_once or self.next_look > self.looks + 1:
            return None
        self.next_look += 1
        return Followed

    def followed(self, message: Followed) -> None:
        del message
        self.looks = self.next_look - 1

    def next_attempt(self, hash_: str, attempts: int) -> int:
        return max(attempts, int(hash_ in self.bought or hash_ in self.claimed)) + 1

    def look_now(self) -> Followed:
        return Followed()

    def whose(self, hash_: str) -> str:
        return "nobody" if hash_ in self.bought else "free"

    def news(self, hash_: str, record: Record) -> Event | None:
        if hash_ not in self.bought or record.status == "completed":
            return None
        return PurchaseImported(
            hash=hash_,
            status="completed",
            task_id=self.bought[hash_],
            attempts=1,
            credits=self.prices.get(hash_),
            error_code=None,
            error_message=None,
            videos=(VIDEO.at(f"videos/{hash_[:10]}.mp4"),),
            estimate=None,
            at=self.clock.now(),
        )


@dataclass
class VirtualCluster:
    """Workers of one thread each; every batch costs `overhead` seconds beside its tasks.

    `durations` are by hash, in seconds. A batch whose number is in `lost` is given up when it
    would have ended; only the first half of it was bought, or with `claims` claimed.
    """

    clock: VirtualClock
    workers: VirtualWorkers[RunMessage]
    store: VirtualStore
    durations: Mapping[str, float]
    threads: int
    overhead: float = 2.0
    lost: Collection[int] = ()
    claims: bool = False
    handed: list[BatchJob] = field(default_factory=list)
    most_in_flight: int = 0
    _going: dict[int, int] = field(default_factory=dict)

    def listen(self, topic: str, post: Callable[[ClusterMessage], None]) -> None:
        del topic, post

    def look(self, topic: str, wish: Wish) -> ClusterSeen:
        del topic, wish
        return ClusterSeen({f"tcp://worker-{n}": 1 for n in range(self.threads)})

    def submit(self, job: BatchJob, avoid: Collection[str]) -> None:
        del avoid
        self.handed.append(job)
        self._going[job.number] = job.policy.max_in_flight
        self.most_in_flight = max(self.most_in_flight, sum(self._going.values()))
        hashes = list(self._affordable(job))
        slots = [0.0] * job.policy.max_in_flight
        for hash_ in hashes:
            heapq.heapreplace(slots, slots[0] + self.durations[hash_])
        at = self.clock.monotonic() + max(slots) + self.overhead
        self.workers.post_at(at, lambda: self._end(job, hashes))

    def _affordable(self, job: BatchJob) -> Iterator[str]:
        """What a worker buys within its share of the credits, in order."""
        left = job.policy.max_credits
        for each in job.plan.requests:
            price = each.credits or Decimal(0)
            if left is not None and price > left:
                return
            left = None if left is None else left - price
            self.store.prices[each.hash] = price
            yield each.hash

    def _end(self, job: BatchJob, hashes: list[str]) -> BatchEnded:
        del self._going[job.number]
        is_lost = job.number in self.lost
        self.store.claimed.update(hashes[: len(hashes) * self.claims // 2] if is_lost else ())
        half = 0 if self.claims else len(hashes) // 2
        for hash_ in hashes[:half] if is_lost else hashes:
            self.store.bought.setdefault(hash_, f"task-{len(self.store.bought)}")
        if is_lost:
            return BatchEnded(job.number, lost="3 workers died with it")
        is_short = len(hashes) < len(job.plan.requests)
        stop = Stop("money", "--max-credits would be passed") if is_short else None
        result = BatchResult(worker="tcp://worker-0", name="worker 0", stop=stop)
        return BatchEnded(job.number, result)

    def forget(self, topic: str) -> None:
        del topic


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """How a plan went on a virtual cluster; seconds of the virtual clock."""

    cluster: VirtualCluster
    stop: Stop | None
    completed: int
    makespan: float


def run_on_cluster(
    folder: Path,
    requests: Sequence[Request],
    durations: Mapping[str, float],
    policy: RunPolicy,
    threads: int,
    *,
    lost: Collection[int] = (),
    claims: bool = False,
) -> ClusterRun:
    """A plan carried out by the real scheduler, coordinator, journal and ledger."""
    clock = VirtualClock()
    workers: VirtualWorkers[RunMessage] = VirtualWorkers(clock)
    store = VirtualStore(clock)
    cluster = VirtualCluster(clock, workers, store, durations, threads, lost=lost, claims=claims)
    directory = RunDirectory(folder)
    directory.prepare("evolink")
    ledger = Ledger("trip")
    ledger.adopt(requests)
    with (
        directory.locked(),
        Journal.create(directory.journal, Header("trip", "evolink")) as journal,
    ):
        state = RunState(
            journal=journal,
            ledger=ledger,
            directory=directory,
            results=SeldomWritten(directory, ManifestRenderer("evolink")),
            policy=policy,
            clock=clock,
            listener=NullListener(),
        )
        parts: Any = store  # it stands in for the whole of a part in a store
        state.shared = parts
        scheduler = Scheduler(
            state,
            gateway=OfflineGateway(),
            uploads=NoUploads(),
            downloader=VirtualDownloader(folder),
            workers=workers,
            random=lambda: 1.0,
        )
        task = ClusterTask(
            run="trip",
            gateway="evolink",
            base_url="https://api.evolink.ai",
            files_url="https://files-api.evolink.ai",
            store_url="s3://clips",
            plan=plan(),
            models={},
            request_timeout=60.0,
            read_images=lambda _: {},
        )
        attempts = {request.hash: 0 for request in requests}
        scheduler.hand_out(ClusterWork(cluster, task), requests, attempts)
        stop = scheduler.run()
    return ClusterRun(cluster, stop, ledger.count("completed"), clock.monotonic())
