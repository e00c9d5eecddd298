"""The life of one request: what an answer of the gateway makes of it, as events.

Pure functions: an answer and what was known before go in, events and what to do next come out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from veogen.executor import options as backoff
from veogen.gateway.api import Accepted, NotAccepted, ReadError, Rejected, Submission, Task, Unknown
from veogen.results import events
from veogen.results.events import Event, SubmitIntended
from veogen.results.record import Record

PATIENCE = 30 * 60.0
"""Seconds for which a request is sent again that the gateway has no room for."""

LOOKS_FOR_LINKS = 5

_SOON = 10.0
"""Seconds after which a read that nothing answered is made again, at the latest."""

StopKind: TypeAlias = Literal["refused", "denied", "silent", "money", "disk", "model"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing more is bought. After `denied` and `silent` nothing can be asked either."""

    kind: StopKind
    message: str

    @property
    def deaf(self) -> bool:
        return self.kind in ("denied", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """A submission on its way. `doubtful`: an earlier POST of this attempt may have been taken."""

    intent: SubmitIntended
    replays: int = 0
    doubtful: bool = False
    tries: int = 0
    had_error: bool = False
    refused_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Send the same again after `wait` seconds; `crowded`: because the gateway has no room."""

    trying: Trying
    wait: float
    why: str
    crowded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a submission came to."""

    events: tuple[Event, ...] = ()
    again: Again | None = None
    stop: Stop | None = None


def after_submit(
    trying: Trying, answer: Submission, *, monotonic: float, now: float, chance: backoff.Chance
) -> Sent:
    """What one POST's answer means (interface, section 6.1)."""
    trying = replace(trying, tries=trying.tries + 1)
    match answer:
        case Accepted():
            return Sent(events=(_accepted(trying.intent, answer, now),))
        case NotAccepted(once=True) if trying.had_error:
            return _unknown(trying, answer.code, f"twice: {answer.message}", chance)
        case NotAccepted():
            return _not_taken(trying, answer, monotonic, chance)
        case Unknown():
            return _unknown(trying, answer.code, answer.message, chance)
        case Rejected(stops=True):
            stop = Stop("refused", f"{answer.message} ({answer.code})")
            return Sent(events=(give_up(trying, answer.code, answer.message),), stop=stop)
        case Rejected():
            return Sent(events=(_refused(trying, answer),))


def give_up(trying: Trying, code: str, message: str) -> Event:
    """The end of a submission that is not made again: planned, unless a POST is in doubt."""
    kind = events.SubmitUnknown if trying.doubtful else events.SubmitFailed
    return kind(trying.intent.hash, trying.intent.attempt, code, message)


def _accepted(intent: SubmitIntended, taken: Accepted, now: float) -> Event:
    return events.TaskCreated(
        hash=intent.hash,
        attempt=intent.attempt,
        task_id=taken.task_id,
        credits=taken.credits,
        at=now,
        estimated_seconds=taken.estimated_seconds,
        replayed=taken.replayed,
        request_id=taken.request_id,
    )


def _not_taken(
    trying: Trying, answer: NotAccepted, monotonic: float, chance: backoff.Chance
) -> Sent:
    crowded = answer.reached and not answer.once
    since = trying.refused_since
    if crowded:
        since = monotonic if since is None else since
        if monotonic - since >= PATIENCE:
            return Sent(events=(give_up(trying, answer.code, answer.message),))
    again = Again(
        trying=replace(trying, refused_since=since, had_error=trying.had_error or answer.once),
        wait=backoff.wait(trying.tries, chance, answer.retry_after),
        why=f"{answer.message} ({answer.code})",
        crowded=crowded,
    )
    return Sent(again=again)


def _unknown(trying: Trying, code: str, message: str, chance: backoff.Chance) -> Sent:
    trying = replace(trying, doubtful=True)
    if trying.replays > 0:
        again = Again(
            trying=replace(trying, replays=trying.replays - 1),
            wait=backoff.wait(trying.tries, chance),
            why=f"{message} ({code})",
        )
        return Sent(again=again)
    return Sent(events=(give_up(trying, code, message),))


def _refused(trying: Trying, answer: Rejected) -> Event:
    if trying.doubtful:
        return give_up(trying, answer.code, answer.message)
    intent = trying.intent
    return events.SubmitRejected(intent.hash, intent.attempt, answer.code, answer.message)


class Seen(NamedTuple):
    """What reading a task came to; `ask_again` seconds from now, None: never."""

    events: tuple[Event, ...] = ()
    ask_again: float | None = None
    looks: int = 0
    stop: Stop | None = None


def after_read(
    record: Record,
    answer: Task | ReadError,
    *,
    looks: int,
    now: float,
    interval: Callable[[], float],
) -> Seen:
    """What a task's state means; `looks` counts answers about a made task without a link so far.

    Only a terminal state of this very task ends it, not one of an earlier attempt that comes
    late; whatever else comes is asked again after `interval`.
    """
    task_id = record.task_id or ""
    match answer:
        case ReadError():
            return _unread(record, answer, looks, now, interval)
        case Task() if answer.id != task_id:
            return Seen(ask_again=interval(), looks=looks)
        case Task(state="completed"):
            return _completed(record, answer, looks, now, interval)
        case Task(state="failed" | "cancelled"):
            return _ended(record, answer, task_id)
        case Task():
            told = events.TaskProgressed(record.hash, task_id, answer.state, answer.progress)
            return Seen(events=(told,), ask_again=interval(), looks=looks)


def _unread(
    record: Record, answer: ReadError, looks: int, now: float, interval: Callable[[], float]
) -> Seen:
    """Asked again, but a made task not for ever: the links that are known live for a day only."""
    made = bool(record.links)
    if made and (answer.denied or looks + 1 >= LOOKS_FOR_LINKS):
        return _as_known(record, None, now)
    if answer.denied:
        return Seen(stop=Stop("denied", f"{answer.message} ({answer.code})"))
    wait = max(interval(), answer.retry_after or 0) if answer.reached else min(interval(), _SOON)
    return Seen(ask_again=wait, looks=looks + made)


def _completed(
    record: Record, task: Task, looks: int, now: float, interval: Callable[[], float]
) -> Seen:
    if task.links:
        made = events.TaskCompleted(record.hash, task.id, task.links, task.credits, now)
        return Seen(events=(made,))
    if looks + 1 < LOOKS_FOR_LINKS:
        return Seen(ask_again=interval(), looks=looks + 1)
    return _as_known(record, task.credits, now)


def _as_known(record: Record, charged: Decimal | None, now: float) -> Seen:
    """The task was made, with the links that it had when it was looked at last, if any."""
    made = events.TaskCompleted(record.hash, record.task_id or "", record.links, charged, now)
    if record.links:
        return Seen(events=(made,))
    lost = events.VideoNotSaved(record.hash, "no-links", "the task is completed but names no video")
    return Seen(events=(made, lost))


def _ended(record: Record, task: Task, task_id: str) -> Seen:
    unnamed = "request_cancelled" if task.state == "cancelled" else "unknown_error"
    code = task.error_code or unnamed
    message = task.error_message or f"the task is {task.state}"
    if record.status == "undelivered":  # made and billed: it cannot have failed since
        text = f"the task was completed, and is {task.state} now: {message}"
        return Seen(events=(events.VideoNotSaved(record.hash, code, text),))
    ended = events.TaskFailed(record.hash, task_id, code, message)
    return Seen(events=(ended,))
