"""Results while a run is on: rewritten seldom where that takes long, and never without a pull's lines."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.virtual import VirtualClock, World, cities, request, run_state

from veogen.executor.directory import RunDirectory
from veogen.executor.journal import Header, Journal
from veogen.executor.options import RunPolicy
from veogen.executor.results_file import ResultsFile
from veogen.executor.state import NullListener, RunState
from veogen.results.events import TaskCreated
from veogen.results.ledger import Ledger
from veogen.results.manifest import ManifestRenderer

TOKYO = request("Tokyo")


class DearResults(ResultsFile):
    """Each rewriting takes a while on the virtual clock, or as long as it is told."""

    def __init__(self, directory: RunDirectory, clock: VirtualClock) -> None:
        super().__init__(directory, ManifestRenderer("evolink"))
        self.takes = 0.0
        self.begun: list[float] = []
        self._clock = clock

    def write(self, ledger: Ledger) -> bytes | None:
        self.begun.append(self._clock.monotonic())
        self._clock.sleep(self.takes)
        return super().write(ledger)


class Busy:
    """A run to which something happens ten times a second."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.clock, directory, self._events = VirtualClock(), RunDirectory(folder), 0
        ledger = Ledger("trip")
        ledger.adopt([TOKYO])
        self.results = DearResults(directory, self.clock)
        self.state = RunState(
            journal=journal,
            ledger=ledger,
            directory=directory,
            results=self.results,
            policy=RunPolicy(),
            clock=self.clock,
            listener=NullListener(),
        )

    def goes_on(self, seconds: float) -> list[float]:
        """How long after the one before it each rewriting began."""
        self.state.write_results(force=True)
        self.results.begun.clear()
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self._events += 1
            task = f"task-{self._events}"
            self.state.record([TaskCreated(TOKYO.hash, 1, task, None, self.clock.now())])
            self.state.write_results()
            self.clock.sleep(0.1)
        times = self.results.begun
        return [round(later - sooner, 1) for sooner, later in pairwise(times)]


@pytest.mark.parametrize(
    ("takes", "every"),
    [
        pytest.param(0.0, 3.0, id="no time: every 3 seconds"),
        pytest.param(0.1, 3.0, id="a tenth of a second"),
        pytest.param(0.8, 16.0, id="as long as 100,000 lines take", marks=pytest.mark.slow),
    ],
)
def test_rewriting_takes_a_twentieth_of_a_run_at_most(
    tmp_path: Path, takes: float, every: float
) -> None:
    with Journal.create(tmp_path / "journal.db", Header("trip", "evolink")) as journal:
        busy = Busy(tmp_path, journal)
        busy.results.takes = takes

        apart = busy.goes_on(5 * every)

    assert len(apart) >= 3
    assert min(apart) >= every
    assert max(apart) <= every + 0.2


@pytest.mark.slow
def test_it_is_rewritten_often_again_once_that_takes_no_time(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal.db", Header("trip", "evolink")) as journal:
        busy = Busy(tmp_path, journal)
        busy.results.takes = 2.0
        busy.goes_on(100.0)
        busy.results.takes = 0.0

        apart = busy.goes_on(20.0)

    assert max(apart) <= 3.2


@pytest.mark.slow
def test_the_end_of_a_run_is_written_whatever_it_took_before(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal.db", Header("trip", "evolink")) as journal:
        busy = Busy(tmp_path, journal)
        busy.results.takes = 60.0
        busy.goes_on(70.0)
        before = len(busy.results.begun)

        busy.state.write_results(force=True)

    assert len(busy.results.begun) == before + 1
    assert TOKYO.hash in (tmp_path / "results.json").read_text()


def test_what_a_pull_brings_stays_in_the_results_of_a_run_whose_journal_is_full(
    tmp_path: Path,
) -> None:
    there = World(tmp_path / "there")
    there.run(cities("Tokyo", *(f"Village {number}" for number in range(40))))
    pulled = (there.path / "results.json").read_bytes()

    with run_state(tmp_path / "here", [TOKYO]) as state:
        state.write_results(force=True)
        database = state._journal._db  # noqa: SLF001 - as large as its disk lets it be
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        (tmp_path / "here/results.json").write_bytes(pulled)

        state.write_results(force=True)

    assert state.stop is not None
    assert state.stop.kind == "disk"
    written = json.loads((tmp_path / "here/results.json").read_bytes())
    assert _tasks(written) == _tasks(json.loads(pulled))


def _tasks(manifest: dict[str, Any]) -> dict[str, str]:
    lines = (*manifest["results"], *manifest["former"])
    return {line["address"]: line["task_id"] for line in lines}
