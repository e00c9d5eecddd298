"""The file of a journal: made, opened, proved and closed.

A run that is under way says so in the file itself, and beside it, in the mark, how far it went: so
neither a write-ahead log that is gone or cut nor an older file is taken for the truth.
"""

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Self

from veogen.errors import VeogenError
from veogen.executor.directory import sync_folder, write_whole
from veogen.executor.journal_mark import (
    JournalError,
    JournalFullError,
    Mark,
    Proof,
    chained,
    checksum,
    mark_of,
    read_mark,
)

APPLICATION_ID = 0x76656F67  # "veog"
VERSION = 2

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE run (name TEXT NOT NULL, gateway TEXT NOT NULL, sum INTEGER);
CREATE TABLE request (
  hash TEXT PRIMARY KEY, known INTEGER NOT NULL, position INTEGER, entry TEXT NOT NULL, sum INTEGER
) WITHOUT ROWID;
CREATE TABLE event (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL, sum INTEGER
);
CREATE TABLE upload (
  sha256 TEXT PRIMARY KEY, file_id TEXT NOT NULL, url TEXT NOT NULL, expires_at REAL, sum INTEGER
) WITHOUT ROWID;
"""

_STATE = """
CREATE TABLE state (
  open INTEGER NOT NULL, events INTEGER NOT NULL, chain INTEGER NOT NULL, results TEXT
);
"""

_ADDED = ("run", "request", "event", "upload")
"""Tables whose rows have a checksum since version 2."""


_LEAST = 1 << 16
"""Bytes that a journal takes to be opened: its log and the index of that."""

_ADVICE = (
    "restore it from a copy, or move it away: the purchases in results.json are then taken in again"
)


class JournalFile:
    """An open file; `mark` is how far it went."""

    def __init__(self, db: sqlite3.Connection, path: Path, *, writes: bool) -> None:
        self.db = db
        self.path = path
        self.mark = Mark()
        self.has_sums = _has_table(db, "state")  # an earlier version has none
        self._writes = writes
        self._identity = _identity(path)
        self._known: Mark | None = None
        self._is_end = False
        self._descriptor: int | None = None
        self._log: tuple[int, int] | None = None

    @classmethod
    def make(cls, path: Path, name: str, gateway: str) -> None:
        """Make a new file; a crash half-way leaves none of that name. Raises `JournalError`."""
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            draft.unlink(missing_ok=True)
            with closing(sqlite3.connect(draft, isolation_level=None)) as db:
                db.executescript(_SCHEMA + _STATE)
                db.execute(
                    "INSERT INTO run VALUES (?, ?, ?)", (name, gateway, checksum(name, gateway))
                )
                db.execute("INSERT INTO state VALUES (0, 0, 0, NULL)")
            _sync(draft)
            os.replace(draft, path)
            sync_folder(path.parent)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"{path}: it cannot be made: {error}") from None
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    @classmethod
    def to_write(cls, path: Path) -> Self:
        """Open an existing file; raises `JournalError` unless it is sound."""
        _refuse_empty(path)
        _refuse_strange_log(path)
        try:
            if _head(path) != _CLOSED:  # as a run left it that was killed: look, and touch nothing
                mode = "mode=ro" if _size(_log_of(path)) else "mode=ro&immutable=1"
                with closing(_opened(path, mode)) as db:
                    cls(db, path, writes=False).look(read_mark(path))
            file = cls(_opened(path, "mode=rw"), path, writes=True)
        except (sqlite3.Error, OSError) as error:
            raise unreadable(path, error) from None
        try:
            file._begin()
        except (sqlite3.Error, OSError) as error:
            file.db.close()
            raise unreadable(path, error) from None
        except VeogenError:
            file.db.close()
            raise
        return file

    @classmethod
    def to_read(cls, path: Path) -> Self:
        """Open a file for reading only, also while another process writes it."""
        _refuse_empty(path)
        _refuse_strange_log(path)
        mark = read_mark(path)
        try:
            file = cls(_readable(path), path, writes=False)
            file.db.execute("BEGIN")  # all that is read is of one moment
            file.look(mark)
        except (sqlite3.Error, OSError) as error:
            raise unreadable(path, error) from None
        return file

    @property
    def in_place(self) -> bool:
        """Whether what is open is what stands at its path."""
        return self._identity is not None and _identity(self.path) == self._identity

    def proof(self) -> Proof:
        """What the events have to come to."""
        return Proof(self._known, is_end=self._is_end)

    def went_to(self, mark: Mark) -> None:
        """Events are durable: say beside the file how far it went.

        After a crash of this process alone that is exact; after one of the machine it may be less.
        """
        self.mark = mark
        self._known, self._is_end = None, False
        if self._descriptor is not None:
            os.pwrite(self._descriptor, mark.to_bytes(), 0)

    def close(self) -> None:
        """Fold the write-ahead log into the file, so that the file is whole by itself."""
        try:
            if self._writes and not self.in_place:
                self._put_back()
            elif self._writes:  # if it is busy or the disk is full, log and mark stay beside it
                with contextlib.suppress(sqlite3.OperationalError):
                    self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    if self.db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete":
                        self._say_closed(self.db)
                        with contextlib.suppress(OSError):  # of a closed journal nobody asks for it
                            mark_of(self.path).unlink(missing_ok=True)
        finally:
            self.db.close()
            if self._descriptor is not None:
                os.close(self._descriptor)

    def _say_closed(self, db: sqlite3.Connection) -> None:
        values = (self.mark.events, self.mark.chain)
        db.execute("UPDATE state SET open = 0, events = ?, chain = ?", values)

    def look(self, mark: Mark | None) -> None:
        """Learn how far the events have to come, before anything is changed.

        Raises `JournalError` where nobody knows, or where they do not come so far.
        """
        if not self.has_sums:
            return
        is_open, events, chain = self.db.execute("SELECT open, events, chain FROM state").fetchone()
        if not is_open:
            self._known, self._is_end = Mark(0, events, chain), True
        elif mark is not None:
            self._known = mark
        elif not (_size(_log_of(self.path)) and mark_of(self.path).exists()):
            # Without the mark a log that was cut looks like a whole one. A run that has begun since
            # the mark was looked for has made one.
            log, name = _log_of(self.path).name, mark_of(self.path).name
            raise JournalError(
                f"{self.path}: a run was under way when it was copied or left, and what it wrote "
                f"last is missing, or may be: {log} and {name} stood beside it. Bring them back, "
                "or move the journal away: the purchases in results.json are then taken in again"
            )
        if self._known is None or not self._known.events:
            return
        query = "SELECT sum FROM event WHERE id = coalesce(?, (SELECT max(id) FROM event))"
        number = None if self._is_end else self._known.last
        row = self.db.execute(query, (number,)).fetchone()
        if row is None or row[0] != self._known.chain:
            count = self.db.execute("SELECT count(*) FROM event").fetchone()[0]
            raise JournalError(
                f"{self.path}: {self._known.events} events were written, and {count} are there "
                f"that may be others: its log {_log_of(self.path).name} is gone, cut or damaged; "
                f"{_ADVICE}"
            )

    def _begin(self) -> None:
        """Say that a run is under way, in the file itself, and go on after the last event."""
        if not self.has_sums:
            self.db.execute("PRAGMA journal_mode = DELETE")
            self._upgrade()
        self.look(read_mark(self.path))
        last = self.db.execute("SELECT id, sum FROM event ORDER BY id DESC LIMIT 1").fetchone()
        number, chain = (0, 0) if last is None else last
        if self._known is not None and self._is_end:
            count = self._known.events
        else:
            count = self.db.execute("SELECT count(*) FROM event").fetchone()[0]
        self.mark = Mark(number, count, chain)
        if self._known is None or self._is_end:
            write_whole(mark_of(self.path), self.mark.to_bytes())  # before the file asks for it
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("UPDATE state SET open = 1")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("SELECT open FROM state").fetchone()  # which is when its log is made
        self._log = _identity(_log_of(self.path))
        self._descriptor = os.open(
            mark_of(self.path), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )

    def _upgrade(self) -> None:
        """Give the rows of an earlier version their checksums."""
        self.db.execute("BEGIN IMMEDIATE")
        for table in _ADDED:
            self.db.execute(f"ALTER TABLE {table} ADD COLUMN sum INTEGER")
        chain, rows = 0, []
        events = self.db.execute("SELECT id, at, hash, body FROM event ORDER BY id")
        for number, at, hash_, body in events:
            chain = chained(chain, number, repr(at), hash_, body)
            rows.append((chain, number))
        self.db.executemany("UPDATE event SET sum = ? WHERE id = ?", rows)
        self.db.execute(_STATE)
        self.db.execute("INSERT INTO state VALUES (0, ?, ?, NULL)", (len(rows), chain))
        self.db.execute(f"PRAGMA user_version = {VERSION}")
        self.db.execute("COMMIT")
        self.has_sums = True

    def _put_back(self) -> None:
        """Its file was moved or deleted: leave a whole one at its path, if nothing stands there."""
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                self.db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                self._say_closed(copy)
            _sync(draft)
            with contextlib.suppress(FileExistsError):
                os.link(draft, self.path)
                if self._log is not None and _identity(_log_of(self.path)) == self._log:
                    _log_of(self.path).unlink()  # of what was moved: all of it is in the copy
            sync_folder(self.path.parent)
        except (OSError, sqlite3.Error) as error:
            raise JournalFullError(f"{self.path}: it could not be put back: {error}") from None
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


class Transaction:
    """One durable transaction, whole or not at all."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def __enter__(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: object, _: object) -> None:
        if kind is None:
            self._run("COMMIT")
            return
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        if issubclass(kind, sqlite3.OperationalError):
            raise JournalFullError(f"{self._path}: {error}") from None

    def _run(self, statement: str) -> None:
        try:
            self._db.execute(statement)
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise JournalFullError(f"{self._path}: {error}") from None


