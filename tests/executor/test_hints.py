"""The gateway tells a run that a task has ended: an address in the body, a look at the task."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from support.virtual import (
    Memory,
    VirtualClock,
    VirtualWorkers,
    World,
    cities,
    plan,
    request,
    statuses,
)

from veogen.errors import ExitCode
from veogen.executor.open_run import open_run
from veogen.executor.options import CallbackOptions, RunPolicy
from veogen.executor.poller import TasksRead
from veogen.executor.run import Selection
from veogen.executor.scheduler import RunMessage
from veogen.executor.state import RunProgress
from veogen.gateway.api import Rejected, Unknown
from veogen.planner.plan import Plan, Request

MODEL = "veo-3.1-fast-generate-preview"
BASE = "https://hooks.example.com/veogen"
TOLD = RunPolicy(callbacks=CallbackOptions(BASE, frozenset({MODEL})), poll_interval=600)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "run")


def own(city: str, url: str) -> Request:
    found = request(city)
    return replace(found, body={**found.body, "callback_url": url})


def urls(world: World) -> list[str | None]:
    return [json.loads(body).get("callback_url") for _, body in world.gateway.submits]


class Ringer(Memory):
    """A listener that gives hints when their time has come."""

    hint: Callable[[str], None]

    def __init__(self, clock: VirtualClock, hints: Iterable[tuple[str, float]]) -> None:
        super().__init__()
        self._clock = clock
        self._hints = deque(hints)

    def tick(self, view: RunProgress) -> None:
        super().tick(view)
        while self._hints and self._clock.monotonic() >= self._hints[0][1]:
            self.hint(self._hints.popleft()[0])


class Late(VirtualWorkers[RunMessage]):
    """Its first read is answered late, with how the task stood when it was asked for."""

    def __init__(self, clock: VirtualClock, late: float) -> None:
        super().__init__(clock)
        self._late = late

    def start(self, call: Callable[[], RunMessage], *, urgent: bool = False) -> None:
        answer, usual = call(), self._latency
        if isinstance(answer, TasksRead):
            self._latency, self._late = self._late, usual
        super().start(lambda: answer, urgent=urgent)
        self._latency = usual


def hinted(world: World, plan_: Plan, *hints: tuple[str, float], late: float = 0.1) -> float:
    """Seconds that a run takes whose tasks are hinted at so many seconds after it began."""
    ringer = Ringer(world.clock, hints)
    with open_run(
        world.path,
        plan=plan_,
        dependencies=replace(world.dependencies(), workers=lambda: Late(world.clock, late)),
        policy=TOLD,
        listener=ringer,
        selection=Selection(),
    ) as session:
        ringer.hint = session.scheduler.hint
        assert session.run().code == ExitCode.DONE
    return world.clock.monotonic()


def test_every_request_is_sent_with_one_address_that_nobody_can_guess(world: World) -> None:
    plan_ = cities("Oslo", "Rome")

    outcome = world.run(plan_, TOLD)

    first, second = urls(world)
    assert first == second
    assert first is not None
    base, _, secret = first.rpartition("/")
    assert (base, len(secret)) == (BASE, 43)
    hashes = [r.hash for r in plan_.requests]
    assert [s.request.hash for s in outcome.ledger.planned] == hashes
    assert world.keys == [f"veogen-1-{hash_}" for hash_ in hashes]
    sent = [json.loads(body) for _, body in world.gateway.submits]
    assert sent == [{**r.body, "callback_url": first} for r in plan_.requests]


def test_an_address_of_the_spec_is_sent_as_it_is_written(world: World) -> None:
    theirs = "https://example.com/mine"
    other = replace(request("Rome"), body={"model": "their-model", "prompt": "x"})

    world.run(plan(own("Oslo", theirs), other), TOLD)

    assert urls(world) == [theirs, None]


def test_another_run_of_the_directory_is_told_at_the_same_path(world: World) -> None:
    world.run(cities("Oslo"), TOLD)
    world.run(cities("Oslo", "Rome"), TOLD)
    moved = replace(
        TOLD, callbacks=CallbackOptions("https://other.example.com", frozenset({MODEL}))
    )
    world.run(cities("Oslo", "Rome", "Bern"), moved)

    oslo, rome, bern = map(str, urls(world))
    assert oslo == rome
    assert bern.rpartition("/")[0] == "https://other.example.com"
    assert bern.rpartition("/")[2] not in oslo


def test_an_address_that_a_spec_wrote_is_never_our_secret(world: World) -> None:
    guessable = f"{BASE}/{'A' * 43}"
    world.run(plan(own("Oslo", guessable)), TOLD)

    world.run(plan(own("Oslo", guessable), request("Rome")), TOLD)

    assert urls(world)[0] == guessable
    assert "AAAA" not in str(urls(world)[1])


def test_what_was_not_taken_is_sent_again_with_the_same_bytes_and_key(world: World) -> None:
    world.gateway.answers.append(Rejected(code="401", message="no", status=401, stops=True))
    world.run(cities("Oslo"), TOLD)

    world.run(cities("Oslo"), TOLD)

    first, second = world.gateway.submits
    assert first == second


@pytest.mark.parametrize("later", [TOLD, RunPolicy()], ids=["listening", "not listening"])
def test_what_is_held_is_sent_again_as_it_was_recorded(world: World, later: RunPolicy) -> None:
    world.gateway.answers.append(Unknown(code="lost", message="lost"))
    world.run(cities("Oslo"), TOLD)

    outcome = world.run(cities("Oslo"), replace(later, replay=True))

    first, second = world.gateway.submits
    assert first == second
    assert statuses(outcome) == {"city[name=Oslo]": "completed"}


def test_a_hint_is_followed_by_a_look_at_once(world: World) -> None:
    world.gateway.takes = 30.0

    took = hinted(world, cities("Oslo"), ("task-1", 31.0))

    assert 31 < took < 35
    assert world.gateway.read_ids == ["task-1"]


def test_a_hint_is_never_believed_and_polling_goes_on(world: World) -> None:
    world.gateway.takes = 30.0

    took = hinted(world, cities("Oslo"), ("task-1", 5.0), ("task-9", 6.0), ("task-1", 7.0))

    assert 600 < took < 610
    assert world.gateway.read_ids == ["task-1"] * 3


def test_a_late_answer_about_a_failed_task_does_not_end_the_one_that_was_bought_since(
    world: World,
) -> None:
    world.gateway.takes = 30.0
    world.gateway.doomed["task-1"] = "service_error"

    took = hinted(
        world, cities("Oslo"), ("task-1", 31.0), ("task-1", 32.0), ("task-2", 70.0), late=20.0
    )

    assert 70 < took < 75
    assert world.gateway.read_ids == ["task-1", "task-1", "task-2"]
    assert len(world.keys) == 2
