"""What is worth saying of an event, in words that are safe to print."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

from veogen.results.advice import NextStep, RunCommands, advice, at_stake, reason
from veogen.results.events import (
    Event,
    SubmitRejected,
    SubmitUnknown,
    TaskCreated,
    TaskFailed,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.ledger import RequestState
from veogen.results.record import Record
from veogen.text import Colour, Paint, plain

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
                    lambda: f"{reason(record)}; {at_stake(record)}",
                    advice_at=now,
                )
            case VideoNotSaved():
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
