"""Where one request stands."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

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
    Status,
    TakenIn,
    Unclear,
    Undelivered,
    Video,
    by_index,
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


_UNFINISHED = Failure("unfinished", "it was about to be sent when veogen stopped")


def after(record: Record, event: Event) -> Record:
    """Where the request stands once `event` has happened."""
    if isinstance(event, Progressed):
        return record
    draft = Draft(record)
    draft.take(event)
    return draft.record


def records(events: Iterable[Event]) -> Iterator[Record]:
    """Where each request stands once all events have happened; none of them is kept."""
    drafts: dict[str, Draft] = {}
    for event in events:
        draft = drafts.get(event.hash)
        if draft is None:
            draft = drafts[event.hash] = Draft(Record(hash=event.hash))
        draft.take(event)
    return (draft.record for draft in drafts.values())


class Draft:
    """A record into which events are folded, one after the other.

    The fields are those of a record: what happens sets some of them, and mappings are replaced.
    """

    __slots__ = Record._fields

    hash: str
    status: Status
    attempts: int
    task_id: str | None
    credits: Decimal | None
    error: Failure | None
    videos: Mapping[int, Video]
    open: Intended | None
    sent: Intended | None
    accepted_at: float | None
    estimated_seconds: float | None
    made_at: float | None
    links: tuple[str, ...]
    purchases: Mapping[int, Purchase]
    away: frozenset[int]

    def __init__(self, record: Record) -> None:
        (
            self.hash,
            self.status,
            self.attempts,
            self.task_id,
            self.credits,
            self.error,
            self.videos,
            self.open,
            self.sent,
            self.accepted_at,
            self.estimated_seconds,
            self.made_at,
            self.links,
            self.purchases,
            self.away,
        ) = record

    @property
    def record(self) -> Record:
        """Where the request stands now."""
        return Record._make(_FIELDS(self))

    def take(self, event: Event) -> None:
        """Fold one event in."""
        STEPS[event.__class__](self, event)


def _intended(draft: Draft, event: Intended) -> None:
    draft.status, draft.error = "indeterminate", _UNFINISHED
    draft.attempts, draft.open, draft.sent = event.attempt, event, event
    draft.task_id = draft.credits = draft.made_at = None
    draft.links, draft.away = (), NOWHERE
    _buy(draft, Purchase(event.attempt, event.estimate))


def _accepted(draft: Draft, event: Accepted) -> None:
    draft.attempts = max(event.attempt, draft.attempts)
    _submitted(draft, event, event.attempt, event.estimated_seconds)


def _adopted(draft: Draft, event: Adopted) -> None:
    _submitted(draft, event, draft.attempts, None)


def _submitted(
    draft: Draft, event: Accepted | Adopted, attempt: int, seconds: float | None
) -> None:
    draft.status, draft.error, draft.open = "submitted", None, None
    draft.task_id, draft.credits = event.task_id, event.credits
    draft.accepted_at, draft.estimated_seconds = event.at, seconds
    before = draft.purchases.get(attempt)
    counted = before.credits if event.credits is None and before else event.credits
    _buy(draft, Purchase(attempt, counted, event.task_id, estimated=event.credits is None))


def _not_taken(draft: Draft, event: NotTaken) -> None:
    draft.status, draft.error = "planned", None
    _unsent(draft, event.attempt)
    draft.attempts = event.attempt - 1


def _refused(draft: Draft, event: Refused) -> None:
    draft.status, draft.error = "failed", Failure(event.code, event.message)
    _unsent(draft, event.attempt)
    draft.attempts = event.attempt


def _unclear(draft: Draft, event: Unclear) -> None:
    draft.status, draft.error = "indeterminate", Failure(event.code, event.message)
    draft.open = None


def _made(draft: Draft, event: Made) -> None:
    brought = bool(event.links) and all(n in draft.videos for n in range(len(event.links)))
    draft.status, draft.error = "completed" if brought else "undelivered", None
    draft.links, draft.made_at = event.links, draft.made_at or event.at
    if event.credits is not None:
        draft.credits = event.credits
        _buy(draft, Purchase(draft.attempts, event.credits, event.task_id))


def _ended(draft: Draft, event: Ended) -> None:
    draft.status, draft.error = "failed", Failure(event.code, event.message)
    if draft.attempts in draft.purchases:
        _buy(draft, draft.purchases[draft.attempts]._replace(failed=True))


def _delivered(draft: Draft, event: Delivered) -> None:
    draft.videos = {**draft.videos, event.index: event.video}
    if len(draft.videos) >= max(1, len(draft.links)):
        draft.status, draft.error = "completed", None
    draft.away = (draft.away - {event.index}) or NOWHERE


def _undelivered(draft: Draft, event: Undelivered) -> None:
    draft.status, draft.error = "undelivered", Failure(event.code, event.message)


def _missing(draft: Draft, event: Missing) -> None:
    draft.status, draft.error = "undelivered", Failure("file-missing", "its file is gone")
    draft.videos = {n: video for n, video in draft.videos.items() if n != event.index}


def _moved(draft: Draft, event: Moved) -> None:
    draft.videos = {**draft.videos, event.index: draft.videos[event.index].at(event.path)}


def _abandoned(draft: Draft, event: Abandoned) -> None:
    draft.status, draft.error = "failed", Failure("abandoned", event.message)
    draft.open = None


def _taken_in(draft: Draft, event: TakenIn) -> None:
    attempt = max(event.attempts, 1)
    known = draft.record.paid_for(event.task_id)
    if not known and (event.status != "failed" or event.task_id is not None):
        _bought_elsewhere(draft, event, attempt)
    draft.status, draft.attempts, draft.task_id = event.status, attempt, event.task_id
    draft.credits, draft.accepted_at = event.credits, event.at
    draft.open, draft.links, draft.made_at = None, (), None
    code, message = event.error_code, event.error_message
    draft.error = Failure(code, message or "") if code else None
    draft.videos = by_index(event.videos, event.hash)
    draft.away = frozenset(draft.videos) or NOWHERE


def _bought_elsewhere(draft: Draft, event: TakenIn, attempt: int) -> None:
    ours = draft.purchases.get(attempt)
    if ours is not None and ours.task_id is not None:  # bought by both, each with a task
        draft.purchases = {**draft.purchases, min(0, *draft.purchases) - 1: ours}
    estimated = event.credits is None and event.task_id is not None
    counted = event.credits if event.credits is not None else event.estimate
    _buy(draft, Purchase(attempt, counted, event.task_id, estimated=estimated))


def _progressed(draft: Draft, event: Progressed) -> None:
    """It is told to whoever watches, and changes nothing."""


def _buy(draft: Draft, purchase: Purchase) -> None:
    draft.purchases = {**draft.purchases, purchase.attempt: purchase}


def _unsent(draft: Draft, attempt: int) -> None:
    draft.open = None
    draft.purchases = {n: p for n, p in draft.purchases.items() if n != attempt}


_FIELDS = attrgetter(*Record._fields)

STEPS: Mapping[type[Event], Callable[[Draft, Any], None]] = {
    Intended: _intended,
    Accepted: _accepted,
    NotTaken: _not_taken,
    Refused: _refused,
    Unclear: _unclear,
    Made: _made,
    Ended: _ended,
    Delivered: _delivered,
    Undelivered: _undelivered,
    Missing: _missing,
    Moved: _moved,
    Adopted: _adopted,
    Abandoned: _abandoned,
    TakenIn: _taken_in,
    Progressed: _progressed,
}
"""What each kind of event does."""
