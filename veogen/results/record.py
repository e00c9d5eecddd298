"""Where one request stands."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from veogen.planner.plan import known_credits
from veogen.results.events import (
    Event,
    PurchaseImported,
    RequestAbandoned,
    Status,
    SubmitFailed,
    SubmitIntended,
    SubmitRejected,
    SubmitUnknown,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    Video,
    VideoMissing,
    VideoMoved,
    VideoNotSaved,
    VideoSaved,
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
    return known_credits(p.credits for p in purchases)


def in_doubt(purchases: Iterable[Purchase]) -> Decimal:
    """What of it may have been charged, or not: attempts that no task is known of."""
    return known_credits(p.credits for p in purchases if p.credits and p.task_id is None)


def estimated(purchases: Iterable[Purchase]) -> Decimal:
    """What of it is our own estimate for tasks of which the gateway names no amount."""
    return known_credits(p.credits for p in purchases if p.credits and p.estimated)


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
    pending: SubmitIntended | None = None
    last_submit: SubmitIntended | None = None
    accepted_at: float | None = None
    estimated_seconds: float | None = None
    made_at: float | None = None
    links: tuple[str, ...] = ()
    purchases: Mapping[int, Purchase] = _NOTHING
    remote_videos: frozenset[int] = NOWHERE

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
    if isinstance(event, TaskProgressed):
        return record
    builder = RecordBuilder(record)
    builder.apply(event)
    return builder.record


def records(events: Iterable[Event]) -> Iterator[Record]:
    """Where each request stands once all events have happened; none of them is kept."""
    builders: dict[str, RecordBuilder] = {}
    for event in events:
        builder = builders.get(event.hash)
        if builder is None:
            builder = builders[event.hash] = RecordBuilder(Record(hash=event.hash))
        builder.apply(event)
    return (builder.record for builder in builders.values())


class RecordBuilder:
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
    pending: SubmitIntended | None
    last_submit: SubmitIntended | None
    accepted_at: float | None
    estimated_seconds: float | None
    made_at: float | None
    links: tuple[str, ...]
    purchases: Mapping[int, Purchase]
    remote_videos: frozenset[int]

    def __init__(self, record: Record) -> None:
        for name, value in zip(Record._fields, record, strict=True):
            setattr(self, name, value)

    @property
    def record(self) -> Record:
        """Where the request stands now."""
        return Record._make(_FIELDS(self))

    def apply(self, event: Event) -> None:
        """Fold one event in."""
        STEPS[event.__class__](self, event)


def _submit_intended(builder: RecordBuilder, event: SubmitIntended) -> None:
    builder.status, builder.error = "indeterminate", _UNFINISHED
    builder.attempts, builder.pending, builder.last_submit = event.attempt, event, event
    builder.task_id = builder.credits = builder.made_at = None
    builder.links, builder.remote_videos = (), NOWHERE
    _buy(builder, Purchase(event.attempt, event.estimate))


def _task_created(builder: RecordBuilder, event: TaskCreated) -> None:
    builder.attempts = max(event.attempt, builder.attempts)
    _submitted(builder, event, event.attempt, event.estimated_seconds)


def _task_adopted(builder: RecordBuilder, event: TaskAdopted) -> None:
    _submitted(builder, event, builder.attempts, None)


def _submitted(
    builder: RecordBuilder, event: TaskCreated | TaskAdopted, attempt: int, seconds: float | None
) -> None:
    builder.status, builder.error, builder.pending = "submitted", None, None
    builder.task_id, builder.credits = event.task_id, event.credits
    builder.accepted_at, builder.estimated_seconds = event.at, seconds
    before = builder.purchases.get(attempt)
    counted = before.credits if event.credits is None and before else event.credits
    _buy(builder, Purchase(attempt, counted, event.task_id, estimated=event.credits is None))


def _submit_failed(builder: RecordBuilder, event: SubmitFailed) -> None:
    builder.status, builder.error = "planned", None
    _unsent(builder, event.attempt)
    builder.attempts = event.attempt - 1


def _submit_rejected(builder: RecordBuilder, event: SubmitRejected) -> None:
    builder.status, builder.error = "failed", Failure(event.code, event.message)
    _unsent(builder, event.attempt)
    builder.attempts = event.attempt


def _submit_unknown(builder: RecordBuilder, event: SubmitUnknown) -> None:
    builder.status, builder.error = "indeterminate", Failure(event.code, event.message)
    builder.pending = None


def _task_completed(builder: RecordBuilder, event: TaskCompleted) -> None:
    brought = bool(event.links) and all(n in builder.videos for n in range(len(event.links)))
    builder.status, builder.error = "completed" if brought else "undelivered", None
    builder.links, builder.made_at = event.links, builder.made_at or event.at
    if event.credits is not None:
        builder.credits = event.credits
        _buy(builder, Purchase(builder.attempts, event.credits, event.task_id))


def _task_failed(builder: RecordBuilder, event: TaskFailed) -> None:
    builder.status, builder.error = "failed", Failure(event.code, event.message)
    if builder.attempts in builder.purchases:
        _buy(builder, builder.purchases[builder.attempts]._replace(failed=True))


def _video_saved(builder: RecordBuilder, event: VideoSaved) -> None:
    builder.videos = {**builder.videos, event.index: event.video}
    if len(builder.videos) >= max(1, len(builder.links)):
        builder.status, builder.error = "completed", None
    builder.remote_videos = (builder.remote_videos - {event.index}) or NOWHERE


def _video_not_saved(builder: RecordBuilder, event: VideoNotSaved) -> None:
    builder.status, builder.error = "undelivered", Failure(event.code, event.message)


def _video_missing(builder: RecordBuilder, event: VideoMissing) -> None:
    builder.status, builder.error = "undelivered", Failure("file-missing", "its file is gone")
    builder.videos = {n: video for n, video in builder.videos.items() if n != event.index}


def _video_moved(builder: RecordBuilder, event: VideoMoved) -> None:
    builder.videos = {**builder.videos, event.index: builder.videos[event.index].at(event.path)}


def _request_abandoned(builder: RecordBuilder, event: RequestAbandoned) -> None:
    builder.status, builder.error = "failed", Failure("abandoned", event.message)
    builder.pending = None


def _purchase_imported(builder: RecordBuilder, event: PurchaseImported) -> None:
    attempt = max(event.attempts, 1)
    known = builder.record.paid_for(event.task_id)
    if not known and (event.status != "failed" or event.task_id is not None):
        _bought_elsewhere(builder, event, attempt)
    builder.status, builder.attempts, builder.task_id = event.status, attempt, event.task_id
    builder.credits, builder.accepted_at = event.credits, event.at
    builder.pending, builder.links, builder.made_at = None, (), None
    code, message = event.error_code, event.error_message
    builder.error = Failure(code, message or "") if code else None
    builder.videos = by_index(event.videos, event.hash)
    builder.remote_videos = frozenset(builder.videos) or NOWHERE


def _bought_elsewhere(builder: RecordBuilder, event: PurchaseImported, attempt: int) -> None:
    ours = builder.purchases.get(attempt)
    if ours is not None and ours.task_id is not None:  # bought by both, each with a task
        builder.purchases = {**builder.purchases, min(0, *builder.purchases) - 1: ours}
    estimated = event.credits is None and event.task_id is not None
    counted = event.credits if event.credits is not None else event.estimate
    _buy(builder, Purchase(attempt, counted, event.task_id, estimated=estimated))


def _task_progressed(builder: RecordBuilder, event: TaskProgressed) -> None:
    """It is told to whoever watches, and changes nothing."""


def _buy(builder: RecordBuilder, purchase: Purchase) -> None:
    builder.purchases = {**builder.purchases, purchase.attempt: purchase}


def _unsent(builder: RecordBuilder, attempt: int) -> None:
    builder.pending = None
    builder.purchases = {n: p for n, p in builder.purchases.items() if n != attempt}


_FIELDS = attrgetter(*Record._fields)

STEPS: Mapping[type[Event], Callable[[RecordBuilder, Any], None]] = {
    SubmitIntended: _submit_intended,
    TaskCreated: _task_created,
    SubmitFailed: _submit_failed,
    SubmitRejected: _submit_rejected,
    SubmitUnknown: _submit_unknown,
    TaskCompleted: _task_completed,
    TaskFailed: _task_failed,
    VideoSaved: _video_saved,
    VideoNotSaved: _video_not_saved,
    VideoMissing: _video_missing,
    VideoMoved: _video_moved,
    TaskAdopted: _task_adopted,
    RequestAbandoned: _request_abandoned,
    PurchaseImported: _purchase_imported,
    TaskProgressed: _task_progressed,
}
"""What each kind of event does."""
