"""The files of a run directory put in step with the plan: renamed, found, or found to be gone."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from veogen.executor.places import is_inside, put_in_place
from veogen.results.events import Delivered, Event, Missing, Moved
from veogen.results.ledger import Ledger
from veogen.results.videos import Video


def renamed(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Move the clips of renamed requests to their new names."""
    for entry, record in ledger.planned:
        for index, video in record.videos.items():
            wanted = entry.path(index, len(record.videos))
            if video.path != wanted and _move(directory, video, wanted):
                yield Moved(record.hash, index, wanted)


def found(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Adopt the clips of other machines of which the very files are here."""
    for _, record in ledger.everything:
        if record.away and record.status == "completed":
            for index in sorted(record.away):
                video = record.videos[index]
                path = directory / video.path
                if _is_inside(path, directory) and is_clip(path, video):
                    yield Delivered(record.hash, index, video)


def deleted(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Say which clips that were delivered here are no longer on disk."""
    files = _Files(directory)
    for _, record in ledger.everything:
        if record.status == "completed":
            for index, video in record.videos.items():
                if index not in record.away and not files.has(video.path):
                    yield Missing(record.hash, index)


def _move(directory: Path, video: Video, wanted: str) -> bool:
    """Whether the clip stands under its new name; one that is there is never overwritten."""
    old, new = directory / video.path, directory / wanted
    if not (_is_inside(old, directory) and _is_inside(new, directory)):
        return False
    try:
        if not os.path.lexists(new):
            if not old.is_file():
                return False
            new.parent.mkdir(parents=True, exist_ok=True)
            put_in_place(old, new)
        elif not is_clip(new, video):
            return False
        if old.exists() and old.samefile(new) and not _is_one_name(old, new):
            old.unlink()
    except OSError:  # it keeps its old name, on disk and on record
        return False
    return True


def _is_one_name(one: Path, other: Path) -> bool:
    """Whether both are one name of a file: through a linked folder, or where case is ignored."""
    alike = one.name.casefold() == other.name.casefold()
    return alike and one.parent.samefile(other.parent)


def _is_inside(path: Path, directory: Path) -> bool:
    """Whether no link on the way to a file leads out of the run directory."""
    return is_inside(path.parent, directory) and not path.is_symlink()


class _Files:
    """Which files are there: each folder is read once, what it does not have is looked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folders: set[str] = set()
        self._found: set[str] = set()

    def has(self, path: str) -> bool:
        if path in self._found:
            return True
        folder, _, _ = path.rpartition("/")
        if folder not in self._folders:
            self._folders.add(folder)
            self._found.update(self._in(folder))
        return path in self._found or (self._directory / path).exists()

    def _in(self, folder: str) -> Iterator[str]:
        with contextlib.suppress(OSError), os.scandir(self._directory / folder) as entries:
            yield from (f"{folder}/{e.name}" for e in entries if e.is_file(follow_symlinks=False))


def is_clip(path: Path, video: Video) -> bool:
    """Whether a file has the very bytes of a video."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size != video.bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == video.sha256
    except OSError:
        return False
