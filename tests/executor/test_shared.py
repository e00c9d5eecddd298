"""One run on several machines that share a store, in the virtual world."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from support.stores import Fault, MemoryObjects, StoreTimeOfTests, no_faults
from support.virtual import (
    TrueDownloader,
    TurnsCounted,
    VirtualClock,
    VirtualGateway,
    VirtualWorkers,
    World,
    cities,
    plan,
    request,
    statuses,
)

from veogen.errors import ExitCode, UsageError
from veogen.executor.decisions import Kind, Resolution
from veogen.executor.joining import StoreChoice
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Selection
from veogen.executor.scheduler import Interrupted, RunMessage
from veogen.executor.shared import SharedRun
from veogen.executor.submitter import Submitted
from veogen.gateway.api import Submission, Unknown
from veogen.results.events import (
    Event,
    SubmitRejected,
    SubmitUnknown,
    TaskAdopted,
    TaskCreated,
    TaskFailed,
)
from veogen.results.ledger import Ledger
from veogen.spec.types import Limits
from veogen.store.layout import AttemptId
from veogen.store.location import StoreLocation
from veogen.store.member import Identity
from veogen.store.objects import StoreError
from veogen.store.opening import Store
from veogen.store.signs import Patience

MINUTE = 60.0
TWO = cities("Oslo", "Paris")
THREE = cities("Oslo", "Paris", "Rome")
ALL_HOME = {
    "city[name=Oslo]": "completed",
    "city[name=Paris]": "completed",
    "city[name=Rome]": "completed",
}


class KilledError(BaseException):
    """The machine is gone."""


@dataclass
class DeadlyGateway(VirtualGateway):
    """The machine that sends its n-th POST is gone; whether it was taken, nobody knows."""

    dies_in: int = 0

    def submit(self, body: bytes, key: str) -> Submission:
        self.dies_in -= 1
        if self.dies_in == 0:
            self.submits.append((key, body.decode()))
            raise KilledError
        return super().submit(body, key)


class Machines:
    """A store in memory, a gateway that honours no keys, and machines that come and go."""

    def __init__(self, folder: Path) -> None:
        self.time = StoreTimeOfTests()
        self.objects = MemoryObjects(self.time, ahead=-600.0)
        self.gateway = DeadlyGateway(self.time)
        self._folder = folder

    def store(self, bucket: str = "clips", run: str = "trip") -> StoreChoice:
        location = StoreLocation("s3", bucket, "")
        store = Store(self.objects, location, self.time, Patience())
        return StoreChoice(store=store, run=run)

    def machine(self, name: str, run: str = "trip") -> World:
        world = World(self._folder / name / "run", self.time, store=self.store(run=run))
        world.gateway = self.gateway
        return world

    @property
    def bought(self) -> Counter[str]:
        """How often each key was sent."""
        return Counter(key for key, _ in self.gateway.submits)

    def passes(self, seconds: float) -> None:
        self.time.sleep(seconds)


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    return Machines(tmp_path)


def killed_at(world: World, nth: int) -> None:
    """A run whose machine is gone when it sends its n-th POST."""
    assert isinstance(world.gateway, DeadlyGateway)
    world.gateway.dies_in = nth
    with pytest.raises(KilledError):
        world.run(THREE, RunPolicy(max_in_flight=1))


def test_a_run_with_a_store_ends_as_one_without(machines: Machines) -> None:
    outcome = machines.machine("ada").run(THREE)

    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)
    assert set(machines.bought.values()) == {1}


def test_a_bare_machine_knows_every_purchase(machines: Machines) -> None:
    machines.machine("ada").run(THREE)

    outcome = machines.machine("bob").run(THREE)

    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)
    assert sum(machines.bought.values()) == 3


def test_a_bare_machine_brings_home_the_tasks_of_one_that_is_gone(machines: Machines) -> None:
    killed_at(machines.machine("ada"), 3)
    machines.passes(6 * MINUTE)

    outcome = machines.machine("bob").run(THREE)

    assert outcome.code == ExitCode.INDETERMINATE
    assert Counter(statuses(outcome).values()) == {"completed": 2, "indeterminate": 1}
    assert set(machines.bought.values()) == {1}


def test_the_tasks_are_brought_home_of_who_bought_and_was_gone_after_this_machine_had_read_all(
    machines: Machines,
) -> None:
    ada = machines.machine("ada")
    with open_run(
        ada.path,
        plan=THREE,
        dependencies=ada.dependencies(),
        policy=RunPolicy(),
        listener=ada.memory,
        selection=Selection(),
    ) as session:
        killed_at(machines.machine("bob"), 3)
        machines.passes(6 * MINUTE)

        outcome = session.run()

    assert outcome.code == ExitCode.INDETERMINATE
    assert Counter(statuses(outcome).values()) == {"completed": 2, "indeterminate": 1}
    assert set(machines.bought.values()) == {1}


def test_the_same_directory_goes_on_at_once(machines: Machines) -> None:
    ada = machines.machine("ada")
    killed_at(ada, 3)

    outcome = ada.run(THREE, RunPolicy(replay=True))

    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)


def test_nobody_but_the_sender_replays_by_itself(machines: Machines) -> None:
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)

    outcome = machines.machine("bob").run(THREE, RunPolicy(replay=True))

    assert outcome.code == ExitCode.INDETERMINATE
    assert set(machines.bought.values()) == {1}


def test_a_person_decides_over_a_machine_that_is_gone(machines: Machines) -> None:
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)
    bob, said = machines.machine("bob"), list[str]()
    outcome = bob.run(THREE)
    held = next(a for a, status in statuses(outcome).items() if status == "indeterminate")

    bob.decide(Resolution("rebuy", held), say=said.append)

    outcome = bob.run(THREE)
    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)
    assert any("may still send this" in line for line in said)


def test_what_was_decided_is_said_to_who_comes_second(machines: Machines) -> None:
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)
    bob, eve = machines.machine("bob"), machines.machine("eve")
    outcomes = [bob.run(THREE), eve.run(THREE)]
    held = next(a for a, status in statuses(outcomes[0]).items() if status == "indeterminate")
    bob.decide(Resolution("abandon", held))

    with pytest.raises(UsageError, match="it is failed"):
        eve.decide(Resolution("replay", held))


@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param("rebuy", "abandon", id="bought-anew"), ("abandon", "rebuy")],
)
def test_who_decides_about_an_attempt_that_was_decided_is_told_and_may_then_decide_about_the_next(
    machines: Machines, first: Kind, second: Kind
) -> None:
    """What eve's machine has seen is held yet: she speaks of the attempt that bob decided about."""
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)
    bob, eve = machines.machine("bob"), machines.machine("eve")
    outcomes = [bob.run(THREE), eve.run(THREE)]
    held = next(a for a, status in statuses(outcomes[0]).items() if status == "indeterminate")
    bob.decide(Resolution(first, held))
    sent = sum(machines.bought.values())

    with pytest.raises(UsageError, match=rf"{first} was decided on \S+ meanwhile") as told:
        eve.decide(Resolution(second, held))

    assert (told.value.exit_code, sum(machines.bought.values())) == (ExitCode.USAGE, sent)
    eve.decide(Resolution(second, held))
    assert sum(machines.bought.values()) == sent + (second == "rebuy")


