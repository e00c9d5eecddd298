"""The boxes of an MP4: whether all are there, and how much they say that there is.

A file of a megabyte can say that it has fifty million samples. So before a library makes an index
of them the numbers in the head are counted.
"""

import re
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_PIXELS = 8192 * 8192
"""Of one frame: four times what is sold today."""

MOST_SAMPLES = 1_000_000
"""Of all tracks: an hour of pictures and sound has a third of that."""

_MOST_TRACKS = 32
_LARGEST_HEAD = 64 << 20  # bytes of a box whose content is looked at
_HEADER = 8
_LARGE_HEADER = 16
_LARGE, _TO_THE_END = 1, 0
_KIND = re.compile(rb"[ -~]{4}")
_MOST_BOXES = 100_000
_KINDS = frozenset(
    b"ftyp moov mdat moof free skip wide uuid mfra sidx ssix styp meta pdin emsg prft imda".split()
)
_NESTED = frozenset(b"moov trak mdia minf stbl moof traf mvex".split())


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a file: its four letters, where it and its content begin, and where it ends."""

    kind: bytes
    start: int
    content: int
    end: int


class DamagedError(Exception):
    """The file is no whole clip; the message says why."""


@dataclass(frozen=True, slots=True)
class Mp4Structure:
    """What an MP4 calls itself; `listed`: its head lists every sample, none comes in fragments.

    `trailing`: something that is no box stands behind the last one.
    """

    brand: str
    listed: bool
    trailing: bool


def mp4_structure(path: Path) -> Mp4Structure:
    """The outline of an MP4 whose boxes are all there; raises `DamagedError`."""
    size, trailing = path.stat().st_size, False
    boxes: list[Box] = []
    with path.open("rb") as file:
        try:
            boxes.extend(_boxes(file, 0, size))
        except DamagedError:  # those before it are in
            file.seek(boxes[-1].end if boxes else 0)
            is_cut = file.read(_HEADER)[4:] in _KINDS  # as a download may have been
            trailing = {b"moov", b"mdat"} <= {box.kind for box in boxes} and not is_cut
            if not trailing:
                raise
        kinds = [box.kind for box in boxes]
        if kinds[:1] != [b"ftyp"]:
            raise DamagedError("it does not begin like an MP4")
        for kind in (b"moov", b"mdat"):
            if kind not in kinds:
                raise DamagedError(f"its box {kind.decode()} is missing")
        file.seek(boxes[0].content)
        brand = file.read(4).decode("ascii", "replace").strip()
        _Limits(file).look_at(boxes)
    return Mp4Structure(brand, listed=b"moof" not in kinds, trailing=trailing)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    for _ in range(_MOST_BOXES):
        if start == end:
            return
        file.seek(start)
        header = file.read(_LARGE_HEADER)
        length, kind, least = int.from_bytes(header[:4]), header[4:_HEADER], _HEADER
        if length == _LARGE:
            length, least = int.from_bytes(header[_HEADER:]), _LARGE_HEADER
        elif length == _TO_THE_END:
            length = end - start
        if _KIND.fullmatch(kind) is None:
            raise DamagedError(f"what stands at byte {start} is no box")
        if length < least or start + length > end:
            raise DamagedError(f"its box {kind.decode()} is cut short")
        yield Box(kind, start, start + least, start + length)
        start += length
    raise DamagedError("it has too many boxes")


class _Limits:
    """Counts what the head of a file says that there is; raises `DamagedError` beyond measure."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._boxes = 0
        self._tracks = 0
        self._samples = 0

    def look_at(self, boxes: list[Box]) -> None:
        """Look at the boxes, and into those that hold others."""
        for box in boxes:
            self._boxes += 1
            self._tracks += box.kind == b"trak"
            if self._boxes > _MOST_BOXES:
                raise DamagedError("it has too many boxes")
            if self._tracks > _MOST_TRACKS:
                raise DamagedError(f"it has more than {_MOST_TRACKS} tracks")
            if box.kind == b"cmov":
                raise DamagedError("its head is packed")
            if box.kind not in _NESTED:
                self._samples += self._said_by(box)
            elif box.end - box.content > _LARGEST_HEAD:
                raise DamagedError(f"its box {box.kind.decode()} is too large")
            else:
                inner: list[Box] = []
                try:
                    inner.extend(_boxes(self._file, box.content, box.end))
                except DamagedError:
                    if box.kind in (b"moov", b"moof"):
                        raise
                    inner.clear()  # what a library makes of it is bounded by its size
                self.look_at(inner)
            if self._samples > MOST_SAMPLES:
                raise DamagedError(f"its head lists more than {MOST_SAMPLES} samples")

    def _said_by(self, box: Box) -> int:
        """How many samples a table says that there are; two tables of a track count twice."""
        match box.kind:
            case b"stsz" | b"stz2":
                return self._number(box, 8)
            case b"trun":
                return self._number(box, 4)
            case b"stts" | b"ctts":  # pairs of a number of samples and what they have in common
                room = (box.end - box.content - 8) // 8
                pairs = min(self._number(box, 4), room, MOST_SAMPLES)
                self._file.seek(box.content + 8)
                numbers = array("I")
                numbers.frombytes(self._file.read(pairs * 8))
                if sys.byteorder == "little":
                    numbers.byteswap()
                return sum(numbers[::2]) // 2  # beside the sizes of the same samples
            case _:
                return 0

    def _number(self, box: Box, offset: int) -> int:
        self._file.seek(box.content + offset)
        return int.from_bytes(self._file.read(4))
