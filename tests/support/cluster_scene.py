"""A project, a store, a gateway without idempotency keys, a Dask cluster, and commands."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.clusters import DaskCluster, dask_cluster
from support.witness import Witness, witness

SILENCE = 15.0
SPEC = """\
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
        (specs / "many.yaml").write_text(SPEC.replace("NUMBERS", ", ".join(map(str, range(count)))))

    def start(self, *words: str, in_flight: int = 6) -> "subprocess.Popen[str]":
        """A coordinator, as a user starts it."""
        command = [sys.executable, "-m", "veogen", "run", "specs/many.yaml", "--yes"]
        store = ["--store", self.store, "--dask", self.cluster.address]
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

    def run(self, *words: str, in_flight: int = 6) -> tuple[int, str]:
        """How a whole run ended, and what it said."""
        process = self.start(*words, in_flight=in_flight)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    @property
    def statuses(self) -> Counter[str]:
        return Counter(line["status"] for line in self.results())

    def results(self) -> list[dict[str, Any]]:
        text = (self.folder / "runs/many/results.json").read_text()
        lines: list[dict[str, Any]] = json.loads(text)["results"]
        return lines

    @property
    def bought(self) -> Counter[str]:
        """How often each prompt was sent."""
        return Counter(json.loads(seen.body)["prompt"] for seen in self.gateway.submits)

    def wait_for_posts(self, count: int) -> None:
        deadline = time.monotonic() + 120
        while len(self.gateway.submits) < count:
            assert time.monotonic() < deadline, f"{len(self.gateway.submits)} POSTs"
            time.sleep(0.02)


@contextmanager
def scene(
    folder: Path, store: str, environ: Mapping[str, str], *workers: str, seconds: float = 0.5
) -> Iterator[Scene]:
    with witness(seconds) as gateway:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("EVOLINK_", "VEOGEN_"))}
        patience = {"VEOGEN_STORE_SILENCE": str(SILENCE), "PYTHONWARNINGS": "ignore"}
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
