"""The journal: every event of a run directory, durable before anything depends on it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

from veogen.executor import journal_file
from veogen.executor.journal_file import Transaction, unreadable
from veogen.gateway.answers import Upload
from veogen.results.entries import Entry
from veogen.results.events import Event, Progressed, from_json, to_json
from veogen.results.folding import records
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName


@dataclass(frozen=True, slots=True)
class Header:
    """What a journal is of; `gateway` tells a simulated run from a real one."""

    name: str
    gateway: GatewayName


class Journal:
    """The events of one run directory; leaving it as a context makes the file whole."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Make a new journal; a crash half-way leaves no file of that name."""
        journal_file.make(path, header.name, header.gateway)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing journal for writing; raises `JournalError` unless it is sound."""
        return cls(journal_file.open_to_write(path), path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a journal for reading only, also while another process writes it."""
        return cls(journal_file.open_to_read(path), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make the file whole by itself."""
        journal_file.close(self._db)

    @property
    def header(self) -> Header:
        name, gateway = self._db.execute("SELECT name, gateway FROM run").fetchone()
        if gateway not in get_args(GatewayName):
            raise unreadable(self.path, ValueError(f"{gateway!r} is not a gateway"))
        return Header(name, gateway)

    def append(self, events: Sequence[Event], at: float) -> None:
        """Write events in one durable transaction; raises `JournalFullError`."""
        rows = [(at, e.hash, to_json(e)) for e in events if not isinstance(e, Progressed)]
        if rows:
            self._write("INSERT INTO event (at, hash, body) VALUES (?, ?, ?)", rows)

    def adopt(self, name: str, entries: Iterable[Entry]) -> bool:
        """Take the requests of a plan, in order; those of earlier plans lose their position.

        Only what changes is written, and whether anything did is returned. What is overwritten
        has to be readable, like all else.
        """
        first, known = self._last_known() + 1, self._known()
        texts = {entry.hash: entry.to_json() for entry in entries}
        rows = [
            (hash_, first + position, position, text)
            for position, (hash_, text) in enumerate(texts.items())
            if known.get(hash_) != (position, text)
        ]
        for hash_, _, _, text in rows:
            if hash_ in known and known[hash_][1] != text:
                self._entry(known[hash_][1])
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

    def remember(self, entries: Iterable[Entry]) -> None:
        """Keep requests that are not of the plan: former purchases of other machines."""
        first = self._last_known() + 1
        rows = [(e.hash, first + index, e.to_json()) for index, e in enumerate(entries)]
        self._write("INSERT OR IGNORE INTO request VALUES (?, ?, NULL, ?)", rows)

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
        planned = self._entries("position IS NOT NULL ORDER BY position")
        ledger.adopt(planned, self.former())
        return ledger

    def fold(self) -> Ledger:
        """The fold of everything that happened, before the requests of a plan are adopted."""
        try:
            ledger = Ledger.of(self.header.name, records(self.events()))
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise unreadable(self.path, error) from None
        return ledger

    def former(self) -> Iterator[Entry]:
        """The requests that are not of the plan, in the order in which they were first known."""
        return self._entries("position IS NULL ORDER BY known")

    def events(self) -> Iterator[Event]:
        """Every event, in the order in which they were written; raises `ValueError` for others."""
        for hash_, body in self._db.execute("SELECT hash, body FROM event ORDER BY id"):
            event = from_json(body)
            if event.hash != hash_:
                raise ValueError(f"an event of {event.hash} is written as one of {hash_}")
            yield event

    def _entries(self, where: str) -> Iterator[Entry]:
        query = f"SELECT entry FROM request WHERE {where}"  # noqa: S608 - constants of this class
        for (text,) in self._rows(query):
            yield self._entry(text)

    def _entry(self, text: str) -> Entry:
        try:
            return Entry.from_json(text)
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
