"""How much the scheduler adds to what the gateway takes, on a clock that passes without waiting.

The real scheduler, journal and all, buys from a gateway whose tasks take as long as real ones. A
round is a seed. Ideal is the list schedule of the same order when every end is known at once.
"""

import random
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

from support.batches import DISTRIBUTIONS, Took, alike, carried, mixed

from bench.measuring import ROUNDS, take_turns
from bench.tables import Table
from veogen.executor.options import RunPolicy

FIXED = "every 10 s"
ADAPTIVE = "by what was seen"
LONGEST_FIRST = "the longest first"
IN_ORDER = "in plan order (--max-credits)"


def tables(*, small: bool) -> Iterator[Table]:
    tasks, slots = (40, 10) if small else (1000, 50)
    with tempfile.TemporaryDirectory() as folder:
        yield _intervals(Path(folder), tasks, slots, 1 if small else ROUNDS)
        yield _orders(Path(folder), slots, 1 if small else ROUNDS)


def _intervals(folder: Path, tasks: int, slots: int, rounds: int) -> Table:
    rows = []
    for name in DISTRIBUTIONS:
        found = take_turns(
            {
                shown: partial(
                    _alike,
                    folder / name / shown,
                    count(),
                    name,
                    tasks,
                    RunPolicy(max_in_flight=slots, submit_rate=120.0, poll_interval=interval),
                )
                for shown, interval in {FIXED: 10.0, ADAPTIVE: None}.items()
            },
            rounds,
        )
        rows += [
            (
                f"{name}: {shown}",
                f"{found.median(shown, lambda took: took.makespan / took.ideal):.3f}",
                f"{found.median(shown, lambda took: took.reads / tasks):.1f}",
                f"{found.ratio(shown, FIXED, lambda took: took.reads):.2f}",
                f"{found.ratio(shown, FIXED, lambda took: took.calls):.2f}",
                f"{found.median(shown, lambda took: took.lag):.2f}",
                f"{found.ratio(shown, FIXED, lambda took: took.lag):.2f}",
            )
            for shown in found.found
        ]
    return Table(
        f"Makespan: {tasks:,} tasks, {slots} at a time, 120 submits a minute",
        ("", "x ideal", "reads a task", "x fixed", "calls x fixed", "mean lag s", "x fixed"),
        rows,
        ("At most 1.050 times the ideal; 0.65 times the reads at no more lag.",),
    )


def _alike(folder: Path, seeds: Iterator[int], name: str, tasks: int, policy: RunPolicy) -> Took:
    """A batch whose durations change from round to round, the same for every candidate."""
    seed, (draw, estimate) = next(seeds), DISTRIBUTIONS[name]
    chance, wanted = random.Random(seed), alike(tasks)
    prompts = [str(request.body["prompt"]) for request in wanted.requests]
    durations = {prompt: draw(chance) for prompt in prompts}
    estimates = dict.fromkeys(prompts, estimate)
    return carried(folder / str(seed), wanted, durations, estimates, policy)


def _orders(folder: Path, slots: int, rounds: int) -> Table:
    found = take_turns(
        {
            LONGEST_FIRST: partial(_mixed, folder / "longest", count(), slots, None),
            IN_ORDER: partial(_mixed, folder / "order", count(), slots, Decimal(10**9)),
        },
        rounds,
    )
    return Table(
        f"Makespan: {slots // 2} long tasks behind {4 * slots} short ones, {slots} at a time",
        ("", "makespan s", "x ideal", "x plan order"),
        [
            (
                name,
                f"{found.median(name, lambda took: took.makespan):.0f}",
                f"{found.median(name, lambda took: took.makespan / took.ideal):.3f}",
                f"{found.ratio(name, IN_ORDER, lambda took: took.makespan):.2f}",
            )
            for name in found.found
        ],
    )


def _mixed(folder: Path, seeds: Iterator[int], slots: int, ceiling: Decimal | None) -> Took:
    seed = next(seeds)
    chance, wanted = random.Random(seed), mixed(4 * slots, slots // 2)
    medians = {str(r.body["prompt"]): 60.0 if r.seconds == 4 else 240.0 for r in wanted.requests}
    durations = {name: median * chance.lognormvariate(0, 0.2) for name, median in medians.items()}
    policy = RunPolicy(max_in_flight=slots, max_credits=ceiling)
    return carried(folder / str(seed), wanted, durations, medians, policy)
