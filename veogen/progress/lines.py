"""Plain lines for logs: trouble at once, all else, and much trouble, gathered for seconds."""

from collections import Counter
from collections.abc import Collection
from typing import Self

from veogen.executor.options import Clock
from veogen.executor.state import View
from veogen.progress.counts import Tally, joined, pieces
from veogen.progress.messages import News, Out, Reporter, Word, gathered, spoken
from veogen.results.events import Event
from veogen.results.ledger import Standing
from veogen.text import Paint, plain

SECONDS_BETWEEN = 3.0
SECONDS_BETWEEN_TOTALS = 30.0
MOST_AT_ONCE = 5

_CAN_WAIT: frozenset[Word] = frozenset({"submitted", "completed", "retrying"})


class Lines:
    """Says the first news of a kind at once, and what follows it soon in one line.

    Of trouble a few are the first; a thousand refusals do not fill a log.
    """

    def __init__(self, out: Out, clock: Clock, reporter: Reporter, paint: Paint) -> None:
        self._out = out
        self._clock = clock
        self._reporter = reporter
        self._paint = paint
        self._tally = Tally(reporter.retries)
        self._unsaid: dict[Word, list[News]] = {}
        self._said_at: dict[Word, float] = {}
        self._said: Counter[Word] = Counter()
        self._totals = ""
        self._totals_at = float("-inf")
        self._view: View | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for word in list(self._unsaid):
            self._say_gathered(word)
        self._say_totals(ended=True)

    def start(self, counted: Collection[str], view: View) -> None:
        self._tally.start(counted, view)
        self._view = view
        self._say_totals()

    def event(self, event: Event, standing: Standing, view: View) -> None:
        self._tally.apply(event, standing.record)
        news = self._reporter.news(event, standing, self._clock.now())
        if news is not None and (news.word in _CAN_WAIT or not self._is_among_the_first(news.word)):
            self._unsaid.setdefault(news.word, []).append(news)
        elif news is not None:
            self._say(spoken(news, self._paint))
        self.tick(view)

    def note(self, message: str) -> None:
        self._say([plain(message)])

    def tick(self, view: View) -> None:
        self._view = view
        now = self._clock.monotonic()
        for word in list(self._unsaid):
            if now - self._said_at.get(word, float("-inf")) >= SECONDS_BETWEEN:
                self._say_gathered(word)
        if now - self._totals_at >= SECONDS_BETWEEN_TOTALS:
            self._say_totals()

    def _is_among_the_first(self, word: Word) -> bool:
        now = self._clock.monotonic()
        if now - self._said_at.get(word, float("-inf")) >= SECONDS_BETWEEN:
            self._said_at[word] = now
            self._said[word] = 0
        self._said[word] += 1
        return self._said[word] <= MOST_AT_ONCE

    def _say(self, lines: Collection[str]) -> None:
        for line in lines:
            self._out.line(line)

    def _say_gathered(self, word: Word) -> None:
        self._said_at[word] = self._clock.monotonic()
        self._say(gathered(self._unsaid.pop(word), self._paint))

    def _say_totals(self, *, ended: bool = False) -> None:
        """How the run stands, if that changed."""
        if self._view is None or not self._tally.total:
            return
        self._totals_at = self._clock.monotonic()
        done = f"{self._tally.count('done')} of {self._tally.total} completed"
        totals = joined(pieces(self._tally, self._view, self._clock.now(), ended=ended))
        if (line := f"{done}, {totals}") != self._totals:
            self._totals = line
            self._out.line(line)
