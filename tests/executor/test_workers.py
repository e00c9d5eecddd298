"""The threads of a run: they hand answers over, and are gone when it has ended."""

import threading
from collections.abc import Callable

import pytest
from support.virtual import VirtualClock

from veogen.executor.workers import ThreadPool


def test_whoever_is_let_go_leaves_once_the_work_is_done() -> None:
    before, gate = set(threading.enumerate()), threading.Event()
    workers = ThreadPool[str]()
    workers.start(lambda: "quick")
    workers.start(lambda: "slow" if gate.wait(10) else "late")
    threads = set(threading.enumerate()) - before

    workers.shutdown()
    gate.set()

    for thread in threads:
        thread.join(10)
    assert [thread.name for thread in threads if thread.is_alive()] == []
    assert sorted(map(str, workers.wait(0))) == ["quick", "slow"]


class Watched(VirtualClock):
    """Whenever somebody sleeps, something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.meanwhile()


def started(workers: ThreadPool[str], calls: int, *, urgent: int = 0) -> Callable[[], None]:
    """Calls of which one is answered; the others are by the time that what is given returns."""
    before, gate = set(threading.enumerate()), threading.Event()
    workers.start(lambda: "first", urgent=urgent > 0)
    for number in range(1, calls):
        workers.start(lambda: "later" if gate.wait(10) else "late", urgent=number < urgent)
    threads = set(threading.enumerate()) - before

    def end() -> None:
        gate.set()
        workers.shutdown()
        for thread in threads:
            thread.join(10)

    return end


def test_of_many_calls_the_answers_of_a_moment_are_taken_together() -> None:
    clock = Watched()
    workers = ThreadPool[str](clock=clock)
    clock.meanwhile = started(workers, 6)

    assert workers.wait(10) == ["first", *["later"] * 5]
    assert clock.slept == [pytest.approx(0.01)]


@pytest.mark.parametrize(("urgent", "taken"), [(1, 1), (4, 1), (5, 6)])
def test_an_answer_that_is_waited_for_is_taken_at_once_unless_many_are(
    urgent: int, taken: int
) -> None:
    clock = Watched()
    workers = ThreadPool[str](clock=clock)
    end = clock.meanwhile = started(workers, 6, urgent=urgent)

    assert len(workers.wait(10)) == taken
    end()


def test_once_it_is_taken_the_others_are_taken_together_again() -> None:
    clock = Watched()
    workers = ThreadPool[str](clock=clock)
    end = clock.meanwhile = started(workers, 7, urgent=1)
    assert workers.wait(10) == ["first"]
    workers.start(lambda: "second")

    assert sorted(workers.wait(10), key=str) == [*["later"] * 6, "second"]
    end()


def test_nobody_who_has_something_else_to_do_sooner_waits_for_answers() -> None:
    clock = Watched()
    workers = ThreadPool[str](clock=clock)
    end = started(workers, 6)
    workers.post("a hint")

    assert "a hint" in workers.wait(0.004)
    assert clock.slept == [pytest.approx(0.004)]
    end()


def test_of_few_calls_each_answer_is_taken_at_once_however_many_there_were() -> None:
    clock = Watched()
    workers = ThreadPool[str](clock=clock)
    end = started(workers, 4)

    assert workers.wait(10) == ["first"]
    for _ in range(20):
        workers.start(lambda: "next")
        assert workers.wait(10) == ["next"]
    assert clock.slept == []
    end()
