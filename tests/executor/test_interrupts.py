"""Ctrl-C at the worst moment: together with the answer to a read."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.sessions import World, cities, statuses
from support.virtual import VirtualClock, VirtualCrew

from veogen.errors import ExitCode
from veogen.executor.crew import Crashed
from veogen.executor.opening import opened
from veogen.executor.policy import Policy
from veogen.executor.runner import Interrupted, Message
from veogen.executor.session import Wanted
from veogen.executor.watching import Read


class ImpatientCrew(VirtualCrew[Message]):
    """Somebody interrupts at the very moment in which the reads of a number come back."""

    def __init__(self, clock: VirtualClock, number: int) -> None:
        super().__init__(clock)
        self._left = number

    def wait(self, seconds: float | None) -> list[Message | Crashed]:
        messages = super().wait(seconds)
        self._left -= sum(isinstance(message, Read) for message in messages)
        if self._left <= 0 and any(isinstance(message, Read) for message in messages):
            return [*messages, Interrupted()]
        return messages


@pytest.mark.parametrize("reads", [1, 2, 3, 4])
def test_an_interrupt_that_comes_with_an_answer_loses_nothing(tmp_path: Path, reads: int) -> None:
    world = World(tmp_path / "trip")
    services = replace(world.services(), crew=lambda: ImpatientCrew(world.clock, reads))
    with opened(
        world.path,
        plan=cities("Tokyo", "Oslo"),
        services=services,
        policy=Policy(),
        listener=world.memory,
        wanted=Wanted(),
    ) as session:
        outcome = session.run()

    assert outcome.code == ExitCode.INTERRUPTED
    again = world.run(cities("Tokyo", "Oslo"))
    assert set(statuses(again).values()) == {"completed"}
    assert len(set(world.keys)) == len(world.keys) == 2
