"""Nothing is bought twice, and nothing that was bought is lost, whatever comes in between."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.virtual import PRICE, VirtualGateway, World, cities, plan, request, statuses

from veogen.errors import ExitCode, UsageError
from veogen.executor.decisions import Resolution
from veogen.executor.options import RunPolicy
from veogen.executor.run import Outcome
from veogen.executor.submitter import key_for
from veogen.gateway.api import Accepted, NotAccepted, Submission, Unknown
from veogen.results.manifest import ManifestError

TOKYO, PARIS, ROME = request("Tokyo"), request("Paris"), request("Rome")
ADDRESS = TOKYO.address
LOST = Unknown(code="lost", message="the connection was lost", from_gateway=False)
PAGE = Unknown(code="http_502", message="a web page", status=502, from_gateway=False)
BUSY = NotAccepted(code="429", message="slow down", status=429)


class Forgetful(VirtualGateway):
    """A gateway that keeps no keys: the same key twice is two purchases."""

    def take(self, key: str) -> Accepted:
        return super().take(f"{key}-{len(self.submits)}")


def forgetful(world: World) -> World:
    world.gateway = Forgetful(world.clock)
    return world


def beside(world: World, path: Path) -> World:
    """Another machine before the same gateway."""
    other = World(path)
    other.gateway, other.clock = world.gateway, world.clock
    return other


def pull(source: World, target: World) -> None:
    target.path.mkdir(exist_ok=True)
    shutil.copy(source.path / "results.json", target.path / "results.json")


def lines(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((world.path / "results.json").read_text())["results"]
    return found


def test_a_replay_is_of_the_attempt_that_counts(tmp_path: Path) -> None:
    here = forgetful(World(tmp_path / "here"))
    here.gateway.doomed["task-1"] = "service_error"
    here.run(plan(TOKYO), RunPolicy(task_retries=0))
    there = beside(here, tmp_path / "there")
    pull(here, there)
    there.gateway.answers.append(LOST)
    there.run(plan(TOKYO), RunPolicy(retry_failed=True))
    pull(there, here)
    here.run(plan(TOKYO))

    outcome = here.decide(Resolution("replay", ADDRESS))

    assert here.keys == [key_for(TOKYO.hash, 1), key_for(TOKYO.hash, 2), key_for(TOKYO.hash, 2)]
    assert statuses(outcome) == {ADDRESS: "submitted"}


@pytest.mark.parametrize("fresh", [False, True], ids=["its own journal", "yesterday's journal"])
def test_a_later_attempt_of_another_machine_is_always_news(tmp_path: Path, fresh: bool) -> None:
    """Neither is it bought a third time, nor does the team's line become another one."""
    here = forgetful(World(tmp_path / "here"))
    here.gateway.takes = 100.0
    here.run(plan(TOKYO), RunPolicy(task_timeout=1.0))
    yesterday = (here.path / "journal.db").read_bytes()
    here.gateway.doomed["task-1"] = "service_error"
    there = beside(here, tmp_path / "there")
    if fresh:
        here.run(plan(TOKYO))
        here.run(plan(TOKYO))
        (here.path / "journal.db").write_bytes(yesterday)
        there = here
    else:
        pull(here, there)
        there.run(plan(TOKYO), RunPolicy(task_timeout=200.0))
        there.run(plan(TOKYO), RunPolicy(retry_failed=True))
        pull(there, here)
    line = lines(there)[0]
    assert (line["status"], line["attempts"], len(here.keys)) == ("completed", 2, 2)

    for _ in range(2):
        outcome = here.run(plan(TOKYO))

        assert statuses(outcome) == {ADDRESS: "completed"}
        assert lines(here)[0]["task_id"] == line["task_id"]
        assert [(o["attempt"], o["status"]) for o in lines(here)[0]["others"]] == [(1, "failed")]
    assert len(here.keys) == 2