def unreadable(path: Path, error: Exception) -> VeogenError:
    """What is wrong with the journal or its disk; on a full one it is not to be moved away."""
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sqlite3.OperationalError):
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF  # some errors are Python's own
        # A file that was cut short fails with an error of input as well.
        is_full = kind == sqlite3.SQLITE_FULL or (
            kind == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < _LEAST
        )
    if is_full:
        why = "database or disk is full" if isinstance(error, OSError) else error
        return JournalFullError(f"{path}: {why}; make room and leave the journal where it is")
    return JournalError(f"{path}: the journal cannot be read ({error}); {_ADVICE}")


def _refuse_empty(path: Path) -> None:
    """A journal that is not there, or of no bytes, must not be taken for one without events."""
    try:
        status = path.stat()
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise JournalError(f"{path}: the journal cannot be read (it is no file); {_ADVICE}")
    if status.st_size == 0:
        raise JournalError(f"{path}: the journal is empty; {_ADVICE}")


def _refuse_strange_log(path: Path) -> None:
    """A closed journal has no log: one that lies beside it is of another, and would change it."""
    log = _log_of(path)
    if not _size(log):
        return
    if _head(path) == _CLOSED:
        raise JournalError(
            f"{path}: {log.name} beside it is not its own, as this journal was closed; "
            f"move {log.name} away, or bring back the journal that it is of"
        )


