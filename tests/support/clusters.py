"""A Dask scheduler and its workers, each a process of its own, as people start them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.s3 import free_port


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