def test_who_decides_while_another_machine_sends_it_again_is_told(machines: Machines) -> None:
    """Once that one has ended, or is silent, what is in doubt again is decided about again."""
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)
    bob, eve = machines.machine("bob"), machines.machine("eve")
    outcomes = [bob.run(THREE), eve.run(THREE)]
    held = next(a for a, status in statuses(outcomes[0]).items() if status == "indeterminate")
    machines.gateway.dies_in = 1
    with pytest.raises(KilledError):
        bob.decide(Resolution("replay", held))

    for kind in ("replay", "abandon", "rebuy"):
        with pytest.raises(UsageError, match=r"has decided about it already \(replay\)"):
            eve.decide(Resolution(kind, held))

    machines.passes(6 * MINUTE)
    assert statuses(eve.decide(Resolution("replay", held)))[held] == "submitted"


def test_what_was_adopted_on_another_machine_is_not_abandoned(machines: Machines) -> None:
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)
    bob, eve = machines.machine("bob"), machines.machine("eve")
    outcomes = [bob.run(THREE), eve.run(THREE)]
    held = next(a for a, status in statuses(outcomes[0]).items() if status == "indeterminate")
    task_id = machines.gateway.take("as ada has sent it").task_id
    bob.decide(Resolution("adopt", held, task_id))

    with pytest.raises(UsageError, match=f"as {task_id} was adopted"):
        eve.decide(Resolution("abandon", held))


