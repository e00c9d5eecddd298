"""What is done later: each thing at its time, the earliest first."""

import heapq
from collections.abc import Iterator
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """Things that wait for their times."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, T]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        return (thing for _, _, thing in self._waiting)

    def put(self, at: float, thing: T) -> None:
        heapq.heappush(self._waiting, (at, next(self._order), thing))

    def due(self, now: float) -> T | None:
        """Take out one whose time has come."""
        return heapq.heappop(self._waiting)[2] if self._waiting and self.next <= now else None

    @property
    def next(self) -> float:
        """When the next one is due; infinity when none waits."""
        return self._waiting[0][0] if self._waiting else float("inf")

    def clear(self) -> None:
        self._waiting.clear()
