"""When to look at a task: by what tasks of its kind took so far, not by a fixed interval."""

from collections import defaultdict, deque
from collections.abc import Hashable
from statistics import median

_SHORTEST = 0.2
_LONGEST = 15.0
_REMEMBERED = 50


class Forecast:
    """Learns how long tasks take and says when the next look at one is worth it, in seconds."""

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed
        self._seen: defaultdict[Hashable, deque[float]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )

    def learn(self, kind: Hashable, seconds: float) -> None:
        """A task of this kind was found done `seconds` after it was accepted."""
        self._seen[kind].append(seconds)

    def expected(self, kind: Hashable, estimate: float | None) -> float:
        """How long a task of this kind takes."""
        seen = self._seen.get(kind)
        return median(seen) if seen else estimate or 60.0

    def wait(self, kind: Hashable, age: float, estimate: float | None) -> float:
        """Seconds from now to the next look at a task accepted `age` seconds ago."""
        if self._fixed is not None:
            return self._fixed
        expected = self.expected(kind, estimate)
        step = min(_LONGEST, max(_SHORTEST, expected / 12))
        return max(step, 0.6 * expected - age) if age < 0.6 * expected else step
