"""Two machines share a repository, and are killed and pull at random moments: paid once each."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.gateways import Account, served

KILLS = int(os.environ.get("VEOGEN_KILLS", "8"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 20 * KILLS)]

SPEC = """
veogen: 1
name: trip
params: {{duration: 4}}
shots:
  - name: boat
    prompt: "Boat {{{{ number }}}} at dusk"
    matrix: {{number: [{numbers}]}}
"""
NUMBERS = range(2 * 2 * KILLS)
HALVES = (NUMBERS[: len(NUMBERS) // 2], NUMBERS[len(NUMBERS) // 2 :])


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=False
    )


@dataclass
class Machine:
    """A clone of the repository, in which one may buy, pull and push."""

    folder: Path
    account: Account
    chance: random.Random
    select: tuple[str, ...] = ()
    bought_before: int = 0
    process: "subprocess.Popen[str] | None" = None
    pulls: Counter[str] = field(default_factory=Counter)

    @property
    def results(self) -> Path:
        return self.folder / "runs/trip/results.json"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "veogen", *words, "--progress", "none"]
        environ = {name: v for name, v in os.environ.items() if not name.startswith("EVOLINK_")}
        environ |= {
            "EVOLINK_API_KEY": "sk-evo-0123456789",
            "EVOLINK_BASE_URL": self.account.url,
            "EVOLINK_FILES_URL": self.account.url,
        }
        self.process = subprocess.Popen(
            [*command, "--poll-interval", "0.3"],
            cwd=self.folder,
            env=environ,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self.process

    def buy(self, *words: str) -> "subprocess.Popen[str]":
        select = [f"--select={address}" for address in self.select]
        self.bought_before = len(self.account.tasks)
        return self.start("run", "trip.yaml", "--yes", "--max-in-flight", "4", *select, *words)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def lines(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = json.loads(self.results.read_text())["results"]
        return lines

    def wait_a_moment(self) -> None:
        time.sleep(self.chance.uniform(0, 0.1))

    def pull(self) -> None:
        """What is here is committed and merged with what is there; of a conflict either side is taken."""
        self._commit()
        merged = git(self.folder, "pull", "--no-rebase", "--no-edit", "origin", "main")
        if git(self.folder, "ls-files", "--unmerged").stdout:
            side = self.chance.choice(["--ours", "--theirs"])
            git(self.folder, "checkout", side, "--", "runs/trip/results.json")
            git(self.folder, "add", "runs/trip/results.json")
            git(self.folder, "commit", "--quiet", "--no-edit")
            self.pulls["with a conflict"] += 1
        elif merged.returncode == 0:
            is_news = "Already up to date" not in merged.stdout
            self.pulls["that brought something" if is_news else "of nothing new"] += 1
        else:  # the run wrote its results in the meantime: git touches nothing
            assert "would be overwritten" in merged.stderr or "lock" in merged.stderr, merged.stderr
            self.pulls["refused by git"] += 1

    def go_back(self) -> None:
        """An older results.json comes back, as by the change of a branch, once the run has begun.

        (Before, nothing here would know what the newer one held.)
        """
        if len(self.account.tasks) == self.bought_before:
            return
        commits = git(self.folder, "log", "--format=%H", "--", "runs").stdout.split()
        if commits:
            older = self.chance.choice(commits[:4])
            git(self.folder, "checkout", older, "--", "runs/trip/results.json")
            self.pulls["of an older one"] += 1

    def push(self) -> None:
        """What a kill or a pull left behind is put right first, then committed and shared."""
        has_begun = self.results.exists() or (self.folder / "runs/trip/journal.db").exists()
        collected = self.start("collect", "runs/trip").wait()
        assert collected in ((0, 1, 4) if has_begun else (2,))
        if self.results.exists():
            json.loads(self.results.read_text())
            self._commit()
            while git(self.folder, "push", "origin", "HEAD:main").returncode:
                self.pull()
                assert self.start("collect", "runs/trip").wait() in (0, 1, 4)
                self._commit()

    def _commit(self) -> None:
        if self.results.exists():
            git(self.folder, "add", "runs/trip/results.json", "runs/trip/.gitignore")
            git(self.folder, "commit", "--quiet", "-m", "What was bought")


def clones(folder: Path, account: Account, chance: random.Random) -> list[Machine]:
    """Two clones of one repository that holds the spec."""
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    for name in ("ada", "bob"):
        git(folder, "clone", "--quiet", "origin.git", name)
        if name == "ada":
            spec = SPEC.format(numbers=", ".join(map(str, NUMBERS)))
            (folder / "ada/trip.yaml").write_text(spec)
            git(folder / "ada", "add", "trip.yaml")
            git(folder / "ada", "commit", "--quiet", "-m", "A trip")
            git(folder / "ada", "push", "--quiet", "origin", "HEAD:main")
    return [Machine(folder / name, account, chance) for name in ("ada", "bob")]


def by_turns(machines: list[Machine], chance: random.Random) -> None:
    """One buys at a time and pushes before the other begins; it pulls at any moment."""
    for turn in range(KILLS):
        machine = machines[turn % 2]
        machine.pull()
        machine.buy()
        until = time.monotonic() + chance.uniform(0.5, 4.0)
        while time.monotonic() < until and machine.is_running:
            time.sleep(chance.uniform(0.05, 0.4))
            chance.choice([machine.pull, machine.go_back, machine.wait_a_moment])()
        machine.kill()
        machine.push()


def together(machines: list[Machine], chance: random.Random) -> None:
    """Each buys its half all the time; they are killed, pull and push at any moment."""
    for machine, half in zip(machines, HALVES, strict=True):
        machine.select = tuple(f"boat[number={number}]" for number in half)
        machine.buy()
    for _ in range(KILLS):
        until = time.monotonic() + chance.uniform(0.3, 2.0)
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.05, 0.4))
            machine = chance.choice(machines)
            chance.choice([machine.pull, machine.wait_a_moment])()
        machine = chance.choice(machines)
        machine.kill()
        machine.push()
        machine.buy()
    for machine in machines:
        machine.kill()
        machine.push()
        machine.pull()
        assert machine.buy().wait() in (0, 1, 4)
        machine.push()
        machine.select = ()


def known_tasks(lines: list[dict[str, Any]]) -> set[str]:
    tasks = {line["task_id"] for line in lines}
    return tasks | {other["task_id"] for line in lines for other in line.get("others", ())}


@pytest.mark.parametrize("keeps_keys", [True, False], ids=["keys are kept", "no keys"])
@pytest.mark.parametrize("story", [by_turns, together], ids=["by turns", "disjoint"])
def test_machines_that_are_killed_and_pull_pay_once(
    tmp_path: Path,
    keeps_keys: bool,
    story: Callable[[list[Machine], random.Random], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(11)
    with served(Account(keeps_keys)) as account:
        machines = clones(tmp_path, account, chance)
        try:
            story(machines, chance)
        finally:
            for machine in machines:
                machine.kill()
        last = machines[0]
        last.pull()
        words = ("--on-indeterminate", "replay") if keeps_keys else ()
        code = last.buy(*words).wait()
        collected = last.start("collect", "runs/trip").wait()

        lines = last.lines()
        held = [line for line in lines if line["status"] == "indeterminate"]
        bought = account.bought
        assert {prompt: n for prompt, n in bought.items() if n > 1} == {}
        held_prompts = {f"Boat {line['variables']['number']} at dusk" for line in held}
        lost = {
            task
            for task, (prompt, _) in account.tasks.items()
            if task not in known_tasks(lines) and prompt not in held_prompts
        }
        assert lost == set()
        assert {line["status"] for line in lines} <= {"completed", "indeterminate"}
        assert code == (4 if held else 0)
        assert collected in (0, 1, 4)
        for line in lines:
            for video in line["videos"]:
                assert (last.folder / "runs/trip" / video["path"]).stat().st_size == video["bytes"]
    pulls = sum((machine.pulls for machine in machines), Counter())
    said = f"{KILLS} kills, pulls {dict(pulls)}, {len(account.tasks)} bought, {len(held)} held"
    with capsys.disabled():
        sys.stdout.write(f"\n{said}\n")
