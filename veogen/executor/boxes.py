"""The outermost structure of an MP4: cheap to walk, and where a file that was cut short shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_HEADER = 8
_LARGE_HEADER = 16
_LARGE, _TO_THE_END = 1, 0
_KIND = re.compile(rb"[ -~]{4}")
_MOST_BOXES = 100_000


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a file: its four letters, and where it begins and ends."""

    kind: bytes
    start: int
    end: int


class DamagedError(Exception):
    """The file is no whole clip; the message says why."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What an MP4 calls itself; `listed`: its head lists every sample, none comes in fragments."""

    brand: str
    listed: bool


def outline(path: Path) -> Outline:
    """The outline of an MP4 whose boxes are all there; raises `DamagedError`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        boxes = list(_boxes(file, size))
        kinds = [box.kind for box in boxes]
        if kinds[:1] != [b"ftyp"]:
            raise DamagedError("it does not begin like an MP4")
        for kind in (b"moov", b"mdat"):
            if kind not in kinds:
                raise DamagedError(f"its box {kind.decode()} is missing")
        file.seek(boxes[0].start + _HEADER)
        brand = file.read(4).decode("ascii", "replace").strip()
    return Outline(brand, listed=b"moof" not in kinds)


def _boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    start = 0
    for _ in range(_MOST_BOXES):
        if start == size:
            return
        box = _box(file, start, size)
        yield box
        start = box.end
    raise DamagedError("it has too many boxes")


def _box(file: BinaryIO, start: int, size: int) -> Box:
    file.seek(start)
    header = file.read(_LARGE_HEADER)
    length, kind, least = int.from_bytes(header[:4]), header[4:_HEADER], _HEADER
    if length == _LARGE:
        length, least = int.from_bytes(header[_HEADER:]), _LARGE_HEADER
    elif length == _TO_THE_END:
        length = size - start
    if _KIND.fullmatch(kind) is None:
        raise DamagedError(f"what stands at byte {start} is no box")
    if length < least or start + length > size:
        raise DamagedError(f"its box {kind.decode()} is cut short")
    return Box(kind, start, start + length)
