"""A gateway that is down in the middle of a run, and a crowd: what is sent, and where it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.virtual import (
    TurnsCounted,
    VirtualClock,
    VirtualGateway,
    VirtualWorkers,
    World,
    cities,
    statuses,
)

from veogen.errors import ExitCode
from veogen.executor.options import RunPolicy
from veogen.executor.run import Dependencies
from veogen.executor.scheduler import RunMessage
from veogen.executor.submitter import Submitted
from veogen.executor.transitions import Stop
from veogen.gateway.api import NotAccepted, ReadError, Submission, Task, Unknown

NAMES = [f"city-{number}" for number in range(200)]


@dataclass
class Outage(VirtualGateway):
    """Nothing listens from 45 s on, for `seconds`."""

    seconds: float = 0.0

    @property
    def is_down(self) -> bool:
        return 45 <= self.clock.monotonic() < 45 + self.seconds

    def submit(self, body: bytes, key: str) -> Submission:
        if self.is_down:
            return NotAccepted(code="refused", message="no connection", reached=False)
        return super().submit(body, key)

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        if self.is_down:
            nobody = ReadError(code="refused", message="no connection", reached=False)
            return dict.fromkeys(task_ids, nobody)
        return super().tasks(task_ids)


def world(path: Path, seconds: float) -> World:
    clock = VirtualClock()
    found = World(path, clock=clock)
    found.gateway = Outage(clock, seconds=seconds)
    return found


def test_a_gateway_that_is_down_for_20_s_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    down = world(tmp_path / "trip", seconds=20.0)

    outcome = down.run(cities(*NAMES[:12]))

    assert (outcome.code, outcome.stop) == (ExitCode.DONE, None)
    assert len(down.gateway.tasks_by_key) == len(set(down.keys)) == 12
    assert down.clock.monotonic() < 200


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(RunPolicy(), id="adaptive"),
        pytest.param(RunPolicy(poll_interval=120.0), id="seldom looked at"),
    ],
)
def test_a_gateway_that_stays_down_ends_the_run_after_a_minute_with_all_on_record(
    tmp_path: Path, policy: RunPolicy
) -> None:
    down = world(tmp_path / "trip", seconds=1e9)
    down.gateway.takes = 200.0

    outcome = down.run(cities(*NAMES[:12]), policy)

    assert outcome.stop == Stop("silent", "the gateway has not answered for 60 s")
    assert outcome.code == ExitCode.STOPPED
    assert [*statuses(outcome).values()] == ["submitted"] * 4 + ["planned"] * 8
    first_lost = max(45.0, policy.poll_interval or 0.0)
    assert down.clock.monotonic() < first_lost + 60 + 60

    down.gateway = up = Outage(down.clock, born=down.gateway.born)
    up.tasks_by_key = {f"earlier-{task}": task for task in up.born}
    again = down.run(cities(*NAMES[:12]))

    assert (again.code, len(up.tasks_by_key)) == (ExitCode.DONE, 12)


def test_200_requests_with_64_in_flight_are_bought_once_each(tmp_path: Path) -> None:
    crowd = World(tmp_path / "trip")
    storm = NotAccepted(code="429", message="slow down", status=429)
    crowd.gateway.answers.extend([storm] * 5)

    outcome = crowd.run(cities(*NAMES), RunPolicy(max_in_flight=64))

    assert outcome.code == ExitCode.DONE
    assert len(crowd.gateway.tasks_by_key) == len(set(crowd.keys)) == 200
    assert 20 < crowd.gateway.most_in_flight <= 64


def test_after_the_third_pause_the_run_waits_for_what_it_brings_home(tmp_path: Path) -> None:
    counted = TurnsCounted()
    stormy = World(tmp_path / "trip", memory=counted)
    stormy.gateway.takes = 300.0
    lost = Unknown(code="502", message="bad gateway", status=502)

    def taken() -> Submission:
        answer: Submission = stormy.gateway.take(stormy.keys[-1])
        return answer

    for _ in range(3):
        stormy.gateway.answers.extend([taken, lost, lost, lost])

    outcome = stormy.run(cities(*NAMES[:40]), RunPolicy(max_in_flight=16))

    assert outcome.stop == Stop(
        "outage", "the gateway fails again and again: 3 pauses within 10 min"
    )
    assert [*statuses(outcome).values()].count("completed") == 3
    assert counted.turns < 1_000


@dataclass
class Silence(VirtualGateway):
    """From 65 s on what is sent is not answered for a minute; reads are."""

    lost: int = 0

    def submit(self, body: bytes, key: str) -> Submission:
        if self.clock.monotonic() < 65.0:
            return super().submit(body, key)
        self.lost += 1
        return Unknown(code="timeout", message="no answer for 60 s")


class LateAnswers(VirtualWorkers[RunMessage]):
    """Tells after a minute that there was no answer."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._begun = clock

    def start(self, call: Callable[[], RunMessage], *, urgent: bool = False) -> None:
        answer = call()
        if isinstance(answer, Submitted) and isinstance(answer.answer, Unknown):
            self.post_at(self._begun.monotonic() + 60.0, lambda: answer)
        else:
            super().start(lambda: answer, urgent=urgent)


class QuietWorld(World):
    """One in which nobody knows for a minute that an answer will not come."""

    def dependencies(self) -> Dependencies:
        return replace(super().dependencies(), workers=lambda: LateAnswers(self.clock))


def test_a_run_with_nothing_open_when_posts_are_no_longer_answered_loses_one_and_three(
    tmp_path: Path,
) -> None:
    """Its 64 tasks end one after the other meanwhile, and each end makes room for a request."""
    quiet = QuietWorld(tmp_path / "trip")
    quiet.gateway = silence = Silence(quiet.clock)

    outcome = quiet.run(cities(*NAMES), RunPolicy(max_in_flight=64))

    assert (outcome.code, silence.lost) == (ExitCode.STOPPED, 1 + 3)
    assert len(silence.born) == [*statuses(outcome).values()].count("completed") == 128
