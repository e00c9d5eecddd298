"""The journal: every event of a run directory, durable before anything depends on it."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self, get_args

import msgspec
from msgspec import Struct

from veogen.errors import ExitCode, VeogenError
from veogen.gateway.api import Upload
from veogen.planner.plan import Image, Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    TaskProgressed,
    from_json,
    refuse_endless,
    to_json,
)
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName
from veogen.results.record import records

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


class RequestRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as it is kept, one line of JSON; decimals are strings."""

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Any]
    output: str
    body: Mapping[str, Any]
    images: tuple[Image, ...] = ()
    credits: Decimal | None

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


_FIELDS = RequestRow.__struct_fields__
_encode_row = msgspec.json.Encoder().encode
_decode_row: Callable[[str], RequestRow] = msgspec.json.Decoder(RequestRow).decode


def request_to_json(request: Request) -> str:
    """What is kept of a request."""
    return _encode_row(RequestRow(**{name: getattr(request, name) for name in _FIELDS})).decode()


def request_from_json(text: str) -> Request:
    """The request that `request_to_json` wrote; raises `ValueError` for anything else."""
    row = _decode_row(text)
    return Request(**{name: getattr(row, name) for name in _FIELDS})


@dataclass(frozen=True, slots=True)
class Header:
    """What a journal is of; `gateway` tells a simulated run from a real one."""

    name: str
    gateway: GatewayName


class StoreRow(NamedTuple):
    """The store that a run is kept in, and the process of this journal that was there last.

    `run` is its name there, `place` where the journal was then, `since` the number of the last
    event before it.
    """

    url: str
    run: str
    process: str
    place: str
    since: int


