"""A few calls side by side, in threads that a process which must leave does not wait for."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")


def side_by_side(call: Callable[[_T], _U], items: Sequence[_T], *, most: int) -> list[_U]:
    """What `call` makes of each item, in their order, at most so many calls at a time."""
    if len(items) < 2:  # noqa: PLR2004 - one needs no company
        return [call(item) for item in items]
    waiting: SimpleQueue[tuple[int, _T]] = SimpleQueue()
    for pair in enumerate(items):
        waiting.put(pair)
    answers: dict[int, _U] = {}

    def work() -> None:
        while True:
            try:
                index, item = waiting.get_nowait()
            except Empty:
                return
            answers[index] = call(item)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(most, len(items)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[index] for index in range(len(items))]
