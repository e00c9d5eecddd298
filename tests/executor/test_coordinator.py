"""A plan on a virtual cluster: how long it takes beside the ideal, and what the coordinator costs."""

import random
import resource
import time
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from bench.cluster import EACH, ideal
from support.batches import run_on_cluster
from support.disks import IN_MEMORY
from support.virtual import PRICE, request

from veogen.executor.options import RunPolicy
from veogen.planner.plan import Request


@pytest.fixture
def memory() -> Iterator[Path]:
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


def many(count: int) -> tuple[Sequence[Request], dict[str, float]]:
    """Requests, and how long the task of each takes."""
    chance = random.Random(7)
    requests = [request(f"c{number}") for number in range(count)]
    return requests, {each.hash: chance.lognormvariate(log(110), 0.3) for each in requests}


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_all_is_done_within_the_policy_and_near_the_ideal(memory: Path, workers: int) -> None:
    requests, durations = many(2000)
    policy = RunPolicy(max_in_flight=EACH * workers, keep_store=True)

    ran = run_on_cluster(memory, requests, durations, policy, workers)

    assert (ran.stop, ran.completed) == (None, 2000)
    assert sum(len(job.plan.requests) for job in ran.cluster.handed) == 2000
    assert ran.cluster.most_in_flight <= policy.max_in_flight
    assert ran.makespan <= 1.3 * ideal(list(durations.values()), policy.max_in_flight)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [1, 8, 64])
def test_ten_thousand_requests_cost_the_coordinator_little(memory: Path, workers: int) -> None:
    requests, durations = many(10_000)
    policy = RunPolicy(max_in_flight=EACH * workers, keep_store=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()

    ran = run_on_cluster(memory, requests, durations, policy, workers)

    cpu = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert (ran.stop, ran.completed) == (None, 10_000)
    assert ran.makespan <= 1.25 * ideal(list(durations.values()), policy.max_in_flight)
    assert cpu <= 4e-3 * len(requests)
    assert grown <= 200 * 2**20


@pytest.mark.parametrize(
    "claims", [pytest.param(False, id="bought"), pytest.param(True, id="claimed")]
)
def test_a_batch_that_is_given_up_is_handed_out_again_while_something_in_it_moves(
    memory: Path, claims: bool
) -> None:
    requests, durations = many(100)
    policy = RunPolicy(max_in_flight=4, keep_store=True)

    ran = run_on_cluster(memory, requests, durations, policy, 2, lost=[0, 1], claims=claims)

    assert (ran.stop, ran.completed) == (None, 100)


def test_a_batch_in_which_nothing_moves_ends_the_run(memory: Path) -> None:
    requests, durations = many(3)
    policy = RunPolicy(max_in_flight=1, keep_store=True)

    ran = run_on_cluster(memory, requests, durations, policy, 1, lost=range(10))

    assert ran.stop is not None
    assert ran.stop.kind == "cluster"
    assert "a batch of 1 request in which nothing moves: 3 workers died with it" in ran.stop.message
    assert ran.completed == 2


def test_a_ceiling_is_spent_to_its_end_and_never_passed(memory: Path) -> None:
    requests, durations = many(100)
    policy = RunPolicy(max_in_flight=4, max_credits=10 * PRICE, keep_store=True)

    ran = run_on_cluster(memory, requests, durations, policy, 2)

    assert ran.completed == 10
    assert ran.stop is not None
    assert ran.stop.kind == "money"


def test_without_workers_nobody_waits_for_ever(memory: Path) -> None:
    requests, durations = many(3)

    ran = run_on_cluster(memory, requests, durations, RunPolicy(task_timeout=600.0), 0)

    assert ran.stop is not None
    assert ran.stop.message == "no worker came for 600 s"
    assert ran.makespan >= 600
