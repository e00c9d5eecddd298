"""The text under a clip: which prompt, seed and task it is, in the largest type that fits."""

import textwrap
from collections.abc import Sequence

from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFont

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
