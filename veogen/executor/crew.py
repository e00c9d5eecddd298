"""Threads that do one call each and hand its answer to the one thread that owns all state."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Crashed:
    """A call raised: a bug, to be raised again in the owner's thread."""

    error: BaseException


class Crew(Protocol[T]):
    """Does calls beside the owner. A test's crew does them at once, on a clock of its own."""

    def start(self, call: Callable[[], T]) -> None:
        """Do a call; its answer comes out of `wait`."""
        ...

    def post(self, message: T) -> None:
        """Put a message in as if a call had answered it; safe in a signal handler."""
        ...

    def wait(self, seconds: float | None) -> list[T | Crashed]:
        """All answers there are; waits for the first one, at most `seconds`."""
        ...

    def dismiss(self) -> None:
        """Let everybody go who has nothing left to do; nothing is started after that."""
        ...


class Threads(Generic[T]):
    """Daemon threads, made when they are needed: a process that must leave does not wait.

    The owner never has more than `most` calls under way.
    """

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._idle = threading.Semaphore(0)
        self._threads = 0
        self._calls: queue.SimpleQueue[Callable[[], T] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[T | Crashed] = queue.SimpleQueue()

    def start(self, call: Callable[[], T]) -> None:
        self._calls.put(call)
        if not self._idle.acquire(blocking=False) and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name="veogen-crew").start()

    def post(self, message: T) -> None:
        self._answers.put(message)

    def wait(self, seconds: float | None) -> list[T | Crashed]:
        answers: list[T | Crashed] = []
        try:
            answers.append(self._answers.get(timeout=None if seconds is None else max(0, seconds)))
            while True:
                answers.append(self._answers.get_nowait())
        except queue.Empty:
            return answers

    def dismiss(self) -> None:
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while call := self._calls.get():
            try:
                answer: T | Crashed = call()
            except BaseException as error:  # noqa: BLE001 - handed to the owner, who raises it
                answer = Crashed(error)
            self._answers.put(answer)
            self._idle.release()
