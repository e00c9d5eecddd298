"""What a run may do, and how patient it is."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, Protocol

from veogen.models.model import Retired


@dataclass(frozen=True, slots=True)
class CallbackOptions:
    """Have the gateway tell us below `base`; `models` are those that take such an address."""

    base: str
    models: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPolicy:
    """The options of a run. Times are seconds; None means no limit, or adaptive.

    `max_credits` bounds what this run newly spends, `budget` all that its directory ever spent.
    `retired` are the models that are not bought after their last day, `expected_seconds` how long
    a task of a model takes, about, where the gateway does not say.
    With `keep_store` clips are kept in the store alone.
    """

    max_in_flight: int = 4
    submit_rate: float | None = None
    poll_interval: float | None = None
    task_timeout: float = 1800.0
    task_retries: int = 2
    replay: bool = False
    retry_failed: bool = False
    max_credits: Decimal | None = None
    budget: Decimal | None = None
    silence: float = 60.0
    download_tries: int = 5
    downloads_at_once: int = 8
    callbacks: CallbackOptions | None = None
    retired: Mapping[str, Retired] = field(default_factory=dict)
    expected_seconds: Mapping[str, int] = field(default_factory=dict)
    keep_store: bool = False

    def within(self, *budgets: Decimal | None) -> "RunPolicy":
        """The same, with the tightest budget of all."""
        amounts = [amount for amount in (self.budget, *budgets) if amount is not None]
        return replace(self, budget=min(amounts, default=None))


Only = Literal["new", "changed", "failed"]


class Clock(Protocol):
    """Wall time for what is kept, monotonic time for what is waited for; both in seconds."""

    def now(self) -> float:
        """Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def boot(self) -> float:
        """Seconds that never jump and go on while the machine sleeps."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


def time_of_day(moment: float) -> str:
    """A moment, in seconds since 1970, as a clock on the wall here shows it: `14:32:05`."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def boot(self) -> float:
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()  # which goes on asleep where there is no other

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def utc_day(seconds: float) -> str:
    """The day in UTC, as `2026-11-22`."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def utc_text(seconds: float) -> str:
    """A time for people: of another machine, so in nobody's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def system_random() -> float:
    """A number from 0 to 1 for jitter."""
    return random.random()  # noqa: S311 - spreads retries, guards nothing


LONGEST_WAIT = 60.0

Random = Callable[[], float]
"""A number from 0 to 1; an argument, so that a test can choose it."""


def longest_wait(tries: int) -> float:
    """1, 2, 4 … to at most 60 seconds; `tries` counts from 1."""
    return min(LONGEST_WAIT, 2.0 ** min(tries - 1, 6))


def retry_wait(tries: int, system_random: Random, retry_after: float | None = None) -> float:
    """Full jitter below the ceiling; what the gateway asks for overrides it.

    A `Retry-After` of 0, or a date that has passed, asks for nothing: obeyed, a gateway that has no
    room would be asked hundreds of times a second.
    """
    return retry_after or longest_wait(tries) * system_random()
