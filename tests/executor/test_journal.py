"""The journal: every event, durable, in a file that is whole or refused."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from support.disks import small_disk
from support.virtual import VIDEO, request

from veogen.executor.journal import Header, Journal
from veogen.executor.journal_mark import JournalError, JournalFullError
from veogen.gateway.api import Upload
from veogen.results.events import (
    Event,
    SubmitIntended,
    TaskCompleted,
    TaskCreated,
    TaskProgressed,
    VideoSaved,
)

TOKYO, PARIS = request("Tokyo"), request("Paris")
EVENTS: list[Event] = [
    SubmitIntended(TOKYO.hash, 1, "veogen-key-1", '{"prompt":"ö"}', Decimal("38.016"), 1.5),
    TaskCreated(TOKYO.hash, 1, "task-1", Decimal("38.016"), 2.5, 120.0, request_id="r-1"),
    TaskCompleted(TOKYO.hash, "task-1", ("https://media.example/1.mp4",), None, 3.5),
    VideoSaved(TOKYO.hash, 0, VIDEO.at("videos/city/Tokyo.mp4")),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def written(path: Path) -> Path:
    with Journal.create(path, Header("trip", "evolink")) as journal:
        journal.adopt("trip", [TOKYO, PARIS])
        journal.append(EVENTS, at=9.0)
    return path


def test_events_come_out_as_they_went_in_and_progress_is_not_kept(written: Path) -> None:
    with Journal.open(written) as journal:
        journal.append([TaskProgressed(TOKYO.hash, "task-1", "processing", 5)], at=10.0)

        assert list(journal.events()) == EVENTS
        assert journal.header == Header("trip", "evolink")


def test_a_closed_journal_is_one_file_whole_by_itself(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "journal.db"
    copy.parent.mkdir()

    shutil.copy(written, copy)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "journal.db"]
    with Journal.open(copy) as journal:
        assert list(journal.events()) == EVENTS


def test_requests_that_leave_the_plan_are_remembered_after_it(written: Path) -> None:
    with Journal.open(written) as journal:
        journal.adopt("trip", [PARIS])
        ledger = journal.ledger()

    assert [s.request.address for s in ledger.planned] == [PARIS.address]
    assert [s.request.address for s in ledger.former] == [TOKYO.address]


def test_a_plan_that_has_not_changed_is_not_written_again(written: Path) -> None:
    with Journal.open(written) as journal:
        before = journal._db.total_changes  # noqa: SLF001

        journal.adopt("trip", [TOKYO, PARIS])
        assert journal._db.total_changes == before  # noqa: SLF001

        journal.adopt("voyage", [PARIS, TOKYO])
        ledger = journal.ledger()

    assert ledger.name == "voyage"
    assert [s.request.address for s in ledger.planned] == [PARIS.address, TOKYO.address]


def test_a_request_that_cannot_be_read_is_an_error_and_not_overwritten(written: Path) -> None:
    with Journal.open(written) as journal:
        journal._db.execute("UPDATE request SET entry = '{}'")  # noqa: SLF001

        for use in (journal.ledger, lambda: journal.adopt("trip", [PARIS])):
            with pytest.raises(JournalError, match="cannot be read"):
                use()


@pytest.mark.parametrize(
    ("damage", "use"),
    [
        pytest.param("DROP TABLE upload", Journal.uploads, id="no uploads"),
        pytest.param("UPDATE run SET gateway = 'other'", lambda j: j.header, id="of no gateway"),
    ],
)
def test_whatever_is_damaged_is_told_as_a_journal_that_cannot_be_read(
    written: Path, damage: str, use: Callable[[Journal], object]
) -> None:
    with Journal.open(written) as journal:
        journal._db.execute(damage)  # noqa: SLF001

        with pytest.raises(JournalError, match="cannot be read"):
            use(journal)


def test_uploads_are_kept_by_content_the_newest_of_each(written: Path) -> None:
    old, new = Upload(file_id="f1", url="u1", expires_at=1.0), Upload(file_id="f2", url="u2")
    with Journal.open(written) as journal:
        journal.keep_uploads({"a" * 64: old})
        journal.keep_uploads({"a" * 64: new})

        assert journal.uploads() == {"a" * 64: new}


def test_a_killed_writer_loses_nothing_that_was_appended(written: Path, tmp_path: Path) -> None:
    journal = Journal.open(written)
    journal.append(EVENTS[:1], at=11.0)
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in (
        "journal.db",
        "journal.db-wal",
        "journal.db-mark",
    ):  # what a killed process leaves behind
        shutil.copy(written.with_name(name), killed / name)
    journal.close()

    with Journal.open(killed / "journal.db") as again:
        assert list(again.events()) == [*EVENTS, EVENTS[0]]


def test_reading_works_while_another_connection_writes(written: Path) -> None:
    with Journal.open(written) as writer:
        writer.append(EVENTS[:1], at=11.0)
        with Journal.read(written) as reader:
            assert len(list(reader.events())) == 5
        writer.append(EVENTS[:1], at=12.0)


def test_reading_works_in_a_folder_that_cannot_be_written(written: Path) -> None:
    with Journal.open(written):
        pass
    written.chmod(0o444)
    written.parent.chmod(0o555)
    try:
        with Journal.read(written) as reader:
            assert list(reader.events()) == EVENTS
    finally:
        written.parent.chmod(0o755)


def test_what_a_killed_run_left_in_its_log_is_read_on_a_disk_that_cannot_be_written(
    written: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        with Journal.open(written) as writer:
            writer.append(EVENTS[:1], at=11.0)
            for name in (written.name, f"{written.name}-wal", f"{written.name}-mark"):
                shutil.copy(written.with_name(name), disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        with Journal.read(disk / written.name) as reader:
            assert list(reader.events()) == [*EVENTS, EVENTS[0]]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("this is not SQLite\n" * 100)


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()


def _newer(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096:8192] = bytes(4096)
    path.write_bytes(raw)


def _garbled_event(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("""UPDATE event SET body = '{"event": "Invented"}'""")
    db.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(_truncate, "cannot be read|damaged", id="truncated"),
        pytest.param(_zero, "cannot be read|not a journal", id="zeroed"),
        pytest.param(_empty, "the journal is empty", id="empty"),
        pytest.param(_folder, "it is no file", id="a folder"),
        pytest.param(_text, "file is not a database", id="text"),
        pytest.param(_foreign, "not a journal of veogen", id="foreign"),
        pytest.param(_newer, "a newer veogen wrote it", id="newer"),
        pytest.param(_flipped, "cannot be read|damaged", id="a page zeroed"),
        pytest.param(_garbled_event, "not an event", id="an unknown event"),
    ],
)
def test_a_journal_that_cannot_be_trusted_is_an_error_never_an_empty_one(
    written: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(written)

    for opening in (Journal.open, Journal.read):
        with pytest.raises(JournalError, match=words) as caught, opening(written) as journal:
            journal.ledger()
        assert str(written) in str(caught.value)


def test_a_crash_while_it_is_made_leaves_no_journal(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        if _is_root():
            path.mkdir()  # root writes anywhere: let the renaming fail instead
        with pytest.raises(JournalError, match="cannot be made"):
            Journal.create(path, Header("trip", "evolink"))
    finally:
        path.parent.chmod(0o755)
    assert [p for p in path.parent.iterdir() if p.name.endswith(".new")] == []


def _is_root() -> bool:
    import os  # noqa: PLC0415

    return os.geteuid() == 0


def test_a_write_that_fails_is_whole_or_not_at_all(written: Path) -> None:
    with Journal.open(written) as journal:
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]  # noqa: SLF001
        journal._db.execute(f"PRAGMA max_page_count = {pages}")  # noqa: SLF001
        big = SubmitIntended(TOKYO.hash, 1, "k", "x" * 100_000, None, 1.0)

        with pytest.raises(JournalFullError, match="full"):
            journal.append([EVENTS[0], big], at=1.0)

        assert list(journal.events()) == EVENTS
