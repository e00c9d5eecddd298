"""The benches still run, at sizes that take no time; what they say of time is not judged."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from bench.__main__ import BENCHES
from bench.measuring import Measure, Rounds, cpu, take_turns
from bench.reading import manifest
from bench.tables import Table, processes
from veogen.document.reader import read
from veogen.document.schema import flaws_of
from veogen.spec.grammar import SPEC

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_runs_at_a_small_size(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--small", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert f"\n## {name.capitalize()}: " in done.stdout


def test_a_bench_that_is_not_there_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "reeding"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.endswith("error: no bench is called reeding\n")


def test_candidates_take_turns() -> None:
    order: list[str] = []

    take_turns({name: partial(order.append, name) for name in "ab"}, rounds=2)

    assert "".join(order) == "abab"


def test_a_ratio_is_taken_within_each_round_so_that_a_slow_round_does_not_count() -> None:
    rounds = Rounds({"ours": [2.0, 20.0, 4.0], "bare": [1.0, 10.0, 2.0]})

    assert rounds.ratio("ours", "bare", float) == 2.0
    assert rounds.median("ours", float) == 4.0


def test_a_table_is_markdown_and_lines_up() -> None:
    rounds = Rounds({"bare": [Measure(1, 2, 30)], "veogen": [Measure(0.5, 1, 60)]})

    assert rounds.ratio("veogen", "bare", cpu) == 0.5
    assert str(processes("Planning", rounds, "bare", ["Once."])) == (
        "## Planning\n"
        "\n"
        "|             | CPU s | x base | wall s | MiB | x base |\n"
        "| ----------- | ----: | -----: | -----: | --: | -----: |\n"
        "| bare (base) | 1.000 |   1.00 |  2.000 |  30 |   1.00 |\n"
        "| veogen      | 0.500 |   0.50 |  1.000 |  60 |   2.00 |\n"
        "\n"
        "Once.\n"
    )


def test_a_table_without_notes_ends_with_its_rows() -> None:
    assert str(Table("A", ("", "n"), [("x", "10")])) == (
        "## A\n\n|   |  n |\n| - | -: |\n| x | 10 |\n"
    )


def test_the_spec_that_is_read_has_no_mistakes() -> None:
    assert flaws_of(read(manifest(20_000), "a.yaml"), SPEC) == []