class Journal:
    """The events of one run directory; leaving it as a context makes the file whole."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Make a new journal; a crash half-way leaves no file of that name."""
        make(path, header.name, header.gateway)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing journal for writing; raises `JournalError` unless it is sound."""
        return cls(open_to_write(path), path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a journal for reading only, also while another process writes it."""
        return cls(open_to_read(path), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make the file whole by itself."""
        close(self._db)

    @property
    def header(self) -> Header:
        name, gateway = self._db.execute("SELECT name, gateway FROM run").fetchone()
        if gateway not in get_args(GatewayName):
            raise unreadable(self.path, ValueError(f"{gateway!r} is not a gateway"))
        return Header(name, gateway)

    def append(self, events: Sequence[Event], at: float) -> None:
        """Write events in one durable transaction; raises `JournalFullError`."""
        rows = [(at, e.hash, to_json(e)) for e in events if not isinstance(e, TaskProgressed)]
        if rows:
            self._write("INSERT INTO event (at, hash, body) VALUES (?, ?, ?)", rows)

    def adopt(self, name: str, requests: Iterable[Request]) -> bool:
        """Take the requests of a plan, in order; those of earlier plans lose their position.

        Only what changes is written, and whether anything did is returned. What is overwritten
        has to be readable, like all else.
        """
        first, known = self._last_known() + 1, self._known()
        texts = {request.hash: request_to_json(request) for request in requests}
        rows = [
            (hash_, first + position, position, text)
            for position, (hash_, text) in enumerate(texts.items())
            if known.get(hash_) != (position, text)
        ]
        for hash_, _, _, text in rows:
            if hash_ in known and known[hash_][1] != text:
                self._request(known[hash_][1])
        left = [
            (hash_,) for hash_, (at, _) in known.items() if at is not None and hash_ not in texts
        ]
        if not rows and not left and name == self.header.name:
            return False
        upsert = (
            "INSERT INTO request (hash, known, position, entry) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (hash) DO UPDATE SET position = ?3, entry = ?4"
        )
        with self._transaction():
            self._db.execute("UPDATE run SET name = ?", (name,))
            self._db.executemany("UPDATE request SET position = NULL WHERE hash = ?", left)
            self._db.executemany(upsert, rows)
        return True

    def remember(self, requests: Iterable[Request]) -> None:
        """Keep requests that are not of the plan: former purchases of other machines."""
        first = self._last_known() + 1
        rows = [(e.hash, first + index, request_to_json(e)) for index, e in enumerate(requests)]
        self._write("INSERT OR IGNORE INTO request VALUES (?, ?, NULL, ?)", rows)

    def store(self) -> StoreRow | None:
        """The store that this run is kept in, if it ever was in one."""
        if not list(self._rows("SELECT 1 FROM sqlite_master WHERE name = 'store'")):
            return None
        rows = list(self._rows("SELECT url, run, process, place, since FROM store"))
        return StoreRow(*rows[0]) if rows else None

    def keep_store(self, url: str, run: str, process: str, place: str) -> None:
        """Remember the store of this run, and the process that goes on with it now.

        The table is made when it is needed: a journal without a store stays as it was.
        """
        last = next(self._rows("SELECT coalesce(max(id), 0) FROM event"))[0]
        with self._transaction():
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS store (url TEXT NOT NULL, run TEXT NOT NULL, "
                "process TEXT NOT NULL, place TEXT NOT NULL, since INTEGER NOT NULL)"
            )
            self._db.execute("DELETE FROM store")
            self._db.execute(
                "INSERT INTO store VALUES (?, ?, ?, ?, ?)", (url, run, process, place, last)
            )

    def intents_since(self, since: int) -> Iterator[SubmitIntended]:
        """The intents that were written after an event of this number."""
        query = "SELECT body FROM event WHERE id > ? ORDER BY id"
        for (body,) in self._db.execute(query, (since,)):
            event = from_json(body)
            if isinstance(event, SubmitIntended):
                yield event

    def keep_uploads(self, uploads: Mapping[str, Upload]) -> None:
        """Keep uploaded files by the SHA-256 of their content, the newest of each."""
        rows = [(sha256, u.file_id, u.url, u.expires_at) for sha256, u in uploads.items()]
        if rows:
            self._write("INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?)", rows)

    def forget_upload(self, sha256: str) -> None:
        """Forget an uploaded file."""
        self._write("DELETE FROM upload WHERE sha256 = ?", [(sha256,)])

    def uploads(self) -> dict[str, Upload]:
        """The files that were uploaded from this directory, by SHA-256, expired ones included."""
        rows = self._rows("SELECT sha256, file_id, url, expires_at FROM upload")
        return {
            sha256: Upload(file_id=file_id, url=url, expires_at=expires_at)
            for sha256, file_id, url, expires_at in rows
        }

    def ledger(self) -> Ledger:
        """The fold of everything in the journal."""
        ledger = self.fold()
        planned = self._requests("position IS NOT NULL ORDER BY position")
        ledger.adopt(planned, self.former())
        return ledger

    def fold(self) -> Ledger:
        """The fold of everything that happened, before the requests of a plan are adopted."""
        try:
            ledger = Ledger.of(self.header.name, records(self.events()))
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise unreadable(self.path, error) from None
        return ledger

    def former(self) -> Iterator[Request]:
        """The requests that are not of the plan, in the order in which they were first known."""
        return self._requests("position IS NULL ORDER BY known")

    def events(self) -> Iterator[Event]:
        """Every event, in the order in which they were written; raises `ValueError` for others."""
        for hash_, body in self._db.execute("SELECT hash, body FROM event ORDER BY id"):
            event = from_json(body)
            if event.hash != hash_:
                raise ValueError(f"an event of {event.hash} is written as one of {hash_}")
            yield event

    def _requests(self, where: str) -> Iterator[Request]:
        query = f"SELECT entry FROM request WHERE {where}"  # noqa: S608 - constants of this class
        for (text,) in self._rows(query):
            yield self._request(text)

    def _request(self, text: str) -> Request:
        try:
            return request_from_json(text)
        except ValueError as error:
            raise unreadable(self.path, error) from None

    def _known(self) -> dict[str, tuple[int | None, str]]:
        """Every request's position and text, by hash."""
        rows = self._rows("SELECT hash, position, entry FROM request")
        return {hash_: (position, text) for hash_, position, text in rows}

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._db.execute(query)
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from None

    def _last_known(self) -> int:
        row = self._db.execute("SELECT coalesce(max(known), 0) FROM request").fetchone()
        return int(row[0])

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._transaction():
            self._db.executemany(statement, rows)

    def _transaction(self) -> Transaction:
        return Transaction(self._db, self.path)
