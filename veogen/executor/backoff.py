"""How long to wait before trying again."""

from collections.abc import Callable

LONGEST = 60.0

Chance = Callable[[], float]
"""A number from 0 to 1; an argument, so that a test can choose it."""


def ceiling(tries: int) -> float:
    """1, 2, 4 … to at most 60 seconds; `tries` counts from 1."""
    return min(LONGEST, 2.0 ** min(tries - 1, 6))


def wait(tries: int, chance: Chance, retry_after: float | None = None) -> float:
    """Full jitter below the ceiling; what the gateway asks for overrides it.

    A `Retry-After` of 0, or a date that has passed, asks for nothing: obeyed, a gateway that has no
    room would be asked hundreds of times a second.
    """
    return retry_after or ceiling(tries) * chance()
