"""A world without waiting: a clock that passes only when somebody waits, a gateway in it, and runs of small plans."""

import hashlib
import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from veogen.document.nodes import Location
from veogen.executor.decisions import Resolution
from veogen.executor.directory import RunDirectory
from veogen.executor.downloads import DownloadResult
from veogen.executor.joining import StoreChoice
from veogen.executor.journal import Header, Journal
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.results_file import ResultsFile
from veogen.executor.run import Dependencies, Outcome, Selection
from veogen.executor.state import RunProgress, RunState
from veogen.executor.transitions import Stop
from veogen.executor.uploads import EvictableUpload, PreparedBody
from veogen.executor.workers import Crashed
from veogen.gateway.api import Accepted, Balance, Quota, ReadError, Submission, Task, Upload
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request
from veogen.results.events import Event, Video
from veogen.results.ledger import Ledger, RequestState
from veogen.results.manifest import GatewayName, ManifestRenderer
from veogen.results.record import Record
from veogen.spec.types import Limits

T = TypeVar("T")

START = 1_800_000_000.0


class VirtualClock:
    """Starts at a round number of Unix seconds; moves only by `sleep` or `move_to`."""

    def __init__(self) -> None:
        self._passed = 0.0
        self.jump = 0.0

    def now(self) -> float:
        return START + self._passed + self.jump

    def monotonic(self) -> float:
        return self._passed

    def boot(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self._passed += seconds

    def move_to(self, monotonic: float) -> None:
        self._passed = max(self._passed, monotonic)


class VirtualWorkers(Generic[T]):
    """Does each call at once; its answer arrives `latency` seconds later on the virtual clock."""

    def __init__(self, clock: VirtualClock, latency: float = 0.1) -> None:
        self._clock = clock
        self._latency = latency
        self._answers: list[tuple[float, int, Callable[[], T | Crashed]]] = []
        self._order = count()

    def start(self, call: Callable[[], T], *, urgent: bool = False) -> None:
        del urgent  # nothing takes time but what the clock is moved by
        answer = call()
        self.post_at(self._clock.monotonic() + self._latency, lambda: answer)

    def post(self, message: T) -> None:
        self.post_at(self._clock.monotonic(), lambda: message)

    def post_at(self, at: float, call: Callable[[], T]) -> None:
        """Have a call done, and answered, at some time."""
        heapq.heappush(self._answers, (at, next(self._order), call))

    def wait(self, seconds: float | None) -> list[T | Crashed]:
        until = float("inf") if seconds is None else self._clock.monotonic() + seconds
        if self._answers and self._answers[0][0] <= until:
            self._clock.move_to(self._answers[0][0])
        elif seconds is None:
            raise AssertionError("waits for ever")
        else:
            self._clock.move_to(until)
        return list(self._due())

    def shutdown(self) -> None:
        """Nobody is there to be let go."""

    def _due(self) -> list[T | Crashed]:
        due: list[T | Crashed] = []
        while self._answers and self._answers[0][0] <= self._clock.monotonic():
            due.append(heapq.heappop(self._answers)[2]())
        return due


@dataclass
class VirtualGateway:
    """Takes every submit and finishes every task after `takes` seconds, unless told otherwise.

    `answers` are given to submits first, in order; `reads` to the first reads of a task by its
    id; `doomed` tasks end failed with a code, and are not billed. It bills each key once, as the
    real one does with idempotency keys.
    """

    clock: VirtualClock
    takes: float = 30.0
    answers: deque[Submission | Callable[[], Submission]] = field(default_factory=deque)
    reads: dict[str, deque[Task | ReadError]] = field(default_factory=dict)
    submits: list[tuple[str, str]] = field(default_factory=list)
    read_ids: list[str] = field(default_factory=list)
    tasks_by_key: dict[str, str] = field(default_factory=dict)
    born: dict[str, float] = field(default_factory=dict)
    most_in_flight: int = 0
    credits: Decimal | None = Decimal("38.016")
    links: int = 1
    estimate: float | None = None
    doomed: dict[str, str] = field(default_factory=dict)
    model_ids: frozenset[str] | ReadError = frozenset()
    simulated: bool | None = None
    reads_at_once: int = 50

    def submit(self, body: bytes, key: str) -> Submission:
        self.submits.append((key, body.decode()))
        if self.answers:
            answer = self.answers.popleft()
            return answer() if callable(answer) else answer
        return self.take(key)

    def take(self, key: str) -> Accepted:
        replayed = key in self.tasks_by_key
        task_id = self.tasks_by_key.setdefault(key, f"task-{len(self.tasks_by_key) + 1}")
        self.born.setdefault(task_id, self.clock.monotonic())
        self.most_in_flight = max(self.most_in_flight, self._in_flight())
        return Accepted(
            task_id=task_id,
            credits=self.credits,
            replayed=replayed,
            estimated_seconds=self.estimate,
        )

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        self.read_ids.extend(task_ids)
        return {task_id: self._task(task_id) for task_id in task_ids}

    def _task(self, task_id: str) -> Task | ReadError:
        if self.reads.get(task_id):
            return self.reads[task_id].popleft()
        if task_id not in self.born:
            return ReadError(code="not_found", message="no such task", status=404)
        if self.clock.monotonic() - self.born[task_id] < self.takes:
            return Task(id=task_id, state="processing", progress=50)
        if code := self.doomed.get(task_id):
            return Task(id=task_id, state="failed", error_code=code, error_message="sorry")
        links = tuple(f"https://media.example/{task_id}/{n}.mp4" for n in range(self.links))
        return Task(id=task_id, state="completed", progress=100, links=links, credits=self.credits)

    def _in_flight(self) -> int:
        now = self.clock.monotonic()
        return sum(now - born < self.takes for born in self.born.values())

    def recent_tasks(self, model: str) -> tuple[Task, ...] | ReadError:
        del model
        return ReadError(code="not_found", message="there is no list", status=404)

    def balance(self) -> Balance | ReadError:
        return ReadError(code="not_found", message="there is no balance", status=404)

    def models(self) -> frozenset[str] | ReadError:
        return self.model_ids

    def upload(self, name: str, content: bytes, mime: str) -> Upload | ReadError:
        raise AssertionError((name, content, mime))

    def quota(self) -> Quota | ReadError:
        return ReadError(code="not_found", message="there is no quota", status=404)

    def delete(self, file_id: str) -> ReadError | None:
        raise AssertionError(file_id)


VIDEO = Video(
    path="videos/clip.mp4",
    sha256="0" * 64,
    bytes=1000,
    duration=4.0,
    width=1280,
    height=720,
    fps=24.0,
    audio=True,
    warnings=(),
)


@dataclass
class VirtualDownloader:
    """Brings every video home, unless told otherwise: `answers` are given first, in order."""

    root: Path
    answers: deque[DownloadResult] = field(default_factory=deque)
    brought: list[str] = field(default_factory=list)

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        self.brought.append(link)
        if self.answers:
            return self.answers.popleft()
        video = VIDEO.at(request.path(index, of))
        path = self.root / video.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(link.ljust(VIDEO.bytes))
        return video


class TrueDownloader(VirtualDownloader):
    """Tells the SHA-256 of what it brings, as a store asks for it."""

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        video = super().download(request, index, of, link)
        assert isinstance(video, Video)
        digest = hashlib.sha256((self.root / video.path).read_bytes()).hexdigest()
        return msgspec.structs.replace(video, sha256=digest)


class NoUploads:
    """For requests without local images."""

    pinned = False

    def expect(self, request: Request) -> None:
        raise AssertionError(request)

    def pin(self, request: Request) -> None:
        raise AssertionError(request)

    def unpin(self, hash_: str) -> None:
        del hash_

    def prepare(self, request: Request, evicted: EvictableUpload | None = None) -> PreparedBody:
        raise AssertionError(request, evicted)

    def evict(self) -> EvictableUpload | None:
        raise AssertionError


@dataclass
class Memory:
    """A listener that remembers."""

    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: bool = False

    def start(self, counted: Collection[str], progress: RunProgress) -> None:
        del counted, progress

    def event(self, event: Event, standing: RequestState, progress: RunProgress) -> None:
        del standing, progress
        self.events.append(event)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def tick(self, progress: RunProgress) -> None:
        del progress

    def end(self) -> None:
        self.ended = True


@dataclass
class TurnsCounted(Memory):
    """Counts how often a run looks for something to do."""

    turns: int = 0

    def tick(self, progress: RunProgress) -> None:
        del progress
        self.turns += 1
        assert self.turns < 10_000, "it never waits"


PRICE = Decimal("38.016")


def request(city: str, *, prompt: str | None = None, credits_: Decimal | None = PRICE) -> Request:
    """One request of a shot named `city` with one axis."""
    body = {"model": "veo-3.1-fast-generate-preview", "prompt": prompt or f"{city} at dusk"}
    return Request(
        address=f"city[name={city}]",
        hash=request_hash(body, 1),
        shot="city",
        take=1,
        variables={"name": city},
        output=f"city/{city}",
        body=body,
        credits=credits_,
        seconds=4,
        place=Location("spec.yaml", 1, 1),
    )


def plan(*requests: Request, budget: Limits | None = None) -> Plan:
    return Plan(
        name="trip",
        spec="specs/trip.yaml",
        profile=None,
        requests=requests,
        budget=budget or Limits(),
    )


def cities(*names: str) -> Plan:
    return plan(*map(request, names))


@contextmanager
def run_state(
    folder: Path,
    requests: Iterable[Request],
    former: Iterable[Request] = (),
    policy: RunPolicy | None = None,
) -> Iterator[RunState]:
    """A run that is about to begin in a new directory, with a clock and a listener of its own."""
    directory, ledger = RunDirectory(folder), Ledger("trip")
    directory.prepare("evolink")
    ledger.adopt(requests, former)
    with (
        directory.locked(),
        Journal.create(directory.journal, Header("trip", "evolink")) as journal,
    ):
        yield RunState(
            journal=journal,
            ledger=ledger,
            directory=directory,
            results=ResultsFile(directory, ManifestRenderer("evolink")),
            policy=policy or RunPolicy(),
            clock=VirtualClock(),
            listener=Memory(),
        )


@dataclass
class World:
    """A run directory, a gateway and a clock that outlive one run."""

    path: Path
    clock: VirtualClock = field(default_factory=VirtualClock)
    memory: Memory = field(default_factory=Memory)
    gateway_name: GatewayName = "evolink"
    store: StoreChoice | None = None

    def __post_init__(self) -> None:
        self.gateway = VirtualGateway(self.clock)
        self.downloader = VirtualDownloader(self.path)
        self.uploads = NoUploads()

    def dependencies(self) -> Dependencies:
        return Dependencies(
            gateway=self.gateway,
            gateway_name=self.gateway_name,
            downloader=lambda _: self.downloader,
            uploads=lambda _: self.uploads,
            clock=self.clock,
            workers=lambda: VirtualWorkers(self.clock),
            random=lambda: 1.0,
            store=self.store,
        )

    def run(
        self,
        plan_: Plan | None,
        policy: RunPolicy | None = None,
        selection: Selection | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """One run, opened and closed, as a process would."""
        with open_run(
            self.path,
            plan=plan_,
            dependencies=self.dependencies(),
            policy=policy or RunPolicy(),
            listener=self.memory,
            selection=selection or Selection(buy=plan_ is not None),
        ) as session:
            session.check_places()
            session.check_money()
            return session.run(stop, max_credits=session.policy.max_credits)

    def decide(
        self, *decisions: Resolution, say: Callable[[str], None] = lambda _: None
    ) -> Outcome:
        """What a person decides, carried out."""
        with open_run(
            self.path,
            plan=None,
            dependencies=self.dependencies(),
            policy=RunPolicy(),
            listener=self.memory,
            selection=Selection(buy=False),
            follow=False,
        ) as session:
            return session.decide(decisions, say)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all submits, in order."""
        return [key for key, _ in self.gateway.submits]


def statuses(outcome: Outcome) -> Mapping[str, str]:
    """Status by address, in plan order."""
    return {s.request.address: s.record.status for s in outcome.ledger.planned}


def records(outcome: Outcome) -> Sequence[Record]:
    return [s.record for s in outcome.ledger.planned]
