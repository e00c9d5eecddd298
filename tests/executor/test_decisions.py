"""What a person may decide, and what comes of it."""

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.virtual import PRICE, World, cities, plan, records, request, statuses

from veogen.errors import ExitCode, UsageError
from veogen.executor.decisions import Kind, Resolution, candidate_tasks, unowned_tasks
from veogen.executor.downloads import DownloadFailed
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Outcome, Selection
from veogen.executor.submitter import key_for
from veogen.gateway.api import ReadError, Rejected, Task, Unknown
from veogen.results.facts import Failure
from veogen.results.record import Record

TOKYO = request("Tokyo")
ADDRESS = TOKYO.address
LOST = Unknown(code="lost", message="the connection broke")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Tokyo is held, Paris is completed."""
    world = World(tmp_path / "trip")
    world.gateway.answers.append(LOST)
    assert world.run(cities("Tokyo", "Paris")).code == ExitCode.INDETERMINATE
    return world


def decide(world: World, *decisions: Resolution, said: list[str] | None = None) -> Outcome:
    return world.decide(*decisions, say=([] if said is None else said).append)


def test_an_adopted_task_is_the_requests_and_is_collected_later(world: World) -> None:
    taken = world.gateway.take("somebody-else")

    outcome = decide(world, Resolution("adopt", ADDRESS, taken.task_id))

    assert outcome.code == ExitCode.DONE
    assert statuses(outcome)[ADDRESS] == "submitted"
    assert world.run(None).code == ExitCode.DONE
    assert len(world.keys) == 2


@pytest.mark.parametrize("kind", ["adopt", "abandon", "replay", "rebuy"])
@pytest.mark.parametrize("is_late", [False, True], ids=["goes on", "made, and its link is dead"])
def test_who_decides_about_an_adopted_attempt_is_told_what_was_decided(
    world: World, kind: Kind, is_late: bool
) -> None:
    """A decision about an attempt is made once; to buy it anew is one about the next attempt."""
    taken = world.gateway.take("somebody-else")
    decide(world, Resolution("adopt", ADDRESS, taken.task_id))
    if is_late:
        world.clock.sleep(3600.0)
        world.gateway.links = 0
        world.run(cities("Tokyo", "Paris"))
    words = f"as {taken.task_id} was adopted"
    other = Resolution(kind, ADDRESS, "task-9" if kind == "adopt" else None)

    if is_late and kind == "rebuy":
        assert statuses(decide(world, other))[ADDRESS] == "submitted"
    else:
        with pytest.raises(UsageError, match=words):
            decide(world, other)


def test_a_star_leaves_what_was_adopted_alone(world: World) -> None:
    taken = world.gateway.take("somebody-else")
    decide(world, Resolution("adopt", ADDRESS, taken.task_id))
    world.clock.sleep(3600.0)
    world.gateway.links = 0
    world.run(cities("Tokyo", "Paris"))
    said: list[str] = []

    outcome = decide(world, Resolution("abandon", "*"), said=said)

    assert statuses(outcome)[ADDRESS] == "undelivered"
    assert said == ["note: --abandon '*' fits no request"]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        pytest.param(None, "cannot be read: no such task", id="unknown to the gateway"),
        pytest.param(
            Task(id="task-9", state="processing", type="image"), "makes no video", id="an image"
        ),
        pytest.param(
            Task(id="task-9", state="processing", model="veo3"), "is of veo3", id="another model"
        ),
    ],
)
def test_a_task_that_cannot_be_the_requests_is_not_adopted(
    world: World, task: Task | None, words: str
) -> None:
    world.gateway.reads["task-9"] = _queue(task)

    with pytest.raises(UsageError, match=words):
        decide(world, Resolution("adopt", ADDRESS, "task-9"))


def test_the_task_of_another_request_is_not_adopted(world: World) -> None:
    with pytest.raises(UsageError, match=r"is the task of city\[name=Paris\]"):
        decide(world, Resolution("adopt", ADDRESS, "task-1"))


def test_one_task_is_not_adopted_for_two_requests(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.answers.extend([LOST, LOST])
    world.run(cities("Tokyo", "Paris"))
    both = [Resolution("adopt", f"city[name={name}]", "task-9") for name in ("Tokyo", "Paris")]

    for decisions in (both, [Resolution("adopt", "*", "task-9")]):
        with pytest.raises(UsageError, match=r"task-9 is adopted for city\[name=Tokyo\] already"):
            decide(world, *decisions)


def test_a_replay_sends_the_same_bytes_under_the_same_key(world: World) -> None:
    outcome = decide(world, Resolution("replay", "*"))

    assert world.gateway.submits[-1] == world.gateway.submits[0]
    assert (outcome.code, statuses(outcome)[ADDRESS]) == (ExitCode.DONE, "submitted")


def test_a_replay_that_is_lost_again_stays_held(world: World) -> None:
    world.gateway.answers.append(LOST)

    outcome = decide(world, Resolution("replay", ADDRESS))

    assert (outcome.code, statuses(outcome)[ADDRESS]) == (ExitCode.INDETERMINATE, "indeterminate")


def test_a_replay_of_which_the_intent_cannot_be_written_sends_nothing(world: World) -> None:
    """The journal is another one, which knows of the request from the results alone."""
    (world.path / "journal.db").unlink()
    world.run(cities("Tokyo", "Paris"), selection=Selection(buy=False))
    sent = len(world.keys)

    with open_run(
        world.path,
        plan=None,
        dependencies=world.dependencies(),
        policy=RunPolicy(),
        listener=world.memory,
        selection=Selection(buy=False),
        follow=False,
    ) as session:
        (world.path / "journal.db").rename(world.path / "aside.db")
        outcome = session.decide([Resolution("replay", ADDRESS)], lambda _: None)

    assert (outcome.code, len(world.keys)) == (ExitCode.STOPPED, sent)


def test_a_decision_about_one_request_says_that_another_is_still_held(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.answers.extend([LOST, LOST])
    world.run(cities("Tokyo", "Paris"))

    codes = [
        decide(world, Resolution("abandon", f"city[name={name}]")).code
        for name in ("Tokyo", "Paris")
    ]

    assert codes == [ExitCode.INDETERMINATE, ExitCode.DONE]


def test_what_is_abandoned_failed_its_money_stays_counted_and_nothing_is_sent(
    world: World,
) -> None:
    sent = len(world.keys)

    outcome = decide(world, Resolution("abandon", ADDRESS))

    assert records(outcome)[0].error == Failure(
        "abandoned", "given up by hand; what it may have cost stays counted"
    )
    assert (len(world.keys), outcome.ledger.spent) == (sent, PRICE * 2)
    assert world.run(cities("Tokyo", "Paris")).code == ExitCode.INCOMPLETE
    assert len(world.keys) == sent


def test_rebuying_says_what_was_paid_and_takes_a_new_key(world: World) -> None:
    said: list[str] = []

    outcome = decide(world, Resolution("rebuy", ADDRESS), said=said)

    assert world.keys[-1] == key_for(TOKYO.hash, 2)
    assert said == [
        "city[name=Tokyo]: 38.016 credits paid so far; buying it anew for 38.016 credits"
    ]
    assert (statuses(outcome)[ADDRESS], outcome.ledger.spent) == ("submitted", PRICE * 3)


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        pytest.param([Resolution("replay", "nowhere")], "there is no such request", id="unknown"),
        pytest.param(
            [Resolution("replay", "city[name=Paris]")],
            "it is completed; --replay takes what is indeterminate",
            id="of another state",
        ),
        pytest.param(
            [Resolution("replay", ADDRESS), Resolution("abandon", ADDRESS)],
            "decide one thing only",
            id="two at once",
        ),
    ],
)
def test_a_decision_that_does_not_fit_is_a_mistake_and_nothing_is_done(
    world: World, decisions: Sequence[Resolution], words: str
) -> None:
    sent = len(world.keys)

    with pytest.raises(UsageError, match=words):
        decide(world, *decisions)

    assert len(world.keys) == sent


OLD_WORDS = request("Tokyo", prompt="Tokyo by night.")


@pytest.fixture
def reworded(tmp_path: Path) -> World:
    """Tokyo is held as it was worded once, and as it is worded now."""
    world = World(tmp_path / "trip")
    world.gateway.answers.extend([LOST, LOST])
    world.run(plan(OLD_WORDS))
    assert world.run(plan(TOKYO)).code == ExitCode.INDETERMINATE
    return world


def ways(outcome: Outcome) -> list[str]:
    """Where Tokyo stands in the words of now, then in those of once."""
    return [outcome.ledger.record(each.hash).status for each in (TOKYO, OLD_WORDS)]


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        ("adopt", "submitted"),
        ("replay", "submitted"),
        ("abandon", "failed"),
        ("rebuy", "submitted"),
    ],
)
def test_an_address_is_the_request_of_the_plan_and_a_hash_what_left_it(
    reworded: World, kind: Kind, becomes: str
) -> None:
    def decided(name: str) -> Outcome:
        task_id = reworded.gateway.take(name).task_id if kind == "adopt" else None
        return decide(reworded, Resolution(kind, name, task_id))

    assert ways(decided(ADDRESS)) == [becomes, "indeterminate"]
    assert ways(decided(OLD_WORDS.hash[:10])) == [becomes, becomes]


@pytest.mark.parametrize("kind", ["replay", "rebuy"])
def test_what_left_the_plan_is_not_sent_for_the_address_of_what_is_in_it(
    reworded: World, kind: Kind
) -> None:
    decide(reworded, Resolution("replay", ADDRESS))
    sent = len(reworded.keys)

    with pytest.raises(UsageError) as raised:
        decide(reworded, Resolution(kind, ADDRESS))

    assert str(raised.value).endswith(
        f"what left the plan under this address is {OLD_WORDS.hash[:10]} (indeterminate)"
    )
    assert len(reworded.keys) == sent


@pytest.mark.parametrize("kind", ["adopt", "abandon"])
def test_the_address_is_that_of_what_left_the_plan_where_it_alone_can_be_meant(
    reworded: World, kind: Kind
) -> None:
    decide(reworded, Resolution("replay", ADDRESS))
    reworded.run(plan(TOKYO))
    task_id = reworded.gateway.take("somebody-else").task_id if kind == "adopt" else None

    outcome = decide(reworded, Resolution(kind, ADDRESS, task_id))

    assert ways(outcome) == ["completed", "submitted" if kind == "adopt" else "failed"]


def test_of_several_that_left_the_plan_under_one_address_a_hash_says_which(
    reworded: World,
) -> None:
    reworded.run(cities("Paris"))

    with pytest.raises(UsageError) as raised:
        decide(reworded, Resolution("rebuy", ADDRESS))

    hashes = ", ".join(sorted(each.hash[:10] for each in (TOKYO, OLD_WORDS)))
    assert str(raised.value) == (
        f"{ADDRESS}: several requests had this address; name one by its hash: {hashes}"
    )
    assert ways(decide(reworded, Resolution("rebuy", OLD_WORDS.hash))) == [
        "indeterminate",
        "submitted",
    ]


def test_an_expired_clip_can_be_bought_anew(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.gateway.links = 0
    assert statuses(world.run(plan(TOKYO)))[ADDRESS] == "undelivered"
    world.gateway.links = 1

    decide(world, Resolution("rebuy", ADDRESS))

    assert world.run(plan(TOKYO)).code == ExitCode.DONE
    assert world.keys == [key_for(TOKYO.hash, 1), key_for(TOKYO.hash, 2)]


@pytest.mark.parametrize("kind", ["abandon", "rebuy"])
def test_a_star_gives_up_and_pays_again_nothing_that_can_still_be_had(
    tmp_path: Path, kind: Kind
) -> None:
    world = World(tmp_path / "trip")
    world.gateway.takes = 10_000.0
    bought = [lambda: world.gateway.take(world.keys[-1])] * 2
    world.gateway.answers.extend([*bought, LOST])
    link = ("https://media.example/task-1/0.mp4",)
    world.gateway.reads["task-1"] = deque([Task(id="task-1", state="completed", links=link)])
    world.downloader.answers.append(DownloadFailed("damaged", "half", retry=False))
    three = cities("Tokyo", "Paris", "Oslo")
    before = world.run(three, RunPolicy(task_timeout=60.0))
    assert [*statuses(before).values()] == ["undelivered", "submitted", "indeterminate"]

    said: list[str] = []

    by_star = decide(world, Resolution(kind, "*"), said=said)

    left = {"abandon": "2 requests that can", "rebuy": "1 request that can"}[kind]
    assert said[0] == f"note: --{kind} '*' leaves alone {left} still be collected"
    meant = "failed" if kind == "abandon" else "submitted"
    assert [*statuses(by_star).values()] == ["undelivered", "submitted", meant]
    by_name = decide(world, Resolution(kind, ADDRESS))
    assert statuses(by_name)[ADDRESS] == meant


@pytest.mark.parametrize("kind", ["replay", "abandon", "rebuy"])
def test_a_star_that_means_nothing_says_so(tmp_path: Path, kind: Kind) -> None:
    world = World(tmp_path / "trip")
    world.run(plan(TOKYO))
    said: list[str] = []

    outcome = decide(world, Resolution(kind, "*"), said=said)

    assert (outcome.code, said) == (ExitCode.DONE, [f"note: --{kind} '*' fits no request"])


def test_a_star_buys_anew_what_has_died(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.downloader.answers.extend([DownloadFailed("link-expired", "status 410")] * 5)
    assert statuses(world.run(plan(TOKYO)))[ADDRESS] == "undelivered"

    assert statuses(decide(world, Resolution("rebuy", "*")))[ADDRESS] == "submitted"


@pytest.mark.slow
def test_thousands_of_decisions_are_carried_out_in_good_time(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    names = [f"city-{number}" for number in range(6_000)]
    world.gateway.takes = 1e9
    world.run(cities(*names), RunPolicy(task_timeout=1.0, max_in_flight=500))
    start = time.process_time()

    outcome = decide(world, *(Resolution("abandon", request(name).address) for name in names))

    assert time.process_time() - start < 5
    assert set(statuses(outcome).values()) == {"failed"}


def test_a_refused_rebuy_is_a_failure(world: World) -> None:
    world.gateway.answers.append(Rejected(code="400", message="no", status=400))

    outcome = decide(world, Resolution("rebuy", ADDRESS))

    assert statuses(outcome)[ADDRESS] == "failed"


def test_candidates_are_tasks_of_the_time_that_nobody_owns(world: World) -> None:
    with open_run(
        world.path,
        plan=None,
        dependencies=world.dependencies(),
        policy=RunPolicy(),
        listener=world.memory,
        selection=Selection(buy=False),
    ) as session:
        held: Record = session.ledger.record(TOKYO.hash)
        assert held.last_submit is not None
        at = held.last_submit.at
        listed = [
            Task(id="task-1", state="completed", created=at),
            Task(id="near", state="processing", created=at + 60),
            Task(id="far", state="processing", created=at - 3600),
        ]

        found = [task.id for task in candidate_tasks(held, unowned_tasks(listed, session.ledger))]

    assert found == ["near"]


def _queue(task: Task | None) -> deque[Task | ReadError]:

    return deque([] if task is None else [task])


def test_an_attempt_that_only_the_results_know_is_given_up_under_an_older_journal(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "trip")
    world.gateway.doomed["task-1"] = "service_error"
    world.run(plan(TOKYO), RunPolicy(task_retries=0))
    older = (world.path / "journal.db").read_bytes()
    world.gateway.answers.append(LOST)
    assert decide(world, Resolution("rebuy", ADDRESS)).code == ExitCode.INDETERMINATE
    (world.path / "journal.db").write_bytes(older)

    outcome = decide(world, Resolution("abandon", ADDRESS))

    assert outcome.code == ExitCode.DONE
    record = records(outcome)[0]
    assert (record.status, record.attempts) == ("failed", 2)
    assert record.error is not None
    assert record.error.code == "abandoned"
