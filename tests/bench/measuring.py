"""How everything is measured: candidates take turns, medians of the rounds, ratios per round.

A machine that others use, or that changes its pace, slows the candidates of one round alike. So
a ratio is taken within each round, and only then the median of the ratios.
"""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import IO, Generic, TypeVar

ROUNDS = 5
"""As many as a figure that is kept needs at least."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measure:
    """CPU and wall seconds of a process and its children, and the most memory one of them had."""

    cpu: float
    wall: float
    mebibytes: float


class BenchError(Exception):
    """A candidate did not do what is measured."""


@dataclass(frozen=True, slots=True)
class Rounds(Generic[T]):
    """What each candidate gave in each round."""

    found: Mapping[str, Sequence[T]]

    def median(self, name: str, key: Callable[[T], float]) -> float:
        return median(map(key, self.found[name]))

    def ratio(self, name: str, base: str, key: Callable[[T], float]) -> float:
        """How many times a figure is that of another candidate: the median of all rounds."""
        pairs = zip(self.found[name], self.found[base], strict=True)
        return median(key(one) / key(other) for one, other in pairs)


def take_turns(candidates: Mapping[str, Callable[[], T]], rounds: int) -> Rounds[T]:
    """Every candidate once a round, in the order given."""
    found: dict[str, list[T]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            found[name].append(candidate())
    return Rounds(found)


def process(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Measure:
    """The measure of a command from its start to its end, by the account of the system.

    The memory of a process counts from what started it, so whoever calls this has to be small.
    """
    environment = None if environment is None else {**os.environ, **environment}
    start = time.perf_counter()
    running = subprocess.Popen(
        command, cwd=cwd, env=environment, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
    )
    with running:
        assert running.stderr is not None
        said = running.stderr.read()
        _, status, used = os.wait4(running.pid, 0)
        wall = time.perf_counter() - start
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise BenchError(f"{' '.join(command)} exits {running.returncode}: {said.decode()}")
    return Measure(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def cpu(measure: Measure) -> float:
    return measure.cpu


def wall(measure: Measure) -> float:
    return measure.wall


def mebibytes(measure: Measure) -> float:
    return measure.mebibytes


def machine() -> str:
    """On what is measured, without anything that would name it."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}, "
        f"{_processor()}, {os.cpu_count()} cores, {pages / 2**30:.0f} GiB"
    )


def versions(*distributions: str) -> str:
    """The versions of Python and of distributions."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return ", ".join([python, *(f"{name} {version(name)}" for name in distributions)])


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or "unknown processor"
    names = (line for line in information.read_text().splitlines() if line.startswith("model name"))
    return next(names, ": unknown processor").partition(":")[2].strip()
