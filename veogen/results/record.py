"""Where one request stands: the fold of all that happened to it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from msgspec import UNSET, Struct

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
    moment_text,
)
from veogen.results.facts import (
    NOTHING_KNOWN,
    NOWHERE,
    REPORTED,
    AttemptFacts,
    Failure,
    Purchase,
    RequestFacts,
    TaskFacts,
    account,
    learn,
    merge,
    reported,
)

LINK_LIFE = 24 * 3600.0
"""Seconds that a link lives (the gateway's documents)."""

_NOTHING: Mapping[int, Any] = MappingProxyType({})


def spent(purchases: Iterable[Purchase]) -> Decimal:
    """All that was ever reserved, charged or may have been charged; unknown counts zero."""
    return known_credits(p.counted for p in purchases)


def in_doubt(purchases: Iterable[Purchase]) -> Decimal:
    """What of it may have been charged, or not: attempts that no task is known of."""
    return known_credits(p.counted for p in purchases if p.task_id is None)


def estimated(purchases: Iterable[Purchase]) -> Decimal:
    """What of it is our own estimate for tasks of which the gateway names no amount."""
    tasks = [p for p in purchases if p.task_id is not None and p.credits is None]
    return known_credits(p.counted for p in tasks)


class Record(Struct, frozen=True, gc=False):
    """Where one request stands, computed from what is known of it.

    `current` is the attempt that counts, `purchases` all that money may have moved for, in the
    order of attempts. `attempts` is the highest number that was used, `pending` the attempt on its
    way whose outcome is not recorded, `last_submit` the last that this journal made, `last_task`
    the task that was heard of last.
    `remote_videos` are the videos that are not here.
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
    purchases: tuple[Purchase, ...] = ()
    remote_videos: frozenset[int] = NOWHERE
    current: Purchase | None = None
    facts: RequestFacts = NOTHING_KNOWN
    last_task: str | None = None

    @property
    def spent(self) -> Decimal:
        return spent(self.purchases)

    @property
    def in_doubt(self) -> Decimal:
        return in_doubt(self.purchases)

    @property
    def estimated(self) -> Decimal:
        return estimated(self.purchases)

    @property
    def bought(self) -> bool:
        """Whether money may have moved for it, so that it may never be forgotten."""
        return bool(self.purchases)

    @property
    def intent(self) -> SubmitIntended | None:
        """What this journal sent for the attempt that counts: it serves no other one."""
        sent, current = self.last_submit, self.current
        return sent if sent and current and sent.attempt == current.attempt else None

    @property
    def others(self) -> tuple[Purchase, ...]:
        """Every purchase but the one that counts."""
        return tuple([p for p in self.purchases if p is not self.current])

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
        return self.status == "failed" and account(self.facts).retries_left(retries)


def links_may_live(record: Record, now: float) -> bool:
    """Whether the links of a task that was made at some time may still lead somewhere."""
    since = record.made_at if record.made_at is not None else record.accepted_at
    return since is None or now - since < LINK_LIFE


def after(record: Record, event: Event) -> Record:
    """Where the request stands once `event` has happened."""
    if isinstance(event, TaskProgressed):
        return record
    builder = RecordBuilder(record.hash, record)
    builder.take(event)
    return builder.record


def records(events: Iterable[Event]) -> Iterator[Record]:
    """Where each request stands once all events have happened; none of them is kept."""
    builders: dict[str, RecordBuilder] = {}
    for event in events:
        builder = builders.get(event.hash)
        if builder is None:
            builder = builders[event.hash] = RecordBuilder(event.hash)
        FOLD_BY_EVENT[event.__class__](builder, event)
    return (builder.record for builder in builders.values())


class RecordBuilder:
    """The facts of a request, to which events add, one after the other.

    The facts are its own until it makes a record of them. `task_id` is what an event is about that
    names no task: the last one that was heard of.
    """

    __slots__ = ("attempts", "hash", "last_submit", "least", "pending", "task_id", "tasks")

    def __init__(self, hash_: str, record: Record | None = None) -> None:
        self.hash = hash_
        self.attempts: dict[int, AttemptFacts] = {}
        self.tasks: dict[str, TaskFacts] = {}
        self.least = 0
        self.pending: SubmitIntended | None = None
        self.last_submit: SubmitIntended | None = None
        self.task_id: str | None = None
        if record is not None:
            self.attempts = {facts.number: copy(facts) for facts in record.facts.attempts}
            self.tasks = {facts.id: copy(facts) for facts in record.facts.tasks}
            self.least, self.task_id = record.facts.least, record.last_task
            self.pending, self.last_submit = record.pending, record.last_submit

    @property
    def facts(self) -> RequestFacts:
        return RequestFacts(_sorted(self.attempts), _sorted(self.tasks), self.least)

    @property
    def record(self) -> Record:
        """Where the request stands now; nothing is added to these facts any more."""
        facts = self.facts
        stands = account(facts)
        current = stands.current
        if current is None:
            return Record(
                self.hash,
                attempts=stands.attempts,
                last_submit=self.last_submit,
                purchases=stands.others,
                facts=facts,
                last_task=self.task_id,
            )
        task = None if current.task_id is None else self.tasks[current.task_id]
        return Record(
            self.hash,
            current.status,
            stands.attempts,
            current.task_id,
            current.credits,
            current.error,
            current.videos,
            self.pending,
            self.last_submit,
            None if task is None else task.accepted_at,
            None if task is None else task.estimated_seconds,
            None if task is None else task.made_at,
            () if task is None else task.links,
            stands.purchases,
            NOWHERE if task is None else task.away,
            current,
            facts,
            self.task_id,
        )

    def take(self, event: Event) -> None:
        """Fold one event in."""
        FOLD_BY_EVENT[event.__class__](self, event)

    def attempt(self, number: int) -> AttemptFacts:
        facts = self.attempts.get(number)
        if facts is None:
            facts = self.attempts[number] = AttemptFacts(number)
        return facts

    def task(self, task_id: str) -> TaskFacts:
        facts = self.tasks.get(task_id)
        if facts is None:
            facts = self.tasks[task_id] = TaskFacts(task_id)
        return facts

    @property
    def last_attempt(self) -> int:
        return max(self.attempts, default=1)


def sending(at: float) -> str:
    """The name of a sending: two at one time are of two requests."""
    return moment_text(at)


def _submit_intended(builder: RecordBuilder, event: SubmitIntended) -> None:
    attempt = builder.attempt(event.attempt)
    attempt.estimate = event.estimate
    attempt.sent = _with(attempt.sent, sending(event.at))
    builder.pending = builder.last_submit = event
    builder.task_id = None


def _submit_answered(
    builder: RecordBuilder, event: SubmitFailed | SubmitRejected | SubmitUnknown
) -> None:
    """No task came of a sending: nothing was bought by it, or nobody knows."""
    builder.pending = None
    attempt = builder.attempt(event.attempt)
    if isinstance(event, SubmitUnknown):
        attempt.unknown = Failure(event.code, event.message)
        return
    if event.sent_at is UNSET:
        attempt.not_sent = attempt.sent
    else:
        attempt.not_sent = _with(attempt.not_sent, sending(event.sent_at))
    if isinstance(event, SubmitRejected):
        attempt.refused = Failure(event.code, event.message)


def _task_begun(builder: RecordBuilder, event: TaskCreated | TaskAdopted) -> None:
    """A task is known: the answer to our submit named it, or somebody says that it is ours."""
    number = builder.last_attempt if event.attempt is UNSET else event.attempt
    builder.pending, builder.task_id = None, event.task_id
    task = builder.task(event.task_id)
    task.attempt = min(number, task.attempt or number)
    task.accepted_at = event.at
    if event.credits is not None:
        task.reserved = event.credits
    task.adopted = task.adopted or isinstance(event, TaskAdopted)
    if isinstance(event, TaskCreated):
        task.own, task.estimated_seconds = True, event.estimated_seconds


def _task_ended(builder: RecordBuilder, event: TaskCompleted | TaskFailed) -> None:
    task = builder.task(event.task_id)
    if isinstance(event, TaskFailed):
        task.failed, task.end_read = Failure(event.code, event.message), True
        return
    task.made, task.made_at = True, task.made_at or event.at
    task.links, task.undelivered = event.links, None
    task.whole = _has_every_video(task) or (task.whole and not task.lacks_some)
    if event.credits is not None:
        task.charged = event.credits


def _has_every_video(task: TaskFacts) -> bool:
    return bool(task.videos) and len(task.videos) >= task.places


def _video_changed(
    builder: RecordBuilder, event: VideoSaved | VideoNotSaved | VideoMissing | VideoMoved
) -> None:
    """A video of a task, the last one where none is named, is here, is not, or moved."""
    task_id = builder.task_id if event.task_id is UNSET else event.task_id
    if task_id is None:
        return
    task = builder.task(task_id)
    match event:
        case VideoSaved():
            task.made = True
            task.videos = {**task.videos, event.index: event.video}
            mtime = 0 if event.mtime is UNSET else event.mtime
            task.here = {**task.here, event.index: mtime}
            task.whole = task.whole or _has_every_video(task)
        case VideoNotSaved():
            task.made, task.undelivered = True, Failure(event.code, event.message)
        case VideoMissing():
            task.here = {index: at for index, at in task.here.items() if index != event.index}
            task.put_away = event.put_away is not UNSET and event.put_away
        case VideoMoved():
            if event.index in task.videos:
                moved = task.videos[event.index].at(event.path)
                task.videos = {**task.videos, event.index: moved}


def _request_abandoned(builder: RecordBuilder, event: RequestAbandoned) -> None:
    """An attempt that is named is that one, whatever tasks of earlier ones are known."""
    builder.pending = None
    task_id = builder.task_id if event.task_id is UNSET else event.task_id
    if event.attempt is not UNSET:
        builder.attempt(event.attempt).abandoned = event.message
    elif task_id is not None:
        builder.task(task_id).abandoned = event.message
    else:
        builder.attempt(builder.last_attempt).abandoned = event.message


def _purchase_imported(builder: RecordBuilder, event: PurchaseImported) -> None:
    """An amount that is news may be known here already: what this journal knows of it stays."""
    facts = learn(builder.facts, imported_facts(event))
    builder.attempts = {attempt.number: attempt for attempt in facts.attempts}
    builder.tasks = {task.id: task for task in facts.tasks}
    builder.least = facts.least
    for task in facts.tasks:
        task.accepted_at = task.accepted_at or event.at
    builder.task_id = event.task_id or builder.task_id


def imported_facts(event: PurchaseImported) -> RequestFacts:
    """The facts in what somebody else says of a request.

    A store adds which tasks are as good as our own, and what surely was not sent.
    """
    purchases = [
        Purchase(p.attempt, p.task_id, p.status, p.credits, event.estimate, None, videos)
        for p in (() if event.others is UNSET else event.others)
        for videos in [by_index(p.videos, event.hash)]
    ]
    if event.status != "planned":
        error = Failure(event.error_code, event.error_message or "") if event.error_code else None
        current = Purchase(
            max(event.attempts, 1),
            event.task_id,
            event.status,
            event.credits,
            event.estimate,
            error,
            by_index(event.videos, event.hash),
        )
        purchases.append(current)
    facts = reported(purchases, event.attempts if event.status == "planned" else 0)
    for task in facts.tasks:
        task.own = event.claimed is not UNSET and task.id in event.claimed
        task.adopted = event.adopted is not UNSET and task.id in event.adopted
    unsent = () if event.not_sent is UNSET else event.not_sent
    surely = [AttemptFacts(number, sent=(REPORTED,), not_sent=(REPORTED,)) for number in unsent]
    return merge(facts, RequestFacts(tuple(surely))) if surely else facts


def _task_progressed(builder: RecordBuilder, event: TaskProgressed) -> None:
    """It is told to whoever watches, and changes nothing."""


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    if not names:
        return (name,)
    return names if name in names else tuple(sorted((*names, name)))


_T = TypeVar("_T")


def _sorted(facts: Mapping[Any, _T]) -> tuple[_T, ...]:
    """The facts in the order of their keys."""
    if len(facts) < 2:  # noqa: PLR2004 - as nearly always
        return tuple(facts.values())
    return tuple([facts[key] for key in sorted(facts)])


FOLD_BY_EVENT: Mapping[type[Event], Callable[[RecordBuilder, Any], None]] = {
    SubmitIntended: _submit_intended,
    SubmitFailed: _submit_answered,
    SubmitRejected: _submit_answered,
    SubmitUnknown: _submit_answered,
    TaskCreated: _task_begun,
    TaskAdopted: _task_begun,
    TaskCompleted: _task_ended,
    TaskFailed: _task_ended,
    VideoSaved: _video_changed,
    VideoNotSaved: _video_changed,
    VideoMissing: _video_changed,
    VideoMoved: _video_changed,
    RequestAbandoned: _request_abandoned,
    PurchaseImported: _purchase_imported,
    TaskProgressed: _task_progressed,
}
"""What each kind of event does."""
