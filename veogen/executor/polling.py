"""When to look at a task: by what tasks of its kind took so far, not by a fixed interval."""

from collections import defaultdict
from collections.abc import Hashable
from math import inf

from veogen.executor.durations import REMEMBERED, Durations, Schedule, guesses
from veogen.results.entries import Entry

_SHORTEST = 0.2
_LONGEST = 60.0
_ENOUGH = 20
_UNKNOWN = 30.0
_LEAST_ESTIMATE = 0.5
_BY_CHANCE = 3


def kind_of(entry: Entry) -> Hashable:
    """Requests of one kind take about as long as each other."""
    return (entry.model, entry.body.get("duration"), entry.body.get("quality"))


class Forecast:
    """Learns how long tasks take and says when the next look at one is worth it, in seconds."""

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed
        self._seen: defaultdict[Hashable, Durations] = defaultdict(Durations)
        self._schedules: dict[tuple[Hashable, float | None], tuple[int, Schedule]] = {}
        self._told: dict[Hashable, float] = {}
        self._learned: defaultdict[Hashable, int] = defaultdict(int)
        self._at_first_look: defaultdict[Hashable, int] = defaultdict(int)

    def told(self, kind: Hashable, seconds: float) -> None:
        """The gateway says that a task of this kind will take `seconds`."""
        self._told[kind] = seconds

    def learn(self, kind: Hashable, seconds: float, *, at_most: bool = False) -> None:
        """A task of this kind took `seconds`, or less if the first look already found it done.

        When that happens again and again the looks begin too late, and so would what is learned.
        """
        row = self._at_first_look[kind] = self._at_first_look[kind] + 1 if at_most else 0
        self._seen[kind].add(seconds / 2 if row > _BY_CHANCE else seconds)
        self._learned[kind] += 1

    def expected(self, kind: Hashable, estimate: float | None) -> float:
        """How long a task of this kind takes: half of them are done by then."""
        return self._schedule(kind, estimate).median

    def likely(self, kind: Hashable) -> float:
        """How long the next task of this kind will take; infinity while nothing is known."""
        told = self._told.get(kind)
        return self.expected(kind, told) if told is not None or self._learned[kind] else inf

    def wait(self, kind: Hashable, age: float, estimate: float | None) -> float:
        """Seconds from now to the next look at a task accepted `age` seconds ago."""
        if self._fixed is not None:
            return self._fixed
        return min(_LONGEST, max(_SHORTEST, self._schedule(kind, estimate).wait(age)))

    def _schedule(self, kind: Hashable, estimate: float | None) -> Schedule:
        """The schedule of a kind, made anew when a tenth more is known of it."""
        learned = self._learned[kind]
        told = None if learned >= _ENOUGH else estimate
        known, schedule = self._schedules.get((kind, told), (-1, None))
        if schedule is None or learned - known > min(learned, REMEMBERED) // 10:
            schedule = self._make(kind, told, learned)
            self._schedules[kind, told] = (learned, schedule)
        return schedule

    def _make(self, kind: Hashable, estimate: float | None, learned: int) -> Schedule:
        bins = self._seen[kind].bins
        if learned >= _ENOUGH:
            return Schedule.of(bins)
        told = estimate is not None
        around = max(estimate, _LEAST_ESTIMATE) if estimate is not None else _UNKNOWN
        return Schedule.of(bins + guesses(around, 0.5 if told else 1.0))
