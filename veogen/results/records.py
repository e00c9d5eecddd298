"""Where one request stands: the fold of its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from veogen.results.events import (
    Abandoned,
    Accepted,
    Adopted,
    Delivered,
    Ended,
    Event,
    Intended,
    Made,
    Missing,
    Moved,
    NotTaken,
    Progressed,
    Refused,
    TakenIn,
    Unclear,
    Undelivered,
)
from veogen.results.videos import Video, by_index

Status: TypeAlias = Literal[
    "planned", "submitted", "completed", "failed", "indeterminate", "undelivered"
]

STATUSES: tuple[Status, ...] = (
    "planned",
    "submitted",
    "completed",
    "failed",
    "indeterminate",
    "undelivered",
)

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


_UNFINISHED = Failure("unfinished", "it was about to be sent when veogen stopped")


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


_NOTHING: Mapping[int, Any] = MappingProxyType({})
_NOWHERE: frozenset[int] = frozenset()


class Record(NamedTuple):
    """Where one request stands. `open` is the attempt on its way whose outcome is not recorded.

    `purchases` are by attempt; of an attempt that two machines made, the one that is not gone on
    with is below zero. `away` are the videos that another machine has, as the committed results
    say. A tuple, since each of many events makes one more of the one before.
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
    away: frozenset[int] = _NOWHERE

    @property
    def spent(self) -> Decimal:
        """All that was ever reserved, charged or may have been charged; unknown counts zero."""
        return sum(
            (p.credits for p in self.purchases.values() if p.credits is not None), Decimal(0)
        )

    @property
    def in_doubt(self) -> Decimal:
        """What of it may have been charged, or not: attempts that no task is known of."""
        return sum(
            (p.credits for p in self.purchases.values() if p.credits and p.task_id is None),
            Decimal(0),
        )

    @property
    def estimated(self) -> Decimal:
        """What of it is our own estimate for tasks of which the gateway names no amount."""
        return sum(
            (p.credits for p in self.purchases.values() if p.credits and p.estimated), Decimal(0)
        )

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
        videos = (self.videos[index] for index in sorted(self.videos))
        return tuple(dict.fromkeys(word for video in videos for word in video.warnings))

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


def after(record: Record, event: Event) -> Record:
    """Where the request stands once `event` has happened."""
    match event:
        case Intended() | Accepted() | NotTaken() | Refused() | Unclear():
            return _after_submitting(record, event)
        case Made() | Ended() | Delivered() | Undelivered() | Missing() | Moved():
            return _after_accepting(record, event)
        case Adopted() | Abandoned():
            return _after_deciding(record, event)
        case TakenIn():
            return _taken_in(record, event)
        case Progressed():
            return record


def _after_submitting(
    record: Record, event: Intended | Accepted | NotTaken | Refused | Unclear
) -> Record:
    match event:
        case Intended(attempt=attempt, estimate=estimate):
            purchase = Purchase(attempt=attempt, credits=estimate)
            return record._replace(
                status="indeterminate",
                attempts=attempt,
                task_id=None,
                credits=None,
                error=_UNFINISHED,
                open=event,
                sent=event,
                purchases={**record.purchases, attempt: purchase},
                links=(),
                made_at=None,
                away=_NOWHERE,
            )
        case Accepted(attempt=attempt, task_id=task_id):
            return _submitted(
                record, attempt, task_id, event.credits, event.at, event.estimated_seconds
            )
        case NotTaken(attempt=attempt):
            return _unsent(record, attempt)._replace(status="planned", error=None)
        case Refused(attempt=attempt, code=code, message=message):
            record = _unsent(record, attempt, counts=True)
            return record._replace(status="failed", error=Failure(code, message))
        case Unclear(code=code, message=message):
            return record._replace(status="indeterminate", open=None, error=Failure(code, message))


