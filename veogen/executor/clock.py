"""Time as an argument, so that a task time-out is tested in no time."""

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


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
