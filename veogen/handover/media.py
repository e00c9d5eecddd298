"""What other tools are told of exported clips, and the clips of a timeline made of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veogen.results.picks import ClipState, Opinion


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One exported clip: `name` is its path below the folder of the export, with `/`.

    `combination` is its address without the take. Seconds, frames a second, pixels.
    """

    name: str
    address: str
    combination: str
    clip: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Any]
    model: str
    prompt: str
    credits: str | None
    state: ClipState
    opinions: Sequence[Opinion]
    duration: float
    fps: float
    width: int
    height: int
    audio: bool

    @property
    def rate(self) -> float:
        """Frames a second; where a clip says none, as many as films have."""
        return self.fps if self.fps > 0 else 24.0

    @property
    def frames(self) -> int:
        """How many frames it has; a clip has one at least."""
        return max(1, round(self.duration * self.rate))

    @property
    def is_picked(self) -> bool:
        """Whether it is chosen, be it of an earlier plan."""
        return self.state in ("picked", "stale")

    @property
    def notes(self) -> list[str]:
        """What people wrote about it, with their names."""
        return [f"{o.by}: {o.note}" if o.note else f"{o.by}: {o.verdict}" for o in self.opinions]


@dataclass(frozen=True, slots=True)
class TimelineClip:
    """A combination in a timeline: all exported takes and videos of it, one of them active."""

    combination: str
    media: tuple[Media, ...]

    @property
    def active(self) -> Media:
        """The first that is picked, else the first."""
        return next((media for media in self.media if media.is_picked), self.media[0])


def timeline_clips(exported: Iterable[Media]) -> tuple[TimelineClip, ...]:
    """The clips of a timeline, in the order in which their combinations come first."""
    by_combination: dict[str, list[Media]] = {}
    for media in exported:
        by_combination.setdefault(media.combination, []).append(media)
    return tuple(TimelineClip(name, tuple(media)) for name, media in by_combination.items())
