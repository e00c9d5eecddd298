"""What an answer of the gateway makes of a request: events, and what is done next.

Pure functions: an answer and what was known before go in, events and what to do next come out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from veogen.executor.options import Random, retry_wait
from veogen.gateway.api import Accepted, NotAccepted, ReadError, Rejected, Submission, Task, Unknown
from veogen.gateway.values import link_source
from veogen.results import events
from veogen.results.events import Event, SubmitIntended
from veogen.results.record import Record

POLLS_FOR_LINKS = 5
_NOT_FOUND = 404

_ONCE_MORE = 2.0
"""Seconds after which a task is looked at again whose links may not all have been listed."""

_SOON = 10.0
"""Seconds after which a read that nothing answered is made again, at the latest."""

StopKind: TypeAlias = Literal[
    "refused",
    "denied",
    "silent",
    "outage",
    "money",
    "amount",
    "disk",
    "journal",
    "model",
    "store",
    "cluster",
]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing more is bought. After `denied` and `silent` nothing can be asked either."""

    kind: StopKind
    message: str

    @property
    def gateway_unreachable(self) -> bool:
        return self.kind in ("denied", "silent")


class NotPermitted(NamedTuple):
    """The store does not let an attempt be sent, now or at all: nothing has left."""

    code: str
    message: str
    stop: Stop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAttempt:
    """A submission on its way. `maybe_accepted`: an earlier POST of it may have been accepted.

    `trial`: it is the one request after a pause.
    """

    intent: SubmitIntended
    replays: int = 0
    maybe_accepted: bool = False
    tries: int = 0
    had_error: bool = False
    trial: bool = False


class Retry(NamedTuple):
    """The same again after `wait` seconds; `throttled`: because the gateway has no room.

    A submission is made again as `attempt` says; a task is read again that so far was completed
    without a link `empty_polls` times.
    """

    wait: float
    why: str = ""
    throttled: bool = False
    attempt: SubmitAttempt | None = None
    empty_polls: int = 0


def _nothing() -> None:
    return None


class Step(NamedTuple):
    """What follows an answer: events, and once they are durable a retry, a stop or more to do."""

    events: tuple[Event, ...] = ()
    retry: Retry | None = None
    stop: Stop | None = None
    after_commit: Callable[[], None] = _nothing


def on_submit(
    attempt: SubmitAttempt, answer: Submission | NotPermitted, *, now: float, random: Random
) -> Step:
    """What one POST's answer means: a task, to be sent again, unknown and so held, or refused."""
    if isinstance(answer, NotPermitted):
        return Step((close_attempt(attempt, answer.code, answer.message),), stop=answer.stop)
    attempt = replace(attempt, tries=attempt.tries + 1)
    match answer:
        case Accepted():
            created = events.TaskCreated(
                hash=attempt.intent.hash,
                attempt=attempt.intent.attempt,
                task_id=answer.task_id,
                credits=answer.credits,
                at=now,
                estimated_seconds=answer.estimated_seconds,
                replayed=answer.replayed,
                request_id=answer.request_id,
            )
            return Step(events=(created,))
        case NotAccepted(once=True) if attempt.had_error:
            return _hold_or_replay(attempt, answer.code, f"twice: {answer.message}", random)
        case NotAccepted():
            return _resend_later(attempt, answer, random)
        case Unknown():
            return _hold_or_replay(attempt, answer.code, answer.message, random)
        case Rejected(stops=True):
            stop = Stop("refused", f"{answer.message} ({answer.code})")
            return Step((close_attempt(attempt, answer.code, answer.message),), stop=stop)
        case Rejected() if attempt.maybe_accepted:
            return Step((close_attempt(attempt, answer.code, answer.message),))
        case Rejected(code=code, message=message):
            hash_, number, at = attempt.intent.hash, attempt.intent.attempt, attempt.intent.at
            return Step((events.SubmitRejected(hash_, number, code, message, at),))


def close_attempt(attempt: SubmitAttempt, code: str, message: str) -> Event:
    """The end of a submission that is not made again: not sent, unless a POST is in doubt."""
    intent = attempt.intent
    if attempt.maybe_accepted:
        return events.SubmitUnknown(intent.hash, intent.attempt, code, message)
    return events.SubmitFailed(intent.hash, intent.attempt, code, message, intent.at)


def _resend_later(attempt: SubmitAttempt, answer: NotAccepted, random: Random) -> Step:
    """It is sent again with the same key; until then it is on record as not sent."""
    retry = Retry(
        attempt=replace(attempt, had_error=attempt.had_error or answer.once),
        wait=retry_wait(attempt.tries, random, answer.retry_after),
        why=f"{answer.message} ({answer.code})",
        throttled=answer.reached and not answer.once,
    )
    if attempt.maybe_accepted:
        return Step(retry=retry)
    intent = attempt.intent
    not_sent = events.SubmitFailed(
        intent.hash, intent.attempt, answer.code, answer.message, intent.at, resend=True
    )
    return Step((not_sent,), retry=retry)


