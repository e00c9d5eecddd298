"""What veogen costs as a count: instructions, which no other process and no hour of the day moves.

Counted by cachegrind. A run has threads that wait for each other, so its count moves by a percent.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import veogen
from bench.journal import boats_project, bought_run
from bench.matrices import axes, project, spec
from bench.measuring import BenchError
from bench.tables import Table

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = "## Instructions: millions, by release"
RUN = "run of {:,} at the simulator"
RUN_OF = 20
"""Requests of a run: the simulator draws its clips in the same process, which makes up most of it.
A run of 20 takes three minutes to count, one of 200 half an hour."""

_COUNT = re.compile(r"I\s+refs:\s+([\d,]+)")
_LINE = re.compile(r"^\| (?P<release>\S+) +\|(?P<counts>[ \d,|]+)\|$", re.MULTILINE)


def tables(*, small: bool) -> Iterator[Table]:
    """One line for this release, to be kept, and its ratio to the last one that was."""
    few, some, many = (8, 2, 10) if small else (10_000, RUN_OF, 25_000)
    with tempfile.TemporaryDirectory() as folder:
        ways = dict(_ways(Path(folder), few, some, many))
        if small:
            del ways[RUN.format(some)]  # it draws and packs clips
        counts = [_millions(way) for way in ways.values()]
    before = None if small else last_kept()
    rows = [(veogen.__version__, *(f"{count:,}" for count in counts))]
    if before is not None:
        ratios = (f"{new / old:.2f}" for new, old in zip(counts, before, strict=True))
        rows.append(("x the last one kept", *ratios))
    yield Table(HEADING.removeprefix("## "), ("", *ways), rows)


def last_kept() -> list[int] | None:
    """The counts of the newest line that is kept."""
    kept = RESULTS.read_text().partition(HEADING)[2]
    lines = [line for line in _LINE.finditer(kept) if line["release"] != "-"]
    if not lines:
        return None
    return [int(text.replace(",", "")) for text in lines[-1]["counts"].split("|")]


def _ways(root: Path, few: int, some: int, many: int) -> Mapping[str, Callable[[], int]]:
    planned = project(root / "plan", spec(axes(2, 2, few // 4)))
    run = boats_project(root / "run", some)
    opened = boats_project(root / "open", many)
    bought_run(opened, opened / "runs" / "boats")
    options = ("--simulate", "--generation-time", "0.2", "--max-in-flight", "64")
    return {
        f"plan of {few:,}": partial(
            _count, planned.parent, "plan", planned.name, "--format", "jsonl", *_most(few)
        ),
        RUN.format(some): partial(
            _count, run, "run", "boats.yaml", *options, "--progress", "none", *_most(some)
        ),
        f"status of {many:,}": partial(_count, opened, "status", "runs/boats", "--format", "json"),
    }


def _most(requests: int) -> tuple[str, str]:
    return "--max-requests", str(requests)


def _count(folder: Path, *words: str) -> int:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise BenchError("instructions are counted with valgrind, which is not installed")
    program = [sys.executable, "-m", "veogen", *words]
    count = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(
        [*count, *program], cwd=folder, capture_output=True, text=True, check=False
    )
    found = _COUNT.search(done.stderr)
    if found is None or done.returncode != 0:
        raise BenchError(f"{' '.join(words)}: {done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def _millions(way: Callable[[], int]) -> int:
    return round(way() / 1_000_000)
