"""When to look at a task: by what tasks of its kind took so far, not by a fixed interval."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, floor, inf, log, sqrt
from operator import neg
from statistics import NormalDist

from veogen.planner.plan import Request

_STEP = 0.05
"""The width of a bin: five per cent of the time."""

_KERNEL_WIDTH = 2.5
"""In bins: what was seen once is as likely to come an eighth sooner or later."""

_REACH = 7
REMEMBERED = 500
_SHORTEST = 0.01
_NONE_LEFT = 1e-9

_LATENESS = 5.3
_LATENESS_OF_MEAN = 0.052
"""A task is found done this much later than it is, on average: a look more would save less."""


_GAUSSIAN = NormalDist(0, _KERNEL_WIDTH)
_KERNEL = [
    (bins, _GAUSSIAN.cdf(bins + 0.5) - _GAUSSIAN.cdf(bins - 0.5))
    for bins in range(-_REACH, _REACH + 1)
]
_GUESSES = [NormalDist().inv_cdf((i + 0.5) / 8) for i in range(8)]


def guesses(estimate: float, spread: float) -> Counter[int]:
    """Eight durations around an estimate, in place of those that were not seen yet."""
    return Counter(_bin(estimate * exp(spread * z)) for z in _GUESSES)


class DurationHistogram:
    """The durations seen last, by bin."""

    def __init__(self) -> None:
        self._seen: deque[int] = deque()
        self.bins: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, seconds: float) -> None:
        bin_ = _bin(seconds)
        self._seen.append(bin_)
        self.bins[bin_] += 1
        if len(self._seen) > REMEMBERED:
            oldest = self._seen.popleft()
            self.bins[oldest] -= 1
            if not self.bins[oldest]:
                del self.bins[oldest]


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How many looks a task of some age has been worth: `worth[i]` at `ages[i]` seconds.

    Looks are as dense as sqrt(hazard / 2 price): where a task is likely to end soon, a look saves
    more waiting than it costs. Beyond what was seen, the hazard falls with the age.
    """

    ages: tuple[float, ...]
    expected_polls: tuple[float, ...]
    price: float
    median: float

    @classmethod
    def of(cls, bins: Mapping[int, int]) -> "PollSchedule":
        """The schedule for durations by bin, each of which is smoothed over those beside it."""
        first, last = min(bins) - _REACH, max(bins)
        likely = dict.fromkeys(range(first, last + _REACH + 1), 0.0)
        for bin_, seen in bins.items():
            for offset, weight in _KERNEL:
                likely[bin_ + offset] += seen * weight
        total = sum(likely.values())
        left = [*accumulate((-likely[b] / total for b in range(first, last + 1)), initial=1.0)]
        ages = [exp(bin_ * _STEP) for bin_ in range(first, last + 2)]
        roots = [
            sqrt(log(before / max(after, _NONE_LEFT)) * (end - start))
            for (before, after), (start, end) in zip(pairwise(left), pairwise(ages), strict=True)
        ]
        price = _price(left, roots, ages)
        density = 1 / sqrt(2 * price)
        expected_polls = accumulate((density * root for root in roots), initial=0.0)
        return cls(
            tuple(ages), tuple(expected_polls), price, ages[bisect_left(left, -0.5, key=neg)]
        )

    def next_interval(self, age: float) -> float:
        """Seconds until the next look is worth it: when one more has been than at this age."""
        first, last, most = self.ages[0], self.ages[-1], self.expected_polls[-1]
        if age <= first:
            polls = 1.0
        elif age >= last:
            polls = most + self._late(age) - self._late(last) + 1.0
        else:
            polls = _between(age, self.ages, self.expected_polls) + 1.0
        if polls < most:
            return _between(polls, self.expected_polls, self.ages) - age
        late = polls - most + self._late(last)
        return (late / 2) ** 2 * 0.6 * self.price - age

    def _late(self, age: float) -> float:
        """The looks at stragglers, whose hazard is 1 / (0.3 age): the integral from zero."""
        return 2 * sqrt(age / (0.6 * self.price))