def test_what_a_colleague_has_abandoned_stays_abandoned(tmp_path: Path) -> None:
    here = World(tmp_path / "here")
    here.gateway.answers.append(LOST)
    here.run(plan(TOKYO))
    there = beside(here, tmp_path / "there")
    pull(here, there)
    there.decide(Resolution("abandon", ADDRESS))
    pull(there, here)

    outcome = here.run(plan(TOKYO))

    assert statuses(outcome) == {ADDRESS: "failed"}
    assert outcome.ledger.spent == PRICE
    with pytest.raises(UsageError, match="abandoned"):
        here.decide(Resolution("adopt", ADDRESS, "task-9"))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param({"status": "submitted", "task_id": "task-1"}, id="submitted"),
        pytest.param(
            {
                "status": "failed",
                "task_id": "task-1",
                "error": {"code": "service_error", "message": ""},
            },
            id="failed for a passing reason",
        ),
        pytest.param(
            {"status": "failed", "error": {"code": "service_error", "message": ""}}, id="refused"
        ),
    ],
)
@pytest.mark.parametrize("held", ["indeterminate", "failed"])
def test_no_line_of_a_pull_request_causes_a_purchase(
    tmp_path: Path, line: dict[str, Any], held: str
) -> None:
    world = World(tmp_path / "trip")
    world.gateway.doomed["task-1"] = "service_error"
    world.gateway.answers.append(LOST)
    world.run(plan(TOKYO))
    world.gateway.take("another key")
    if held == "failed":
        world.decide(Resolution("abandon", ADDRESS))
    clone = beside(world, tmp_path / "clone")
    clone.path.mkdir()
    manifest = json.loads((world.path / "results.json").read_text())
    manifest["results"][0].update({"error": None, **line})
    (clone.path / "results.json").write_text(json.dumps(manifest))
    before = len(world.keys)

    for _ in range(2):
        clone.run(plan(TOKYO))

    assert len(world.keys) == before


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda text: text.replace('"status"', '"status": "x", "status"'), id="twice"),
        pytest.param(
            lambda text: text.replace('"completed"', '"planned"'), id="planned with a task"
        ),
        pytest.param(lambda text: text.replace("task-2", "task-1"), id="one task of two"),
    ],
)
def test_a_line_that_contradicts_itself_is_an_error(
    tmp_path: Path, broken: Callable[[str], str]
) -> None:
    world = World(tmp_path / "trip")
    world.run(cities("Tokyo", "Paris"))
    clone = beside(world, tmp_path / "clone")
    clone.path.mkdir()
    text = (world.path / "results.json").read_text()
    (clone.path / "results.json").write_text(broken(text))

    with pytest.raises(ManifestError, match="not a results manifest"):
        clone.run(cities("Tokyo", "Paris"))
    assert len(world.keys) == 2


@pytest.mark.parametrize("status", ["submitted", "completed"])
def test_a_request_of_the_plan_of_one_and_former_to_another_is_merged_by_git_alone(
    tmp_path: Path, status: str
) -> None:
    """Who had not the plan put the line below `former`: git keeps both, and both are true."""
    world = World(tmp_path / "trip")
    world.run(cities("Tokyo", "Paris"))
    clone = beside(world, tmp_path / "clone")
    clone.path.mkdir()
    manifest = json.loads((world.path / "results.json").read_text())
    paris = manifest["results"][1]
    earlier = {**paris, "status": status, **({"videos": []} if status == "submitted" else {})}
    manifest["former"].append(earlier)
    (clone.path / "results.json").write_text(json.dumps(manifest))

    outcome = clone.run(cities("Tokyo", "Paris"))

    assert len(world.keys) == 2
    assert set(statuses(outcome).values()) == {"completed"}
    written = json.loads((clone.path / "results.json").read_text())
    assert ([line["hash"] for line in written["results"]], written["former"]) == (
        [TOKYO.hash, PARIS.hash],
        [],
    )


class Pulling:
    """Something that happens to the results when the first request has been sent."""

    def __init__(self, world: World, change: Callable[[], None]) -> None:
        self._world = world
        self._change = change

    def __call__(self) -> Submission:
        self._change()
        return self._world.gateway.take(self._world.keys[-1])


def run_with_a_pull(world: World, change: Callable[[], None]) -> Outcome:
    world.gateway.answers.append(Pulling(world, change))
    return world.run(cities("Tokyo", "Paris", "Rome"), RunPolicy(max_in_flight=1))


def test_what_a_pull_brings_during_a_run_is_taken_in_and_never_bought(tmp_path: Path) -> None:
    here, there = World(tmp_path / "here"), World(tmp_path / "there")
    there.gateway, there.clock = here.gateway, here.clock
    there.run(cities("Rome", "Oslo"))

    outcome = run_with_a_pull(here, lambda: pull(there, here))

    assert outcome.code == ExitCode.DONE
    assert len(here.keys) == 2 + 2, "Rome was bought there"
    written = json.loads((here.path / "results.json").read_text())
    assert [line["status"] for line in written["results"]] == ["completed"] * 3
    assert [line["address"] for line in written["former"]] == ["city[name=Oslo]"]


