"""A picture of each clip, small enough to stand in the page: the first paint shows the work.

Pictures are kept beside the clips by what the clips are, so that the next page finds them.
"""

import base64
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

from veogen.executor.directory import write_whole
from veogen.handover.media import picture_stream

FOLDER = ".posters"

_FEW, _LARGE, _SMALL = 600, 320, 224
"""Up to so many clips a picture has so many pixels across; a page of more has smaller ones."""
_AT = 3  # a third of the way in: the first frame of many a clip is dark
_MOST_PIXELS = 64_000_000


def poster_width(clips: int) -> int:
    """How wide the pictures of a page of so many clips are, in pixels."""
    return _LARGE if clips <= _FEW else _SMALL


class Posters:
    """Makes pictures of clips, and keeps them in a folder below the run directory."""

    def __init__(self, run: Path, width: int) -> None:
        self._folder, self._width = run / FOLDER, width

    def data_url(self, clip: Path, sha256: str) -> str | None:
        """The picture of a clip that is here, as a browser takes it; None if it has none."""
        picture = self.picture(clip, sha256)
        if not picture:
            return None
        return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"

    def picture(self, clip: Path, sha256: str) -> bytes:
        """The picture as WebP; empty for a clip that shows nothing."""
        place = self._folder / f"{sha256[:32]}-{self._width}.webp"
        try:
            return place.read_bytes()
        except OSError:
            picture = _picture(clip, self._width)
        with suppress(OSError):  # a run directory that cannot be written to is looked at as well
            self._folder.mkdir(exist_ok=True)
            write_whole(place, picture)
        return picture


def _picture(clip: Path, width: int) -> bytes:
    import av  # noqa: PLC0415 - heavy

    try:
        with av.open(str(clip)) as container:
            frame = _frame(container)
            across = min(width, frame.width)
            down = max(1, round(frame.height * across / frame.width))
            data = io.BytesIO()
            frame.to_image(width=across, height=down).save(data, "WEBP", quality=50, method=2)
            return data.getvalue()
    except (av.FFmpegError, ValueError):
        return b""


def _frame(container: Any) -> Any:
    """The frame to show: the key frame nearest before a third of the clip, else the first."""
    stream = picture_stream(container)
    stream.codec_context.thread_count = 1
    if stream.codec_context.width * stream.codec_context.height > _MOST_PIXELS:
        raise ValueError("too large to be a clip")
    if stream.duration is not None:
        container.seek((stream.start_time or 0) + stream.duration // _AT, stream=stream)
    frame = next(container.decode(stream), None)
    if frame is None:
        container.seek(0)
        frame = next(container.decode(stream), None)
    if frame is None:
        raise ValueError("a clip without pictures")
    return frame
