"""A simulator in a process of its own, as a user starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

KEY = "sk-evo-5ecret-0f-a-u5er"


@dataclass(frozen=True, slots=True)
class Served:
    """Where it serves, as the environment of a client."""

    environ: Mapping[str, str]
    process: "subprocess.Popen[str]"

    def audit(self) -> dict[str, Any]:
        url = f"{self.environ['EVOLINK_BASE_URL']}/__audit"
        answer: dict[str, Any] = requests.get(url, timeout=10).json()
        return answer


@contextmanager
def simulator(faults: Path | None = None, *, generation_time: float = 0.2) -> Iterator[Served]:
    """`veogen simulate`, until the block ends."""
    words = [sys.executable, "-m", "veogen", "simulate", "--generation-time", str(generation_time)]
    words += ["--faults", str(faults)] if faults else []
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().strip() for _ in range(3)]
        environ = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        yield Served({**environ, "EVOLINK_API_KEY": KEY}, process)
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@contextmanager
def quick_simulator(folder: Path) -> Iterator[Served]:
    """One that makes a task in a moment, and one clip for all of them; `folder` holds its file."""
    account = folder / "faults.yaml"
    account.write_text("gateway: {clips: shared, estimated_time: 1}\n")
    with simulator(account, generation_time=0.1) as served:
        yield served


def clean_environment(served: Served) -> dict[str, str]:
    """The environment of a child process that talks to it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVOLINK_")}
    return {**kept, **served.environ}
