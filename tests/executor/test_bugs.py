"""A bug in one of the threads: it is told, and what was bought is on record all the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.virtual import VirtualClock, VirtualWorkers, World, cities, statuses

from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Selection
from veogen.executor.scheduler import RunMessage
from veogen.executor.workers import Crashed


class Bug(Exception):  # noqa: N818 - it says what it is
    """What nobody expects."""


class StumblingCrew(VirtualWorkers[RunMessage]):
    """A thread crashes before the first POSTs are answered, or at the very same moment."""

    def __init__(self, clock: VirtualClock, *, at_once: bool) -> None:
        super().__init__(clock)
        self._at_once = at_once
        self._stumbled = False

    def wait(self, seconds: float | None) -> list[RunMessage | Crashed]:
        if self._stumbled:
            return super().wait(seconds)
        self._stumbled = True
        return [Crashed(Bug()), *(super().wait(seconds) if self._at_once else ())]


@pytest.mark.parametrize("at_once", [True, False], ids=["with the answers", "before them"])
def test_a_bug_loses_nothing_that_was_bought(tmp_path: Path, *, at_once: bool) -> None:
    world = World(tmp_path / "trip")
    dependencies = replace(
        world.dependencies(), workers=lambda: StumblingCrew(world.clock, at_once=at_once)
    )
    with (
        pytest.raises(Bug),
        open_run(
            world.path,
            plan=cities("Tokyo", "Oslo"),
            dependencies=dependencies,
            policy=RunPolicy(),
            listener=world.memory,
            selection=Selection(),
        ) as session,
    ):
        session.run()

    again = world.run(cities("Tokyo", "Oslo"))
    assert set(statuses(again).values()) == {"completed"}
    assert len(set(world.keys)) == len(world.keys) == 2
