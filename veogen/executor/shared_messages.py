"""What calls about a store bring back: a run without one loads nothing more of it than this."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from veogen.errors import VeogenError
from veogen.results.events import VideoSaved


@dataclass(frozen=True, slots=True)
class Followed:
    """What others wrote: the requests that something happened to, or why it cannot be read."""

    hashes: Collection[str] = ()
    error: VeogenError | None = None


@dataclass(frozen=True, slots=True)
class PieceTaken:
    """Whether the budget had a piece left, or why that could not be asked."""

    granted: bool
    error: VeogenError | None = None


@dataclass(frozen=True, slots=True)
class ClipMoved:
    """A clip was put into the store, or, with `fetched`, came from there; or it could not be."""

    event: VideoSaved
    done: bool
    fetched: bool = False


SharedMessage: TypeAlias = Followed | PieceTaken | ClipMoved


class Afford(NamedTuple):
    """Whether a request may be claimed; `wait`: that is being asked, or others may leave some."""

    granted: bool
    wait: bool = False
