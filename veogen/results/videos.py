"""A delivered video: where it is and what was measured in it."""

import re
from collections.abc import Iterable, Mapping
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
            sound = _well_formed(data)
        except (KeyError, TypeError) as error:
            raise ValueError("this is not a video") from error
        if not sound:
            raise ValueError("this is not a video")
        return cls(**{**data, "warnings": tuple(data["warnings"])})

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
_FIELDS = frozenset(Video._fields)
_MOST = 10**15
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _well_formed(data: Mapping[str, Any]) -> bool:
    return (
        data.keys() == _FIELDS
        and isinstance(data["path"], str)
        and is_video_path(data["path"])
        and _SHA256.fullmatch(data["sha256"]) is not None
        and _is_count(data["bytes"])
        and _is_count(data["width"])
        and _is_count(data["height"])
        and _is_number(data["duration"])
        and _is_number(data["fps"])
        and type(data["audio"]) is bool
        and type(data["warnings"]) is list
        and {str}.issuperset(map(type, data["warnings"]))
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= _MOST
