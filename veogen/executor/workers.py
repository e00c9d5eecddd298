"""Threads that do one call each and hand its answer to the one thread that owns all state."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Generic, NamedTuple, Protocol, TypeVar

from veogen.executor.options import Clock, SystemClock

T = TypeVar("T")

_FEW, _MOMENT = 4, 0.01
"""With more calls than that under way answers are gathered for so many seconds."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """A call raised: a bug, to be raised again in the owner's thread."""

    error: BaseException


class WorkerPool(Protocol[T]):
    """Does calls beside the owner. A test's pool does them at once, on a clock of its own."""

    def start(self, call: Callable[[], T], *, urgent: bool = False) -> None:
        """Do a call; its answer comes out of `wait`. `prompt`: it has to be on disk soon."""
        ...

    def post(self, message: T) -> None:
        """Put a message in as if a call had answered it; safe in a signal handler."""
        ...

    def wait(self, seconds: float | None) -> list[T | Crashed]:
        """All answers there are; waits for the first one, at most `seconds`."""
        ...

    def shutdown(self) -> None:
        """Let everybody go who has nothing left to do; nothing is started after that."""
        ...


class ThreadPool(Generic[T]):
    """Daemon threads, made when they are needed: a process that must leave does not wait.

    The owner never has more than `most` calls under way. While there are many, whoever hands an
    answer over wakes nobody: the owner looks for all of them a moment later. It does not where
    some of them, but few, are prompt: what many are waiting for is written down together.
    """

    def __init__(self, most: int = 512, clock: Clock | None = None) -> None:
        self._most = most
        self._clock = clock or SystemClock()
        self._threads = 0
        self._under_way = 0
        self._urgent = 0
        self._calls: queue.SimpleQueue[_Call[T] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[_Answered[T]] = queue.SimpleQueue()

    def start(self, call: Callable[[], T], *, urgent: bool = False) -> None:
        self._under_way += 1
        self._urgent += urgent
        self._calls.put(_Call(call, urgent))
        if self._threads < min(self._under_way, self._most):
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name="veogen-worker").start()

    def post(self, message: T) -> None:
        self._answers.put(_Answered(message, calls=0, urgent=False))

    def wait(self, seconds: float | None) -> list[T | Crashed]:
        until = inf if seconds is None else self._clock.monotonic() + max(0, seconds)
        found: list[_Answered[T]] = []
        try:
            found.append(self._answers.get(timeout=None if seconds is None else max(0, seconds)))
            if self._under_way > _FEW and not 0 < self._urgent <= _FEW:
                self._clock.sleep(max(0, min(_MOMENT, until - self._clock.monotonic())))
            while True:
                found.append(self._answers.get_nowait())
        except queue.Empty:
            self._under_way -= sum(answered.calls for answered in found)
            self._urgent -= sum(answered.urgent for answered in found)
            return [answered.message for answered in found]

    def shutdown(self) -> None:
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while call := self._calls.get():
            try:
                answer: T | Crashed = call.make()
            except BaseException as error:  # noqa: BLE001 - handed to the owner, who raises it
                answer = Crashed(error)
            self._answers.put(_Answered(answer, calls=1, urgent=call.urgent))


class _Call(NamedTuple, Generic[T]):
    make: Callable[[], T]
    urgent: bool


class _Answered(NamedTuple, Generic[T]):
    """A message for the owner, and how many calls it is the answer of: none or one."""

    message: T | Crashed
    calls: int
    urgent: bool
