"""What an earlier version wrote goes on: its journal, lock, results and plan, byte for byte."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.project import Shell

from veogen.executor.journal import Journal
from veogen.results.events import to_json
from veogen.results.manifest import render

EARLIER = Path(__file__).parent.parent / "golden" / "earlier"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The earlier project: twelve requests, of which every one stands somewhere else."""
    run = tmp_path / "runs" / "trip"
    specs = tmp_path / "specs"
    run.mkdir(parents=True)
    specs.mkdir()
    for name, folder in (
        ("trip.yaml", specs),
        ("trip.lock.yaml", specs),
        ("journal.db", run),
        ("results.json", run),
    ):
        shutil.copyfile(EARLIER / name, folder / name)
    return tmp_path


@pytest.fixture
def shell(project: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(project, capsys, {"EVOLINK_API_KEY": "sk-evo-none"})


def test_its_events_are_read_and_written_with_the_same_bytes(project: Path) -> None:
    path = project / "runs" / "trip" / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        written = [body for (body,) in db.execute("SELECT body FROM event ORDER BY id")]

    with Journal.read(path) as journal:
        events = list(journal.events())

    assert [to_json(event) for event in events] == written
    assert len({type(event) for event in events}) == 14


def test_its_journal_folds_to_its_results(project: Path) -> None:
    with Journal.read(project / "runs" / "trip" / "journal.db") as journal:
        rendered = render(journal.ledger(), "evolink")

    results, earlier = _by_city(rendered), _by_city((EARLIER / "results.json").read_bytes())
    # Its first attempt failed: that purchase is not forgotten any more.
    assert results["Sion"].pop("others") == [
        {
            "attempt": 1,
            "task_id": "task-Sion-1",
            "status": "failed",
            "credits": "38.016",
            "videos": [],
        }
    ]
    # Its file was deleted: it stays completed, with the clip that is not here.
    assert (results["Thun"]["status"], earlier["Thun"]["status"]) == ("completed", "undelivered")
    assert len(results["Thun"]["videos"]) == 1
    del results["Thun"], earlier["Thun"]
    # What they may have cost stands beside them: no amount was named.
    assert [results[city].pop("estimate") for city in ("Davos", "Vevey")] == ["38.016"] * 2
    assert results == earlier


def _by_city(raw: bytes) -> dict[str, dict[str, Any]]:
    return {line["variables"]["city"]: line for line in json.loads(raw)["results"]}


def test_its_spec_plans_to_the_same_bytes(shell: Shell) -> None:
    ended = shell.veogen("plan", "specs/trip.yaml", "--format", "json")

    assert ended.code == 0
    assert ended.out == (EARLIER / "plan.json").read_text()


def test_its_lock_is_fresh_and_would_be_written_again_as_it_is(shell: Shell, project: Path) -> None:
    assert shell.veogen("lock", "--check", "specs/trip.yaml").code == 0
    (project / "specs" / "trip.lock.yaml").unlink()
    assert shell.veogen("lock", "specs/trip.yaml").code == 0

    lock = (project / "specs" / "trip.lock.yaml").read_bytes()
    assert lock == (EARLIER / "trip.lock.yaml").read_bytes()


def test_its_lock_and_its_spec_are_one_plan(shell: Shell) -> None:
    ended = shell.veogen("diff", "specs/trip.lock.yaml", "specs/trip.yaml", "--exit-code")

    assert ended.code == 0


def test_its_run_goes_on_by_hand(shell: Shell, project: Path) -> None:
    davos = "stop[city=Davos,look=noir]"

    ended = shell.veogen("resolve", "runs/trip", "--abandon", davos)

    assert ended.code == 0
    with Journal.read(project / "runs" / "trip" / "journal.db") as journal:
        ledger = journal.ledger()
    assert {s.request.variables["city"]: s.record.status for s in ledger.planned} == {
        "Basel": "completed",
        "Bern": "submitted",
        "Chur": "failed",
        "Davos": "failed",
        "Genf": "planned",
        "Olten": "undelivered",
        "Sion": "submitted",
        "Thun": "completed",
        "Uster": "submitted",
        "Vevey": "failed",
        "Wil": "completed",
        "Zug": "planned",
    }
