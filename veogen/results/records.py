"""Where one request stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from veogen.results.events import Intended
from veogen.results.statuses import Status
from veogen.results.videos import Video

TEMPORARY = frozenset(
    {
        "generation_timeout",
        "service_error",
        "service_unavailable",
        "resource_exhausted",
        "quota_exceeded",
    }
)

LINK_LIFE = 24 * 3600.0
"""Seconds that a link lives (the gateway's documents)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request is not completed."""

    code: str
    message: str


class Purchase(NamedTuple):
    """One attempt as money sees it: what it reserved or may cost; None when unknown.

    Without a task it is in doubt, `estimated` when the gateway names no amount for the task. Of a
    task that failed the gateway returns what it reserved.
    """

    attempt: int
    credits: Decimal | None
    task_id: str | None = None
    failed: bool = False
    estimated: bool = False


def spent(purchases: Iterable[Purchase]) -> Decimal:
    """All that was ever reserved, charged or may have been charged; unknown counts zero."""
    return sum((p.credits for p in purchases if p.credits is not None), Decimal(0))


def in_doubt(purchases: Iterable[Purchase]) -> Decimal:
    """What of it may have been charged, or not: attempts that no task is known of."""
    return sum((p.credits for p in purchases if p.credits and p.task_id is None), Decimal(0))


def estimated(purchases: Iterable[Purchase]) -> Decimal:
    """What of it is our own estimate for tasks of which the gateway names no amount."""
    return sum((p.credits for p in purchases if p.credits and p.estimated), Decimal(0))


_NOTHING: Mapping[int, Any] = MappingProxyType({})
NOWHERE = frozenset[int]()


class Record(NamedTuple):
    """Where one request stands. `open` is the attempt on its way whose outcome is not recorded.

    `purchases` are by attempt; of an attempt that two machines made, the one that is not gone on
    with is below zero. `away` are the videos that another machine has, as the committed results
    say.
    """

    hash: str
    status: Status = "planned"
    attempts: int = 0
    task_id: str | None = None
    credits: Decimal | None = None
    error: Failure | None = None
    videos: Mapping[int, Video] = _NOTHING
    open: Intended | None = None
    sent: Intended | None = None
    accepted_at: float | None = None
    estimated_seconds: float | None = None
    made_at: float | None = None
    links: tuple[str, ...] = ()
    purchases: Mapping[int, Purchase] = _NOTHING
    away: frozenset[int] = NOWHERE

    @property
    def spent(self) -> Decimal:
        return spent(self.purchases.values())

    @property
    def in_doubt(self) -> Decimal:
        return in_doubt(self.purchases.values())

    @property
    def estimated(self) -> Decimal:
        return estimated(self.purchases.values())

    @property
    def bought(self) -> bool:
        """Whether money may have moved for it, so that it may never be forgotten."""
        return bool(self.purchases)

    def paid_for(self, task_id: str | None) -> bool:
        """Whether a purchase is known to have become this task."""
        return task_id is not None and any(p.task_id == task_id for p in self.purchases.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its videos are otherwise than asked for, each named once."""
        videos = [self.videos[index] for index in sorted(self.videos)]
        return tuple(dict.fromkeys([word for video in videos for word in video.warnings]))

    @property
    def expires_at(self) -> float | None:
        return None if self.made_at is None else self.made_at + LINK_LIFE

    def retries_left(self, retries: int) -> bool:
        """Whether it failed for a passing reason and may be bought again by itself."""
        return (
            self.status == "failed"
            and self.error is not None
            and self.error.code in TEMPORARY
            and self.attempts <= retries
        )
