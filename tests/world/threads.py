"""Locks, conditions and threads of one process, all on the world's one thread."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from greenlet import getcurrent

from world.kernel import Kernel, Strand, current_process

T = TypeVar("T")
U = TypeVar("U")


class _Waiter:
    """A thread that waits for somebody, or for a time."""

    def __init__(self, kernel: Kernel) -> None:
        strand = getcurrent()
        assert isinstance(strand, Strand)
        self._kernel = kernel
        self._strand = strand
        self._waits = True

    def wake(self) -> None:
        if self._waits:
            self._waits = False
            self._kernel.at(self._kernel.now, lambda: self._kernel.resume(self._strand))


class WorldCondition:
    """A condition; nobody else runs until who holds it waits, so there is nothing to lock."""

    def __init__(self) -> None:
        self._waiting: list[_Waiter] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was locked."""

    def wait(self, timeout: float | None = None) -> bool:
        process = current_process()
        assert process is not None
        kernel = process.kernel
        waiter = _Waiter(kernel)
        self._waiting.append(waiter)
        if timeout is not None:
            kernel.at(kernel.now + max(timeout, 1e-6), waiter.wake)
        kernel.park()
        was_notified = waiter not in self._waiting
        if not was_notified:
            self._waiting.remove(waiter)
        return was_notified

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        process = current_process()
        assert process is not None
        until = None if timeout is None else process.kernel.now + timeout
        while not predicate():
            left = None if until is None else until - process.kernel.now
            if left is not None and left <= 0:
                return False
            self.wait(left)
        return True

    def notify_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.wake()


class WorldLock:
    """A lock that is held while its holder waits for something else."""

    def __init__(self) -> None:
        self._held = False
        self._free = WorldCondition()

    def __enter__(self) -> Self:
        self._free.wait_for(lambda: not self._held)
        self._held = True
        return self

    def __exit__(self, *_: object) -> None:
        self._held = False
        self._free.notify_all()


class WorldThread:
    """A thread of the process that begins it."""

    def __init__(self, *, target: Callable[[], None], name: str = "", daemon: bool = True) -> None:
        del name, daemon
        self._target = target
        self._done = False
        self._end = WorldCondition()

    def start(self) -> None:
        process = current_process()
        assert process is not None
        process.start(self._work)

    def join(self, timeout: float | None = None) -> None:
        self._end.wait_for(lambda: self._done, timeout)

    def _work(self) -> None:
        self._target()
        self._done = True
        self._end.notify_all()


class WorldExecutor:
    """Does calls one after the other, in the thread that asks for them."""

    def __init__(self, most: int) -> None:
        del most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nobody is there to be waited for."""

    def map(self, call: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
        return iter([call(item) for item in items])


class WorldThreading:
    """What a module uses of `threading`."""

    Condition: Any = WorldCondition
    Lock: Any = WorldLock
    RLock: Any = WorldLock
    Thread: Any = WorldThread
