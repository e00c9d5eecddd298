"""What it costs to start: the help against click alone, a small plan in seconds of CPU."""

import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.matrices import project
from bench.measuring import process, take_turns, versions
from bench.planning import VEOGEN
from bench.tables import Table, processes

CLICK = "python -c 'import click'"
ROUNDS = 21
"""More than elsewhere: a start is short and its time scatters."""

SHOTS = "".join(f"  - {{name: shot-{n}, prompt: Scene {n} of a slow dolly.}}\n" for n in range(10))
TEN = (
    "veogen: 1\nparams: {model: veo-3.1-fast-generate-preview, aspect_ratio: 16:9, duration: 8}\n"
    f"shots:\n{SHOTS}"
)
RUN = ("run", "--simulate", "--generation-time", "0", "--select", "shot-0", "spec.yaml")
COMMANDS = (
    ("--help",),
    ("--version",),
    ("plan", "--help"),
    ("models",),
    ("schema",),
    ("plan", "spec.yaml"),
    ("validate", "spec.yaml"),
    ("lock", "spec.yaml"),
    ("diff", "spec.lock.yaml", "spec.yaml"),
    ("status", "runs/spec.simulated"),
    ("gallery", "runs/spec.simulated"),
)
"""Each finds what it needs: a lock of one before it, and a run."""


def tables(*, small: bool) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder:
        project(Path(folder, "project"), TEN)
        where = Path(folder, "project")
        process([VEOGEN, *RUN], cwd=where)
        candidates = {
            "python -c pass": partial(process, [sys.executable, "-c", "pass"]),
            CLICK: partial(process, [sys.executable, "-c", "import click"]),
        }
        for words in COMMANDS:
            shown = f"veogen {' '.join(words)}"
            candidates[shown] = partial(process, [VEOGEN, *words], cwd=where)
        yield processes(
            "Starting: whole processes, ten shots",
            take_turns(candidates, 1 if small else ROUNDS),
            CLICK,
            [
                "`--help` at most 1.30 times click, `plan` at most 0.300 s of CPU.",
                versions("click"),
            ],
        )
