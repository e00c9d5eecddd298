"""A run for a listener: events are applied to the ledger and passed on, as a run does it."""

from decimal import Decimal

from veogen.executor.state import Listener, RunProgress
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    Video,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.ledger import Ledger, RequestState

PRICE = Decimal("76.032")
START = 1_000_000.0


class FakeClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return START + self.passed

    def monotonic(self) -> float:
        return self.passed

    def boot(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def entry(address: str, number: int = 1) -> Request:
    return Request(
        address=address,
        hash=f"{number:064x}",
        shot=address.partition("[")[0],
        take=1,
        variables={},
        output=f"clip-{number}",
        body={"model": "veo-3.1-fast-generate-preview", "prompt": "a boat"},
        credits=PRICE,
    )


def video(entry: Request, *warnings: str, index: int = 0) -> Video:
    return Video(
        path=entry.path(index, 1),
        sha256="0" * 64,
        bytes=1000,
        duration=8.0,
        width=1280,
        height=720,
        fps=24.0,
        audio=True,
        warnings=warnings,
    )


class Play:
    """Requests that are bought, made and lost as a test says; addresses name them."""

    def __init__(self, *addresses: str) -> None:
        self.clock = FakeClock()
        self.ledger = Ledger("boats")
        self.entries = {a: entry(a, number) for number, a in enumerate(addresses, start=1)}
        self.ledger.adopt(self.entries.values())
        self.tasks: dict[str, str] = {}
        self.in_flight = 0
        self.waiting: str | None = None
        self.listener: Listener | None = None

    def watched_by(self, listener: Listener) -> None:
        """Pass on what happens from here on."""
        self.listener = listener
        listener.start([entry.hash for entry in self.entries.values()], self.view)

    @property
    def view(self) -> RunProgress:
        return RunProgress(ledger=self.ledger, in_flight=self.in_flight, waiting=self.waiting)

    def happen(self, event: Event) -> None:
        record = self.ledger.apply(event)
        entry = self.ledger.request(event.hash)
        assert entry
        if self.listener:
            self.listener.event(event, RequestState(entry, record), self.view)

    def tick(self, seconds: float = 1.0) -> None:
        self.clock.passed += seconds
        if self.listener:
            self.listener.tick(self.view)

    def submit(self, address: str, attempt: int = 1) -> None:
        entry, now = self.entries[address], self.clock.now()
        self.ledger.apply(SubmitIntended(entry.hash, attempt, "key", "{}", PRICE, now))
        self.in_flight += 1
        task_id = f"task-{address}" if attempt == 1 else f"task-{address}-{attempt}"
        self.tasks[address] = task_id
        self.happen(TaskCreated(entry.hash, attempt, task_id, PRICE, now))

    def progress(self, address: str, percent: int) -> None:
        hash_ = self.entries[address].hash
        self.happen(TaskProgressed(hash_, self.tasks[address], "processing", percent))

    def make(self, address: str) -> None:
        hash_ = self.entries[address].hash
        self.in_flight -= 1
        link = ("https://media.example/1.mp4?signature=s3cret",)
        self.happen(TaskCompleted(hash_, self.tasks[address], link, PRICE, self.clock.now()))

    def deliver(self, address: str, *warnings: str) -> None:
        entry = self.entries[address]
        self.happen(VideoSaved(entry.hash, 0, video(entry, *warnings)))

    def complete(self, address: str, *warnings: str) -> None:
        """From nothing to a clip on disk."""
        self.submit(address)
        self.make(address)
        self.deliver(address, *warnings)

    def fail(self, address: str, code: str, message: str) -> None:
        self.in_flight -= 1
        self.happen(TaskFailed(self.entries[address].hash, self.tasks[address], code, message))

    def lose(self, address: str, code: str, message: str) -> None:
        self.happen(VideoNotSaved(self.entries[address].hash, code, message))

    def doubt(self, address: str, code: str, message: str, attempt: int = 1) -> None:
        """Sent, and nobody knows what came of it."""
        entry = self.entries[address]
        self.ledger.apply(SubmitIntended(entry.hash, attempt, "key", "{}", PRICE, self.clock.now()))
        self.happen(SubmitUnknown(entry.hash, attempt, code, message))
