"""Ctrl-C and SIGTERM: the first leaves in order, the second at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ends_by_signal() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does, from its first moment on."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
