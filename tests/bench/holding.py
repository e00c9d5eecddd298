"""What it costs to hold 10,000 tasks, each looked at every ten seconds, at 100 ms an answer."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import holders
from bench.measuring import ROUNDS, take_turns, versions
from bench.tables import Table

PROGRAM = holders.__file__
IDLE = "a process that holds none"
OURS = "veogen's scheduler, batches of 50"
SINGLE = "aiohttp, a coroutine a task"
BATCHES = "aiohttp, batches of 50"
NAIVE = "a thread a task"
WAYS = {IDLE: "idle", OURS: "ours", NAIVE: "threads", SINGLE: "coroutines", BATCHES: "batches"}


@dataclass(frozen=True, slots=True)
class Held:
    """Looks at tasks, CPU seconds of each, peak memory, and how late they began, in seconds."""

    polls: int
    cpu: float
    mebibytes: float
    median: float
    p99: float


def tables(*, small: bool) -> Iterator[Table]:
    tasks, interval, seconds = (200, 0.2, 1.0) if small else (10_000, 10.0, 30.0)
    with serving() as url, tempfile.TemporaryDirectory() as folder:

        def hold(way: str) -> Held:
            words = [str(word) for word in (url, tasks, interval, seconds, folder)]
            Path(folder, "journal.db").unlink(missing_ok=True)
            subprocess.run([sys.executable, PROGRAM, "prepare", *words], check=True)
            command = [sys.executable, PROGRAM, way, *words]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            return Held(**json.loads(done.stdout))

        rounds = take_turns(
            {name: partial(hold, way) for name, way in WAYS.items()}, 1 if small else ROUNDS
        )
    base = rounds.median(IDLE, lambda held: held.mebibytes)
    yield Table(
        f"Holding: {tasks:,} tasks, each looked at every {interval:g} s",
        (
            "",
            "polls",
            "CPU ms a poll",
            "x aiohttp",
            "x its batches",
            "MiB more",
            "p50 late ms",
            "p99",
        ),
        [
            (
                name,
                f"{rounds.median(name, lambda held: held.polls):.0f}",
                f"{rounds.median(name, lambda held: held.cpu) * 1000:.3f}",
                f"{rounds.ratio(name, SINGLE, lambda held: held.cpu):.2f}",
                f"{rounds.ratio(name, BATCHES, lambda held: held.cpu):.2f}",
                f"{rounds.median(name, lambda held: held.mebibytes) - base:.0f}",
                f"{rounds.median(name, lambda held: held.median) * 1000:.1f}",
                f"{rounds.median(name, lambda held: held.p99) * 1000:.1f}",
            )
            for name in WAYS
            if name != IDLE
        ],
        (
            "At most 3.00 times the CPU of aiohttp, 60 MiB more, and 20 ms late at p99.",
            versions("requests", "urllib3", "aiohttp"),
        ),
    )


@contextmanager
def serving(latency: float = 0.1) -> Iterator[str]:
    """Where tasks are read that never end."""
    command = [sys.executable, PROGRAM, "serve", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
