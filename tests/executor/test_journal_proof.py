"""A journal proves itself: an error that says what is missing, or the truth, never another record."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.virtual import VIDEO, World, cities, request, statuses

from veogen.errors import ExitCode, VeogenError
from veogen.executor.journal import Header, Journal, request_to_json
from veogen.executor.journal_mark import JournalError, checksum, request_checksum
from veogen.executor.options import RunPolicy
from veogen.gateway.api import Submission, Upload
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    TaskCompleted,
    TaskCreated,
    VideoSaved,
)

NAMES = [f"city-{number}" for number in range(12)]
REQUESTS = [request(name) for name in NAMES]


def life(one: Request, place: int) -> list[Event]:
    clip = VIDEO.at(one.paths[0])
    return [
        SubmitIntended(one.hash, 1, f"key-{place}", '{"prompt":"ö"}', Decimal("38.016"), 1.5),
        TaskCreated(one.hash, 1, f"task-{place}", Decimal("38.016"), 2.5, 120.0),
        TaskCompleted(one.hash, f"task-{place}", (f"https://m/{place}.mp4",), None, 3.5),
        VideoSaved(one.hash, 0, clip, task_id=f"task-{place}", mtime=17),
    ]


def write(path: Path) -> None:
    with Journal.create(path, Header("trip", "evolink")) as journal:
        journal.adopt("trip", REQUESTS[:6])
        journal.remember(REQUESTS[6:8])
        journal.keep_uploads({"a" * 64: Upload(file_id="f-1", url="https://f/1", expires_at=9.0)})
        for place, one in enumerate(REQUESTS[:4]):
            journal.append(life(one, place), at=float(place))


CRASHING = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from executor.test_journal_proof import REQUESTS, life
from veogen.executor.journal import Journal
journal = Journal.open(Path(sys.argv[1]))
for place, one in enumerate(REQUESTS[4:6], 4):
    for event in life(one, place):
        journal.append([event], at=float(place))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a run that has ended, made once: each test has a copy of it."""
    folder = tmp_path_factory.mktemp("ended")
    write(folder / "journal.db")
    return folder


