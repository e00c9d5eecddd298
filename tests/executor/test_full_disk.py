"""A disk that gets full at different moments of a real run: what was bought is on record."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.disks import fill, small_disk
from support.gateways import Served, quick_simulator
from support.project import Shell

from veogen.errors import ExitCode
from veogen.executor.journal import Journal

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots:
  - name: city
    prompt: "WORD {{ take_no }} at dusk"
    matrix: {take_no: [1, 2, 3, 4, 5, 6]}
"""
RUN = ("run", "spec.yaml", "--yes", "--progress", "lines", "--poll-interval", "0.1")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with quick_simulator(tmp_path_factory.mktemp("account")) as served:
        yield served


@pytest.mark.parametrize(
    "kib",
    [
        pytest.param(700, id="before the first submit"),
        pytest.param(1120, id="at the first writes"),
        pytest.param(1160, id="at later writes"),
        pytest.param(3000, id="at the first clip"),
        pytest.param(5700, id="at a later clip"),
    ],
)
def test_what_was_bought_is_on_record_and_comes_home_when_there_is_room(
    kib: int, served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    word = f"disk-{kib}"
    with small_disk(tmp_path / "disk", 16_384) as disk:
        shell = Shell(disk, capfd, served.environ)
        (disk / "spec.yaml").write_text(SPEC.replace("WORD", word))
        filler = fill(disk, kib)

        first = shell.veogen(*RUN)

        assert first.code == ExitCode.STOPPED, first.err
        assert "NOT ON RECORD" not in first.err
        assert billed(served, word) <= on_record(disk / "runs" / "trip" / "journal.db")

        filler.unlink()
        second = shell.veogen(*RUN)

        results = json.loads((disk / "runs" / "trip" / "results.json").read_text())["results"]
        assert second.code == ExitCode.DONE, second.err
        assert {line["task_id"] for line in results} == billed(served, word)
        assert len(billed(served, word)) == len(results) == 6
        shutil.rmtree(disk / "runs")


def test_a_disk_without_room_for_a_clip_is_not_bought_for(
    served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 16_384) as disk:
        shell = Shell(disk, capfd, served.environ)
        (disk / "spec.yaml").write_text(SPEC.replace("WORD", "no-room"))
        fill(disk, 3000)

        run = shell.veogen(*RUN)

        assert run.code == ExitCode.STOPPED
        assert "runs/trip: there is no room for a clip; nothing was bought" in run.err
        assert billed(served, "no-room") == set()
        shutil.rmtree(disk / "runs")


@pytest.mark.parametrize("command", [RUN, ("collect", "runs/trip")])
def test_a_full_disk_is_told_as_such_and_not_as_a_journal_that_is_damaged(
    command: tuple[str, ...], served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 16_384) as disk:
        shell = Shell(disk, capfd, served.environ)
        (disk / "spec.yaml").write_text(SPEC.replace("WORD", "sound"))
        shell.veogen(*RUN)
        fill(disk, 0)

        found = shell.veogen(*command)
        status = shell.veogen("status", "runs/trip")

        full = "database or disk is full; make room and leave the journal where it is"
        assert found.code == ExitCode.STOPPED
        assert found.err == f"error: runs/trip/journal.db: {full}\n"
        assert status.code == ExitCode.DONE
        shutil.rmtree(disk / "runs")


def billed(served: Served, word: str) -> set[str]:
    return {b["task_id"] for b in served.audit()["billed"] if b["prompt"].startswith(f"{word} ")}


def on_record(path: Path) -> set[str | None]:
    with Journal.read(path) as journal:
        return {standing.record.task_id for standing in journal.ledger().everything}