def test_an_adoption_of_which_only_the_decision_was_written_counts(machines: Machines) -> None:
    """Whoever opens the run next goes on with the task, and is told of it."""
    killed_at(machines.machine("ada"), 1)
    machines.passes(6 * MINUTE)
    bob, eve = machines.machine("bob"), machines.machine("eve")
    outcomes = [bob.run(THREE), eve.run(THREE)]
    held = next(a for a, status in statuses(outcomes[0]).items() if status == "indeterminate")
    task_id = machines.gateway.take("as ada has sent it").task_id
    before = set(machines.objects.objects)
    bob.decide(Resolution("adopt", held, task_id))
    for name in machines.objects.objects.keys() - before:
        if "/log/" in name or "/checkpoints/" in name:  # bob's process died before it wrote them
            del machines.objects.objects[name]

    with pytest.raises(UsageError, match=f"as {task_id} was adopted"):
        eve.decide(Resolution("abandon", held))

    outcome = eve.run(THREE)
    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)
    assert task_id in {state.record.task_id for state in outcome.ledger.planned}


def test_what_was_adopted_before_there_was_a_store_is_told_there(machines: Machines) -> None:
    ada, bob = machines.machine("ada"), machines.machine("bob")
    ada.store = None
    machines.gateway.answers.append(Unknown(code="lost", message="the connection broke"))
    ada.run(cities("Oslo"))
    task_id = machines.gateway.take("as ada has sent it").task_id
    ada.decide(Resolution("adopt", "city[name=Oslo]", task_id))
    machines.gateway.takes = 1e6
    ada.store = replace(machines.store(), from_policy=True)
    ada.run(cities("Oslo"), RunPolicy(task_timeout=MINUTE))
    bob.run(cities("Oslo"), selection=Selection(buy=False))

    with pytest.raises(UsageError, match=f"as {task_id} was adopted"):
        bob.decide(Resolution("abandon", "city[name=Oslo]"))


def test_another_prefix_than_the_runs_own_is_refused(machines: Machines) -> None:
    ada = machines.machine("ada")
    ada.run(THREE)
    ada.store = machines.store("other")

    with pytest.raises(StoreError, match=r"this run is kept in s3://clips"):
        ada.run(THREE)


def test_a_run_of_a_store_is_not_bought_without_it(machines: Machines) -> None:
    ada = machines.machine("ada")
    ada.run(THREE)
    ada.store = None

    with pytest.raises(StoreError, match=r"this run is kept in s3://clips"):
        ada.run(THREE)


def test_a_run_of_another_project_is_refused(machines: Machines) -> None:
    machines.machine("ada").run(THREE)

    with pytest.raises(StoreError, match="one prefix belongs to one project"):
        machines.machine("bob").run(cities("Bern"))


def test_what_was_bought_without_a_store_is_put_there_first(machines: Machines) -> None:
    ada = machines.machine("ada")
    ada.store = None
    ada.run(THREE)
    ada.store = machines.store()
    ada.run(THREE)

    outcome = machines.machine("bob").run(THREE)

    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)
    assert sum(machines.bought.values()) == 3


