"""The ends of a clip as pictures, to start a next shot from."""

from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from veogen.errors import VeogenError

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
