"""Virtual time on one thread: whoever waits lets the others go on, in the order of a heap."""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

from veogen.executor.workers import Crashed

T = TypeVar("T")

START = 1_800_000_000.0
"""Unix seconds at which a world begins."""


class Died(BaseException):
    """The process is gone, at this very instruction."""


class StandstillError(Exception):
    """Something goes on and on, and time does not pass."""


MOST_AT_ONCE = 20_000
"""Things that may be done at one moment."""


class Strand(greenlet):
    """A thread of a process."""

    process: "Process"

    def __bool__(self) -> bool:
        """Whether it has begun and not ended."""
        return super().__bool__()


class Kernel:
    """What is due, and the time that it is."""

    def __init__(self) -> None:
        self.now = 0.0
        self._at_once = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.hub = getcurrent()

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Have something done at a time, on no thread of a process."""
        heapq.heappush(self._due, (max(when, self.now), next(self._order), action))

    def sleep(self, seconds: float) -> None:
        """Let the thread that runs wait, and the others go on."""
        strand = self._running()
        self.at(self.now + seconds, lambda: self.resume(strand))
        self._wait(strand)

    def park(self) -> None:
        """Wait until somebody resumes this thread."""
        self._wait(self._running())

    def _wait(self, strand: Strand) -> None:
        """Let others go on; a signal that came meanwhile is raised in a process's first thread."""
        self.hub.switch()
        process = strand.process
        if process.signalled and process.alive and strand is process.first:
            process.signalled = False
            raise KeyboardInterrupt

    @staticmethod
    def _running() -> Strand:
        """The thread that runs; what unwinds in a dead process waits for nothing."""
        strand = getcurrent()
        assert isinstance(strand, Strand)
        if not strand.process.alive:
            raise Died
        return strand

    def resume(self, strand: Strand) -> None:
        """Let a thread go on, once its process is not frozen; one that has ended stays so."""
        process = strand.process
        if strand.dead or not process.alive:
            return
        if process.frozen_until > self.now:
            self.at(process.frozen_until, lambda: self.resume(strand))
            return
        strand.switch()

    def advance(self, until: Callable[[], bool], limit: float) -> bool:
        """Let time pass until something is so, or for so many seconds; whether it is so.

        Raises `StandstillError`.
        """
        end = self.now + limit
        while not until():
            if not self._due or self._due[0][0] > end:
                self.now = max(self.now, end)
                return until()
            when, _, action = heapq.heappop(self._due)
            self._pass(when)
            action()
        return True

    def _pass(self, when: float) -> None:
        """Let it be later; raises `StandstillError` where it never is."""
        self._at_once = 0 if when > self.now else self._at_once + 1
        self.now = max(self.now, when)
        if self._at_once > MOST_AT_ONCE:
            raise StandstillError


class Process:
    """What one command runs in: threads that die together."""

    def __init__(self, kernel: Kernel, name: str, random: Random) -> None:
        self.kernel = kernel
        self.name = name
        self.random = random
        self.alive = True
        self.frozen_until = 0.0
        self.at_its_end: list[Callable[[], None]] = []
        """What the system does for a process that has ended, such as closing its files."""
        self.signalled = False
        self._strands: list[Strand] = []

    @property
    def first(self) -> Strand | None:
        """The thread that it began with."""
        return self._strands[0] if self._strands else None

    def start(self, work: Callable[[], None], after: float = 0.0) -> Strand:
        """Begin a thread after so many seconds."""

        def until_death() -> None:
            try:
                work()
            except Died:
                return

        strand = Strand(until_death, self.kernel.hub)
        strand.process = self
        self._strands.append(strand)
        self.kernel.at(self.kernel.now + after, lambda: self.kernel.resume(strand))
        return strand

    def end(self) -> None:
        """Nothing of it goes on; what it would still do while it unwinds has no effect."""
        self.alive = False
        for strand in self._strands:
            if strand and strand is not getcurrent():
                strand.throw(Died)
        self._strands.clear()
        for close in self.at_its_end:
            close()
        self.at_its_end.clear()


def current_process() -> Process | None:
    """The process whose thread runs; None for people and the world."""
    strand = getcurrent()
    return strand.process if isinstance(strand, Strand) else None


class WorldClock:
    """A machine's clocks: `ahead` is how wrong its wall clock is."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.ahead = 0.0

    def now(self) -> float:
        return START + self._kernel.now + self.ahead

    def monotonic(self) -> float:
        return self._kernel.now

    def boot(self) -> float:
        return self._kernel.now

    def sleep(self, seconds: float) -> None:
        self._kernel.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.ahead += seconds


class WorldWorkers(Generic[T]):
    """Each call is a thread of the process; its answer comes out of `wait`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._kernel = process.kernel
        self._answers: list[T | Crashed] = []
        self._owner: Strand | None = None
        self._turn: object = None

    def start(self, call: Callable[[], T], *, urgent: bool = False) -> None:
        del urgent  # nothing takes time but what the world says

        def work() -> None:
            answer: Any
            try:
                answer = call()
            except Died:
                raise
            except BaseException as error:  # noqa: BLE001 - as a real worker hands it over
                answer = Crashed(error)
            self._answers.append(answer)
            self._wake()

        self._process.start(work, after=self._process.random.choice((0.0, 0.0, 0.001, 0.05)))

    def post(self, message: T) -> None:
        self._answers.append(message)
        self._wake()

    def wait(self, seconds: float | None) -> list[T | Crashed]:
        if not self._answers:
            strand = getcurrent()
            assert isinstance(strand, Strand)
            self._owner = strand
            if seconds is not None:
                turn = object()
                self._turn = turn
                self._kernel.at(self._kernel.now + max(seconds, 0.0), lambda: self._wake_if(turn))
            self._kernel.park()
        self._owner, self._turn = None, None
        answers, self._answers = self._answers, []
        return answers

    def shutdown(self) -> None:
        """Nothing is started any more."""

    def _wake(self) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            self._kernel.at(self._kernel.now, lambda: self._kernel.resume(owner))

    def _wake_if(self, turn: object) -> None:
        if self._turn is turn:
            self._wake()
