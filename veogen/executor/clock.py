"""Time as an argument, so that a task time-out is tested in no time."""

import random
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for what is kept, monotonic time for what is waited for; both in seconds."""

    def now(self) -> float:
        """Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def chance() -> float:
    """A number from 0 to 1 for jitter."""
    return random.random()  # noqa: S311 - spreads retries, guards nothing
