"""Plain lines for logs: trouble at once, all else, and much trouble, gathered for seconds."""

from collections import Counter
from collections.abc import Collection
from typing import Self

from veogen.executor.options import Clock
from veogen.executor.state import RunProgress
from veogen.progress.messages import (
    Message,
    Messages,
    RunCounts,
    Screen,
    Word,
    join_parts,
    message_lines,
    status_parts,
    summary_lines,
)
from veogen.results.events import Event
from veogen.results.ledger import RequestState
from veogen.text import Paint, plain

SECONDS_BETWEEN = 3.0
SECONDS_BETWEEN_TOTALS = 30.0
MOST_AT_ONCE = 5

_CAN_WAIT: frozenset[Word] = frozenset({"submitted", "completed", "retrying"})


class Lines:
    """Writes the first message of a kind at once, and what follows it soon in one line.

    Of trouble a few are the first; a thousand refusals do not fill a log.
    """

    def __init__(self, screen: Screen, clock: Clock, messages: Messages, paint: Paint) -> None:
        self._screen = screen
        self._clock = clock
        self._messages = messages
        self._paint = paint
        self._counts = RunCounts(messages.retries)
        self._pending: dict[Word, list[Message]] = {}
        self._written_at: dict[Word, float] = {}
        self._written: Counter[Word] = Counter()
        self._totals = ""
        self._totals_at = float("-inf")
        self._view: RunProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for word in list(self._pending):
            self._write_summary(word)
        if self._view is not None:
            self._counts.end(self._view)
        self._write_totals(ended=True)

    def start(self, counted: Collection[str], view: RunProgress) -> None:
        self._counts.start(counted, view)
        self._view = view
        self._write_totals()

    def event(self, event: Event, state: RequestState, view: RunProgress) -> None:
        self._counts.apply(event, state.record)
        message = self._messages.message(event, state, self._clock.now())
        if message is not None:
            now, word = self._clock.monotonic(), message.word
            waits = word in _CAN_WAIT
            if not waits:  # of trouble a few are among the first
                if now - self._written_at.get(word, float("-inf")) >= SECONDS_BETWEEN:
                    self._written_at[word], self._written[word] = now, 0
                self._written[word] += 1
                waits = self._written[word] > MOST_AT_ONCE
            if waits:
                self._pending.setdefault(word, []).append(message)
            else:
                self._write_lines(message_lines(message, self._paint))
        self.tick(view)

    def note(self, message: str) -> None:
        self._write_lines([plain(message)])

    def tick(self, view: RunProgress) -> None:
        self._view = view
        now = self._clock.monotonic()
        for word in list(self._pending):
            if now - self._written_at.get(word, float("-inf")) >= SECONDS_BETWEEN:
                self._write_summary(word)
        if now - self._totals_at >= SECONDS_BETWEEN_TOTALS:
            self._write_totals()

    def _write_lines(self, lines: Collection[str]) -> None:
        for line in lines:
            self._screen.line(line)

    def _write_summary(self, word: Word) -> None:
        self._written_at[word] = self._clock.monotonic()
        self._write_lines(summary_lines(self._pending.pop(word), self._paint))

    def _write_totals(self, *, ended: bool = False) -> None:
        """How the run stands, if that changed."""
        if self._view is None or not self._counts.total:
            return
        self._totals_at = self._clock.monotonic()
        done = f"{self._counts.count('done')} of {self._counts.total} completed"
        totals = join_parts(status_parts(self._counts, self._view, self._clock.now(), ended=ended))
        if (line := f"{done}, {totals}") != self._totals:
            self._totals = line
            self._screen.line(line)