def test_what_left_the_plan_is_a_former_purchase_elsewhere_too(machines: Machines) -> None:
    machines.machine("ada").run(THREE)

    outcome = machines.machine("bob").run(cities("Oslo"))

    former = [state.request.address for state in outcome.ledger.former]
    assert sorted(former) == ["city[name=Paris]", "city[name=Rome]"]


def test_a_budget_holds_over_machines_one_after_the_other(machines: Machines) -> None:
    tight = plan(*map(request, ("Oslo", "Paris", "Rome")), budget=Limits(max_credits=None))
    policy = RunPolicy(budget=Decimal(120))
    machines.machine("ada").run(cities("Oslo", "Paris"), policy)

    outcome = machines.machine("bob").run(tight, policy)

    assert outcome.code == ExitCode.DONE
    with pytest.raises(UsageError, match="budget"):
        machines.machine("eve").run(cities("Oslo", "Bern"), policy)


@pytest.mark.parametrize("minutes", [0.0, 6.0], ids=["it was seen a moment ago", "it is silent"])
def test_a_passing_failure_that_another_machine_saw_is_read_here_and_bought_again(
    machines: Machines, minutes: float
) -> None:
    machines.gateway.doomed = {"task-1": "service_error"}
    machines.machine("ada").run(THREE, RunPolicy(task_retries=0))
    machines.passes(minutes * MINUTE)
    machines.gateway.read_ids.clear()

    outcome = machines.machine("bob").run(THREE)

    assert (outcome.code, statuses(outcome)) == (ExitCode.DONE, ALL_HOME)
    assert machines.gateway.read_ids[0] == "task-1"
    assert sorted(machines.bought.values()) == [1, 1, 1, 1]


def test_a_lasting_failure_that_another_machine_saw_waits_for_an_edit(machines: Machines) -> None:
    machines.gateway.doomed = {"task-1": "content_policy_violation"}
    machines.machine("ada").run(THREE)

    outcome = machines.machine("bob").run(THREE)

    assert Counter(statuses(outcome).values()) == {"completed": 2, "failed": 1}
    assert sum(machines.bought.values()) == 3


def run_with_fault(world: World, machines: Machines, nth: int, kind: Fault) -> int:
    """A run in which the n-th call of the store fails; how many calls there were.

    What a store does to a run is an exit code, or a dead end that says so.
    """
    before = len(machines.objects.calls)
    machines.objects.faults = lambda number, _, __: kind if number - before == nth else None
    with contextlib.suppress(StoreError):
        world.run(TWO)
    machines.objects.faults = no_faults
    return len(machines.objects.calls) - before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["before", "after", "late"])
def test_whatever_call_of_the_store_fails_nothing_is_bought_twice(
    machines: Machines, kind: Fault
) -> None:
    """The n-th call fails, for n = 1, 2, … until a run has no n-th call."""
    nth, calls = 0, 1
    while calls >= nth:
        nth += 1
        world = machines.machine(f"machine-{nth}", run=f"run-{nth}")
        machines.gateway.submits.clear()

        calls = run_with_fault(world, machines, nth, kind)
        outcome = world.run(TWO)

        assert outcome.code == ExitCode.DONE, nth
        assert set(machines.bought.values()) == {1}, nth
    assert nth > 10


def test_a_clip_costs_four_calls_and_itself(machines: Machines) -> None:
    twenty = cities(*(f"city{n}" for n in range(20)))
    machines.machine("ada").run(twenty)

    calls = machines.objects.calls
    first = next(n for n, (_, name) in enumerate(calls) if "/claims/" in name)
    asked = [(kind, name) for kind, name in calls[first:] if "/signs" not in name]
    assert sum(kind == "send" for kind, _ in asked) == 20
    assert len(asked) <= 20 * 5, Counter(kind for kind, _ in asked)


