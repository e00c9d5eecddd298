"""Ctrl-C at the worst moment: together with the answer to a read."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.virtual import VirtualClock, VirtualWorkers, World, cities, statuses

from veogen.errors import ExitCode
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.poller import TasksRead
from veogen.executor.run import Selection
from veogen.executor.scheduler import Interrupted, RunMessage
from veogen.executor.workers import Crashed
from veogen.gateway.api import NotAccepted

BUSY = NotAccepted(code="429", message="slow down", status=429)


class ImpatientCrew(VirtualWorkers[RunMessage]):
    """Somebody interrupts at the very moment in which the reads of a number come back."""

    def __init__(self, clock: VirtualClock, number: int) -> None:
        super().__init__(clock)
        self._left = number

    def wait(self, seconds: float | None) -> list[RunMessage | Crashed]:
        messages = super().wait(seconds)
        self._left -= sum(isinstance(message, TasksRead) for message in messages)
        if self._left <= 0 and any(isinstance(message, TasksRead) for message in messages):
            return [*messages, Interrupted()]
        return messages


@pytest.mark.parametrize("reads", [1, 2, 3, 4])
def test_an_interrupt_that_comes_with_an_answer_loses_nothing(tmp_path: Path, reads: int) -> None:
    world = World(tmp_path / "trip")
    dependencies = replace(world.dependencies(), workers=lambda: ImpatientCrew(world.clock, reads))
    with open_run(
        world.path,
        plan=cities("Tokyo", "Oslo"),
        dependencies=dependencies,
        policy=RunPolicy(),
        listener=world.memory,
        selection=Selection(),
    ) as session:
        outcome = session.run()

    assert outcome.code == ExitCode.INTERRUPTED
    again = world.run(cities("Tokyo", "Oslo"))
    assert set(statuses(again).values()) == {"completed"}
    assert len(set(world.keys)) == len(world.keys) == 2


class LeavingCrew(VirtualWorkers[RunMessage]):
    """Somebody interrupts while the first POST is on the wire."""

    def wait(self, seconds: float | None) -> list[RunMessage | Crashed]:
        messages = super().wait(seconds)
        return [Interrupted(), *messages]


@pytest.mark.parametrize("reached", [True, False], ids=["busy", "down"])
def test_what_was_not_taken_while_we_left_is_planned(tmp_path: Path, *, reached: bool) -> None:
    """The gateway said so: nobody has to decide about it."""
    world = World(tmp_path / "trip")
    world.gateway.answers.append(replace(BUSY, reached=reached))
    dependencies = replace(world.dependencies(), workers=lambda: LeavingCrew(world.clock))
    with open_run(
        world.path,
        plan=cities("Tokyo", "Oslo"),
        dependencies=dependencies,
        policy=RunPolicy(max_in_flight=1),
        listener=world.memory,
        selection=Selection(),
    ) as session:
        outcome = session.run()

    assert outcome.code == ExitCode.INTERRUPTED
    assert set(statuses(outcome).values()) == {"planned"}
    assert outcome.spent == 0
