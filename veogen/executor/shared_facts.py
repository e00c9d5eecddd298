"""What a store knows of a request, as the same facts that journal and results are folded to."""

from collections.abc import Iterator

from msgspec import UNSET

from veogen.executor.reconcile import is_news
from veogen.results.events import (
    Event,
    OtherPurchase,
    PurchaseImported,
    RequestAbandoned,
    SubmitFailed,
    SubmitRejected,
    SubmitUnknown,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    Video,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.facts import (
    ABANDONED,
    REPORTED,
    UNFINISHED,
    AttemptFacts,
    Failure,
    Purchase,
    RequestFacts,
    TaskFacts,
    account,
)
from veogen.results.record import Record
from veogen.store.history import History
from veogen.store.layout import AttemptId, StoredDecision

_GIVEN_UP = "given up by hand on {}; what it may have cost stays counted"


def shared_facts(history: History, hash_: str) -> RequestFacts:
    """The facts of one request in the records of a store."""
    attempts: list[AttemptFacts] = []
    tasks: list[TaskFacts] = []
    for number in sorted(history.attempts.get(hash_, ())):
        of = AttemptId(hash_, number)
        attempt = _claimed(history, of)
        own_tasks: dict[str, TaskFacts] = {}
        for event in history.events.get(of, ()):
            _take(event, attempt, own_tasks, own=bool(attempt.sent))
        for decision in history.decisions.get(of, {}).values():
            _take_decision(decision, attempt, own_tasks)
        attempts.append(attempt)
        tasks.extend(own_tasks.values())
    return RequestFacts(tuple(attempts), tuple(sorted(tasks, key=lambda task: task.id)))


def _claimed(history: History, of: AttemptId) -> AttemptFacts:
    """A claim is a sending of which it is not known what became."""
    claim = history.claims.get(of) or history.unanswered.get(of)
    if claim is None:
        return AttemptFacts(of.attempt)
    return AttemptFacts(of.attempt, estimate=claim.credits, sent=(claim.owner,))


def _take(event: Event, attempt: AttemptFacts, tasks: dict[str, TaskFacts], *, own: bool) -> None:
    match event:
        case TaskCreated() | TaskAdopted():
            task = tasks.setdefault(event.task_id, TaskFacts(event.task_id, attempt.number))
            task.own, task.reserved, task.accepted_at = own, event.credits, event.at
            if isinstance(event, TaskCreated):
                task.estimated_seconds = event.estimated_seconds
        case SubmitFailed():
            attempt.not_sent = attempt.sent
        case SubmitRejected(code=code, message=message):
            attempt.not_sent, attempt.refused = attempt.sent, Failure(code, message)
        case SubmitUnknown(code=code, message=message):
            attempt.sent = attempt.sent or (REPORTED,)
            attempt.unknown = Failure(code, message)
        case RequestAbandoned(message=message) if not tasks:
            attempt.abandoned = message
        case TaskCompleted() | TaskFailed() | VideoSaved() | VideoNotSaved() | RequestAbandoned():
            _take_of_task(event, attempt, tasks)
        case _:
            return  # no store has it: it is of one machine's disk or journal


def _take_of_task(
    event: TaskCompleted | TaskFailed | VideoSaved | VideoNotSaved | RequestAbandoned,
    attempt: AttemptFacts,
    tasks: dict[str, TaskFacts],
) -> None:
    """An event of a task; what names none is of the attempt's."""
    task_id = next(iter(tasks), None) if event.task_id is UNSET else event.task_id
    if task_id is None:
        return
    task = tasks.setdefault(task_id, TaskFacts(task_id, attempt.number))
    match event:
        case TaskCompleted(links=links, credits=credits_, at=at):
            task.made, task.made_at, task.links = True, at, max(task.links, links, key=len)
            task.charged = credits_ if task.charged is None else task.charged
        case TaskFailed(code=code, message=message):
            task.failed = Failure(code, message)
        case VideoSaved(index=index, video=video):
            task.made, task.videos = True, {**task.videos, index: video}
        case VideoNotSaved(code=code, message=message):
            task.made, task.undelivered = True, Failure(code, message)
        case RequestAbandoned(message=message):
            task.abandoned = message
    task.whole = bool(task.videos) and len(task.videos) >= max(1, len(task.links))


def _take_decision(
    decision: StoredDecision, attempt: AttemptFacts, tasks: dict[str, TaskFacts]
) -> None:
    """A person's decision ends an attempt of which no task is known."""
    if decision.decision in ("abandon", "rebuy") and not tasks:
        attempt.abandoned = _GIVEN_UP.format(decision.machine)


def news_for(facts: RequestFacts, record: Record, now: float) -> Event | None:
    """What the journal does not know of a request yet, as an event; None where it knows all."""
    event = _as_imported(facts, record.hash, now)
    is_claimed_news = any(
        (task := record.facts.task(id_)) is None or not task.own for id_ in event.claimed or ()
    )
    return event if is_claimed_news or is_news(event, record) else None


def _as_imported(facts: RequestFacts, hash_: str, now: float) -> PurchaseImported:
    """The facts of a store as the journal takes them in."""
    stands = account(facts)
    current = stands.current or Purchase(stands.attempts, None, "planned")
    return PurchaseImported(
        hash=hash_,
        status=current.status,
        task_id=current.task_id,
        attempts=current.attempt,
        credits=current.credits,
        error_code=current.error.code if current.error else None,
        error_message=current.error.message if current.error else None,
        videos=_videos(current),
        estimate=current.estimate,
        at=now,
        others=tuple(
            OtherPurchase(p.attempt, p.task_id, p.status, p.credits, _videos(p))
            for p in stands.others
        ),
        claimed=tuple(task.id for task in facts.tasks if task.own),
        not_sent=tuple(a.number for a in facts.attempts if a.sent and not a.in_doubt),
    )


def _videos(purchase: Purchase) -> tuple[Video, ...]:
    return tuple(purchase.videos[index] for index in sorted(purchase.videos))


def lacking(facts: RequestFacts, record: Record) -> Iterator[tuple[int, Event]]:
    """What the journal knows of purchases and a store does not, each with its attempt."""
    for purchase in record.purchases:
        if purchase.task_id is not None:
            events = _lacking_of_task(facts.task(purchase.task_id), record, purchase)
            yield from ((purchase.attempt, event) for event in events)
        elif facts.attempt(purchase.attempt) is None:
            yield purchase.attempt, _without_task(record.hash, purchase)


def _without_task(hash_: str, purchase: Purchase) -> Event:
    error = purchase.error or UNFINISHED
    if error.code == ABANDONED:
        return RequestAbandoned(hash_, error.message, attempt=purchase.attempt)
    return SubmitUnknown(hash_, purchase.attempt, error.code, error.message)


def _lacking_of_task(task: TaskFacts | None, record: Record, purchase: Purchase) -> Iterator[Event]:
    task_id, own = purchase.task_id or "", record.facts.task(purchase.task_id)
    if task is None:
        at = (own and own.accepted_at) or 0.0
        yield TaskCreated(record.hash, purchase.attempt, task_id, purchase.credits, at)
    if own is None:
        return
    if own.abandoned is not None and (task is None or task.abandoned is None):
        yield RequestAbandoned(record.hash, own.abandoned, task_id=task_id)
    if own.failed is not None and (task is None or task.failed is None):
        yield TaskFailed(record.hash, task_id, own.failed.code, own.failed.message)
    if own.made and (task is None or not task.made):
        at = own.made_at or 0.0
        yield TaskCompleted(record.hash, task_id, own.links, own.charged, at)


def lacking_videos(facts: RequestFacts, record: Record) -> Iterator[tuple[int, VideoSaved]]:
    """The delivered videos of which a store does not know, each with its attempt."""
    for own in record.facts.tasks:
        task = facts.task(own.id)
        for index, video in own.videos.items():
            if task is None or index not in task.videos:
                yield max(1, own.attempt), VideoSaved(record.hash, index, video, own.id)
