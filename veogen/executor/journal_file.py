"""The SQLite file of a journal: made whole, found sound, opened to write or only to read.

It is in WAL mode with `synchronous=FULL` and has one writer. It is made under another name and
renamed, so that a file called `journal.db` is whole; one that cannot be read is an error, never
empty.
"""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from veogen.errors import ExitCode, VeogenError

APPLICATION_ID = 0x76656F67  # "veog"
VERSION = 1

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE run (name TEXT NOT NULL, gateway TEXT NOT NULL);
CREATE TABLE request (
  hash TEXT PRIMARY KEY, known INTEGER NOT NULL, position INTEGER, entry TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE event (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE upload (
  sha256 TEXT PRIMARY KEY, file_id TEXT NOT NULL, url TEXT NOT NULL, expires_at REAL
) WITHOUT ROWID;
"""


class JournalError(VeogenError):
    """The journal cannot be read or trusted."""


class JournalFullError(VeogenError):
    """The journal cannot be written: the disk is full or gone."""

    exit_code = ExitCode.STOPPED


_LEAST = 1 << 16
"""Bytes that a journal takes to be opened: its log and the index of that."""

_ADVICE = (
    "restore it from a copy, or move it away: the purchases in results.json are then taken in again"
)


def make(path: Path, name: str, gateway: str) -> None:
    """Make a new file; a crash half-way leaves none of that name. Raises `JournalError`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as db:
            db.executescript(_SCHEMA)
            db.execute("INSERT INTO run VALUES (?, ?)", (name, gateway))
        _sync(draft)
        os.replace(draft, path)
        _sync(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(f"{path}: it cannot be made: {error}") from None
    finally:
        draft.unlink(missing_ok=True)


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open an existing file; raises `JournalError` unless it is sound."""
    _refuse_empty(path)
    try:
        return _opened(path, "mode=rw", "journal_mode = WAL", "synchronous = FULL")
    except sqlite3.Error as error:
        raise unreadable(path, error) from None


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file for reading only, also while another process writes it."""
    _refuse_empty(path)
    try:
        return _opened(path, "mode=ro")
    except sqlite3.OperationalError:  # a copy that we may not touch
        try:
            return _untouched(path)
        except (sqlite3.Error, OSError) as error:
            raise unreadable(path, error) from None
    except sqlite3.Error as error:
        raise unreadable(path, error) from None


def close(db: sqlite3.Connection) -> None:
    """Fold the write-ahead log into the file, so that the file is whole by itself."""
    try:
        if db.total_changes or _mode(db) == "wal":
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        pass  # read-only, busy or full: the log stays beside the file and is read with it
    finally:
        db.close()


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
    if isinstance(error, sqlite3.OperationalError) and _is_of_the_disk(path, error):
        return JournalFullError(f"{path}: {error}; make room and leave the journal where it is")
    return JournalError(f"{path}: the journal cannot be read ({error}); {_ADVICE}")


def _is_of_the_disk(path: Path, error: sqlite3.OperationalError) -> bool:
    """Whether a disk is full; a file that was cut short fails with an error of input as well."""
    kind = error.sqlite_errorcode & 0xFF
    is_full = shutil.disk_usage(path.parent).free < _LEAST
    return kind == sqlite3.SQLITE_FULL or (kind == sqlite3.SQLITE_IOERR and is_full)


def _mode(db: sqlite3.Connection) -> str:
    return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def _refuse_empty(path: Path) -> None:
    """A journal that is not there, or of no bytes, must not be taken for one without events."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from None
    if size == 0:
        raise JournalError(f"{path}: the journal is empty; {_ADVICE}")


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


def _opened(path: Path, mode: str, *pragmas: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    try:
        _refuse_foreign(db, path)
        for pragma in pragmas:
            db.execute(f"PRAGMA {pragma}")
    except (sqlite3.Error, JournalError):
        db.close()
        raise
    return db


def _untouched(path: Path) -> sqlite3.Connection:
    """A journal in a place that cannot be written, with what a killed run left in its log."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or log.stat().st_size == 0:
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
