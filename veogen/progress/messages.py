"""What is worth saying of an event, in words that are safe to print, and how many are how far."""

import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal, TextIO, TypeAlias

from veogen.executor.state import RunProgress
from veogen.results.advice import NextStep, RunCommands, advice, doubt, duration_text, reason
from veogen.results.events import (
    Event,
    SubmitRejected,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.ledger import RequestState
from veogen.results.record import Record
from veogen.text import Colour, Paint, columns, credits_text, plain, shortened

Stage: TypeAlias = Literal["waiting", "going", "done", "failed", "held", "lost"]

_REMEMBERED = 200
_OVERDUE = 0.1


class RunCounts:
    """Counts the requests that a run is about. What is bought again by itself has not failed."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._stages: dict[str, Stage] = {}
        self._by_stage: Counter[Stage] = Counter()
        self._since: dict[str, float] = {}
        self._estimates: dict[str, float] = {}
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._watched: set[str] = set()

    def start(self, counted: Collection[str], view: RunProgress) -> None:
        """Begin with where every request stands already."""
        for hash_ in counted:
            record = view.ledger.record(hash_)
            self._put(hash_, self._stage(record))
            if record.status == "submitted":
                self._follow(record)

    def apply(self, event: Event, record: Record) -> None:
        """Count what has happened, and learn how long tasks take."""
        match event:
            case TaskCreated(hash=hash_):
                self._follow(record)
                self._watched.add(hash_)
            case TaskCompleted(hash=hash_, at=at):
                since = self._since.pop(hash_, None)
                if since is not None and hash_ in self._watched:  # else it may have ended long ago
                    self._took.append(max(0.0, at - since))
            case TaskFailed(hash=hash_):
                self._since.pop(hash_, None)
            case _:
                pass
        if event.hash in self._stages:
            is_lost = isinstance(event, VideoNotSaved) and record.status != "completed"
            self._put(event.hash, "lost" if is_lost else self._stage(record))

    def end(self, view: RunProgress) -> None:
        """Count what would be bought again as failed: the run has ended before."""
        for hash_ in self._stages:
            if view.ledger.record(hash_).status == "failed":
                self._put(hash_, "failed")

    def count(self, stage: Stage) -> int:
        return self._by_stage[stage]

    @property
    def total(self) -> int:
        return len(self._stages)

    def is_retried(self, record: Record) -> bool:
        """Whether a failed request is bought again without anybody's doing."""
        return record.retries_left(self._retries)

    def seconds_left(self, now: float, in_flight: int) -> float | None:
        """When the run will have ended, as far as the tasks seen so far can tell."""
        estimates = (seconds for key, seconds in self._estimates.items() if key in self._since)
        durations = self._took or list(estimates)
        if not durations:
            return None
        ages = [now - since for since in self._since.values()]
        return seconds_left(median(durations), ages, self.count("waiting"), in_flight)

    def _stage(self, record: Record) -> Stage:
        match record.status:
            case "planned":
                return "waiting"
            case "submitted" | "undelivered":
                return "going"
            case "completed":
                return "done"
            case "failed":
                return "waiting" if self.is_retried(record) else "failed"
            case "indeterminate":
                return "held"

    def _put(self, hash_: str, stage: Stage) -> None:
        before = self._stages.get(hash_)
        if before is not None:
            self._by_stage[before] -= 1
        self._stages[hash_] = stage
        self._by_stage[stage] += 1

    def _follow(self, record: Record) -> None:
        if record.accepted_at is not None:
            self._since[record.hash] = record.accepted_at
        if record.estimated_seconds is not None:
            self._estimates[record.hash] = record.estimated_seconds


def seconds_left(
    typical: float, ages: Sequence[float], waiting: int, in_flight: int
) -> float | None:
    """The work that is left, shared by as many tasks at a time as there are now."""
    if not ages and not waiting:
        return None
    left = [max(typical - age, _OVERDUE * typical) for age in ages]
    work = sum(left) + waiting * typical
    return max([work / max(in_flight, 1), *left])


_BETWEEN = ", "
_LONGEST_REASON = 48


@dataclass(frozen=True, slots=True)
class StatusPart:
    """A part of the line; the one with the greatest `rank` is left out first."""

    rank: int
    text: str


def status_parts(
    counts: RunCounts, view: RunProgress, now: float, *, ended: bool = False
) -> tuple[StatusPart, ...]:
    """What there is to say beside the count of what is done, in the order of reading."""
    left = None if ended else counts.seconds_left(now, view.in_flight)
    parts = (
        StatusPart(5, "" if ended else _counted(view.in_flight, "in flight")),
        StatusPart(1, _counted(counts.count("failed"), "failed")),
        StatusPart(0, _counted(counts.count("held"), "indeterminate")),
        StatusPart(2, _counted(counts.count("lost"), "undelivered")),
        StatusPart(6, f"{credits_text(view.ledger.reserved)} credits"),
        StatusPart(4, "" if left is None else f"about {duration_text(left)} left"),
        StatusPart(3, "" if ended else shortened(plain(view.waiting or ""), _LONGEST_REASON)),
    )
    return tuple(part for part in parts if part.text)


def fit_parts(parts: tuple[StatusPart, ...], width: int) -> str:
    """As many parts as fit into `width` columns, the most important ones."""
    text = join_parts(parts)
    if not parts or columns(text) <= width:
        return text
    least = max(parts, key=lambda part: part.rank)
    return fit_parts(tuple(part for part in parts if part is not least), width)


def join_parts(parts: tuple[StatusPart, ...]) -> str:
    return _BETWEEN.join(part.text for part in parts)


def _counted(number: int, words: str) -> str:
    return f"{number} {words}" if number else ""


Word: TypeAlias = Literal[
    "submitted", "completed", "retrying", "failed", "indeterminate", "undelivered"
]

COLOURS: dict[Word, Colour] = {
    "submitted": "dim",
    "completed": "green",
    "retrying": "yellow",
    "failed": "red",
    "indeterminate": "yellow",
    "undelivered": "yellow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that people want to know, put into words when it is written: of many the last.

    `address` and `text` have no control characters.
    """

    word: Word
    state: RequestState
    words: Callable[[], str]
    steps: tuple[NextStep, ...] = ()

    @property
    def address(self) -> str:
        return plain(self.state.request.address)

    @property
    def text(self) -> str:
        return plain(self.words())

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.state.record.warnings if self.word == "completed" else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Knows where the run directory is and how it is called on a command line."""

    directory: Path
    names: RunCommands
    retries: int

    def message(self, event: Event, state: RequestState, now: float) -> Message | None:
        """What is to be said of an event, if anything."""
        record = state.record
        match event:
            case TaskCreated():
                return self._message("submitted", state, lambda: record.task_id or "")
            case VideoSaved() if record.status == "completed":
                return self._message("completed", state, lambda: self._videos(record))
            case TaskFailed() if record.retries_left(self.retries):
                return self._message("retrying", state, lambda: reason(record))
            case SubmitRejected() | TaskFailed():
                return self._message("failed", state, lambda: reason(record), advice_at=now)
            case SubmitUnknown():
                return self._message(
                    "indeterminate",
                    state,
                    lambda: doubt(record),
                    advice_at=now,
                )
            case VideoNotSaved() if record.status != "completed":  # else it only is not here
                return self._message("undelivered", state, lambda: reason(record), advice_at=now)
            case _:
                return None

    def _message(
        self,
        word: Word,
        state: RequestState,
        words: Callable[[], str],
        *,
        advice_at: float | None = None,
    ) -> Message:
        steps = () if advice_at is None else advice(state, self.names, advice_at)
        return Message(word=word, state=state, words=words, steps=steps)

    def _videos(self, record: Record) -> str:
        """Where its videos are, as they can be opened from here."""
        videos = [record.videos[index] for index in sorted(record.videos)]
        paths = " ".join(os.path.relpath(self.directory / video.path) for video in videos)
        warnings = record.warnings
        return f"{paths} (warning: {', '.join(warnings)})" if warnings else paths


def message_lines(message: Message, paint: Paint) -> tuple[str, ...]:
    """The lines of a message: what happened, then what to type."""
    head = f"{paint(message.word, COLOURS[message.word])} {paint(message.address, 'bold')}"
    first = f"{head}: {text}" if (text := message.text) else head
    return (first, *(f"    {step_line(step, paint)}" for step in message.steps))


def step_line(step: NextStep, paint: Paint) -> str:
    """A step as a line: a command to copy, and what it does."""
    return f"{plain(step.command)}   {paint(plain(step.why), 'dim')}"


def summary_lines(messages: Sequence[Message], paint: Paint) -> tuple[str, ...]:
    """The lines of messages of one kind: of several the last, how many, and how many warnings."""
    last = messages[-1]
    if len(messages) == 1:
        return message_lines(last, paint)
    # How many came with which warnings; `status` tells whose they are.
    warned = [warnings for message in messages if (warnings := message.warnings)]
    names = dict.fromkeys(name for warnings in warned for name in warnings)
    note = plain(f" ({len(warned)} with a warning: {', '.join(names)})") if warned else ""
    head = f"{paint(last.word, COLOURS[last.word])} {len(messages)} more{note}"
    return (f"{head}, the last {paint(last.address, 'bold')}: {last.text}",)


_USUAL_WIDTH = 80


class Screen:
    """A stream that falls silent when it cannot be written to any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False
        self.encoding = stream.encoding or "ascii"

    def write(self, text: str) -> int:
        try:
            if not self._gone:
                encodable = text.encode(self.encoding, "backslashreplace")
                self._stream.write(encodable.decode(self.encoding))
        except (OSError, ValueError):  # a pipe without a reader, a terminal that was closed
            self._gone = True
        return len(text)

    def flush(self) -> None:
        try:
            if not self._gone:
                self._stream.flush()
        except (OSError, ValueError):
            self._gone = True

    def line(self, text: str) -> None:
        """Write a line so that it is seen at once."""
        self.write(f"{text}\n")
        self.flush()

    @property
    def width(self) -> int:
        """How many columns can be written to without a wrap."""
        try:
            width = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            width = 0
        return (width or _USUAL_WIDTH) - 1