@pytest.mark.parametrize("kind", ["conflict", "folder", "another run's"])
def test_results_that_became_unreadable_are_left_as_they_are(tmp_path: Path, kind: str) -> None:
    world = World(tmp_path / "trip")
    results = world.path / "results.json"

    def spoil() -> None:
        if kind == "folder":
            results.unlink()
            results.mkdir()
        elif kind == "conflict":
            results.write_text("<<<<<<< HEAD\n" + results.read_text())
        else:
            results.write_text(results.read_text().replace('"evolink"', '"simulated"'))

    outcome = run_with_a_pull(world, spoil)

    assert outcome.code == ExitCode.INCOMPLETE
    assert set(statuses(outcome).values()) == {"completed"}
    assert sum("left as it is" in note for note in world.memory.notes) == 1
    assert (
        results.is_dir()
        if kind == "folder"
        else "simulated" in results.read_text() or (results.read_text().startswith("<<<<<<<"))
    )
    if kind == "folder":
        results.rmdir()
        assert world.run(cities("Tokyo", "Paris", "Rome")).code == ExitCode.DONE


def test_our_own_old_line_that_a_pull_brings_back_holds_nothing(tmp_path: Path) -> None:
    """While it was sent it stood there as in doubt; a stash brings just that back."""
    world = World(tmp_path / "trip")
    world.gateway.answers.extend([BUSY] * 3)
    old: list[bytes] = []

    def stash() -> Submission:
        old.append((world.path / "results.json").read_bytes())
        return replace(BUSY, retry_after=10.0)

    def pop() -> Submission:
        (world.path / "results.json").write_bytes(old[0])
        return world.gateway.take(world.keys[-1])

    world.gateway.answers.extend([stash, pop])

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.DONE


