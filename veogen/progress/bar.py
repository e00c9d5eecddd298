"""One bar for the run, with a line above it for each request that ends."""

import threading
from collections.abc import Collection
from typing import Any, Self

from tqdm import tqdm

from veogen.executor.options import Clock
from veogen.executor.state import View
from veogen.progress.counts import Tally, fitted, pieces
from veogen.progress.messages import News, Out, Reporter, spoken
from veogen.results.events import Event
from veogen.results.ledger import Standing
from veogen.text import Paint, plain

_SECONDS_BETWEEN = 0.1
_ERASE = "\x1b[K"  # what stands behind the bar, as the ^C that a terminal echoes
_ECHO = 2
_UNSAID = frozenset({"submitted"})


class _Line(tqdm):  # type: ignore[type-arg]  # generic for the type checker alone
    """tqdm's bar with our words behind it: as a field they cannot be taken for a format."""

    monitor_interval = 0  # the run ticks by itself: no thread beside it
    words = ""

    @property
    def format_dict(self) -> Any:
        return {**super().format_dict, "words": self.words}


_Line.set_lock(threading.RLock())  # a lock between processes is not needed


class Bar:
    """Draws while a run goes on; leaving it as a context leaves the last state on the screen."""

    def __init__(
        self, out: Out, clock: Clock, reporter: Reporter, paint: Paint, *, erase: bool
    ) -> None:
        self._out = out
        self._clock = clock
        self._reporter = reporter
        self._paint = paint
        self._erase = _ERASE if erase else ""
        self._tally = Tally(reporter.retries)
        self._line: _Line | None = None
        self._drawn_at = float("-inf")
        self._view: View | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, counted: Collection[str], view: View) -> None:
        self._tally.start(counted, view)
        self._view = view
        if self._tally.total:
            self._line = self._opened()
            self._refresh()

    def event(self, event: Event, standing: Standing, view: View) -> None:
        self._tally.apply(event, standing.record)
        news = self._reporter.news(event, standing, self._clock.now())
        if news is not None and news.word not in _UNSAID:
            self._say(news)
        self.tick(view)

    def note(self, message: str) -> None:
        self._above(plain(message))

    def tick(self, view: View) -> None:
        self._view = view
        if self._clock.monotonic() - self._drawn_at >= _SECONDS_BETWEEN:
            self._refresh()

    def end(self) -> None:
        if self._line is not None:
            self._refresh(ended=True)
            self._line.close()
            self._line = None

    def _opened(self) -> _Line:
        return _Line(
            total=self._tally.total,
            initial=self._tally.count("done"),
            file=self._out,
            ncols=self._out.width,
            nrows=20,
            miniters=float("inf"),
            bar_format="{n_fmt}/{total_fmt} {bar} {words}",
        )

    def _say(self, news: News) -> None:
        for line in spoken(news, self._paint):
            self._above(line)

    def _above(self, line: str) -> None:
        if self._line is not None:
            self._line.clear()
        self._out.line(line)
        if self._line is not None:
            self._line.refresh()

    def _refresh(self, *, ended: bool = False) -> None:
        if self._line is None or self._view is None:
            return
        width = self._out.width - _ECHO
        done = f"{self._tally.count('done')}/{self._tally.total}"
        found = pieces(self._tally, self._view, self._clock.now(), ended=ended)
        self._line.n = self._tally.count("done")
        self._line.ncols = width
        self._line.words = fitted(found, width - len(done) - 2 - max(3, width // 6)) + self._erase
        self._line.refresh()
        self._drawn_at = self._clock.monotonic()
