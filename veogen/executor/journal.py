"""The journal: every event of a run directory, durable before anything depends on it."""

import contextlib
import gc
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self, get_args

import msgspec
from msgspec import Struct

from veogen.errors import VeogenError
from veogen.executor.journal_file import JournalFile, Transaction, unreadable
from veogen.executor.journal_mark import (
    JournalFullError,
    Mark,
    chained,
    checksum,
    request_checksum,
)
from veogen.gateway.api import Upload
from veogen.planner.plan import Image, Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    TaskProgressed,
    from_json,
    moment_text,
    refuse_endless,
    to_json,
)
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName
from veogen.results.record import records

_AT_ONCE = 1000  # rows


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


_encode_row = msgspec.json.Encoder().encode
_decode_row: Callable[[str], RequestRow] = msgspec.json.Decoder(RequestRow).decode


def request_to_json(request: Request) -> str:
    """What is kept of a request."""
    row = RequestRow(
        address=request.address,
        hash=request.hash,
        shot=request.shot,
        take=request.take,
        variables=request.variables,
        output=request.output,
        body=request.body,
        images=request.images,
        credits=request.credits,
    )
    return _encode_row(row).decode()


def request_from_json(text: str) -> Request:
    """The request that `request_to_json` wrote; raises `ValueError` for anything else."""
    row = _decode_row(text)
    return Request(
        address=row.address,
        hash=row.hash,
        shot=row.shot,
        take=row.take,
        variables=row.variables,
        output=row.output,
        body=row.body,
        images=row.images,
        credits=row.credits,
    )


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
    """The events of one run directory; leaving it as a context makes the file whole.

    Each event has a checksum that goes on from the one before, each other row one of its own.
    """

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self._db = file.db
        self.path = file.path

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Make a new journal; a crash half-way leaves no file of that name."""
        JournalFile.make(path, header.name, header.gateway)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing journal for writing; raises `JournalError` unless it is sound."""
        return cls(JournalFile.to_write(path))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a journal for reading only, also while another process writes it."""
        return cls(JournalFile.to_read(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make the file whole by itself; one that was moved away is put back if it can be."""
        self._file.close()

    @property
    def in_place(self) -> bool:
        """Whether what is open is what stands at its path: else others would not know of it."""
        return self._file.in_place

    @property
    def header(self) -> Header:
        name, gateway, total = self._db.execute(
            self._with_sum("SELECT name, gateway, SUM FROM run")
        ).fetchone()
        self._check(total, name, gateway)
        if gateway not in get_args(GatewayName):
            raise unreadable(self.path, ValueError(f"{gateway!r} is not a gateway"))
        return Header(name, gateway)

    def append(self, events: Sequence[Event], at: float) -> None:
        """Write events in one durable transaction; raises `JournalFullError`."""
        rows, (number, count, chain), moment = [], self._file.mark, moment_text(at)
        for event in events:
            if event.__class__ is TaskProgressed:
                continue
            body, hash_, number = to_json(event), event.hash, number + 1
            chain = chained(chain, number, moment, hash_, body)
            rows.append((number, at, hash_, body, chain))
        if not rows:
            return
        mark = Mark(number, count + len(rows), chain)
        try:
            self._write("INSERT INTO event VALUES (?, ?, ?, ?, ?)", rows)
        except JournalFullError:
            with contextlib.suppress(sqlite3.Error):  # said to have failed: it may be there
                last = self._db.execute("SELECT 1 FROM event WHERE id = ?", (mark.last,))
                if last.fetchone():
                    self._file.went_to(mark)
            raise
        self._file.went_to(mark)

    def adopt(self, name: str, requests: Iterable[Request]) -> bool:
        """Take the requests of a plan, in order; those of earlier plans lose their position.

        Only what changes is written, and whether anything did is returned. What is overwritten
        has to be readable, like all else.
        """
        first, known = self._last_known() + 1, self._known()
        texts = {request.hash: request_to_json(request) for request in requests}
        rows = [
            (hash_, first + position, position, text, request_checksum(hash_, position, text))
            for position, (hash_, text) in enumerate(texts.items())
            if known.get(hash_) != (position, text)
        ]
        for hash_, _, _, text, _ in rows:
            if hash_ in known and known[hash_][1] != text:
                self._request(known[hash_][1])
        left = [
            (request_checksum(hash_, None, text), hash_)
            for hash_, (at, text) in known.items()
            if at is not None and hash_ not in texts
        ]
        if not rows and not left and name == self.header.name:
            return False
        upsert = (
            "INSERT INTO request (hash, known, position, entry, sum) VALUES (?1, ?2, ?3, ?4, ?5) "
            "ON CONFLICT (hash) DO UPDATE SET position = ?3, entry = ?4, sum = ?5"
        )
        renamed = (name, checksum(name, self.header.gateway))
        with self._transaction():
            self._db.execute("UPDATE run SET name = ?, sum = ?", renamed)
            self._db.executemany("UPDATE request SET position = NULL, sum = ? WHERE hash = ?", left)
            self._db.executemany(upsert, rows)
        return True

    def remember(self, requests: Iterable[Request]) -> None:
        """Keep requests that are not of the plan: former purchases of other machines."""
        first = self._last_known() + 1
        rows = []
        for index, request in enumerate(requests):
            hash_, text = request.hash, request_to_json(request)
            rows.append((hash_, first + index, text, request_checksum(hash_, None, text)))
        self._write("INSERT OR IGNORE INTO request VALUES (?, ?, NULL, ?, ?)", rows)

    def store(self) -> StoreRow | None:
        """The store that this run is kept in, if it ever was in one."""
        if not list(self._rows("SELECT 1 FROM sqlite_master WHERE name = 'store'")):
            return None
        rows = list(self._rows("SELECT url, run, process, place, since, sum FROM store"))
        if not rows:
            return None
        self._check(rows[0][-1], *rows[0][:-1])
        return StoreRow(*rows[0][:-1])

    def keep_store(self, url: str, run: str, process: str, place: str) -> None:
        """Remember the store of this run, and the process that goes on with it now.

        The table is made when it is needed: a journal without a store stays as it was.
        """
        last = next(self._rows("SELECT coalesce(max(id), 0) FROM event"))[0]
        with self._transaction():
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS store (url TEXT NOT NULL, run TEXT NOT NULL, "
                "process TEXT NOT NULL, place TEXT NOT NULL, since INTEGER NOT NULL, "
                "sum INTEGER NOT NULL)"
            )
            self._db.execute("DELETE FROM store")
            row = (url, run, process, place, last)
            self._db.execute("INSERT INTO store VALUES (?, ?, ?, ?, ?, ?)", (*row, checksum(*row)))

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
            summed = [(*row, checksum(*row)) for row in rows]
            self._write("INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?)", summed)

    def forget_upload(self, sha256: str) -> None:
        """Forget an uploaded file."""
        self._write("DELETE FROM upload WHERE sha256 = ?", [(sha256,)])

    def uploads(self) -> dict[str, Upload]:
        """The files that were uploaded from this directory, by SHA-256, expired ones included."""
        uploads: dict[str, Upload] = {}
        rows = self._rows(
            self._with_sum("SELECT sha256, file_id, url, expires_at, SUM FROM upload")
        )
        for sha256, file_id, url, expires_at, total in rows:
            self._check(total, sha256, file_id, url, expires_at)
            uploads[sha256] = Upload(file_id=file_id, url=url, expires_at=expires_at)
        return uploads

    @property
    def results_digest(self) -> str | None:
        """The SHA-256 of the results as this journal's runs wrote them last, in hex."""
        if not self._file.has_sums:
            return None
        digest: str | None = next(self._rows("SELECT results FROM state"))[0]
        return digest

    def keep_results_digest(self, digest: str) -> None:
        """Remember what the results were when they were written here."""
        try:
            self._db.execute("UPDATE state SET results = ?", (digest,))
        except sqlite3.OperationalError as error:
            raise JournalFullError(f"{self.path}: {error}") from None

    def ledger(self) -> Ledger:
        """The fold of everything in the journal."""
        ledger = self.fold()
        planned = self._requests("position IS NOT NULL ORDER BY position")
        ledger.adopt(planned, self.former())
        return ledger

    def fold(self) -> Ledger:
        """The fold of everything that happened, before the requests of a plan are adopted."""
        was_on = gc.isenabled()
        gc.disable()  # all that is made stays: looking for what could go takes half of the time
        try:
            return Ledger.of(self.header.name, records(self.events()))
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise unreadable(self.path, error) from None
        finally:
            if was_on:
                gc.enable()

    def former(self) -> Iterator[Request]:
        """The requests that are not of the plan, in the order in which they were first known."""
        return self._requests("position IS NULL ORDER BY known")

    def events(self) -> Iterator[Event]:
        """Every event, in the order in which they were written; raises `ValueError` for others.

        In the end they have to come as far as is known that they went.
        """
        chain, number, proof = 0, 0, self._file.proof()
        proved, has_sums, before, moment = proof.at, self._file.has_sums, None, ""
        query = self._with_sum("SELECT id, at, hash, body, SUM FROM event ORDER BY id")
        for id_, at, hash_, body, total in self._db.execute(query):
            event, number = from_json(body), number + 1
            if event.hash != hash_:
                raise ValueError(f"an event of {event.hash} is written as one of {hash_}")
            if has_sums:
                if at != before:  # those that were written together are of one moment
                    before, moment = at, moment_text(at)
                chain = chained(chain, id_, moment, hash_, body)
                if total != chain:
                    raise ValueError(f"event {id_} is not what was written")
                if number == proved:
                    proof.reached(chain)
            yield event
        proof.finish(number)

    def _requests(self, where: str) -> Iterator[Request]:
        query = self._with_sum("SELECT hash, position, entry, SUM FROM request WHERE ")
        for hash_, position, text, total in self._rows(query + where):
            if total is not None and total != request_checksum(hash_, position, text):
                raise self._altered()
            yield self._request(text)

    def _request(self, text: str) -> Request:
        try:
            return request_from_json(text)
        except ValueError as error:
            raise unreadable(self.path, error) from None

    def _known(self) -> dict[str, tuple[int | None, str]]:
        """Every request's position and text, by hash."""
        rows = list(self._rows(self._with_sum("SELECT hash, position, entry, SUM FROM request")))
        for hash_, position, text, total in rows:
            if total is not None and total != request_checksum(hash_, position, text):
                raise self._altered()
        return {hash_: (position, text) for hash_, position, text, _ in rows}

    def _check(self, total: int | None, *values: object) -> None:
        """Refuse a row that is not what was written; one of an earlier version has no checksum."""
        if total is not None and total != checksum(*values):
            raise self._altered()

    def _altered(self) -> VeogenError:
        return unreadable(self.path, ValueError("a row is not what was written"))

    def _with_sum(self, query: str) -> str:
        """The query as it can be asked: an earlier version has no checksums."""
        return query.replace("SUM", "sum" if self._file.has_sums else "NULL")

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._db.execute(query)
            while rows := cursor.fetchmany(_AT_ONCE):
                yield from rows
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
