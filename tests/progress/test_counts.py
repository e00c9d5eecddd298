from collections.abc import Collection, Sequence

import pytest
from play import Play

from veogen.executor.state import RunProgress
from veogen.progress.messages import RunCounts, Stage, seconds_left
from veogen.results.events import Event
from veogen.results.ledger import RequestState

STAGES: tuple[Stage, ...] = ("waiting", "going", "done", "failed", "held", "lost")


class Counting:
    """A listener that only counts."""

    def __init__(self, retries: int = 2) -> None:
        self.counter = RunCounts(retries)

    def start(self, counted: Collection[str], view: RunProgress) -> None:
        self.counter.start(counted, view)

    def event(self, event: Event, standing: RequestState, view: RunProgress) -> None:
        del view
        self.counter.apply(event, standing.record)

    def note(self, message: str) -> None:
        raise AssertionError(message)

    def tick(self, view: RunProgress) -> None:
        del view

    def end(self) -> None:
        """Nothing to count."""

    @property
    def counts(self) -> dict[str, int]:
        return {stage: self.counter.count(stage) for stage in STAGES if self.counter.count(stage)}


@pytest.mark.parametrize(
    ("ages", "waiting", "in_flight", "left"),
    [
        pytest.param([], 0, 0, None, id="nothing left"),
        pytest.param([0], 0, 1, 60, id="one just begun"),
        pytest.param([45], 0, 1, 15, id="one nearly ended"),
        pytest.param([45, 0], 0, 2, 60, id="the last of several"),
        pytest.param([30, 30], 4, 2, 150, id="those that wait share the places"),
        pytest.param([600], 0, 1, 6, id="one that is overdue may end at any time"),
        pytest.param([], 3, 0, 180, id="none on its way"),
    ],
)
def test_what_is_left_follows_from_what_a_task_takes(
    ages: Sequence[float], waiting: int, in_flight: int, left: float | None
) -> None:
    assert seconds_left(60, ages, waiting, in_flight) == left


def test_requests_are_counted_as_they_go_their_ways() -> None:
    play, counting = Play("a", "b", "c", "d", "e", "f"), Counting()
    play.watched_by(counting)

    play.complete("a")
    play.submit("b")
    play.submit("c")
    play.fail("c", "content_policy_violation", "no")
    play.doubt("d", "timeout", "no answer")
    play.submit("e")
    play.make("e")
    play.lose("e", "broken", "cut short")

    assert counting.counts == {
        "waiting": 1,
        "going": 1,
        "done": 1,
        "failed": 1,
        "held": 1,
        "lost": 1,
    }


def test_a_resumed_run_begins_with_what_is_done() -> None:
    play, counting = Play("a", "b", "c"), Counting()
    play.complete("a")
    play.submit("b")

    play.watched_by(counting)

    assert counting.counts == {"waiting": 1, "going": 1, "done": 1}
    assert counting.counter.total == 3


def test_a_made_clip_is_not_lost_while_it_is_fetched() -> None:
    play, counting = Play("a"), Counting()
    play.watched_by(counting)

    play.submit("a")
    play.make("a")

    assert counting.counts == {"going": 1}


def test_a_request_that_is_bought_again_by_itself_has_not_failed() -> None:
    play, counting = Play("a"), Counting(retries=1)
    play.watched_by(counting)

    play.submit("a")
    play.fail("a", "service_error", "try later")
    first = counting.counts
    play.submit("a", attempt=2)
    play.fail("a", "service_error", "try later")

    assert first == {"waiting": 1}
    assert counting.counts == {"failed": 1}


def test_the_end_is_foretold_by_the_tasks_of_this_run() -> None:
    play, counting = Play("a", "b", "c"), Counting()
    play.watched_by(counting)
    unknown = counting.counter.seconds_left(play.clock.now(), 1)
    play.submit("a")
    play.tick(40)
    play.make("a")
    play.submit("b")
    play.tick(10)

    left = counting.counter.seconds_left(play.clock.now(), play.in_flight)

    assert unknown is None
    assert left == (40 - 10) + 40


def test_a_task_that_ended_while_nobody_looked_tells_nothing_about_time() -> None:
    play, counting = Play("a", "b"), Counting()
    play.submit("a")
    play.tick(3600)
    play.watched_by(counting)

    play.make("a")

    assert counting.counter.seconds_left(play.clock.now(), 1) is None
