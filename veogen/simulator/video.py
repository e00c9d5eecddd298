"""Pictures from a seed, and real clips of them: H.264 at 24 fps, AAC where audio is asked for."""

import asyncio
import hashlib
import io
import math
import os
import struct
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

import av
from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

_INK = (245, 245, 245)
_PANEL = (18, 18, 22)


def caption(size: tuple[int, int], lines: Sequence[str]) -> Image.Image:
    """A panel as wide as the frame and at most half as high."""
    rows, points = fitted(size, [legible(line) for line in lines])
    step, font = _step(points), ImageFont.load_default(points)
    panel = Image.new("RGB", (size[0], _height(len(rows), points)), _PANEL)
    pen = ImageDraw.Draw(panel)
    for number, row in enumerate(rows):
        pen.text((step, step // 2 + number * step), row, font=font, fill=_INK)
    return panel


def fitted(size: tuple[int, int], lines: Sequence[str]) -> tuple[list[str], int]:
    """The rows of a caption and their size in points; the first line gives way to the others."""
    width, height = size
    smallest = max(9, min(size) // 55)
    for points in range(max(14, min(size) // 22), smallest, -2):
        rows = _wrapped(lines, width, points)
        if _height(len(rows), points) <= height // 2:
            return rows, points
    rows, rest = (_wrapped(some, width, smallest) for some in (lines, lines[1:]))
    room = height // 2 // _step(smallest) - 1
    if len(rows) > room:
        rows = [*rows[: room - len(rest) - 1], "...", *rest]
    return rows, smallest


def legible(text: str) -> str:
    """`text` in the letters that the font has: those of other scripts are written by sound."""
    return anyascii(text)


def _wrapped(lines: Sequence[str], width: int, points: int) -> list[str]:
    columns = max(8, int((width - 2 * points) / (points * 0.55)))
    return [
        row
        for line in lines
        for row in textwrap.wrap(line, columns, break_on_hyphens=False) or [""]
    ]


def _height(rows: int, points: int) -> int:
    """Even, since colour is kept for every other row of a picture."""
    height = _step(points) * (rows + 1)
    return height + height % 2


def _step(points: int) -> int:
    return points * 5 // 4


Fit: TypeAlias = Literal["pad", "crop"]
Size: TypeAlias = tuple[int, int]

_COARSE = 6  # the pattern is drawn small and enlarged: soft, and cheap to encode
_BLOBS = 14
_PIXELS = 50_000_000


class UnusableImageError(Exception):
    """An image that no clip can start from."""


@dataclass(frozen=True, slots=True)
class ClipPicture:
    """A canvas wider than the frame, a caption that stands still over it, and where it stands."""

    canvas: Image.Image
    caption: Image.Image
    caption_top: int

    @property
    def travel(self) -> int:
        """How far the frame may move to the right over the canvas."""
        return self.canvas.width - self.caption.width


def draw(
    size: Size, identity: bytes, lines: Sequence[str], stills: Sequence[Image.Image]
) -> ClipPicture:
    """A clip's picture: `identity` decides the shapes, `stills` where it starts and ends."""
    below, (width, height) = caption(size, lines), size
    canvas = Image.new("RGB", (width * 2 if len(stills) > 1 else width * 3 // 2, height))
    canvas.paste(_pattern(identity, canvas.size))
    for image, left in zip(stills[:2], (0, canvas.width - width), strict=False):
        canvas.paste(image, (left, 0))
    return ClipPicture(canvas, below, height - below.height)


def still(data: bytes, size: Size, fit: Fit) -> Image.Image:
    """An image as a frame of a clip; raises `UnreadableError`."""
    with _opened(data) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return ImageOps.pad(upright, size) if fit == "pad" else ImageOps.fit(upright, size)


def size_of(data: bytes) -> Size:
    """Width and height of an image; raises `UnreadableError`."""
    with _opened(data) as image:
        return ImageOps.exif_transpose(image).size


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _PIXELS:
                raise UnusableImageError("an image has too many pixels")
            yield image
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UnusableImageError(f"an image cannot be read: {error}") from None


def _pattern(identity: bytes, size: Size) -> Image.Image:
    numbers = hashlib.shake_256(identity).digest(6 + 6 * _BLOBS)
    coarse = (max(2, size[0] // _COARSE), max(2, size[1] // _COARSE))
    image = Image.new("RGB", (2, 1))
    image.putdata([tuple(numbers[0:3]), tuple(numbers[3:6])])
    image = image.resize(coarse, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(image)
    for start in range(6, len(numbers), 6):
        x, y, radius, *colour = numbers[start : start + 6]
        pen.circle(
            (x * coarse[0] // 255, y * coarse[1] // 255),
            min(coarse) * (40 + radius) // 1000,
            fill=(colour[0], colour[1], colour[2]),
        )
    return image.filter(ImageFilter.GaussianBlur(1)).resize(size, Image.Resampling.BICUBIC)


FPS = 24
_RATE = 48_000
_SAMPLES = 1024  # of one AAC frame
_MARK = "SIMULATED by veogen: not a clip of the gateway"
_X264 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30", "g": str(FPS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedClip:
    """What one clip is made of; equal values make equal bytes."""

    task: str
    prompt: str
    seed: int
    size: Size
    seconds: int
    audio: bool
    number: int = 1
    of: int = 1
    stills: tuple[bytes, ...] = ()
    fit: Fit = "pad"
    container: Literal["mp4", "mov"] = "mp4"

    @property
    def identity(self) -> bytes:
        """What decides how it looks and sounds: prompt and seed, and which of several it is."""
        return hashlib.sha256(f"{self.seed}/{self.number}/{self.prompt}".encode()).digest()

    @property
    def lines(self) -> tuple[str, str, str]:
        which = f", clip {self.number} of {self.of}" if self.of > 1 else ""
        return self.prompt, f"seed {self.seed}{which}, {self.seconds} s", f"SIMULATED {self.task}"


class AbandonedError(Exception):
    """Nobody waits for this clip any more."""


def render(clip: SimulatedClip, path: Path, abandoned: Callable[[], bool] = lambda: False) -> None:
    """Write `clip` to `path`; raises `AbandonedError` soon after `abandoned` says so."""
    stills = [still(data, clip.size, clip.fit) for data in clip.stills]
    picture = draw(clip.size, clip.identity, clip.lines, stills)
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format=clip.container, options=options) as container:
        container.metadata["comment"] = _MARK
        video = container.add_stream("libx264", rate=FPS, options=_X264)
        video.width, video.height = clip.size
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1  # clips are made side by side, and bytes must not vary
        video.codec_context.flags |= av.codec.context.Flags.bitexact
        audio = container.add_stream("aac", rate=_RATE, layout="mono") if clip.audio else None
        if audio is not None:
            audio.codec_context.flags |= av.codec.context.Flags.bitexact
            for sound in _sounds(clip):
                container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
        for frame in _frames(clip, picture):
            if abandoned():
                raise AbandonedError
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def _frames(clip: SimulatedClip, picture: ClipPicture) -> Iterator[av.VideoFrame]:
    canvas, caption = _planes(picture.canvas), _planes(picture.caption)
    total = clip.seconds * FPS
    for number in range(total):
        frame = av.VideoFrame(*clip.size, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        left = picture.travel * number // (total - 1) // 2 * 2
        done = clip.size[0] * (number + 1) // total
        for index, plane in enumerate(frame.planes):
            scale = 1 if index == 0 else 2
            width, height, start = plane.line_size, plane.height, left // scale
            image = canvas[index].crop((start, 0, start + width, height))
            image.paste(caption[index], (0, picture.caption_top // scale))
            if index == 0:  # a bright line that grows as time goes by
                image.paste(235, (0, picture.caption_top - 6, done, picture.caption_top))
            plane.update(image.tobytes())
        yield frame


def _planes(image: Image.Image) -> Sequence[Image.Image]:
    rgb = av.VideoFrame(image.width, image.height, "rgb24")
    rgb.planes[0].update(image.crop((0, 0, rgb.planes[0].line_size // 3, image.height)).tobytes())
    frame = rgb.reformat(format="yuv420p")
    return [
        Image.frombytes("L", (plane.line_size, plane.height), bytes(plane))
        for plane in frame.planes
    ]


def _sounds(clip: SimulatedClip) -> Iterator[av.AudioFrame]:
    second = _tone(220 + 20 * (clip.identity[0] % 24))
    samples = second * clip.seconds
    for start in range(0, clip.seconds * _RATE, _SAMPLES):
        piece = samples[4 * start : 4 * (start + _SAMPLES)]
        frame = av.AudioFrame(format="flt", layout="mono", samples=len(piece) // 4)
        frame.planes[0].update(piece)
        frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
        yield frame


@lru_cache(maxsize=32)
def _tone(hertz: int) -> bytes:
    """One second of a soft tone that swells and fades, so that it repeats without a click."""
    step = 2 * math.pi * hertz / _RATE
    swell = math.pi / _RATE
    return struct.pack(
        f"<{_RATE}f", *(0.1 * math.sin(swell * i) * math.sin(step * i) for i in range(_RATE))
    )


class NotMadeError(Exception):
    """A clip could not be made: no room on the disk, or the encoder gave up."""


@dataclass(frozen=True, slots=True)
class EncodedClip:
    """A clip on disk, ready to be fetched."""

    path: Path
    size: int
    etag: str


class ClipEncoder:
    """Makes clips in threads, where the encoder works without Python's lock.

    With `shared` one clip serves all of the same size, length and sound.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._folder = folder
        self._shared = shared
        self._by_shape: dict[tuple[Size, int, bool], Future[EncodedClip]] = {}
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="simulator-clip")

    def start(self, clips: Sequence[SimulatedClip]) -> "asyncio.Future[list[EncodedClip]]":
        """Begin to make `clips` now, in order of arrival."""
        futures = []
        for clip in clips:
            shape = (clip.size, clip.seconds, clip.audio)
            future = self._by_shape.get(shape)
            if future is None:
                future = self._pool.submit(self._encode, clip)
            if self._shared:
                self._by_shape[shape] = future
            futures.append(asyncio.wrap_future(future))
        made = asyncio.gather(*futures)
        # Nobody may wait for it any more when it fails, and asyncio warns of what nobody looks at.
        made.add_done_callback(lambda made: made.cancelled() or made.exception())
        return made

    def close(self) -> None:
        """Give up what is being made."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def _encode(self, clip: SimulatedClip) -> EncodedClip:
        if self._shared:
            size = f"{clip.size[0]}x{clip.size[1]}"
            path = self._folder / f"{size}-{clip.seconds}-{clip.audio}.mp4"
            path.write_bytes(_shared_clip(clip.size, clip.seconds, audio=clip.audio))
            return _encoded(path)
        path = self._folder / f"{clip.task}-{clip.number}.mp4"
        try:
            render(clip, path, self._stopped.is_set)
            return _encoded(path)
        except (OSError, av.FFmpegError) as error:
            raise NotMadeError(f"the simulator could not make a clip: {error}") from error


def _encoded(path: Path) -> EncodedClip:
    data = path.read_bytes()
    return EncodedClip(path, len(data), hashlib.sha256(data).hexdigest()[:32])


@lru_cache(maxsize=8)
def _shared_clip(size: Size, seconds: int, *, audio: bool) -> bytes:
    """The clip that all of one shape share."""
    clip = SimulatedClip(
        task="one clip for all of this shape",
        prompt="",
        seed=1,
        size=size,
        seconds=seconds,
        audio=audio,
    )
    with TemporaryDirectory(prefix="veogen-simulator-") as folder:
        path = Path(folder) / "clip.mp4"
        render(clip, path)
        return path.read_bytes()
