"""The final name of a clip: what may stand there, and how a whole clip gets it."""

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veogen.executor.courier import Broken, NoSpace
from veogen.executor.media import Facts, measure
from veogen.executor.parts import Writer

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})

KEPT = 4 << 20
"""Bytes of the disk that no clip takes: what was bought must be written down, whatever else is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A whole clip under its final name."""

    path: Path
    sha256: str
    bytes: int
    facts: Facts


def already_there(target: Path, root: Path) -> Delivered | Broken | None:
    """What stands under the final name, if anything does: a delivered clip is never overwritten."""
    if not is_inside(target.parent, root):
        text = f"{target.parent}: a symbolic link leads out of the run directory"
        return Broken("outside", text, retry=False)
    if not os.path.lexists(target):
        return None
    if target.is_symlink() or not target.is_file():
        return in_the_way(target)
    if target.stat().st_size == 0:  # a name that was reserved, and no more
        target.unlink()
        return None
    facts = measure(target)
    if isinstance(facts, str):
        return in_the_way(target)
    with Writer(target.open("rb", buffering=0)) as reader:
        reader.take_in()
        return Delivered(path=target, sha256=reader.digest(), bytes=reader.size, facts=facts)


def room(folder: str | Path) -> int:
    """How many bytes clips may take on the disk of a folder."""
    return shutil.disk_usage(folder).free - KEPT


def is_inside(folder: Path, root: Path) -> bool:
    """Whether no link on the way to a folder leads out of `root`."""
    if folder.is_relative_to(root) and not _turns(folder.parts[len(root.parts) :], root):
        return True  # as nearly always
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def _turns(parts: Sequence[str], root: Path) -> bool:
    """Whether the way down from `root` goes through a link, or up again."""
    place = root
    for part in parts:
        place /= part
        if part == os.pardir or place.is_symlink():
            return True
    return False


def in_the_way(target: Path) -> Broken:
    text = f"{target}: something else than a whole clip is in the way; move it elsewhere"
    return Broken("in-the-way", text, retry=False)


def put_in_place(part: Path, target: Path) -> None:
    """Give the file its final name, unless something has it; raises `FileExistsError`."""
    try:
        os.link(part, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644))
        os.replace(part, target)
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def disk_trouble(error: OSError, target: Path) -> Broken | NoSpace:
    where, why = error.filename or target, error.strerror or str(error)
    if error.errno in _FULL:
        return NoSpace(f"{where}: {why}")
    return Broken("disk", f"{where}: {why}", retry=False)
