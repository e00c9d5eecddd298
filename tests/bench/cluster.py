"""A plan on a cluster: how its makespan falls with workers, and what its coordinator costs.

Virtual workers on a clock that passes without waiting say how near the ideal batches come and what
they cost; real ones, each behind a line of its own, say how fast clips come home.
"""

import heapq
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path

from bench.measuring import process
from bench.tables import Table

TESTS = Path(__file__).parents[1]
EACH = 8
"""Tasks in flight a worker."""
MEGABYTE = 1_000_000
LINE = 8 * MEGABYTE
"""Bytes a second that the line of one worker carries."""


def tables(*, small: bool) -> Iterator[Table]:
    yield _makespans(*((400, (1, 2)) if small else (100_000, (1, 8, 64))))
    yield _clips(*((4, MEGABYTE, (1, 2)) if small else (200, 10 * MEGABYTE, (1, 2, 4))))


def ideal(durations: Sequence[float], slots: int) -> float:
    """Seconds that a list schedule takes, all slots being one machine's."""
    ends = [0.0] * slots
    for seconds in durations:
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def _makespans(count: int, workers: Sequence[int]) -> Table:
    rows = []
    for number in workers:
        with tempfile.TemporaryFile() as said:
            command = [sys.executable, "-m", "bench.cluster", str(count), str(number)]
            used = process(command, environment={"PYTHONPATH": str(TESTS)}, stdout=said)
            said.seek(0)
            seconds, least = json.load(said)
        rows.append(
            (
                f"{number} x {EACH} in flight",
                f"{seconds / 3600:.1f}",
                f"{seconds / least:.3f}",
                f"{used.cpu:.1f}",
                f"{1000 * used.cpu / count:.2f}",
                f"{used.mebibytes:.0f}",
            )
        )
    return Table(
        f"Cluster: {count:,} requests on virtual workers",
        ("workers", "hours", "x ideal", "CPU s", "ms a request", "MiB"),
        rows,
        (
            "CPU and memory are the coordinator's, the plan, the journal and the virtual workers in it.",
        ),
    )


def _clips(count: int, size: int, workers: Sequence[int]) -> Table:
    seconds = {number: brought_home(count, size, number) for number in workers}
    least = {number: count * size / LINE / number for number in workers}
    return Table(
        f"Cluster: {count} clips of {size / MEGABYTE:g} MB to the store",
        ("workers", "wall s", "x one worker", "x its lines"),
        [
            (
                f"{number}",
                f"{wall:.1f}",
                f"{wall / seconds[workers[0]]:.2f}",
                f"{wall / least[number]:.2f}",
            )
            for number, wall in seconds.items()
        ],
        (f"Each worker's line carries {LINE / MEGABYTE:g} MB a second; the host shapes it.",),
    )


def brought_home(count: int, size: int, workers: int) -> float:
    """Seconds of a run on real workers, from its command to its end."""
    from support.machines import scene, wait_for_workers  # noqa: PLC0415 - needs the extra

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "store").mkdir()
        with scene(folder, f"file://{folder}/store", {}, seconds=0.2) as made:
            made.gateway.padding, made.gateway.bandwidth = size, LINE
            made.plan(count)
            for number in range(workers):
                key = {"EVOLINK_API_KEY": f"sk-evo-line-{number}"}
                made.cluster.start_worker(f"line-{number}", {**made.environ, **key})
            wait_for_workers(made.cluster, workers)
            began = time.monotonic()
            code, said = made.run("--keep", "store", in_flight=16)
            seconds = time.monotonic() - began
            if code or made.statuses != {"completed": count}:
                raise subprocess.SubprocessError(said)
    return seconds


def _virtual(count: int, workers: int) -> tuple[float, float]:
    """Virtual seconds of a whole run, and those of the ideal."""
    from support.batches import run_on_cluster  # noqa: PLC0415
    from support.virtual import request  # noqa: PLC0415 - the process that only waits stays small

    from veogen.executor.options import RunPolicy  # noqa: PLC0415

    chance = random.Random(7)
    requests = [request(f"c{number}") for number in range(count)]
    durations = {each.hash: chance.lognormvariate(log(110), 0.3) for each in requests}
    policy = RunPolicy(max_in_flight=EACH * workers, keep_store=True)
    with tempfile.TemporaryDirectory() as folder:
        ran = run_on_cluster(Path(folder), requests, durations, policy, workers)
    if ran.completed != count:
        raise subprocess.SubprocessError(f"{ran.completed} of {count} are completed: {ran.stop}")
    return ran.makespan, ideal(list(durations.values()), policy.max_in_flight)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_virtual(int(sys.argv[1]), int(sys.argv[2]))))
