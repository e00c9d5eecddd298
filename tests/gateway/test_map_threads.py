"""A few calls side by side."""

import subprocess
import sys
import threading

import pytest

from veogen.gateway.client import map_threads


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_answers_come_in_the_order_of_the_items(count: int) -> None:
    assert map_threads(str, range(count), most=8) == [str(n) for n in range(count)]


def test_no_more_calls_are_made_at_a_time_than_asked_for() -> None:
    meeting = threading.Barrier(3)

    def call(item: int) -> int:
        meeting.wait(10)  # only three together get past it
        return item

    assert map_threads(call, range(9), most=3) == list(range(9))


def test_a_process_that_leaves_does_not_wait_for_a_call() -> None:
    code = (
        "import threading\n"
        "from veogen.gateway.client import map_threads\n"
        "begun, never = threading.Semaphore(0), threading.Event()\n"
        "call = lambda _: (begun.release(), never.wait())\n"
        "threading.Thread(\n"
        "    target=map_threads, args=(call, [1, 2]), kwargs={'most': 2}, daemon=True\n"
        ").start()\n"
        "begun.acquire(), begun.acquire()\n"
    )

    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 0
