"""A delivered video: where it is and what was measured in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple


class Video(NamedTuple):
    """A video below the run directory: SHA-256 in hex, seconds, pixels, frames a second."""

    path: str
    sha256: str
    bytes: int
    duration: float
    width: int
    height: int
    fps: float
    audio: bool
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "warnings": list(self.warnings)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Video":
        """The video as a manifest or journal has it; raises `ValueError` for a wrong one."""
        try:
            *measured, warnings = _VALUES(data)
            if len(data) == len(cls._fields) and _is_sound(measured) and _are_words(warnings):
                return cls._make((*measured, tuple(warnings)))
        except (KeyError, TypeError) as error:
            raise ValueError("this is not a video") from error
        raise ValueError("this is not a video")

    def at(self, path: str) -> "Video":
        return self._replace(path=path)


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
_VALUES = itemgetter(*Video._fields)
_MOST = 10**15
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _is_sound(measured: Sequence[Any]) -> bool:
    """Whether a video's values are of their types and in their limits, but for its warnings."""
    path, sha256, size, duration, width, height, fps, audio = measured
    return (
        isinstance(path, str)
        and is_video_path(path)
        and _SHA256.fullmatch(sha256) is not None
        and _is_count(size)
        and _is_count(width)
        and _is_count(height)
        and _is_number(duration)
        and _is_number(fps)
        and type(audio) is bool
    )


def _are_words(warnings: Any) -> bool:
    return type(warnings) is list and {str}.issuperset(map(type, warnings))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= _MOST
