"""Bringing one video of a task home, as the runner sees it."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from veogen.results.entries import Entry
from veogen.results.videos import Video


@dataclass(frozen=True, slots=True)
class Broken:
    """A delivery that failed; with `retry` a fresh link or another try may still bring it."""

    code: str
    message: str
    retry: bool = True


@dataclass(frozen=True, slots=True)
class NoSpace:
    """The disk is full."""

    message: str


Brought: TypeAlias = Video | Broken | NoSpace


class Courier(Protocol):
    """Downloads and verifies; knows nothing of tasks or money."""

    def bring(self, entry: Entry, index: int, of: int, link: str) -> Brought:
        """Bring video `index` (from 0) of `of` home from its link."""
        ...
