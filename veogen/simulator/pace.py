"""How many requests a minute are taken."""

import math
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate

from veogen.simulator.refusals import RefusedError

_MINUTE = 60.0


class Pace:
    """A sliding minute; `limit` None takes everything, `tells` is the form of Retry-After."""

    def __init__(self, limit: int | None, tells: str, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._tells = tells
        self._clock = clock
        self._taken: deque[float] = deque()

    def admit(self) -> None:
        """Count a request, or raise `RefusedError`."""
        if self._limit is None:
            return
        now = self._clock()
        while self._taken and self._taken[0] <= now - _MINUTE:
            self._taken.popleft()
        if len(self._taken) >= self._limit:
            seconds = math.ceil(self._taken[0] + _MINUTE - now)
            headers = retry_after(seconds, self._tells)
            raise RefusedError(429, "too many requests in a minute", headers=headers)
        self._taken.append(now)


def retry_after(seconds: int, tells: str) -> dict[str, str]:
    """The header that says when to come again: `seconds`, a `date`, or `none`."""
    match tells:
        case "seconds":
            return {"Retry-After": str(seconds)}
        case "date":
            return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
        case _:
            return {}
