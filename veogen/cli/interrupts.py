"""Ctrl-C and SIGTERM: the first leaves in order, the second at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ends_by_signal() -> Iterator[None]:
    """Both signals end a command from its first moment on, also where a script had one ignored."""
    with _handling(signal.default_int_handler):
        yield


@contextmanager
def interrupts(leave: Callable[[], None]) -> Iterator[None]:
    """Call `leave` at the first signal; the second raises `KeyboardInterrupt` where it is."""
    seen = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        del number, frame
        seen += 1
        if seen > 1:
            raise KeyboardInterrupt
        leave()

    with _handling(handle):
        yield


@contextmanager
def _handling(handle: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
