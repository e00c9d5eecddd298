"""Machines as processes: killed, frozen and deleted ones, and the workers of a Dask cluster."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.gateways import Witness, witness
from support.stores import free_port

SILENCE = 5.0
"""Seconds after which a machine is silent in these tests."""

_TRIP = """veogen: 1
name: trip
{budget}shots:
  - name: boat
    prompt: "A boat, {{{{ i }}}}"
    params: {{duration: 4, quality: 720p}}
    matrix: {{i: [{values}]}}
"""


def trip(requests: int, budget: str = "") -> str:
    """A spec of so many requests, each of which costs 38.016 credits."""
    return _TRIP.format(budget=budget, values=", ".join(map(str, range(requests))))


def read_results(directory: Path) -> list[dict[str, Any]]:
    """The lines of a run directory's results.json."""
    lines: list[dict[str, Any]] = json.loads((directory / "results.json").read_text())["results"]
    return lines


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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
        (specs / "trip.yaml").write_text(trip(self._requests, self.budget))
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

    def results(self, name: str) -> list[dict[str, Any]]:
        """The lines of a machine's results.json."""
        return read_results(self.folder_of(name) / "runs/trip")

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


@dataclass
class DaskCluster:
    """Processes that come and go; `environ` is that of every worker."""

    folder: Path
    environ: Mapping[str, str]
    port: int = field(default_factory=free_port)
    scheduler: "subprocess.Popen[bytes] | None" = None
    workers: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        words = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._start("scheduler", words, os.environ)
        deadline = time.monotonic() + 60
        while not _listens(self.port):
            assert self.scheduler.poll() is None, self.log("scheduler")
            assert time.monotonic() < deadline, "the scheduler does not answer"
            time.sleep(0.05)

    def start_worker(
        self, name: str, environ: Mapping[str, str] | None = None, *words: str, threads: int = 1
    ) -> None:
        scratch = self.folder / "scratch" / name
        options = ["--no-nanny", "--nthreads", str(threads), "--no-dashboard", "--name", name]
        place = ["--host", "127.0.0.1", "--local-directory", str(scratch)]
        line = ["worker", self.address, *options, *place, *words]
        self.workers[name] = self._start(name, line, environ or self.environ)

    def _start(
        self, name: str, words: list[str], environ: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                cwd=self.folder,  # whose veogen is the installed one, or what PYTHONPATH says
                env=dict(environ),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a worker, or the scheduler, a signal."""
        process = self.scheduler if name == "scheduler" else self.workers[name]
        assert process is not None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        if number is signal.SIGKILL:
            process.wait()

    def end(self) -> None:
        for name in (*self.workers, *(["scheduler"] if self.scheduler else [])):
            self.signal(name, signal.SIGKILL)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def dask_cluster(
    folder: Path, environ: Mapping[str, str], *workers: str, threads: int = 1
) -> Iterator[DaskCluster]:
    """A scheduler with workers of these names, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, environ)
    try:
        cluster.start_scheduler()
        for name in workers:
            cluster.start_worker(name, threads=threads)
        yield cluster
    finally:
        cluster.end()


CLUSTER_SILENCE = 15.0
MANY = """\
veogen: 1
name: many
params: {model: veo-3.1-fast-generate-preview, duration: 4}
shots:
  - name: s
    prompt: number {{ i }}
    matrix: {i: [NUMBERS]}
"""


@dataclass
class Scene:
    """A project, a store, a gateway, a cluster, and commands on this machine."""

    folder: Path
    store: str
    environ: Mapping[str, str]
    gateway: Witness
    cluster: DaskCluster
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def plan(self, count: int) -> None:
        specs = self.folder / "specs"
        specs.mkdir(exist_ok=True)
        (specs / "many.yaml").write_text(MANY.replace("NUMBERS", ", ".join(map(str, range(count)))))

    def start(
        self, *words: str, in_flight: int = 6, with_store: bool = True
    ) -> "subprocess.Popen[str]":
        """A coordinator, as a user starts it."""
        command = [sys.executable, "-m", "veogen", "run", "specs/many.yaml", "--yes"]
        command += ["--dask", self.cluster.address]
        store = ["--store", self.store] if with_store else []
        pace = ["--max-in-flight", str(in_flight), "--poll-interval", "0.3", "--progress", "lines"]
        process = subprocess.Popen(
            [*command, *store, *pace, *words],
            cwd=self.folder,
            env=dict(self.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Leave nothing running, whatever a test has found."""
        for process in self.started:
            process.kill()
            if process.stdout is not None and not process.stdout.closed:
                process.communicate()

    def run(self, *words: str, in_flight: int = 6, with_store: bool = True) -> tuple[int, str]:
        """How a whole run ended, and what it said."""
        process = self.start(*words, in_flight=in_flight, with_store=with_store)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    @property
    def statuses(self) -> Counter[str]:
        return Counter(line["status"] for line in self.results())

    def results(self) -> list[dict[str, Any]]:
        return read_results(self.folder / "runs/many")

    @property
    def bought(self) -> Counter[str]:
        """How often each prompt was sent."""
        return Counter(json.loads(seen.body)["prompt"] for seen in self.gateway.submits)

    def wait_for_posts(self, count: int) -> None:
        wait_until(lambda: len(self.gateway.submits) >= count, 120.0)


@contextmanager
def scene(
    folder: Path, store: str, environ: Mapping[str, str], *workers: str, seconds: float = 0.5
) -> Iterator[Scene]:
    with witness(seconds) as gateway:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("EVOLINK_", "VEOGEN_"))}
        patience = {"VEOGEN_STORE_SILENCE": str(CLUSTER_SILENCE), "PYTHONWARNINGS": "ignore"}
        whole = {**kept, **gateway.environ, **environ, **patience}
        project = folder / "project"
        project.mkdir()
        with dask_cluster(folder / "dask", whole, *workers) as cluster:
            made = Scene(project, store, whole, gateway, cluster)
            try:
                yield made
            finally:
                made.end()


def wait_for_workers(cluster: DaskCluster, count: int) -> None:
    from distributed import Client  # noqa: PLC0415 - dear

    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)