def test_a_clip_that_was_changed_since_comes_from_the_store_when_its_link_is_dead(
    machines: Machines,
) -> None:
    """What has its name by then is kept, as where a link brings it."""
    ada = machines.machine("ada")
    ada.downloader = TrueDownloader(ada.path)
    ada.run(TWO)
    clip = ada.path / TWO.requests[0].paths[0]
    whole = clip.read_bytes()
    clip.write_bytes(b"x" * len(whole))
    os.utime(clip, ns=(1, 1))
    machines.passes(25 * 60 * MINUTE)

    collected = ada.run(None)

    assert collected.code == ExitCode.DONE
    assert clip.read_bytes() == whole
    assert (ada.path / "refused" / clip.name).read_bytes() == b"x" * len(whole)


class LeftWhileItPosts(VirtualWorkers[RunMessage]):
    """A POST is answered after 70 s; somebody interrupts after 60."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.post_at(60.0, Interrupted)

    def start(self, call: Callable[[], RunMessage], *, urgent: bool = False) -> None:
        del urgent
        message = call()
        seconds = 70.0 if isinstance(message, Submitted) else 0.1
        self.post_at(self._clock.monotonic() + seconds, lambda: message)


def test_who_leaves_waits_for_what_is_on_the_wire_and_does_nothing_else(machines: Machines) -> None:
    counted = TurnsCounted()
    ada = machines.machine("ada")
    dependencies = replace(ada.dependencies(), workers=lambda: LeftWhileItPosts(ada.clock))
    with open_run(
        ada.path,
        plan=TWO,
        dependencies=dependencies,
        policy=RunPolicy(),
        listener=counted,
        selection=Selection(),
    ) as session:
        outcome = session.run()

    assert outcome.code == ExitCode.INTERRUPTED
    assert set(statuses(outcome).values()) == {"submitted"}
    assert counted.turns < 200


def test_a_select_narrows_what_is_waited_for(machines: Machines) -> None:
    ada = machines.machine("ada")
    chosen = Selection(selected={THREE.requests[0].hash})

    outcome = ada.run(THREE, selection=chosen)

    assert outcome.code == ExitCode.DONE
    assert Counter(statuses(outcome).values()) == {"completed": 1, "planned": 2}


def test_the_end_of_an_adopted_task_is_of_the_attempt_that_it_was_adopted_for(
    machines: Machines, tmp_path: Path
) -> None:
    store = machines.store().store
    member = store.join("trip", "evolink", Identity("ada.1", "ada"))
    shared = SharedRun(member, store, machines.time, tmp_path)
    hash_ = TWO.requests[0].hash
    ledger, failed = Ledger(), TaskFailed(hash_, "task-1", "service_error", "sorry")
    events: list[Event] = [
        TaskAdopted(hash_, "task-1", None, 1.0, 1),
        TaskCreated(hash_, 2, "task-2", None, 2.0),
        failed,
    ]
    for event in events:
        ledger.apply(event)
        shared.record([event], ledger)

    assert list(shared.history.events(AttemptId(hash_, 1))) == [events[0], failed]
    assert shared.leave() is None


def test_a_decision_about_an_earlier_attempt_is_filed_under_that(
    machines: Machines, tmp_path: Path
) -> None:
    store = machines.store().store
    shared = SharedRun(
        store.join("trip", "evolink", Identity("ada.1", "ada")), store, machines.time, tmp_path
    )
    hash_, ledger = TWO.requests[0].hash, Ledger()
    unclear = SubmitUnknown(hash_, 1, "no", "no answer")
    refused = SubmitRejected(hash_, 2, "no", "refused")
    adopted = TaskAdopted(hash_, "task-1", None, 1.0, 1)
    for event in (unclear, refused):
        ledger.apply(event)

    shared.record([adopted], ledger)

    assert list(shared.history.events(AttemptId(hash_, 1))) == [adopted]
    assert shared.leave() is None
