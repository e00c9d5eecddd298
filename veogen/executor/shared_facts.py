"""What a store knows of a request, as the same facts that journal and results are folded to."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import UNSET

from veogen.executor.reconcile import is_news
from veogen.gateway.values import link_source
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
    united_videos,
)
from veogen.results.record import Record
from veogen.store.history import History
from veogen.store.layout import AttemptId, StoredDecision

_GIVEN_UP = "given up by hand on {}; what it may have cost stays counted"


def shared_facts(history: History, hash_: str) -> RequestFacts:
    """The facts of one request in the records of a store."""
    attempts: list[AttemptFacts] = []
    tasks: dict[str, TaskFacts] = {}
    for number in sorted(history.attempts.get(hash_, ())):
        of = AttemptId(hash_, number)
        claim = history.claim(of)
        attempt = AttemptFacts(number)
        if claim is not None:  # a sending of which it is not known what became
            attempt = AttemptFacts(number, estimate=claim.credits, sent=(claim.owner,))
        own_tasks: dict[str, TaskFacts] = {}
        events = history.events(of)
        for event in events:
            _take(event, attempt, own_tasks, own=claim is not None)
        _put_in_order(own_tasks, events)
        for _, decision in sorted(history.decisions.get(of, {}).items()):
            _take_decision(decision, attempt, own_tasks, own=claim is not None)
        attempts.append(attempt)
        for id_, task in own_tasks.items():  # the last facts of one may be filed under a later one
            tasks[id_] = tasks[id_].merge(task) if id_ in tasks else task
    return RequestFacts(tuple(attempts), tuple(tasks[id_] for id_ in sorted(tasks)))


def _take(event: Event, attempt: AttemptFacts, tasks: dict[str, TaskFacts], *, own: bool) -> None:
    match event:
        case TaskCreated() | TaskAdopted():
            task = TaskFacts(event.task_id, attempt.number, own=own)
            task.reserved, task.accepted_at = event.credits, event.at
            task.adopted = isinstance(event, TaskAdopted)
            if isinstance(event, TaskCreated):
                task.estimated_seconds = event.estimated_seconds
            known = tasks.get(task.id)
            tasks[task.id] = task if known is None else known.merge(task)
        case SubmitFailed():
            attempt.not_sent = attempt.sent
        case SubmitRejected(code=code, message=message):
            attempt.not_sent, attempt.refused = attempt.sent, Failure(code, message)
        case SubmitUnknown(code=code, message=message):
            attempt.sent = attempt.sent or (REPORTED,)
            attempt.unknown = Failure(code, message)
        case RequestAbandoned(message=message) if event.attempt is not UNSET or (
            event.task_id is UNSET and not tasks  # an earlier version names neither
        ):
            attempt.abandoned = message
        case TaskCompleted() | TaskFailed() | VideoSaved() | VideoNotSaved() | RequestAbandoned():
            _take_of_task(event, attempt, tasks)
        case _:
            return  # no store has it: it is of one machine's disk or journal


def _take_decision(
    decision: StoredDecision, attempt: AttemptFacts, tasks: dict[str, TaskFacts], *, own: bool
) -> None:
    """It counts by itself: the process that wrote it may have died before it recorded more."""
    attempt.sent = attempt.sent or (REPORTED,)  # only what is in doubt is decided about
    if decision.decision == "adopt" and decision.task_id is not None:
        task = tasks.setdefault(decision.task_id, TaskFacts(decision.task_id, attempt.number))
        task.own, task.adopted = own, True
        task.accepted_at = task.accepted_at or decision.at
    elif decision.decision in ("abandon", "rebuy") and not tasks:
        attempt.abandoned = _GIVEN_UP.format(decision.machine)


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
        case _:
            task.abandoned = event.message
    task.whole = len(task.videos) >= max(1, len(task.links))


def _put_in_order(tasks: Mapping[str, TaskFacts], events: Sequence[Event]) -> None:
    """Where machines saw the links of a task in other orders a SHA-256 is one clip, at one place.

    Where all saw one order, clips that are alike are as many as the links that lead to them.
    """
    for task in tasks.values():
        of_task = [e for e in events if getattr(e, "task_id", None) in (task.id, UNSET)]
        orders = [list(map(link_source, e.links)) for e in of_task if isinstance(e, TaskCompleted)]
        if all(a == b for order in orders for a, b in zip(order, orders[0], strict=False)):
            continue
        task.videos = {}
        for event in of_task:
            if isinstance(event, VideoSaved):
                clip = {event.index: event.video}
                task.videos = united_videos(task.videos, clip, len(task.links))
        task.whole = len(task.videos) >= len(task.links)


def news_for(facts: RequestFacts, record: Record, now: float) -> Event | None:
    """What the journal does not know of a request yet, as an event; None where it knows all."""
    stands = account(facts)
    current = stands.current or Purchase(stands.attempts, None, "planned")
    event = PurchaseImported(
        hash=record.hash,
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
        adopted=tuple(task.id for task in facts.tasks if task.adopted) or UNSET,
    )
    is_task_news = any(
        (own := record.facts.task(task.id)) is None
        or (task.own and not own.own)
        or (task.adopted and not own.adopted)
        for task in facts.tasks
    )
    return event if is_task_news or is_news(event, record) else None


def _videos(purchase: Purchase) -> tuple[Video, ...]:
    return tuple(purchase.videos[index] for index in sorted(purchase.videos))


def lacking(facts: RequestFacts, record: Record) -> Iterator[tuple[int, Event]]:
    """What the journal knows of purchases and a store does not, each with its attempt."""
    for purchase in record.purchases:
        if purchase.task_id is None and facts.attempt(purchase.attempt) is None:
            yield purchase.attempt, _without_task(record.hash, purchase)
    for own in record.facts.tasks:
        number, task = own.attempt or 1, facts.task(own.id)
        accepted_at = own.accepted_at or 0.0
        if task is None:
            yield number, TaskCreated(record.hash, number, own.id, own.credits, accepted_at)
            task = TaskFacts(own.id)
        if own.adopted and not task.adopted:
            yield number, TaskAdopted(record.hash, own.id, own.credits, accepted_at, number)
        if own.abandoned is not None and task.abandoned is None:
            yield number, RequestAbandoned(record.hash, own.abandoned, task_id=own.id)
        if own.failed is not None and task.failed is None:
            yield number, TaskFailed(record.hash, own.id, own.failed.code, own.failed.message)
        if own.made and not task.made:
            at = own.made_at or 0.0
            yield number, TaskCompleted(record.hash, own.id, own.links, own.charged, at)


def _without_task(hash_: str, purchase: Purchase) -> Event:
    """An attempt that was given up, or is in doubt."""
    error = purchase.error or UNFINISHED
    if error.code == ABANDONED:
        return RequestAbandoned(hash_, error.message, attempt=purchase.attempt)
    return SubmitUnknown(hash_, purchase.attempt, error.code, error.message)


def lacking_videos(facts: RequestFacts, record: Record) -> Iterator[tuple[int, VideoSaved]]:
    """The delivered videos of which a store does not know, each with its attempt."""
    for own in record.facts.tasks:
        task = facts.task(own.id)
        for index, video in own.videos.items():
            if task is None or index not in task.videos:
                yield max(1, own.attempt), VideoSaved(record.hash, index, video, own.id)
