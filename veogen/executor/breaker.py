"""How many POSTs are open at a time, and when none is sent: an outage spends no plan.

A pure state: an outcome and the time go in, the next state comes out.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

PostOutcome: TypeAlias = Literal["taken", "not-taken", "refused", "unknown"]

FIRST_OPEN = 4
"""POSTs that a run begins with, open at a time."""

AHEAD = 3
"""POSTs that may be sent before one is answered, the first of them where none is open."""

IN_A_ROW = 3
"""Outcomes in a row of which none was taken and one is unknown, after which nothing is sent."""

PAUSES, WITHIN = 3, 600.0
"""So many pauses within so many seconds stop the run."""

REST = 5.0
"""Seconds of a pause before the gateway is asked whether it is there: most troubles are short."""

READ_AGAIN = 3.0
"""Seconds after which it is asked again."""

PATIENCE = 30 * 60.0
"""Seconds for which it is tried although nothing is taken."""

Phase: TypeAlias = Literal["open", "paused", "trial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What the last outcomes allow.

    `phase` is `open` as a rule; `paused` while nothing is sent until a free read is answered;
    `trial` while one request is sent after that. `stop` says why the run has to end. So many as
    `open` are not answered; `ahead` may be sent before one is: a run that has nothing open when an
    outage begins does not send all that it may have in flight until the first is lost.
    """

    most: int
    limit: int
    open: int = 0
    ahead: int = FIRST_OPEN
    phase: Phase = "open"
    last: tuple[PostOutcome, ...] = ()
    pauses: tuple[float, ...] = ()
    read_at: float = 0.0
    untaken_since: float | None = None
    stop: str | None = None

    @classmethod
    def of(cls, most: int) -> "Breaker":
        """The state in which a run begins that may have `most` requests in flight."""
        return cls(most=most, limit=min(FIRST_OPEN, most))

    @property
    def posts(self) -> int:
        """How many POSTs may be open."""
        if self.stop is not None or self.phase == "paused":
            return 0
        return 1 if self.phase == "trial" else self.limit

    @property
    def may_send(self) -> bool:
        """Whether one more POST may be sent now."""
        return self.open < self.posts and (self.phase == "trial" or self.ahead > 0)

    def sent(self) -> "Breaker":
        """One is sent."""
        return replace(self, open=self.open + 1, ahead=self.ahead - 1)

    def not_sent(self) -> "Breaker":
        """That which was about to be sent is not."""
        return replace(self, open=self.open - 1, ahead=self.ahead + 1)

    def wants_read(self, now: float) -> bool:
        """Whether it is time to ask the gateway something that costs nothing."""
        return self.phase == "paused" and self.stop is None and now >= self.read_at

    def reading(self, now: float) -> "Breaker":
        """It is being asked."""
        return replace(self, read_at=now + READ_AGAIN)

    def on_read(self, *, own: bool, now: float) -> "Breaker":
        """Something free was answered; `own`: in the gateway's own JSON, whatever its status."""
        if self.phase != "paused" or not own or now < self.pauses[-1] + REST:
            return self
        return replace(self, phase="trial", last=())

    def on_post(self, outcome: PostOutcome, now: float, *, trial: bool = False) -> "Breaker":
        """What became of a POST; `trial`: it is the one that was sent after a pause."""
        state = self._answered(outcome, now)
        if trial:
            if outcome == "unknown":
                reason = "the gateway answers reads, but of what was sent nobody knows what became"
                return replace(state, stop=reason)
            is_over = outcome != "not-taken"
            ahead = state.most_ahead
            return replace(state, phase="open", limit=1, ahead=ahead, last=()) if is_over else state
        if self.phase != "open":  # sent before the pause
            return state
        last = (*self.last, outcome)[-IN_A_ROW:]
        if not _is_outage(last):
            return replace(state, last=last)
        recent = (*(at for at in self.pauses if now - at < WITHIN), now)
        stop = None
        if len(recent) >= PAUSES:
            within = f"{PAUSES} pauses within {WITHIN / 60:.0f} min"
            stop = f"the gateway fails again and again: {within}"
        return replace(state, phase="paused", pauses=recent, read_at=now + REST, last=(), stop=stop)

    def _answered(self, outcome: PostOutcome, now: float) -> "Breaker":
        """One fewer is open: how many may be now, and may be sent before the next is answered."""
        state = replace(self, open=self.open - 1)
        limit, ahead, since = self.limit, self.ahead, self.untaken_since
        if outcome == "taken":
            limit, ahead, since = min(limit + 1, self.most), state.most_ahead, None
        elif outcome == "unknown":
            limit = max(1, limit // 2)
        else:
            ahead = min(ahead + 1, state.most_ahead)
        if outcome in ("unknown", "not-taken") and since is None:
            since = now  # a refusal is an answer, but nothing was taken by it
        return replace(state, limit=limit, ahead=ahead, untaken_since=since)

    @property
    def most_ahead(self) -> int:
        """How many may be sent before one is answered."""
        return AHEAD if self.open <= 0 else AHEAD - 1

    def is_overdue(self, now: float) -> bool:
        """Whether nothing was taken for half an hour although it was tried."""
        return self.untaken_since is not None and now - self.untaken_since >= PATIENCE


def _is_outage(last: tuple[PostOutcome, ...]) -> bool:
    return len(last) == IN_A_ROW and "taken" not in last and "unknown" in last
