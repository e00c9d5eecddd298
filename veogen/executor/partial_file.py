"""The part of a clip that has come, and the note beside it by which it can be gone on with."""

import contextlib
import functools
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from veogen.executor.directory import partial_name

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_sync = getattr(os, "fdatasync", os.fsync)  # not every system has the cheaper one
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ResumeInfo:
    """Which file it is: the part of its link that is not signed, its tag and its length.

    `boot` is when this machine was started: after a power failure the last bytes of a file that
    was being written may be zeros, so such a part is begun anew.
    """

    source: str
    etag: str | None
    length: int | None
    boot: str = ""

    def is_same_file(self, other: "ResumeInfo") -> bool:
        """Whether bytes of both may stand in one file."""
        if self.length is None or self.length != other.length or self.boot != other.boot:
            return False
        return self.etag == other.etag if self.etag else self.source == other.source


@functools.cache
def boot_id() -> str:
    """Which start of this machine it is; no process outlives it."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


class PartialFile:
    """The `.part` file of a video, and the note beside it."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(partial_name(target.name))
        self._note = target.with_name(f"{self.path.name}.json")
        self._noted = True  # as far as is known
        self._unsaid: ResumeInfo | None = None

    def resumable(self, source: str) -> tuple[ResumeInfo, int] | None:
        """Whose bytes are here and how many; None unless they can be gone on with from a link.

        `source` is the part of that link that is not signed: without a tag it has to be the same.
        """
        try:
            note = self._note.read_bytes()
        except OSError as error:
            self._noted = not isinstance(error, FileNotFoundError)
            return None
        try:
            info = ResumeInfo(**json.loads(note))
            size = self.path.lstat().st_size if not self.path.is_symlink() else 0
        except (OSError, ValueError, TypeError):
            return None
        texts = (info.source, info.etag or "", info.boot)
        if not all(isinstance(text, str) for text in texts) or type(info.length) is not int:
            return None
        is_same = info.boot == boot_id() and (info.etag is not None or info.source == source)
        return (info, size) if is_same and 0 < size <= info.length else None

    def begin(self, identity: ResumeInfo) -> "HashingWriter":
        """Forget what is here and begin with the first byte."""
        if self._noted:
            self.drop()
        try:
            writer = self._created()
        except FileExistsError:
            self.drop()
            writer = self._created()
        self._unsaid = identity
        return writer

    def _created(self) -> "HashingWriter":
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return HashingWriter(os.fdopen(os.open(self.path, flags, 0o644), "r+b", buffering=0))

    def remember(self) -> None:
        """Note whose bytes are here: without that they cannot be gone on with.

        Most clips are whole before anybody wants to know. A file that is made for each of them and
        deleted again costs more than it looks: a file system searches long for room near what was
        deleted a moment ago.
        """
        if self._unsaid is None:
            return
        draft = self._note.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with draft.open("x") as file:  # through no link that stands there
            json.dump(asdict(self._unsaid), file)
        self._noted = True
        os.replace(draft, self._note)
        self._unsaid = None

    def resume(self) -> "HashingWriter":
        """Go on after the bytes that are here, which are hashed first."""
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        writer = HashingWriter(os.fdopen(os.open(self.path, flags), "r+b", buffering=0))
        writer.take_in()
        return writer

    def drop(self) -> None:
        self._unsaid = None
        self.path.unlink(missing_ok=True)
        if self._noted:
            self._note.unlink(missing_ok=True)
            self._noted = False

    def tidy(self) -> None:
        """The bytes have been delivered: only the names are taken away."""
        with contextlib.suppress(OSError):
            self.drop()


class HashingWriter:
    """Writes and hashes; `size` is how many bytes there are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def take_in(self) -> None:
        while block := self._file.read(_BLOCK):
            self._hash.update(block)
            self.size += len(block)

    def write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(chunk)
        self.size += len(chunk)

    def head(self, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, 0)

    def keep(self) -> str:
        """Make the bytes durable; their SHA-256 in hex."""
        _sync(self._file.fileno())
        return self.digest()

    def digest(self) -> str:
        return self._hash.hexdigest()