def test_two_submits_that_are_answered_with_one_task_are_not_both_bought(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.takes = 1e9
    same = Accepted(task_id="task-1", credits=PRICE)
    world.gateway.answers.extend([same, same])

    outcome = world.run(cities("Tokyo", "Paris"), RunPolicy(task_timeout=1.0))

    assert list(statuses(outcome).values()) == ["submitted", "indeterminate"]
    held = outcome.ledger.record(PARIS.hash)
    assert held.error is not None
    assert (held.error.code, "task-1" in held.error.message) == ("task-of-another", True)
    assert ADDRESS in held.error.message
    assert outcome.code == ExitCode.INDETERMINATE


def test_the_task_of_an_earlier_attempt_is_no_purchase(tmp_path: Path) -> None:
    """A gateway that keeps the head of a key only, and answers with the failed task."""
    world = World(tmp_path / "trip")
    world.gateway.doomed["task-1"] = "service_error"
    first = Accepted(task_id="task-1", credits=PRICE)
    world.gateway.born["task-1"] = 0.0
    world.gateway.answers.extend([first, first])

    outcome = world.run(plan(TOKYO))

    assert statuses(outcome) == {ADDRESS: "indeterminate"}
    assert len(outcome.ledger.record(TOKYO.hash).purchases) == 2
    assert len(world.keys) == 2


def test_the_attempt_stands_in_the_head_of_a_key() -> None:
    assert key_for(TOKYO.hash, 1)[:64] != key_for(TOKYO.hash, 2)[:64]


@pytest.mark.parametrize("most", [4, 64])
def test_a_proxy_that_answers_for_three_seconds_holds_a_few(tmp_path: Path, most: int) -> None:
    world = World(tmp_path / "trip")
    names = [f"city-{number}" for number in range(100)]
    begin, end = 10.0, 13.0

    def answer() -> Submission:
        inside = begin <= world.clock.monotonic() < end
        return PAGE if inside else world.gateway.take(world.keys[-1])

    world.gateway.answers.extend([answer] * 1000)

    outcome = world.run(cities(*names), RunPolicy(max_in_flight=most))

    held = list(statuses(outcome).values()).count("indeterminate")
    assert held <= most + 3
    assert outcome.code == (ExitCode.INDETERMINATE if held else ExitCode.DONE)
    assert len(world.keys) == len(world.gateway.tasks_by_key) + held


def test_an_outage_from_the_start_holds_seven_at_most(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.answers.extend([PAGE] * 1000)
    names = [f"city-{number}" for number in range(200)]

    outcome = world.run(cities(*names), RunPolicy(max_in_flight=64))

    assert outcome.stop is not None
    assert (outcome.stop.kind, outcome.code) == ("outage", ExitCode.STOPPED)
    assert list(statuses(outcome).values()).count("indeterminate") == len(world.keys) <= 7


@pytest.mark.parametrize(
    ("reserved", "limit", "in_flight", "most"),
    [
        pytest.param("100", "460", 8, "460", id="eight at a time"),
        pytest.param("100", "460", 1, "460", id="one at a time"),
        pytest.param("38.016", "460", 8, "456.192", id="as the table says"),
        pytest.param("10", "460", 8, "200", id="less than the table says"),
        pytest.param("900", "460", 8, "900", id="the first alone is beyond it"),
    ],
)
@pytest.mark.parametrize("kind", ["max_credits", "budget"])
def test_ceilings_are_judged_by_what_is_really_reserved(
    tmp_path: Path, reserved: str, limit: str, in_flight: int, most: str, kind: str
) -> None:
    world = World(tmp_path / "trip")
    world.gateway.credits = Decimal(reserved)
    names = [f"city-{number}" for number in range(20)]
    policy = RunPolicy(max_in_flight=in_flight, **{kind: Decimal(limit)})  # type: ignore[arg-type]
    if kind == "budget" and Decimal(limit) < 20 * PRICE:
        names = names[:12]

    outcome = world.run(cities(*names), policy)

    assert outcome.spent <= Decimal(most)
    if Decimal(reserved) > PRICE:
        assert outcome.code == ExitCode.STOPPED


def test_what_waits_after_a_refusal_for_lack_of_room_was_not_sent(tmp_path: Path) -> None:
    """Killed while it waits, it is bought by the next run, and not held."""
    world = World(tmp_path / "trip")

    def die() -> Submission:
        raise KeyboardInterrupt

    world.gateway.answers.extend([BUSY] * 3 + [die])
    with pytest.raises(KeyboardInterrupt):
        world.run(cities("Tokyo", "Paris", "Rome"), RunPolicy(max_in_flight=3))
    held: Sequence[str] = [line["status"] for line in lines(world)]

    outcome = world.run(cities("Tokyo", "Paris", "Rome"))

    assert held.count("indeterminate") <= 3
    assert list(statuses(outcome).values()).count("indeterminate") == 1, "the one on the wire"


def test_a_task_of_ours_that_others_call_failed_is_asked_about(tmp_path: Path) -> None:
    """Else a pull request could have a paid clip forgotten."""
    world = World(tmp_path / "trip")
    world.gateway.takes = 100.0
    world.run(plan(TOKYO), RunPolicy(task_timeout=1.0))
    path = world.path / "results.json"
    manifest = json.loads(path.read_text())
    failed = {"status": "failed", "error": {"code": "service_error", "message": "they say"}}
    manifest["results"][0].update(failed)
    path.write_text(json.dumps(manifest))

    outcome = world.run(plan(TOKYO))

    assert (statuses(outcome), len(world.keys)) == ({ADDRESS: "completed"}, 1)


def test_a_time_out_says_what_the_last_answer_was(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.takes = 1e9
    world.run(plan(TOKYO), RunPolicy(task_timeout=1.0))
    world.gateway.born.clear()

    world.run(plan(TOKYO), RunPolicy(task_timeout=60.0))

    assert world.memory.notes[-2].endswith("or collect. The last answer was: processing")
    assert "no such task (not_found); is this the account that bought it?" in world.memory.notes[-1]


def test_what_was_paid_for_twice_by_a_decision_is_said(tmp_path: Path) -> None:
    """A lost answer was given up and bought anew; then another machine finds the first task."""
    here = World(tmp_path / "here")
    here.gateway.answers.append(LOST)
    here.run(plan(TOKYO))
    first = here.gateway.take(here.keys[0])
    there = beside(here, tmp_path / "there")
    pull(here, there)
    there.decide(Resolution("adopt", ADDRESS, first.task_id))
    here.decide(Resolution("abandon", ADDRESS))
    here.decide(Resolution("rebuy", ADDRESS))
    pull(there, here)

    outcome = here.run(plan(TOKYO))

    assert statuses(outcome) == {ADDRESS: "completed"}
    assert [o["task_id"] for o in lines(here)[0]["others"]] == [first.task_id]
    paid = [note for note in here.memory.notes if "paid for 2 times" in note]
    assert len(paid) == 1
    assert first.task_id in paid[0]
    assert "given up by hand" in paid[0]


def test_what_the_gateway_adds_beyond_a_ceiling_is_said(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.credits = Decimal(900)

    world.run(plan(TOKYO), RunPolicy(max_credits=Decimal(460)))

    assert any("which is more than --max-credits 460" in note for note in world.memory.notes)
