"""How many tasks may be in flight, and how fast they are submitted."""


class Pace:
    """Halves its limit when the gateway has no room and raises it by one as it takes again."""

    def __init__(self, most: int, per_minute: float | None = None) -> None:
        self.most = most
        self.limit = most
        self._per_minute = per_minute
        self._paused_until = 0.0
        self._next_submit = 0.0
        self._lowered_at = float("-inf")
        self._taken = 0

    def ready_at(self, now: float) -> float:
        """The monotonic time from which the next submit may go."""
        return max(now, self._paused_until, self._next_submit)

    def submitted(self, now: float) -> None:
        if self._per_minute is not None:
            self._next_submit = max(now, self._next_submit) + 60.0 / self._per_minute

    def taken(self) -> None:
        """Raise the limit by one for each full round that was taken (additive increase)."""
        self._taken += 1
        if self._taken >= self.limit and self.limit < self.most:
            self.limit += 1
            self._taken = 0

    def crowded(self, now: float, wait: float) -> None:
        """Halve the limit, once for all refusals of one moment, and pause for `wait` seconds."""
        self._paused_until = max(self._paused_until, now + wait)
        self._taken = 0
        if now - self._lowered_at >= 1.0:
            self.limit = max(1, self.limit // 2)
            self._lowered_at = now
