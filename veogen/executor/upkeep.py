"""The files of a run directory put in step with the plan: renamed, or found to be gone."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from veogen.results.events import Event, Missing, Moved
from veogen.results.ledger import Ledger, Standing
from veogen.results.videos import Video


def renamed(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Move the clips of renamed requests to their new names."""
    for standing in ledger.planned:
        for index, video in standing.record.videos.items():
            wanted = standing.entry.path(index, len(standing.record.videos))
            if video.path != wanted and _move(directory, video, wanted):
                yield Moved(standing.record.hash, index, wanted)


def deleted(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Say which clips that were delivered here are no longer on disk."""
    for standing in ledger.everything:
        yield from _missing(standing, directory)


def _move(directory: Path, video: Video, wanted: str) -> bool:
    """Whether the clip stands under its new name; one that is there is never overwritten."""
    old, new = directory / video.path, directory / wanted
    if not (_is_inside(old, directory) and _is_inside(new, directory)):
        return False
    if new.exists():
        return sha256(new) == video.sha256
    if not old.exists():
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    os.link(old, new, follow_symlinks=False)
    old.unlink()
    return True


def _is_inside(path: Path, directory: Path) -> bool:
    """Whether no link on the way to a file leads out of the run directory."""
    return path.parent.resolve().is_relative_to(directory.resolve()) and not path.is_symlink()


def _missing(standing: Standing, directory: Path) -> Iterator[Event]:
    record = standing.record
    if record.status == "completed" and not record.elsewhere:
        for index, video in record.videos.items():
            if not (directory / video.path).exists():
                yield Missing(record.hash, index)


def sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
