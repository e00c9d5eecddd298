"""What proves a journal: checksums of its rows, and the mark of how far it went.

The mark stands in a file of its own, which is written after each commit: after a crash of the
process it is exact, after one of the machine it may say less, never more.
"""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple, Self

from veogen.errors import ExitCode, VeogenError


class JournalError(VeogenError):
    """The journal cannot be read or trusted."""


class JournalFullError(VeogenError):
    """The journal cannot be written: the disk is full or gone."""

    exit_code = ExitCode.STOPPED


def checksum(*values: object) -> int:
    """The checksum of a row."""
    return zlib.crc32(repr(values).encode())


def request_checksum(hash_: str, position: int | None, entry: str) -> int:
    """As `checksum`, which looks twice at each letter for one to escape: JSON has escaped most."""
    if entry.isascii() and "'" not in entry and "\\" not in entry and "\x7f" not in entry:
        return zlib.crc32(f"('{hash_}', {position}, '{entry}')".encode())
    return checksum(hash_, position, entry)


def chained(before: int, number: int, at: str, hash_: str, body: str) -> int:
    """The checksum of an event, which goes on from that of the one before; `at` is in words."""
    return zlib.crc32(f"{number} {at} {hash_} {body}".encode(), before)


class Mark(NamedTuple):
    """How far a journal went: the number of its last event, how many there are, their checksum."""

    last: int = 0
    events: int = 0
    chain: int = 0

    def to_bytes(self) -> bytes:
        head = _MARK.pack(*self)
        return head + zlib.crc32(head).to_bytes(4)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self | None:
        """The mark that was written; None for anything else."""
        head, total = raw[: _MARK.size], raw[_MARK.size :]
        if len(head) != _MARK.size or zlib.crc32(head).to_bytes(4) != total:
            return None
        return cls(*_MARK.unpack(head))


_MARK = struct.Struct(">QQI")


class Proof:
    """Compares the events, as they are read, with what is known of how far they went."""

    def __init__(self, mark: Mark | None, *, is_end: bool) -> None:
        self._mark = mark
        self._is_end = is_end

    @property
    def at(self) -> int:
        """How many events are known to have been written; below none where nobody knows."""
        return -1 if self._mark is None else self._mark.events

    def reached(self, chain: int) -> None:
        """So many were read, of this checksum; raises `ValueError` for others."""
        if self._mark is not None and chain != self._mark.chain:
            raise ValueError("its events are not those that were written")

    def finish(self, number: int) -> None:
        """These are all."""
        mark = self._mark
        if mark is None or number == mark.events or (number > mark.events and not self._is_end):
            return
        missing = "its last events are missing" if number < mark.events else "it has others' events"
        raise ValueError(f"{missing}: {mark.events} were written, {number} are there")


def mark_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-mark")


def read_mark(path: Path) -> Mark | None:
    """The mark beside a journal; None where there is none. Raises `JournalError` for another."""
    try:
        raw = mark_of(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"{mark_of(path)}: {error.strerror}") from None
    mark = Mark.from_bytes(raw)
    if mark is None:
        raise JournalError(f"{mark_of(path)}: it is damaged, and says how far the journal went")
    return mark
