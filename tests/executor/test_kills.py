"""A real run, killed with SIGKILL at every write of its journal, in turn, until it is done."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.gateways import Served, clean_environment, quick_simulator

from veogen.errors import ExitCode

pytestmark = pytest.mark.slow

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots:
  - name: city
    prompt: "WORD at dusk"
"""

# Runs the command line in a process whose journal ends it at its n-th commit.
FATAL = """
import os, signal, sys
from veogen.executor import journal as journal_file

at, committed = int(sys.argv.pop(1)), sys.argv.pop(1) == "after"
commits = 0
run = journal_file.Transaction._run

def fatal(self, statement):
    global commits
    if statement != "COMMIT":
        return run(self, statement)
    commits += 1
    if commits == at and not committed:
        os.kill(os.getpid(), signal.SIGKILL)
    run(self, statement)
    if commits == at:
        os.kill(os.getpid(), signal.SIGKILL)

journal_file.Transaction._run = fatal
from veogen.cli import main
main()
"""

OPTIONS = ("--yes", "--progress", "none", "--poll-interval", "0.1", "--max-in-flight", "1")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with quick_simulator(tmp_path_factory.mktemp("account")) as served:
        yield served


WRITES = 5
"""How often the journal of that run is written: plan, intent, task, links, clip."""


@dataclass(frozen=True, slots=True)
class Project:
    """A spec in a folder, and the simulator that it is run against."""

    folder: Path
    word: str
    served: Served

    def __post_init__(self) -> None:
        (self.folder / "spec.yaml").write_text(SPEC.replace("WORD", self.word))
        (self.folder / "fatal.py").write_text(FATAL)

    def run(self, *more: str, start: Sequence[str] = ("-m", "veogen")) -> int:
        words = [sys.executable, *start, "run", "spec.yaml", *OPTIONS, *more]
        environ = clean_environment(self.served)
        return subprocess.run(words, cwd=self.folder, env=environ, check=False).returncode

    def run_until(self, at: int, when: str) -> int:
        return self.run(start=("fatal.py", str(at), when))

    def bills(self) -> list[dict[str, Any]]:
        billed = self.served.audit()["billed"]
        return [bill for bill in billed if bill["prompt"].startswith(f"{self.word} ")]

    def results(self) -> list[dict[str, Any]]:
        text = (self.folder / "runs/trip/results.json").read_text()
        results: list[dict[str, Any]] = json.loads(text)["results"]
        return results


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_a_run_killed_at_a_write_goes_on_and_pays_once(
    at: int, when: str, served: Served, tmp_path: Path
) -> None:
    project = Project(tmp_path, f"{when}-{at}", served)

    assert project.run_until(at, when) == -signal.SIGKILL
    if project.run() == ExitCode.INDETERMINATE:  # a POST was under way: somebody has to decide
        assert project.run("--on-indeterminate", "replay") == ExitCode.DONE

    assert [line["status"] for line in project.results()] == ["completed"]
    for line in project.results():
        assert all((tmp_path / "runs/trip" / v["path"]).is_file() for v in line["videos"])
    assert len(project.bills()) == 1
    assert sorted(p.name for p in (tmp_path / "runs/trip").glob("*journal*")) == ["journal.db"]


def test_the_table_covers_every_write(served: Served, tmp_path: Path) -> None:
    assert Project(tmp_path, "whole", served).run_until(WRITES + 1, "before") == ExitCode.DONE
