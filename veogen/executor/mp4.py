"""What is in a clip: measured when it is delivered, and compared with what was asked for."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from veogen.executor.mp4_boxes import MOST_PIXELS, DamagedError, Mp4Structure, mp4_structure

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from veogen.models.model import ExpectedClip

DURATION_TOLERANCE = 0.5
"""Seconds. A clip is a whole number of frames, and its sound begins a little before it: that is
less than a tenth of a second. The lengths that are sold are two seconds apart."""

_LONGEST = 10**6
"""Seconds, and frames a second: what says more, or less than none, measures nothing."""

_RATIO_TOLERANCE = 0.02
_HOLE = bytes(256)
"""What was never written is missing by the sector, of 512 bytes: a longer row of zeros is found in
less time, and a sector that does not leave one takes the length of a unit with it."""

_UNPROBED = {"probesize": "32", "codec_whitelist": "none"}
"""The boxes of an MP4 say what is in it: decoders that probe it too would take half of the time."""

_QUARTER_TURNS = (90, 270)
_CUT_SHORT, _GARBLED = "a sample is cut short", "a frame is garbled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipInfo:
    """What was measured: seconds, pixels as shown, frames a second.

    `trailing`: something stands behind the last box. Of one that is not `measured`, as that took
    too much, there are zeros.
    """

    brand: str
    codec: str
    duration: float
    width: int
    height: int
    fps: float
    audio: bool
    trailing: bool = False
    measured: bool = True

    @classmethod
    def unmeasured(cls, structure: Mp4Structure) -> Self:
        """What is known of a clip whose boxes are all there, and no more."""
        return cls(
            brand=structure.brand,
            codec="",
            duration=0.0,
            width=0,
            height=0,
            fps=0.0,
            audio=False,
            trailing=structure.trailing,
            measured=False,
        )


def probe(path: Path) -> ClipInfo | str:
    """The facts of a clip that is whole, or why it is not."""
    from av.error import FFmpegError  # noqa: PLC0415 - dear, and wanted only where one is looked at

    try:
        return _probed(path)
    except MemoryError:  # which is one of the library's as well, and says nothing of the clip
        raise
    except DamagedError as damage:
        return str(damage)
    except (FFmpegError, ValueError, OverflowError, ZeroDivisionError) as error:
        return f"it cannot be read: {getattr(error, 'strerror', None) or error}"


def mismatches(info: ClipInfo, expected: "ExpectedClip") -> tuple[str, ...]:
    """What differs from what the request should have made: each a word for a warning."""
    if not info.measured:
        return ("unmeasured",)
    low, high = expected.seconds or (info.duration, info.duration)
    size = max(info.width, info.height), min(info.width, info.height)
    wide, tall = expected.ratio or (info.width, info.height)  # about: sizes are whole, even pixels
    differs = {
        "duration": not low - DURATION_TOLERANCE <= info.duration <= high + DURATION_TOLERANCE,
        "size": bool(expected.sizes) and size not in expected.sizes,
        "ratio": info.width * info.height > 0
        and abs(info.width / info.height * tall / wide - 1) > _RATIO_TOLERANCE,
        "audio": expected.audio is not None and info.audio is not expected.audio,
    }
    return tuple(word for word, is_so in differs.items() if is_so)


def _probed(path: Path) -> ClipInfo:
    import av  # noqa: PLC0415 - dear as well

    structure = mp4_structure(path)
    # The format is given: left to guess, the library would follow a playlist anywhere.
    with av.open(f"file:{path.absolute()}", format="mp4", options=_UNPROBED) as container:
        if not container.streams.video:
            raise DamagedError("there is no picture in it")
        stream = container.streams.video[0]
        context = getattr(stream, "codec_context", None)  # the library's types do not say so
        if context is None:
            raise DamagedError("its picture is of no known kind")
        if context.width * context.height > MOST_PIXELS:
            raise DamagedError(f"a frame has more than {MOST_PIXELS} pixels")
        # A frame may be larger than the head says: the decoder refuses it then.
        context.options = {"max_pixels": str(MOST_PIXELS)}
        if structure.listed:
            _look_at_listed(container, stream, path)
        turned = _read(container, stream, only_a_frame=structure.listed)
        return _clip_info(container, stream, structure, turned=turned)


def _clip_info(
    container: "InputContainer", stream: "VideoStream", structure: Mp4Structure, *, turned: bool
) -> ClipInfo:
    width, height = stream.codec_context.width, stream.codec_context.height
    if not (width and height):
        raise DamagedError("its picture has no size")
    duration, fps = (container.duration or 0) / 1_000_000, float(stream.average_rate or 0)
    if stream.duration is not None and stream.time_base is not None:
        duration = float(stream.duration * stream.time_base)
    if not (0 <= duration <= _LONGEST and 0 <= fps <= _LONGEST):
        raise DamagedError("its length is beyond measure")
    return ClipInfo(
        brand=structure.brand,
        codec=stream.codec_context.name,
        duration=round(duration, 3),
        width=height if turned else width,
        height=width if turned else height,
        fps=round(fps, 3),
        audio=bool(container.streams.audio),
        trailing=structure.trailing,
    )


def _look_at_listed(container: "InputContainer", stream: "VideoStream", path: Path) -> None:
    """Look at every sample where it is listed to be, which takes a third of asking for each."""
    prefix = _prefix(stream)
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        for track in container.streams:
            for entry in track.index_entries:
                if entry.size < 0 or not 0 <= entry.pos <= size - entry.size:
                    raise DamagedError(_CUT_SHORT)
                if track.index == stream.index and prefix and entry.size:
                    _look_at(os.pread(file.fileno(), entry.size, entry.pos), prefix)


def _read(container: "InputContainer", stream: "VideoStream", *, only_a_frame: bool) -> bool:
    """Show the first frame, and read every sample but where `only_a_frame` is wanted.

    Whether the picture is turned by a quarter.
    """
    prefix = 0 if only_a_frame else _prefix(stream)
    stream.codec_context.thread_count = 1  # for one frame: more would cost more than they bring
    turned: bool | None = None
    samples = 0
    for packet in container.demux():
        if packet.size == 0:  # the end of a stream
            continue
        if packet.is_corrupt:
            raise DamagedError(_CUT_SHORT)
        if packet.stream.index != stream.index:
            continue
        samples += 1
        if prefix:
            _look_at(bytes(packet), prefix)
        if turned is None:
            frames = stream.codec_context.decode(packet)
            turned = frames[0].rotation % 360 in _QUARTER_TURNS if frames else None
        if only_a_frame and turned is not None:
            break
    if not samples:
        raise DamagedError("there is no frame in it")
    return bool(turned)


def _prefix(stream: "VideoStream") -> int:
    """How many bytes give the length of each unit of a sample; 0 where there are none."""
    head = stream.codec_context.extradata or b""
    at = {"h264": 4, "hevc": 21}.get(stream.codec_context.name, len(head))
    return (head[at] & 3) + 1 if len(head) > at and head[0] == 1 else 0


def _look_at(sample: bytes, prefix: int) -> None:
    """Refuse a sample whose units are not there or end elsewhere: so it is of holes and splices.

    The format keeps zeros in a row out of a unit; only some encoders pad its end with them.
    """
    at, holes = 0, _HOLE in sample
    while at < len(sample):
        begin = at + prefix
        length = int.from_bytes(sample[at:begin])
        at = begin + length
        if length == 0 or (holes and _HOLE in sample[begin:at].rstrip(b"\0")):
            raise DamagedError(_GARBLED)
    if at != len(sample):
        raise DamagedError(_GARBLED)