def _hold_or_replay(attempt: SubmitAttempt, code: str, message: str, random: Random) -> Step:
    attempt = replace(attempt, maybe_accepted=True)
    if attempt.replays > 0:
        retry = Retry(
            attempt=replace(attempt, replays=attempt.replays - 1),
            wait=retry_wait(attempt.tries, random),
            why=f"{message} ({code})",
        )
        return Step(retry=retry)
    return Step(events=(close_attempt(attempt, code, message),))


def on_poll(
    record: Record,
    answer: Task | ReadError,
    *,
    empty_polls: int,
    now: float,
    interval: Callable[[], float],
    videos: int | None,
) -> Step:
    """What a task's state means; `empty_polls`: so far it was completed without a link.

    `videos` is how many it makes, where that is known.
    Only a terminal state of this very task ends it, not one of an earlier attempt that comes
    late; whatever else comes is asked again after `interval`.
    """
    task_id = record.task_id or ""
    if isinstance(answer, ReadError):
        return _unread(record, answer, empty_polls, now, interval)
    if answer.id != task_id:
        return Step(retry=Retry(interval(), empty_polls=empty_polls))
    match answer.state:
        case "completed":
            return _completed(record, answer, empty_polls, now, interval, videos)
        case "failed" | "cancelled":
            return _failed(record, answer, task_id)
        case state:
            progress = events.TaskProgressed(record.hash, task_id, state, answer.progress)
            return Step((progress,), Retry(interval(), empty_polls=empty_polls))


def _completed(
    record: Record,
    task: Task,
    empty_polls: int,
    now: float,
    interval: Callable[[], float],
    videos: int | None,
) -> Step:
    """Fewer links than videos, or nobody knows how many: those are on record at once.

    It is looked at again while there are new ones.
    """
    if not task.links:
        if empty_polls + 1 < POLLS_FOR_LINKS:
            return Step(retry=Retry(interval(), empty_polls=empty_polls + 1))
        return _with_last_links(record, task.credits, now)
    links = all_links(record.links, task.links)
    made = events.TaskCompleted(record.hash, task.id, links, task.credits, now)
    is_all = videos is not None and len(links) >= videos
    if is_all or len(links) == len(record.links):
        return Step((made,))
    return Step((made,), Retry(min(interval(), _ONCE_MORE), empty_polls=empty_polls))


def _unread(
    record: Record, answer: ReadError, empty_polls: int, now: float, interval: Callable[[], float]
) -> Step:
    """Asked again, but a made task not for ever: the links that are known live for a day only."""
    made, delivered = bool(record.links), record.status == "completed"
    is_gone = delivered and answer.status == _NOT_FOUND
    is_enough = answer.denied or is_gone or empty_polls + 1 >= POLLS_FOR_LINKS
    if made and is_enough:
        return _with_last_links(record, None, now)
    if delivered and is_enough:
        task_id = record.task_id or ""
        lost = events.VideoNotSaved(record.hash, answer.code, answer.message, task_id)
        return Step(events=(lost,))
    if answer.denied:
        return Step(stop=Stop("denied", f"{answer.message} ({answer.code})"))
    wait = max(interval(), answer.retry_after or 0) if answer.reached else min(interval(), _SOON)
    if delivered:
        wait = min(wait, _SOON)
    return Step(retry=Retry(wait, empty_polls=empty_polls + (made or delivered)))


def all_links(known: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
    """Links once listed stay at their places, newly signed; what is new stands behind them.

    A place is the number of a video: a look that lists fewer, or all in another order, changes
    none. Two equal links are one. Of links that only their queries tell apart nobody knows which
    is which: the look that listed the most counts.
    """
    listed = tuple(dict.fromkeys(listed))
    fresh = {link_source(link): link for link in listed}
    before = {link_source(link): link for link in known}
    if len(fresh) < len(listed) or len(before) < len(known):
        kept = tuple(dict.fromkeys((*known, *listed)))
        is_newly_signed = len(kept) > max(len(known), len(listed))
        return listed if is_newly_signed and len(listed) >= len(known) else kept
    return tuple((before | fresh).values())


def _with_last_links(record: Record, charged: Decimal | None, now: float) -> Step:
    """The task was made, with the links that it had when it was looked at last, if any."""
    made = events.TaskCompleted(record.hash, record.task_id or "", record.links, charged, now)
    if record.links:
        return Step(events=(made,))
    why = "the task is completed but names no video"
    lost = events.VideoNotSaved(record.hash, "no-links", why, record.task_id or "")
    return Step(events=(made, lost))


def _failed(record: Record, task: Task, task_id: str) -> Step:
    unnamed = "request_cancelled" if task.state == "cancelled" else "unknown_error"
    code = task.error_code or unnamed
    message = task.error_message or f"the task is {task.state}"
    if record.status in ("undelivered", "completed"):  # made and billed: it cannot have failed
        text = f"the task was completed, and is {task.state} now: {message}"
        return Step(events=(events.VideoNotSaved(record.hash, code, text, task_id),))
    ended = events.TaskFailed(record.hash, task_id, code, message)
    return Step(events=(ended,))