@pytest.fixture(scope="module")
def crashed(ended: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same that went on and was killed: part of it stands in its log alone."""
    folder = tmp_path_factory.mktemp("crashed")
    shutil.copytree(ended, folder, dirs_exist_ok=True)
    tests = Path(__file__).parent.parent
    words = [sys.executable, "-c", CRASHING, str(folder / "journal.db"), str(tests)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    return folder


@pytest.fixture
def closed(ended: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ended, tmp_path / "closed"))


@pytest.fixture
def killed(crashed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(crashed, tmp_path / "killed"))


def told(path: Path, opening: Callable[[Path], Journal] = Journal.read) -> object:
    """All that a journal says."""
    with opening(path) as journal:
        ledger = journal.ledger()
        states = [(state.request, state.record.facts) for state in ledger.everything]
        return journal.header, states, journal.uploads()


@given(st.text() | st.text("'\\\"\x7f\n"), st.none() | st.integers(0, 10**6))
def test_the_checksum_of_a_request_is_that_of_its_row(prompt: str, position: int | None) -> None:
    made = replace(REQUESTS[0], body={"prompt": prompt})
    text = request_to_json(made)
    assert request_checksum(made.hash, position, text) == checksum(made.hash, position, text)


def test_a_killed_run_has_its_log_and_its_mark(killed: Path) -> None:
    truth = told(killed / "journal.db")

    names = {path.name for path in killed.iterdir()}
    assert {"journal.db", "journal.db-wal", "journal.db-mark"} <= names
    assert told(killed / "journal.db", Journal.open) == truth
    assert [path.name for path in killed.iterdir()] == ["journal.db"]
    assert told(killed / "journal.db") == truth


def _alone(folder: Path) -> None:
    for name in ("journal.db-wal", "journal.db-mark", "journal.db-shm"):
        (folder / name).unlink(missing_ok=True)


def _without_log(folder: Path) -> None:
    (folder / "journal.db-wal").unlink()


def _without_mark(folder: Path) -> None:
    (folder / "journal.db-mark").unlink()


def _cut_without_mark(folder: Path) -> None:
    _cut(folder)
    _without_mark(folder)


def _cut(folder: Path) -> None:
    log = folder / "journal.db-wal"
    os.truncate(log, log.stat().st_size - 4096)


def _emptied(folder: Path) -> None:
    os.truncate(folder / "journal.db-wal", 0)


def _flipped(folder: Path) -> None:
    log = folder / "journal.db-wal"
    raw = bytearray(log.read_bytes())
    raw[len(raw) // 2] ^= 1
    log.write_bytes(raw)


def _damaged_mark(folder: Path) -> None:
    mark = folder / "journal.db-mark"
    raw = bytearray(mark.read_bytes())
    raw[3] ^= 1
    mark.write_bytes(raw)


@pytest.mark.parametrize("opening", [Journal.read, Journal.open], ids=["read", "open"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(_alone, "journal.db-wal", id="a copy of journal.db alone"),
        pytest.param(_without_log, "journal.db-wal is gone", id="without its log"),
        pytest.param(_cut, "journal.db-wal is gone, cut", id="its log cut"),
        pytest.param(_without_mark, "journal.db-mark stood beside it", id="without its mark"),
        pytest.param(
            _cut_without_mark, "journal.db-mark stood beside it", id="its log cut, and no mark"
        ),
        pytest.param(_emptied, "journal.db-wal is gone, cut", id="its log emptied"),
        pytest.param(_flipped, "journal.db-wal is gone, cut or damaged", id="one bit of its log"),
        pytest.param(_damaged_mark, "it is damaged", id="one bit of its mark"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_changed(
    killed: Path,
    damage: Callable[[Path], None],
    words: str,
    opening: Callable[[Path], Journal],
) -> None:
    damage(killed)
    before = contents(killed)

    with pytest.raises(JournalError, match=words):
        told(killed / "journal.db", opening)

    assert contents(killed) == before


def contents(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for the index of a log, and one of no bytes."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: raw for name, raw in files.items() if raw and not name.endswith("-shm")}


def test_the_log_of_another_journal_is_not_taken_for_its_own(closed: Path, killed: Path) -> None:
    shutil.copy(killed / "journal.db-wal", closed / "journal.db-wal")

    with pytest.raises(JournalError, match="not its own"):
        told(closed / "journal.db", Journal.open)


@pytest.mark.parametrize("places", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_a_flip_or_a_cut_anywhere_is_an_error_or_nothing(
    closed: Path, killed: Path, tmp_path: Path, places: int
) -> None:
    chance = random.Random(17)
    truths = {folder: told(folder / "journal.db") for folder in (closed, killed)}
    errors = 0
    for place in range(places):
        source = chance.choice([closed, killed])
        folder = tmp_path / f"place-{place}"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*-shm"))
        victims = [path for path in sorted(folder.iterdir()) if path.stat().st_size]
        victim = chance.choice(victims)
        raw = bytearray(victim.read_bytes())
        match chance.randrange(6):
            case 0:
                victim.unlink()
                if victim.name == "journal.db":
                    continue
            case 1:
                victim.write_bytes(raw[: chance.randrange(len(raw))])
            case _:
                raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
                victim.write_bytes(raw)
        opening = chance.choice([Journal.read, Journal.open])
        try:
            found = told(folder / "journal.db", opening)
        except VeogenError:
            errors += 1
        else:
            assert found == truths[source], (place, victim)
        shutil.rmtree(folder)
    assert errors > places / 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = replace(body, 'task-1', 'task-2')",
        "UPDATE event SET at = at + 1 WHERE id = 3",
        "DELETE FROM event WHERE id = (SELECT max(id) FROM event)",
        "DELETE FROM event WHERE id = 2",
        "UPDATE request SET entry = replace(entry, 'dusk', 'dawn')",
        "UPDATE request SET position = position + 1 WHERE position > 2",
        "UPDATE run SET name = 'other'",
        "UPDATE upload SET url = 'https://f/2'",
        "UPDATE state SET events = events - 1",
    ],
)
def test_a_row_that_is_not_what_was_written_is_an_error(closed: Path, statement: str) -> None:
    path = closed / "journal.db"
    db = sqlite3.connect(path)
    assert db.execute(statement).rowcount > 0
    db.commit()
    db.close()

    with pytest.raises(JournalError, match=r"not what was written|cannot be read|are there"):
        told(path)


def _clean(run: Path) -> None:
    """As `git clean -fdX` does: all but the results."""
    for path in run.iterdir():
        if path.name == "videos":
            shutil.rmtree(path)
        elif path.name not in ("results.json", ".gitignore"):
            path.unlink()


def _moved(run: Path) -> None:
    run.rename(run.with_name("elsewhere"))


def _moved_alone(run: Path) -> None:
    """What its log is of is gone then, and the log lies where the next journal is put."""
    (run / "journal.db").rename(run / "elsewhere.db")


def _replaced(run: Path) -> None:
    (run / ".lock").unlink()
    (run / ".lock").touch()


@pytest.mark.parametrize("change", [_clean, shutil.rmtree, _moved, _moved_alone, _replaced])
def test_a_run_whose_journal_is_gone_buys_no_more_and_puts_it_back(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    world = World(tmp_path / "trip")

    def act() -> Submission:
        change(world.path)
        taken: Submission = world.gateway.take(world.keys[-1])
        return taken

    world.gateway.answers.append(act)

    outcome = world.run(cities(*NAMES), RunPolicy(max_in_flight=2))

    assert outcome.stop is not None
    assert (outcome.stop.kind, outcome.code) == ("journal", ExitCode.STOPPED)
    bought = len(world.keys)
    assert bought <= 2
    again = world.run(cities(*NAMES))
    assert again.code == ExitCode.DONE
    assert len(world.keys) == len(NAMES)
    assert set(statuses(again).values()) == {"completed"}


DYING = """
import os, sqlite3, sys
from pathlib import Path

from veogen.executor.journal import Journal

last, calls = int(sys.argv[2]), 0

def or_die(function):
    def call(*words, **options):
        global calls
        calls += 1
        if calls == last:
            os._exit(9)
        return function(*words, **options)
    return call

class Connection(sqlite3.Connection):
    execute = or_die(sqlite3.Connection.execute)

connect = sqlite3.connect
sqlite3.connect = lambda *words, **options: connect(*words, factory=Connection, **options)
for name in ("open", "pwrite", "fsync", "replace", "unlink"):
    setattr(os, name, or_die(getattr(os, name)))
Journal.open(Path(sys.argv[1])).close()
"""
"""Opens and closes a journal, and is gone at the n-th step."""


@pytest.mark.slow
def test_a_process_that_dies_while_it_opens_or_closes_a_journal_leaves_one_that_opens(
    closed: Path,
) -> None:
    journal_db = closed / "journal.db"
    with Journal.read(journal_db) as journal:
        written = list(journal.events())
    steps = 0
    while True:
        steps += 1
        command = [sys.executable, "-c", DYING, str(journal_db), str(steps)]
        ended = subprocess.run(command, check=False, timeout=60).returncode
        with Journal.open(journal_db) as journal:
            assert list(journal.events()) == written, steps
        if ended == 0:
            break
    assert steps > 20
