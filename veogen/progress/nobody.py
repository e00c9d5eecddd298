"""Nobody watches; what happens to the run as a whole is said all the same."""

from collections.abc import Collection
from typing import Self

from veogen.executor.desk import View
from veogen.progress.out import Out
from veogen.results.events import Event
from veogen.results.ledger import Standing
from veogen.terminal import plain


class Nobody:
    """Says notes alone: why a run stops is no progress."""

    def __init__(self, out: Out) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def start(self, counted: Collection[str], view: View) -> None:
        """Nobody to tell."""

    def event(self, event: Event, standing: Standing, view: View) -> None:
        """Nobody to tell."""

    def note(self, message: str) -> None:
        self._out.line(plain(message))

    def tick(self, view: View) -> None:
        """Nobody to tell."""

    def end(self) -> None:
        """Nobody to tell."""
