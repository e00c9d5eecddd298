"""Tasks that are due one after the other are read together, and none of them late."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.virtual import VirtualClock, VirtualGateway, World, cities

from veogen.errors import ExitCode
from veogen.executor.options import RunPolicy
from veogen.gateway.api import ReadError, Task

TASKS = 100


@dataclass
class Counting(VirtualGateway):
    """Remembers when each task was read, and in how many calls."""

    calls: int = 0
    read_at: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        self.calls += 1
        for task_id in task_ids:
            self.read_at[task_id].append(self.clock.monotonic())
        return super().tasks(task_ids)


@pytest.mark.parametrize(("at_once", "calls"), [(50, 300), (1, TASKS * 10)])
def test_a_hundred_tasks_that_began_one_by_one_are_read_in_batches(
    at_once: int, calls: int, tmp_path: Path
) -> None:
    world = World(tmp_path / "trip", VirtualClock())
    gateway = world.gateway = Counting(world.clock, takes=95.0, reads_at_once=at_once)

    outcome = world.run(
        cities(*map(str, range(TASKS))),
        RunPolicy(max_in_flight=TASKS, submit_rate=600, poll_interval=10),
    )

    assert outcome.code == ExitCode.DONE
    assert gateway.calls <= calls
    waits = [
        later - sooner
        for times in gateway.read_at.values()
        for sooner, later in itertools.pairwise(times)
    ]
    assert min(waits) >= 9.5
    assert max(waits) <= 10.2


def test_a_crowd_that_is_collected_is_read_bit_by_bit_and_stays_spread(tmp_path: Path) -> None:
    world = World(tmp_path / "trip", VirtualClock())
    gateway = world.gateway = Counting(world.clock, takes=1000.0)
    names = [str(number) for number in range(500)]
    world.run(cities(*names), RunPolicy(max_in_flight=500, task_timeout=1.0))
    gateway.read_at.clear()
    gateway.calls = 0

    world.run(None, RunPolicy(poll_interval=10, task_timeout=25.0))

    begins = sorted({round(times[0], 6) for times in gateway.read_at.values()})
    assert len(begins) == 10
    assert begins[-1] - begins[0] == pytest.approx(9 * 0.05)
    assert gateway.calls == 10 * 4
    assert {len(times) for times in gateway.read_at.values()} == {4}


def test_a_model_that_takes_long_is_asked_later_where_the_gateway_says_nothing(
    tmp_path: Path,
) -> None:
    reads = {}
    for expected in (0, 300):
        world = World(tmp_path / f"trip-{expected}", VirtualClock())
        gateway = world.gateway = Counting(world.clock, takes=300.0)
        by_model = {"veo-3.1-fast-generate-preview": expected} if expected else {}

        outcome = world.run(cities("Tokyo"), RunPolicy(expected_seconds=by_model))

        assert outcome.code == ExitCode.DONE
        reads[expected] = gateway.calls

    assert reads[300] < reads[0]


def test_what_the_gateway_says_of_a_task_counts_before_what_its_model_does(tmp_path: Path) -> None:
    world = World(tmp_path / "trip", VirtualClock())
    gateway = world.gateway = Counting(world.clock, takes=10.0, estimate=10.0)

    world.run(cities("Tokyo"), RunPolicy(expected_seconds={"veo-3.1-fast-generate-preview": 1000}))

    assert min(gateway.read_at["task-1"]) < 30
