"""A delivered video: where it is and what was measured in it."""

import re
from collections.abc import Iterable
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from msgspec.structs import replace

_Count: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
_Number: TypeAlias = Annotated[float, Meta(ge=0, le=10**15)]


class Video(Struct, frozen=True, forbid_unknown_fields=True):
    """A video below the run directory: SHA-256 in hex, seconds, pixels, frames a second."""

    path: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    bytes: _Count
    duration: _Number
    width: _Count
    height: _Count
    fps: _Number
    audio: bool
    warnings: tuple[str, ...]

    def __post_init__(self) -> None:
        if not is_video_path(self.path):
            raise ValueError(f"{self.path!r} is no path of a video")

    def at(self, path: str) -> "Video":
        return replace(self, path=path)


def is_video_path(path: str) -> bool:
    """Whether a path stays below `videos/`: a manifest is input and may not point elsewhere."""
    first, *parts = path.split("/")
    return (
        first == "videos"
        and bool(parts)
        and _NO_NAMES.isdisjoint(parts)
        and path.isprintable()
        and "\\" not in path
        and _has_names_for_a_disk(len(path.encode()), parts)
    )


def _has_names_for_a_disk(length: int, parts: Iterable[str]) -> bool:
    if length <= _LONGEST_NAME:
        return True
    return length <= _LONGEST_PATH and all(len(part.encode()) <= _LONGEST_NAME for part in parts)


def by_index(videos: Iterable[Video], hash_: str) -> dict[int, Video]:
    """Videos by their place among those of a task, as their names tell it.

    Of several some may be missing, so the place in the list does not say.
    """
    found: dict[int, Video] = {}
    for place, video in enumerate(videos):
        named = _NUMBERED.search(video.path)
        is_own = named is not None and named[1] == hash_[:10]
        found[int(named[2]) - 1 if named and is_own else place] = video
    return found


_NUMBERED = re.compile(r"-([0-9a-f]{10})-([1-9]\d?)\.mp4$", re.ASCII)
_LONGEST_NAME = 255  # bytes that a disk takes
_LONGEST_PATH = 2048
_NO_NAMES = frozenset({"", ".", ".."})
