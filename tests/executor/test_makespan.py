"""How long a batch takes is the gateway's doing: the scheduler adds next to nothing to it."""

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.batches import DISTRIBUTIONS, LATENCY, alike, carried, every, mixed
from support.disks import IN_MEMORY

from veogen.executor.options import RunPolicy

pytestmark = pytest.mark.slow

SLOTS, A_MINUTE = 50, 120.0
TASKS = 1000


@pytest.fixture
def memory() -> Iterator[Path]:
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.mark.timeout(400)  # a thousand tasks, journal and all, on a machine that may be busy
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_two_thirds_of_the_reads_of_ten_seconds_end_within_a_twentieth_of_the_ideal(
    name: str, memory: Path
) -> None:
    draw, estimate = DISTRIBUTIONS[name]
    chance, wanted = random.Random(7), alike(TASKS)
    prompts = [str(request.body["prompt"]) for request in wanted.requests]
    durations = {prompt: draw(chance) for prompt in prompts}

    took = carried(
        memory / "trip",
        wanted,
        durations,
        dict.fromkeys(prompts, estimate),
        RunPolicy(max_in_flight=SLOTS, submit_rate=A_MINUTE),
    )

    fixed_reads, fixed_lag = every(10.0 + LATENCY, list(durations.values()))
    assert took.reads <= 0.65 * fixed_reads
    assert took.lag <= fixed_lag
    assert took.makespan <= 1.05 * took.ideal


def test_what_is_compared_with_is_what_the_scheduler_does_at_a_fixed_interval(
    tmp_path: Path,
) -> None:
    draw, estimate = DISTRIBUTIONS["log-normal"]
    chance, wanted = random.Random(7), alike(40)
    prompts = [str(request.body["prompt"]) for request in wanted.requests]
    durations = {prompt: draw(chance) for prompt in prompts}

    took = carried(
        tmp_path / "trip",
        wanted,
        durations,
        dict.fromkeys(prompts, estimate),
        RunPolicy(max_in_flight=SLOTS, poll_interval=10.0),
    )

    reads, lag = every(10.0 + LATENCY, list(durations.values()))
    assert took.reads == pytest.approx(reads, rel=0.02)
    # A run begins with a few submits at a time: reads that fall together by then are fewer.
    assert took.lag == pytest.approx(lag, rel=0.15)


def test_what_takes_longest_begins_first_unless_money_has_a_limit(memory: Path) -> None:
    wanted, chance = mixed(200, 25), random.Random(7)
    medians = {4: 60.0, 8: 240.0}
    durations, estimates = {}, {}
    for request in wanted.requests:
        prompt, median = str(request.body["prompt"]), medians[request.seconds or 0]
        durations[prompt] = median * chance.lognormvariate(0, 0.1)
        estimates[prompt] = median

    longest_first, in_order = (
        carried(
            memory / str(ceiling),
            wanted,
            durations,
            estimates,
            RunPolicy(max_in_flight=SLOTS, max_credits=ceiling),
        )
        for ceiling in (None, Decimal(10**6))
    )

    assert longest_first.makespan <= 1.05 * longest_first.ideal
    assert longest_first.makespan <= 0.85 * in_order.makespan


def test_with_a_ceiling_or_a_budget_requests_are_bought_in_plan_order(tmp_path: Path) -> None:
    wanted = mixed(3, 3)
    prompts = [str(request.body["prompt"]) for request in wanted.requests]
    long, short = dict.fromkeys(prompts[3:], 240.0), dict.fromkeys(prompts[:3], 60.0)
    orders = [
        carried(tmp_path / name, wanted, short | long, short | long, policy).order
        for name, policy in {
            "free": RunPolicy(max_in_flight=1),
            "ceiling": RunPolicy(max_in_flight=1, max_credits=Decimal(1000)),
            "budget": RunPolicy(max_in_flight=1, budget=Decimal(1000)),
        }.items()
    ]

    assert orders == [[prompts[0], *prompts[3:], *prompts[1:3]], prompts, prompts]
