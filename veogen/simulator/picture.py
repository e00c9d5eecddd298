"""What a simulated clip looks like: a canvas to pan over and a caption, drawn once a clip."""

import hashlib
import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

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