def _between(x: float, xs: tuple[float, ...], ys: tuple[float, ...]) -> float:
    right = bisect_right(xs, x)
    left = right - 1
    return ys[left] + (x - xs[left]) / (xs[right] - xs[left]) * (ys[right] - ys[left])


def _price(left: Sequence[float], roots: Sequence[float], ages: Sequence[float]) -> float:
    """What a look costs, in seconds of waiting, so that the mean lateness is as it should be.

    With this density the mean lateness is sqrt(price / 2) times the integral of sqrt(hazard) over
    those that are left.
    """
    mean = ages[0] + sum(
        s * (end - start) for s, (start, end) in zip(left, pairwise(ages), strict=False)
    )
    late = min(_LATENESS, _LATENESS_OF_MEAN * mean)
    return 2 * (late / sum(s * root for s, root in zip(left, roots, strict=False))) ** 2


def _bin(seconds: float) -> int:
    return floor(log(max(seconds, _SHORTEST)) / _STEP)


_SHORTEST_WAIT = 0.2
_LONGEST = 60.0
_ENOUGH = 20
_UNKNOWN = 30.0
_LEAST_ESTIMATE = 0.5
_BY_CHANCE = 3


def task_kind(request: Request) -> Hashable:
    """Requests of one kind take about as long as each other."""
    return (request.model, request.body.get("duration"), request.body.get("quality"))


class DurationEstimator:
    """Learns how long tasks take and says when the next look at one is worth it, in seconds."""

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed
        self._seen: defaultdict[Hashable, DurationHistogram] = defaultdict(DurationHistogram)
        self._schedules: dict[tuple[Hashable, float | None], tuple[int, PollSchedule]] = {}
        self._hints: dict[Hashable, float] = {}
        self._observed: defaultdict[Hashable, int] = defaultdict(int)
        self._at_first_poll: defaultdict[Hashable, int] = defaultdict(int)

    def hint(self, kind: Hashable, seconds: float) -> None:
        """The gateway says that a task of this kind will take `seconds`."""
        self._hints[kind] = seconds

    def observe(self, kind: Hashable, seconds: float, *, at_most: bool = False) -> None:
        """A task of this kind took `seconds`, or less if the first look already found it done.

        When that happens again and again the looks begin too late, and so would what is learned.
        """
        row = self._at_first_poll[kind] = self._at_first_poll[kind] + 1 if at_most else 0
        self._seen[kind].add(seconds / 2 if row > _BY_CHANCE else seconds)
        self._observed[kind] += 1

    def expected(self, kind: Hashable, estimate: float | None) -> float:
        """How long a task of this kind takes: half of them are done by then."""
        return self._schedule(kind, estimate).median

    def expected_next(self, kind: Hashable) -> float:
        """How long the next task of this kind will take; infinity while nothing is known."""
        hint = self._hints.get(kind)
        return self.expected(kind, hint) if hint is not None or self._observed[kind] else inf

    def next_interval(self, kind: Hashable, age: float, estimate: float | None) -> float:
        """Seconds from now to the next look at a task accepted `age` seconds ago."""
        if self._fixed is not None:
            return self._fixed
        return min(_LONGEST, max(_SHORTEST_WAIT, self._schedule(kind, estimate).next_interval(age)))

    def _schedule(self, kind: Hashable, estimate: float | None) -> PollSchedule:
        """The schedule of a kind, made anew when a tenth more is known of it."""
        learned = self._observed[kind]
        hint = None if learned >= _ENOUGH else estimate
        learned_then, schedule = self._schedules.get((kind, hint), (-1, None))
        if schedule is None or learned - learned_then > min(learned, REMEMBERED) // 10:
            bins = self._seen[kind].bins
            if learned < _ENOUGH:
                around = _UNKNOWN if hint is None else max(hint, _LEAST_ESTIMATE)
                bins = bins + guesses(around, 1.0 if hint is None else 0.5)
            schedule = PollSchedule.of(bins)
            self._schedules[kind, hint] = (learned, schedule)
        return schedule
