"""Machines that carry one run out: processes of `veogen`, killed, frozen and deleted at random."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SILENCE = 5.0
"""Seconds after which a machine is silent in these tests."""

SPEC = """veogen: 1
name: trip
{budget}shots:
  - name: boat
    prompt: "A boat, {{{{ i }}}}"
    params: {{duration: 4, quality: 720p}}
    matrix: {{i: [{values}]}}
"""


class Fleet:
    """Folders that stand for machines, each with the project and perhaps a running process."""

    def __init__(self, folder: Path, environ: Mapping[str, str], url: str, requests: int) -> None:
        self._folder = folder
        self._environ = {**environ, "VEOGEN_STORE": url, "VEOGEN_STORE_SILENCE": str(SILENCE)}
        self._requests = requests
        self._count = 0
        self._frozen: dict[str, float] = {}
        self._more: dict[str, tuple[str, ...]] = {}
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.budget = ""
        self.options: tuple[str, ...] = ()

    def machine(self) -> str:
        """A new machine with nothing but the project."""
        name = f"machine-{self._count}"
        self._count += 1
        specs = self._folder / name / "specs"
        specs.mkdir(parents=True)
        (specs.parent / "veogen.yaml").write_text("limits: {}\n")
        values = ", ".join(map(str, range(self._requests)))
        (specs / "trip.yaml").write_text(SPEC.format(budget=self.budget, values=values))
        return name

    def start(
        self, name: str, *more: str, program: Sequence[str] = (sys.executable, "-m", "veogen")
    ) -> None:
        self._more[name] = more
        words = ["run", "specs/trip.yaml", "--yes", "--progress", "none", "--task-timeout", "60"]
        with (self._folder / f"{name}.log").open("a") as log:
            self.running[name] = subprocess.Popen(
                [*program, *words, *self.options, *more],
                cwd=self._folder / name,
                env=self._environ,
                stdout=log,
                stderr=log,
                text=True,
            )

    def run(self, name: str, *words: str) -> int:
        """The exit code of a command on a machine, once it has ended."""
        with (self._folder / f"{name}.log").open("a") as log:
            command = [sys.executable, "-m", "veogen", *words]
            place = self._folder / name
            return subprocess.run(
                command, cwd=place, env=self._environ, stdout=log, stderr=log, check=False
            ).returncode

    def background(self, name: str, *words: str) -> "subprocess.Popen[str]":
        """A command on a machine, which goes on beside what follows."""
        with (self._folder / f"{name}.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "veogen", *words],
                cwd=self._folder / name,
                env=self._environ,
                stdout=log,
                stderr=log,
                text=True,
            )

    def folder_of(self, name: str) -> Path:
        return self._folder / name

    def said(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def clips(self, name: str) -> int:
        return len(list((self._folder / name).rglob("*.mp4")))

    def trouble(self, chance: random.Random, seconds: float) -> None:
        """Kill and freeze machines for so long; those that are killed come back, or new ones do."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._alive():
            time.sleep(chance.uniform(0.3, 1.5))
            self._thaw()
            candidates = [name for name in self._alive() if name not in self._frozen]
            if candidates:
                self._befall(chance.choice(candidates), chance)

    def _befall(self, name: str, chance: random.Random) -> None:
        what = chance.choice(["restarted", "deleted", "frozen", "frozen"])
        if what == "frozen":
            os.kill(self.running[name].pid, signal.SIGSTOP)
            self._frozen[name] = time.monotonic() + chance.uniform(0.8, 1.8) * SILENCE
            return
        process = self.running.pop(name)
        process.kill()
        process.wait()
        if what == "deleted":
            shutil.rmtree(self._folder / name)
            more, name = self._more[name], self.machine()
        else:
            more = self._more[name]
        self.start(name, *more)

    def _alive(self) -> list[str]:
        return [name for name, process in self.running.items() if process.poll() is None]

    def _thaw(self, *, everybody: bool = False) -> None:
        for name, until in list(self._frozen.items()):
            if everybody or time.monotonic() >= until:
                del self._frozen[name]
                os.kill(self.running[name].pid, signal.SIGCONT)

    def end(self, seconds: float) -> dict[str, int | None]:
        """The exit codes once all have ended; None for one that had to be killed."""
        self._thaw(everybody=True)
        until = time.monotonic() + seconds
        codes: dict[str, int | None] = {}
        for name, process in self.running.items():
            try:
                codes[name] = process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                codes[name] = None
        self.running.clear()
        return codes