def _submitted(
    record: Record,
    attempt: int,
    task_id: str,
    credits_: Decimal | None,
    at: float,
    estimated_seconds: float | None = None,
) -> Record:
    before = record.purchases.get(attempt)
    counted = credits_ if credits_ is not None else before.credits if before else None
    purchase = Purchase(
        attempt=attempt, credits=counted, task_id=task_id, estimated=credits_ is None
    )
    return record._replace(
        status="submitted",
        attempts=max(attempt, record.attempts),
        task_id=task_id,
        credits=credits_,
        error=None,
        open=None,
        accepted_at=at,
        estimated_seconds=estimated_seconds,
        purchases={**record.purchases, attempt: purchase},
    )


def _unsent(record: Record, attempt: int, *, counts: bool = False) -> Record:
    purchases = {n: p for n, p in record.purchases.items() if n != attempt}
    attempts = attempt if counts else attempt - 1
    return record._replace(open=None, attempts=attempts, purchases=purchases)


def _after_accepting(
    record: Record, event: Made | Ended | Delivered | Undelivered | Missing | Moved
) -> Record:
    match event:
        case Made():
            return _made(record, event)
        case Ended(code=code, message=message):
            return _ended(record, Failure(code, message))
        case Delivered(index=index, video=video):
            videos = {**record.videos, index: video}
            done = len(videos) >= max(1, len(record.links))
            return record._replace(
                videos=videos,
                status="completed" if done else record.status,
                error=None if done else record.error,
                away=(record.away - {index}) or _NOWHERE,
            )
        case Undelivered(code=code, message=message):
            return record._replace(
                status="undelivered",
                error=Failure(code, message),
            )
        case Missing(index=index):
            return record._replace(
                status="undelivered",
                error=Failure("file-missing", "its file is gone"),
                videos={n: video for n, video in record.videos.items() if n != index},
            )
        case Moved(index=index, path=path):
            return record._replace(videos={**record.videos, index: record.videos[index].at(path)})


def _made(record: Record, event: Made) -> Record:
    charged = event.credits if event.credits is not None else record.credits
    purchases = dict(record.purchases)
    if event.credits is not None:
        purchases[record.attempts] = Purchase(
            attempt=record.attempts, credits=event.credits, task_id=event.task_id
        )
    brought = bool(event.links) and all(n in record.videos for n in range(len(event.links)))
    return record._replace(
        status="completed" if brought else "undelivered",
        error=None,
        links=event.links,
        credits=charged,
        made_at=record.made_at or event.at,
        purchases=purchases,
    )


def _ended(record: Record, error: Failure) -> Record:
    purchases = dict(record.purchases)
    if record.attempts in purchases:
        purchases[record.attempts] = purchases[record.attempts]._replace(failed=True)
    return record._replace(status="failed", error=error, purchases=purchases)


def _after_deciding(record: Record, event: Adopted | Abandoned) -> Record:
    match event:
        case Adopted(task_id=task_id):
            return _submitted(record, record.attempts, task_id, event.credits, event.at)
        case Abandoned(message=message):
            return record._replace(status="failed", open=None, error=Failure("abandoned", message))


def _taken_in(record: Record, event: TakenIn) -> Record:
    status: Status = next(status for status in STATUSES if status == event.status)
    counted = event.credits if event.credits is not None else event.estimate
    attempt = max(event.attempts, 1)
    purchases = dict(record.purchases)
    if not record.paid_for(event.task_id) and (status != "failed" or event.task_id is not None):
        ours = purchases.get(attempt)
        if ours is not None and ours.task_id is not None:  # bought by both, each with a task
            purchases[min(0, *purchases) - 1] = ours
        estimated = event.credits is None and event.task_id is not None
        purchases[attempt] = Purchase(
            attempt=attempt, credits=counted, task_id=event.task_id, estimated=estimated
        )
    error = Failure(event.error_code, event.error_message or "") if event.error_code else None
    videos = by_index(event.videos, event.hash)
    return record._replace(
        status=status,
        attempts=attempt,
        task_id=event.task_id,
        credits=event.credits,
        error=error,
        videos=videos,
        links=(),
        made_at=None,
        accepted_at=event.at,
        open=None,
        purchases=purchases,
        away=frozenset(videos),
    )
