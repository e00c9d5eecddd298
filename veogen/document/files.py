"""Where specs, templates, rows and images are read from: a folder, never outside its root."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from veogen.document.problems import nearest
from veogen.errors import VeogenError

POINTER = b"version https://git-lfs.github.com/spec/v1\n"
"""What Git LFS puts in the place of a file whose content is elsewhere."""

NO_FILE = "this is not a file"


class OutsideRootError(VeogenError):
    """A path leaves the project root; whether its target exists is not said."""


class Files(Protocol):
    """Read access to one project; paths are relative to its root, with `/`, already normal."""

    @property
    def root(self) -> Path:
        """The project root on disk."""
        ...

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        """The bytes of a file; raises `OSError`, or `OutsideRootError` through a link.

        With `at_most` no more than that many, and one that tells that there are more.
        """
        ...

    def names(self, folder: PurePosixPath) -> Iterator[str]:
        """The names of the files in a folder, sorted; none if there is no such folder."""
        ...

    def shown(self, path: PurePosixPath) -> str:
        """The path as messages show it: relative to the working directory."""
        ...


class Folder:
    """The files of a folder on disk; symbolic links are resolved and must stay inside."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        return read_file(self.locate(path), at_most)

    def names(self, folder: PurePosixPath) -> Iterator[str]:
        place = self.locate(folder)
        if place.is_dir():
            with os.scandir(place) as entries:
                names = []
                for entry in entries:
                    link = entry.path if entry.is_symlink() else None  # of which the disk is asked
                    is_file = os.path.isfile(link) if link else entry.is_file()  # noqa: PTH113 - no circle stops it
                    names += [entry.name] if is_file else []
                yield from sorted(names)

    def shown(self, path: PurePosixPath) -> str:
        return os.path.relpath(self.root / path)

    def locate(self, path: PurePosixPath) -> Path:
        """The path on disk, links resolved; raises `OutsideRootError`."""
        real = Path(os.path.realpath(self.root / path))
        if not real.is_relative_to(self.root):
            raise OutsideRootError(f"{path} leaves the project")
        return real


def nearest_file(files: Files, path: PurePosixPath) -> str | None:
    """A hint that names the file beside the one that is not there which was probably meant."""
    try:
        stems = {PurePosixPath(name).stem.casefold(): name for name in files.names(path.parent)}
    except (OSError, VeogenError):  # nothing is there to be named
        return None
    near = nearest(path.stem.casefold(), stems)
    return None if near is None else f"did you mean {stems[near]!r}?"


def read_file(place: Path, at_most: int | None = None) -> bytes:
    """The bytes of a file, as `Files.read`; raises `OSError` for a pipe or device, without end."""
    if not stat.S_ISREG(place.stat().st_mode):
        raise OSError(errno.EINVAL, NO_FILE)
    with place.open("rb") as file:
        return file.read() if at_most is None else file.read(at_most + 1)


def inside(base: PurePosixPath, written: str) -> PurePosixPath:
    """`written`, relative to the folder `base`, as a path below the root; `OutsideRootError`."""
    if written.startswith("/") or "\\" in written or "\0" in written:
        raise OutsideRootError(f"{written!r} leaves the project")
    normal = os.path.normpath(base / written)
    if normal == ".." or normal.startswith("../"):
        raise OutsideRootError(f"{written!r} leaves the project")
    return PurePosixPath(normal)
