"""When tasks are looked at: fewer looks than at a fixed interval, and no later."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.batches import DISTRIBUTIONS, Draw

from veogen.executor.intervals import DurationEstimator

TASKS, SLOTS, A_SECOND, LATENCY = 1000, 50, 2.0, 0.15


@dataclass(frozen=True)
class Took:
    """How a batch went: seconds in all, looks a task, mean seconds from done to found done."""

    makespan: float
    looks: float
    lag: float


def batch(estimator: DurationEstimator, durations: Sequence[float], estimate: float | None) -> Took:
    """Discrete events: a slot is free again when its task is found done, and not before."""
    queue: list[tuple[float, int, float, float, float]] = []
    order, waiting = count(), list(reversed(durations))
    now = next_submit = lag = 0.0
    looks = 0
    while queue or waiting:
        if waiting and len(queue) < SLOTS and (not queue or next_submit <= queue[0][0]):
            accepted = max(now, next_submit) + LATENCY
            next_submit = max(now, next_submit) + 1 / A_SECOND
            due = accepted + estimator.next_interval("clip", 0.0, estimate)
            done = accepted + waiting.pop()
            heapq.heappush(queue, (due, next(order), accepted, done, accepted))
            continue
        due, _, accepted, done, undone = heapq.heappop(queue)
        now, looks = due + LATENCY, looks + 1
        if due >= done:
            lag += due - done
            blind = undone == accepted
            took = (due if blind else (undone + due) / 2) - accepted
            estimator.observe("clip", took, at_most=blind)
        else:
            again = now + estimator.next_interval("clip", due - accepted, estimate)
            heapq.heappush(queue, (again, next(order), accepted, done, due))
    return Took(now, looks / len(durations), lag / len(durations))


def ideal(durations: Sequence[float]) -> float:
    """The makespan of the same order when every end is known at once."""
    slots = [0.0] * SLOTS
    next_submit = 0.0
    for duration in durations:
        start = max(heapq.heappop(slots), next_submit)
        next_submit = start + 1 / A_SECOND
        heapq.heappush(slots, start + duration + 2 * LATENCY)
    return max(slots)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("draw", "estimate"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_two_thirds_of_the_looks_of_ten_seconds_find_tasks_done_no_later(
    draw: Draw, estimate: float, seed: int
) -> None:
    chance = random.Random(seed)
    durations = [draw(chance) for _ in range(TASKS)]

    fixed = batch(DurationEstimator(10.0), durations, estimate)
    adaptive = batch(DurationEstimator(), durations, estimate)

    assert adaptive.looks <= 0.65 * fixed.looks
    assert adaptive.lag <= fixed.lag
    assert adaptive.makespan <= 1.05 * ideal(durations)


@pytest.mark.parametrize(
    ("seconds", "estimate"),
    [
        pytest.param(0.1, 0, id="said to take no time"),
        pytest.param(0.3, 1, id="a third of a second"),
        pytest.param(3.0, 3, id="three seconds"),
        pytest.param(2.0, None, id="nothing said"),
    ],
)
def test_short_tasks_are_found_done_soon(seconds: float, estimate: float | None) -> None:
    took = batch(DurationEstimator(), [seconds] * TASKS, estimate)

    assert took.lag <= 1
    assert took.looks <= 5


def test_a_fixed_interval_is_kept_to() -> None:
    estimator = DurationEstimator(7.0)
    estimator.observe("clip", 100.0)

    assert [estimator.next_interval("clip", age, 100.0) for age in (0.0, 90.0, 5000.0)] == [7.0] * 3


def test_kinds_are_kept_apart() -> None:
    estimator = DurationEstimator()
    for _ in range(100):
        estimator.observe("short", 20.0)
        estimator.observe("long", 400.0)

    assert 19 < estimator.expected("short", 60.0) < 21
    assert 380 < estimator.expected("long", 60.0) < 420


def test_what_was_seen_long_ago_is_forgotten() -> None:
    estimator = DurationEstimator()
    for seconds in [20.0] * 500 + [100.0] * 600:
        estimator.observe("clip", seconds)

    assert 95 < estimator.expected("clip", None) < 105


def test_a_straggler_is_looked_at_less_and_less_but_never_forgotten() -> None:
    estimator = DurationEstimator()
    for seconds in range(80, 120):
        estimator.observe("clip", float(seconds))

    waits = [estimator.next_interval("clip", age, None) for age in (130.0, 300.0, 1000.0, 1e6)]

    assert waits == sorted(waits)
    assert waits[-1] == 60.0


@given(
    seen=st.lists(st.floats(0, 1e7), max_size=60),
    age=st.floats(0, 1e7),
    estimate=st.none() | st.floats(0, 1e7),
)
def test_the_next_look_is_between_a_fifth_of_a_second_and_a_minute_away(
    seen: list[float], age: float, estimate: float | None
) -> None:
    estimator = DurationEstimator()
    for seconds in seen:
        estimator.observe("clip", seconds)

    assert 0.2 <= estimator.next_interval("clip", age, estimate) <= 60.0
