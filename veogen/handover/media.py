"""What other tools are told of exported clips, those of a timeline, their first and last frames."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from veogen.errors import VeogenError
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


End: TypeAlias = Literal["first", "last"]
ENDS: tuple[End, ...] = get_args(End)

_BEFORE_THE_END = 2.0  # seconds that are decoded to find the last frame, more if there is none


class NoFrameError(VeogenError):
    """A clip that has no frame which can be read."""


def frame_name(name: str, end: End) -> str:
    """`NAME-first.png` beside `NAME.mp4`."""
    return f"{name.removesuffix('.mp4')}-{end}.png"


def write_frame(clip: Path, end: End, place: Path) -> None:
    """Write the first or last frame of a clip as PNG; raises `NoFrameError`."""
    import av  # noqa: PLC0415 - heavy

    try:
        with av.open(str(clip)) as container:
            stream = picture_stream(container)
            frame = next(container.decode(stream), None) if end == "first" else _last(container)
            if frame is not None:
                frame.to_image().save(place, "PNG")
    except (av.FFmpegError, ValueError) as error:
        raise NoFrameError(f"{clip}: it has no frame that can be read ({error})") from None
    if frame is None:
        raise NoFrameError(f"{clip}: it has no frame that can be read")


def picture_stream(container: Any) -> Any:
    """The first stream of pictures; raises `ValueError` where none can be decoded."""
    stream = next(iter(container.streams.video), None)
    if stream is None or stream.codec_context is None:
        raise ValueError("no pictures")
    return stream


def _last(container: Any) -> Any:
    """The last frame: from shortly before the end, from the beginning if there is none."""
    stream = picture_stream(container)
    if stream.duration is not None and stream.time_base is not None:
        start = stream.start_time or 0
        back = int(_BEFORE_THE_END / stream.time_base)
        container.seek(max(start, start + stream.duration - back), stream=stream)
    last = _latest(container, stream)
    if last is None:
        container.seek(0)
        last = _latest(container, stream)
    return last


def _latest(container: Any, stream: Any) -> Any:
    """The frame that is shown last of those that follow."""
    last = None
    for frame in container.decode(stream):
        if last is None or (frame.pts or 0) >= (last.pts or 0):
            last = frame
    return last
