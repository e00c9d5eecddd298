"""The requests that can be sent, and which of them is next."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable


class Ready:
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

    def want(self, hashes: Iterable[str]) -> None:
        """Put these in, in the order of the plan."""
        for hash_ in hashes:
            self._places[hash_] = len(self._places)
            self.put(hash_)

    def put(self, hash_: str) -> None:
        """Put one in, at its place in the plan."""
        place = self._places.get(hash_, -1)
        heapq.heappush(self._by_kind[self._kind(hash_)], (place, hash_))

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
