"""What waits to be sent: its order, its times, and how fast it may go."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class DelayQueue(Generic[T]):
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


class RateLimiter:
    """Halves its limit when the gateway has no room and raises it by one as it takes again."""

    def __init__(self, most: int, per_minute: float | None = None) -> None:
        self.most = most
        self.limit = most
        self._per_minute = per_minute
        self._paused_until = 0.0
        self._next_submit = 0.0
        self._lowered_at = float("-inf")
        self._accepted = 0

    def ready_at(self, now: float) -> float:
        """The monotonic time from which the next submit may go."""
        return max(now, self._paused_until, self._next_submit)

    def submitted(self, now: float) -> None:
        if self._per_minute is not None:
            self._next_submit = max(now, self._next_submit) + 60.0 / self._per_minute

    def accepted(self) -> None:
        """Raise the limit by one for each full round that was taken (additive increase)."""
        self._accepted += 1
        if self._accepted >= self.limit and self.limit < self.most:
            self.limit += 1
            self._accepted = 0

    def throttled(self, now: float, wait: float) -> None:
        """Halve the limit, once for all refusals of one moment, and pause for `wait` seconds."""
        self._paused_until = max(self._paused_until, now + wait)
        self._accepted = 0
        if now - self._lowered_at >= 1.0:
            self.limit = max(1, self.limit // 2)
            self._lowered_at = now


class SubmitQueue:
    """Those that take longest come first, and among their like the first in the plan.

    A batch ends sooner when its long tasks do not begin last. Nobody knows how long a kind takes
    of which nothing was seen: it comes first, so that it is known soon.
    """

    def __init__(
        self, kind: Callable[[str], Hashable], seconds: Callable[[Hashable], float]
    ) -> None:
        self._kind = kind
        self._seconds = seconds
        self._places: dict[str, int] = {}
        self._by_kind: defaultdict[Hashable, list[tuple[int, str]]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def __contains__(self, hash_: str) -> bool:
        return any(hash_ == waiting for row in self._by_kind.values() for _, waiting in row)

    def add(self, hashes: Iterable[str]) -> None:
        """Put these in, in the order of the plan."""
        for hash_ in hashes:
            self._places[hash_] = len(self._places)
            self.put(hash_)

    def put(self, hash_: str) -> None:
        """Put one in, at its place in the plan."""
        place = self._places.get(hash_, -1)
        heapq.heappush(self._by_kind[self._kind(hash_)], (place, hash_))

    def begin_at(self, choose: Callable[[Sequence[str]], str]) -> None:
        """Go on from a chosen one of all, given in their order; what is before it comes last."""
        waiting = [hash_ for _, hash_ in sorted(e for row in self._by_kind.values() for e in row)]
        start = waiting.index(choose(waiting)) if waiting else 0
        self._by_kind.clear()
        for place, hash_ in enumerate(waiting[start:] + waiting[:start]):
            self._places[hash_] = place
            self.put(hash_)

    def first(self) -> str:
        """The next one, which stays in."""
        return self._by_kind[self._next_kind()][0][1]

    def take(self) -> str:
        """Take the next one out."""
        kind = self._next_kind()
        _, hash_ = heapq.heappop(self._by_kind[kind])
        if not self._by_kind[kind]:
            del self._by_kind[kind]
        return hash_

    def clear(self) -> None:
        self._by_kind.clear()

    def _next_kind(self) -> Hashable:
        if len(self._by_kind) == 1:
            return next(iter(self._by_kind))
        firsts = ((self._seconds(kind), -row[0][0], kind) for kind, row in self._by_kind.items())
        return max(firsts, key=lambda one: one[:2])[2]