_CLOSED = b"\x01\x01"
"""What SQLite writes into a file that has no write-ahead log."""


def _head(path: Path) -> bytes:
    """Which kind of journal SQLite itself keeps for a file."""
    with path.open("rb") as file:
        return file.read(20)[18:]


def _refuse_foreign(db: sqlite3.Connection, path: Path) -> None:
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise JournalError(f"{path}: this is not a journal of veogen; {_ADVICE}")
    if version > VERSION:
        raise JournalError(f"{path}: a newer veogen wrote it (version {version}); upgrade veogen")
    check = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if check != "ok" or db.execute("SELECT count(*) FROM run").fetchone()[0] != 1:
        raise JournalError(f"{path}: the journal is damaged ({check}); {_ADVICE}")
    is_kept = _has_table(db, "state")
    if is_kept is not (version == VERSION) or (
        is_kept and db.execute("SELECT count(*) FROM state").fetchone()[0] != 1
    ):
        raise JournalError(f"{path}: the journal is damaged (version {version}); {_ADVICE}")


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    try:
        _refuse_foreign(db, path)
    except (sqlite3.Error, JournalError):
        db.close()
        raise
    return db


def _readable(path: Path) -> sqlite3.Connection:
    """A journal to read; in a place that cannot be written a copy that has what is in its log."""
    try:
        return _opened(path, "mode=ro")
    except sqlite3.OperationalError:
        log = _log_of(path)
        if not _size(log):
            return _opened(path, "mode=ro&immutable=1")
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        shutil.copyfile(path, copy)
        shutil.copyfile(log, copy.with_name(log.name))
        with closing(sqlite3.connect(copy, isolation_level=None)) as whole:
            whole.execute("PRAGMA journal_mode = DELETE")
            whole.backup(memory)
    _refuse_foreign(memory, path)
    return memory


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    return bool(db.execute(query, (name,)).fetchone()[0])


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
