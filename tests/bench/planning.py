"""What the whole process of `veogen plan` costs, against a bare loop that renders and hashes."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.matrices import BARE, PROMPT, Axes, axes, project, size, spec
from bench.measuring import ROUNDS, Measure, process, take_turns, versions
from bench.tables import Table, processes

VEOGEN = str(Path(sys.executable).with_name("veogen"))
LOOP = "the bare loop"
OURS = "veogen plan"

WAYS: Mapping[str, Mapping[str, str]] = {
    OURS: {},
    "with an exclude": {"more": "      exclude: [{city: City 1, time: 1 past noon}]\n"},
    "with a sample of half": {"more": "      sample: {count: HALF, seed: 7}\n"},
    "with an include": {
        "more": "      include: [{city: Oslo, time: dusk, light: a street lamp}]\n"
    },
    "with an override": {
        "more": '    overrides: [{when: {city: City 1, time: 1 past noon}, prompt: "{{ light }}"}]\n'
    },
    "with a condition": {"prompt": PROMPT + "{% if city == 'City 1' %} Snow falls.{% endif %}"},
}


def tables(*, small: bool) -> Iterator[Table]:
    rounds = 1 if small else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        yield _against_the_loop(root, axes(2, 2, 2) if small else axes(40, 50, 50), rounds)
        yield _every_way(root, axes(2, 2, 2) if small else axes(20, 25, 40), rounds)
        yield _growing(root, [axes(2, 2, n) for n in (2, 3)] if small else LARGE, rounds)


LARGE = [axes(100, 100, 10), axes(100, 100, 100)]


def _against_the_loop(root: Path, matrix: Axes, rounds: int) -> Table:
    found = take_turns(
        {LOOP: bare(root, matrix), OURS: plan(root / "loop", spec(matrix))},
        rounds,
    )
    return processes(
        f"Planning: {size(matrix):,} requests as lines",
        found,
        LOOP,
        ["`plan --format jsonl`; at most 0.50 times the CPU of the loop.", versions("Jinja2")],
    )


def _every_way(root: Path, matrix: Axes, rounds: int) -> Table:
    half = str(size(matrix) // 2)
    candidates = {LOOP: bare(root, matrix)}
    for index, (name, written) in enumerate(WAYS.items()):
        text = spec(matrix, **written).replace("HALF", half)
        candidates[name] = plan(root / f"way-{index}", text)
    return processes(
        f"Planning: {size(matrix):,} combinations, written in other ways",
        take_turns(candidates, rounds),
        LOOP,
    )


def _growing(root: Path, matrices: Sequence[Axes], rounds: int) -> Table:
    names = [f"{size(matrix):,} requests" for matrix in matrices]
    candidates = {
        name: plan(root / f"large-{name}", spec(matrix))
        for name, matrix in zip(names, matrices, strict=True)
    }
    return processes(
        f"Planning: memory of {names[-1]}",
        take_turns(candidates, rounds),
        names[0],
        ["At most 130 MiB at 1,000,000."],
    )


def bare(root: Path, matrix: Axes) -> Callable[[], Measure]:
    data = root / f"{size(matrix)}.json"
    data.write_text(json.dumps(matrix))
    return partial(written, [sys.executable, "-c", BARE, str(data), PROMPT], root)


def plan(folder: Path, text: str, *options: str) -> Callable[[], Measure]:
    path = project(folder, text)
    words = options or ("--format", "jsonl")
    command = [VEOGEN, "plan", *words, "--max-requests", "10000000", str(path)]
    return partial(written, command, folder)


def written(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measure:
    """The measure of a command whose output goes to a file."""
    with (folder / "out").open("wb") as file:
        return process(command, cwd=folder, environment=environment, stdout=file)
