"""One bar for the run, with a line above it for each request that ends."""

import threading
from collections.abc import Collection
from typing import Any, Self

from tqdm import tqdm

from veogen.executor.options import Clock
from veogen.executor.state import RunProgress
from veogen.progress.messages import (
    Messages,
    RunCounts,
    Screen,
    fit_parts,
    message_lines,
    status_parts,
)
from veogen.results.events import Event
from veogen.results.ledger import RequestState
from veogen.text import Paint, plain

_SECONDS_BETWEEN = 0.1
_ERASE = "\x1b[K"  # what stands behind the bar, as the ^C that a terminal echoes
_ECHO = 2
_NARROWEST = 10
"""Columns that the bar takes at least: with fewer tqdm would look for room without end."""
_NOT_WRITTEN = frozenset({"submitted"})


class _TqdmBar(tqdm):  # type: ignore[type-arg]  # generic for the type checker alone
    """tqdm's bar with our words behind it: as a field they cannot be taken for a format."""

    monitor_interval = 0  # the run ticks by itself: no thread beside it
    words = ""

    @property
    def format_dict(self) -> Any:
        return {**super().format_dict, "words": self.words}


_TqdmBar.set_lock(threading.RLock())  # a lock between processes is not needed


class Bar:
    """Draws while a run goes on; leaving it as a context leaves the last state on the screen."""

    def __init__(
        self, screen: Screen, clock: Clock, messages: Messages, paint: Paint, *, erase: bool
    ) -> None:
        self._screen = screen
        self._clock = clock
        self._messages = messages
        self._paint = paint
        self._erase = _ERASE if erase else ""
        self._counts = RunCounts(messages.retries)
        self._bar: _TqdmBar | None = None
        self._drawn_at = float("-inf")
        self._view: RunProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, counted: Collection[str], view: RunProgress) -> None:
        self._counts.start(counted, view)
        self._view = view
        if self._counts.total:
            self._bar = _TqdmBar(
                total=self._counts.total,
                initial=self._counts.count("done"),
                file=self._screen,
                ncols=max(self._screen.width, _NARROWEST),
                nrows=20,
                miniters=float("inf"),
                bar_format="{n_fmt}/{total_fmt} {bar} {words}",
            )
            self._refresh()

    def event(self, event: Event, state: RequestState, view: RunProgress) -> None:
        self._counts.apply(event, state.record)
        message = self._messages.message(event, state, self._clock.now())
        if message is not None and message.word not in _NOT_WRITTEN:
            for line in message_lines(message, self._paint):
                self._above(line)
        self.tick(view)

    def note(self, message: str) -> None:
        self._above(plain(message))

    def tick(self, view: RunProgress) -> None:
        self._view = view
        if self._clock.monotonic() - self._drawn_at >= _SECONDS_BETWEEN:
            self._refresh()

    def end(self) -> None:
        if self._bar is not None and self._view is not None:
            self._counts.end(self._view)
            self._refresh(ended=True)
            self._bar.close()
            self._bar = None

    def _above(self, line: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        self._screen.line(line)
        if self._bar is not None:
            self._bar.refresh()

    def _refresh(self, *, ended: bool = False) -> None:
        if self._bar is None or self._view is None:
            return
        width = max(self._screen.width - _ECHO, _NARROWEST)
        done = f"{self._counts.count('done')}/{self._counts.total}"
        parts = status_parts(self._counts, self._view, self._clock.now(), ended=ended)
        self._bar.n = self._counts.count("done")
        self._bar.ncols = width
        self._bar.words = fit_parts(parts, width - len(done) - 2 - max(3, width // 6)) + self._erase
        self._bar.refresh()
        self._drawn_at = self._clock.monotonic()
