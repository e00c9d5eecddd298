"""What is worth saying of an event, in words that are safe to print."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from veogen.results.advice import Names, Step, advice, at_stake, reason
from veogen.results.events import Accepted, Delivered, Ended, Event, Refused, Unclear, Undelivered
from veogen.results.ledger import Standing
from veogen.terminal import Colour, Paint, plain

Word: TypeAlias = Literal["submitted", "completed", "retrying", "failed", "held", "undelivered"]

COLOURS: dict[Word, Colour] = {
    "submitted": "dim",
    "completed": "green",
    "retrying": "yellow",
    "failed": "red",
    "held": "yellow",
    "undelivered": "yellow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that people want to know; `text` has no control characters."""

    word: Word
    address: str
    text: str
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Knows where the run directory is and how it is called on a command line."""

    directory: Path
    names: Names
    retries: int

    def news(self, event: Event, standing: Standing, now: float) -> News | None:
        """What is to be said of an event, if anything."""
        record = standing.record
        match event:
            case Accepted():
                return self._told("submitted", standing, record.task_id or "")
            case Delivered() if record.status == "completed":
                return self._told("completed", standing, self._videos(standing))
            case Ended() if record.retries_left(self.retries):
                return self._told("retrying", standing, reason(record))
            case Refused() | Ended():
                return self._told("failed", standing, reason(record), advice_at=now)
            case Unclear():
                text = f"{reason(record)}; {at_stake(record)}"
                return self._told("held", standing, text, advice_at=now)
            case Undelivered():
                return self._told("undelivered", standing, reason(record), advice_at=now)
            case _:
                return None

    def _told(
        self, word: Word, standing: Standing, text: str, *, advice_at: float | None = None
    ) -> News:
        steps = () if advice_at is None else advice(standing, self.names, advice_at)
        address = plain(standing.entry.address)
        warnings = standing.record.warnings if word == "completed" else ()
        return News(word=word, address=address, text=plain(text), steps=steps, warnings=warnings)

    def _videos(self, standing: Standing) -> str:
        """Where its videos are, as they can be opened from here."""
        videos = [standing.record.videos[index] for index in sorted(standing.record.videos)]
        paths = " ".join(os.path.relpath(self.directory / video.path) for video in videos)
        warnings = standing.record.warnings
        return f"{paths} (warning: {', '.join(warnings)})" if warnings else paths


def spoken(news: News, paint: Paint) -> tuple[str, ...]:
    """The lines of a piece of news: what happened, then what to type."""
    head = f"{paint(news.word, COLOURS[news.word])} {paint(news.address, 'bold')}"
    first = f"{head}: {news.text}" if news.text else head
    return (first, *(f"    {written(step, paint)}" for step in news.steps))


def written(step: Step, paint: Paint) -> str:
    """A step as a line: a command to copy, and what it does."""
    return f"{plain(step.command)}   {paint(plain(step.why), 'dim')}"


def gathered(found: Sequence[News], paint: Paint) -> tuple[str, ...]:
    """The lines of news of one kind: of several only the last is told, and who has a warning."""
    last = found[-1]
    if len(found) == 1:
        return spoken(last, paint)
    word = paint(last.word, COLOURS[last.word])
    told = f"{word} {len(found)} more{_warned(found)}, the last {paint(last.address, 'bold')}"
    return (f"{told}: {last.text}",)


def _warned(found: Sequence[News]) -> str:
    """How many came with which warnings; `status` tells whose they are."""
    warned = [news.warnings for news in found if news.warnings]
    names = dict.fromkeys(name for warnings in warned for name in warnings)
    return plain(f" ({len(warned)} with a warning: {', '.join(names)})") if warned else ""
