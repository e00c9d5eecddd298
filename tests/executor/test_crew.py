"""The threads of a run: they hand answers over, and are gone when it has ended."""

import threading

from veogen.executor.crew import Threads


def test_whoever_is_let_go_leaves_once_the_work_is_done() -> None:
    before, gate = set(threading.enumerate()), threading.Event()
    crew = Threads[str]()
    crew.start(lambda: "quick")
    crew.start(lambda: "slow" if gate.wait(10) else "late")
    threads = set(threading.enumerate()) - before

    crew.dismiss()
    gate.set()

    for thread in threads:
        thread.join(10)
    assert [thread.name for thread in threads if thread.is_alive()] == []
    assert sorted(map(str, crew.wait(0))) == ["quick", "slow"]
