"""Whole runs in a world without waiting: what is bought, once, and where it ends."""

from collections import deque
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path

import pytest
from support.virtual import PRICE, START, VIDEO, World, cities, plan, records, request, statuses

from veogen.errors import ExitCode, UsageError
from veogen.executor.downloads import DiskFull, DownloadFailed
from veogen.executor.open_run import open_run
from veogen.executor.options import Only, RunPolicy
from veogen.executor.run import Run, Selection
from veogen.executor.submitter import key_for
from veogen.executor.transitions import Stop
from veogen.gateway.api import NotAccepted, ReadError, Rejected, Submission, Task, Unknown
from veogen.planner.identity import canonical
from veogen.results.events import (
    PurchaseImported,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    VideoNotSaved,
    VideoSaved,
)
from veogen.results.facts import Failure

TOKYO = request("Tokyo")
LINK = "https://media.example/task-1/0.mp4"


def test_a_request_is_sent_watched_and_brought_home(world: World) -> None:
    outcome = world.run(plan(TOKYO))

    assert world.gateway.submits == [(key_for(TOKYO.hash, 1), canonical(dict(TOKYO.body)).decode())]
    events = [e for e in world.memory.events if not isinstance(e, TaskProgressed)]
    made_at = next(e.at for e in events if isinstance(e, TaskCompleted))
    assert events == [
        TaskCreated(TOKYO.hash, 1, "task-1", PRICE, START + 0.1),
        TaskCompleted(TOKYO.hash, "task-1", (LINK,), PRICE, made_at),
        VideoSaved(
            TOKYO.hash,
            0,
            VIDEO.at(TOKYO.paths[0]),
            task_id="task-1",
            mtime=(world.path / TOKYO.paths[0]).stat().st_mtime_ns,
        ),
    ]
    assert (outcome.code, outcome.stop, outcome.spent) == (ExitCode.DONE, None, PRICE)


def test_a_second_run_sends_nothing(world: World) -> None:
    world.run(cities("Tokyo", "Paris"))
    sent = list(world.gateway.submits)

    again = world.run(cities("Tokyo", "Paris"))

    assert world.gateway.submits == sent
    assert again.code == ExitCode.DONE


def test_no_more_tasks_are_in_flight_than_allowed(world: World) -> None:
    outcome = world.run(cities(*"abcdefghij"), RunPolicy(max_in_flight=3))

    assert world.gateway.most_in_flight == 3
    assert outcome.code == ExitCode.DONE


def test_submits_keep_to_the_rate(world: World) -> None:
    outcome = world.run(cities(*"abc"), RunPolicy(submit_rate=2.0))

    accepted = [e.at - START for e in world.memory.events if isinstance(e, TaskCreated)]
    assert accepted == pytest.approx([0.1, 30.1, 60.1])
    assert outcome.code == ExitCode.DONE


def test_a_refused_request_fails_and_the_others_go_on(world: World) -> None:
    refusal = Rejected(code="invalid_parameters", message="no such seed", status=400)
    world.gateway.answers.append(refusal)

    outcome = world.run(cities("Tokyo", "Paris"))

    assert statuses(outcome) == {"city[name=Tokyo]": "failed", "city[name=Paris]": "completed"}
    assert records(outcome)[0].error == Failure("invalid_parameters", "no such seed")
    assert outcome.code == ExitCode.INCOMPLETE


def test_a_failure_waits_for_an_edit_or_a_word(world: World) -> None:
    refusal = Rejected(code="invalid_parameters", message="no such seed", status=400)
    world.gateway.answers.append(refusal)
    world.run(plan(TOKYO))

    again = world.run(plan(TOKYO))
    assert (len(world.keys), again.code) == (1, ExitCode.INCOMPLETE)

    retried = world.run(plan(TOKYO), RunPolicy(retry_failed=True))
    assert (world.keys[1], retried.code) == (key_for(TOKYO.hash, 2), ExitCode.DONE)


def test_a_batch_stopper_leaves_its_request_planned_and_brings_the_others_home(
    world: World,
) -> None:
    stopper = Rejected(code="insufficient_quota", message="no credits", status=402, stops=True)
    world.gateway.answers.extend([lambda: world.gateway.take("veogen-first"), stopper])

    outcome = world.run(cities("Tokyo", "Paris", "Oslo"), RunPolicy(max_in_flight=1))

    assert list(statuses(outcome).values()) == ["completed", "planned", "planned"]
    assert outcome.stop == Stop("refused", "no credits (insufficient_quota)")
    assert outcome.code == ExitCode.STOPPED
    assert len(world.keys) == 2


def test_what_was_not_taken_is_sent_again_with_the_same_key_and_bytes(world: World) -> None:
    busy = NotAccepted(code="429", message="slow down", status=429, retry_after=7.0)
    world.gateway.answers.append(busy)

    outcome = world.run(plan(TOKYO))

    assert world.gateway.submits[0] == world.gateway.submits[1]
    assert outcome.code == ExitCode.DONE
    accepted = next(e for e in world.memory.events if isinstance(e, TaskCreated))
    assert accepted.at - START == pytest.approx(7.2)


def test_a_gateway_that_says_to_come_at_once_is_not_asked_without_a_pause(world: World) -> None:
    busy = NotAccepted(code="429", message="slow down", status=429, retry_after=0.0)
    world.gateway.answers.extend([busy] * 3)

    world.run(plan(TOKYO))

    accepted = next(e for e in world.memory.events if isinstance(e, TaskCreated))
    assert accepted.at - START == pytest.approx(1 + 2 + 4 + 4 * 0.1)


def test_an_error_of_the_gateways_own_is_sent_again_once_then_it_is_unknown(world: World) -> None:
    broken = NotAccepted(code="500", message="internal", status=500, once=True)
    world.gateway.answers.extend([broken, broken])

    outcome = world.run(plan(TOKYO))

    assert world.keys == [key_for(TOKYO.hash, 1)] * 2
    assert list(statuses(outcome).values()) == ["indeterminate"]
    assert outcome.code == ExitCode.INDETERMINATE


def test_a_run_of_which_nothing_is_taken_for_half_an_hour_stops(world: World) -> None:
    busy = NotAccepted(code="503", message="no channel", status=503, retry_after=600.0)
    world.gateway.answers.extend([busy] * 10)

    outcome = world.run(plan(TOKYO))

    assert list(statuses(outcome).values()) == ["planned"]
    assert outcome.stop == Stop("outage", "nothing was taken for half an hour")
    assert outcome.code == ExitCode.STOPPED
    assert outcome.spent == 0
    assert 1800 <= world.clock.monotonic() < 1802
    assert len(world.keys) == 3


def test_what_is_unknown_is_held_and_never_sent_again_by_itself(world: World) -> None:
    world.gateway.answers.append(Unknown(code="lost", message="the connection broke"))
    outcome = world.run(plan(TOKYO))
    assert (outcome.code, outcome.spent) == (ExitCode.INDETERMINATE, PRICE)

    again = world.run(plan(TOKYO))

    assert len(world.keys) == 1
    assert again.code == ExitCode.INDETERMINATE


def test_a_replay_sends_the_recorded_bytes_once_more_with_the_same_key(world: World) -> None:
    world.gateway.answers.append(Unknown(code="lost", message="the connection broke"))
    world.run(plan(TOKYO))

    outcome = world.run(plan(TOKYO), RunPolicy(replay=True))

    assert world.gateway.submits[0] == world.gateway.submits[1]
    assert outcome.code == ExitCode.DONE


def test_a_replay_that_finds_no_room_stays_in_doubt(world: World) -> None:
    lost = Unknown(code="lost", message="the connection broke")
    stopper = Rejected(code="402", message="no credits", status=402, stops=True)
    world.gateway.answers.extend([lost, stopper])

    outcome = world.run(plan(TOKYO), RunPolicy(replay=True))

    assert list(statuses(outcome).values()) == ["indeterminate"]


def test_a_task_that_failed_for_a_passing_reason_is_bought_again_under_a_new_key(
    world: World,
) -> None:
    world.gateway.reads["task-1"] = _failed("task-1", "service_error")

    outcome = world.run(plan(TOKYO))

    assert world.keys == [key_for(TOKYO.hash, 1), key_for(TOKYO.hash, 2)]
    assert TaskFailed(TOKYO.hash, "task-1", "service_error", "sorry") in world.memory.events
    assert (outcome.code, records(outcome)[0].attempts) == (ExitCode.DONE, 2)


def test_retries_come_to_an_end(world: World) -> None:
    for number in (1, 2, 3):
        world.gateway.reads[f"task-{number}"] = _failed(f"task-{number}", "generation_timeout")

    outcome = world.run(plan(TOKYO), RunPolicy(task_retries=2))
    again = world.run(plan(TOKYO), RunPolicy(task_retries=2))

    assert len(world.keys) == 3
    assert (outcome.code, again.code) == (ExitCode.INCOMPLETE, ExitCode.INCOMPLETE)


def test_a_refused_content_is_not_bought_again(world: World) -> None:
    world.gateway.reads["task-1"] = _failed("task-1", "content_policy_violation")

    outcome = world.run(plan(TOKYO))

    assert len(world.keys) == 1
    assert records(outcome)[0].error == Failure("content_policy_violation", "sorry")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ReadError(code="not_found", message="unknown", status=404), id="404"),
        pytest.param(ReadError(code="wrong-task", message="another id"), id="another task"),
        pytest.param(Task(id="task-1", state="sleeping"), id="an unknown state"),
        pytest.param(ReadError(code="garbage", message="not JSON", status=200), id="garbage"),
    ],
)
def test_only_a_terminal_state_ends_a_task(world: World, answer: Task | ReadError) -> None:
    world.gateway.reads["task-1"] = _times(answer, 20)

    outcome = world.run(plan(TOKYO))

    assert (outcome.code, len(world.keys)) == (ExitCode.DONE, 1)


def test_a_task_that_does_not_end_stays_submitted(world: World) -> None:
    world.gateway.takes = 10_000.0

    outcome = world.run(plan(TOKYO), RunPolicy(task_timeout=60.0))
    assert list(statuses(outcome).values()) == ["submitted"]
    assert outcome.code == ExitCode.INCOMPLETE

    world.gateway.takes = 1.0
    collected = world.run(None)
    assert (collected.code, len(world.keys)) == (ExitCode.DONE, 1)


def test_a_task_is_given_up_when_its_time_is_over_however_long_it_should_take(
    world: World,
) -> None:
    world.gateway.takes = 10_000.0
    world.gateway.estimate = 3600.0

    world.run(plan(TOKYO), RunPolicy(task_timeout=60.0))

    assert 60 <= world.clock.monotonic() < 61


def test_a_key_that_dies_ends_the_run_and_tasks_stay_submitted(world: World) -> None:
    denied = ReadError(code="401", message="key expired", status=401, denied=True)
    world.gateway.reads["task-1"] = _times(denied, 1)

    outcome = world.run(cities("Tokyo", "Paris"), RunPolicy(max_in_flight=1))

    assert list(statuses(outcome).values()) == ["submitted", "planned"]
    assert outcome.stop == Stop("denied", "key expired (401)")
    assert outcome.code == ExitCode.STOPPED


def test_a_completed_task_without_links_is_asked_five_times(world: World) -> None:
    world.gateway.links = 0

    outcome = world.run(plan(TOKYO))

    assert list(statuses(outcome).values()) == ["undelivered"]
    assert records(outcome)[0].error is not None
    completed_reads = [
        e for e in world.memory.events if isinstance(e, TaskCompleted | VideoNotSaved)
    ]
    assert len(completed_reads) == 2


def test_a_broken_download_is_tried_again_with_a_fresh_link(world: World) -> None:
    world.downloader.answers.extend(
        [DownloadFailed("403", "expired"), DownloadFailed("truncated", "half")]
    )

    outcome = world.run(plan(TOKYO))

    assert world.downloader.brought == [LINK] * 3
    assert (outcome.code, len(world.keys)) == (ExitCode.DONE, 1)


def test_a_clip_that_cannot_be_fetched_is_undelivered_never_bought_again(world: World) -> None:
    world.downloader.answers.extend([DownloadFailed("404", "gone")] * 5)

    outcome = world.run(plan(TOKYO))
    assert list(statuses(outcome).values()) == ["undelivered"]
    assert records(outcome)[0].error == Failure("404", "gone")
    assert len(world.downloader.brought) == 5

    again = world.run(plan(TOKYO))
    assert (again.code, len(world.keys)) == (ExitCode.DONE, 1)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_completed_task_that_says_it_failed_later_is_never_bought_again(
    world: World, state: str
) -> None:
    """It was made and billed, and its download is not answered by a new purchase."""
    world.downloader.answers.append(DownloadFailed("truncated", "half"))
    world.gateway.reads["task-1"] = deque(
        [
            Task(id="task-1", state="completed", links=(LINK,)),
            Task(id="task-1", state=state, error_code="service_error", error_message="sorry"),
        ]
    )

    outcome = world.run(plan(TOKYO))

    assert list(statuses(outcome).values()) == ["undelivered"]
    words = f"the task was completed, and is {state} now: sorry"
    assert records(outcome)[0].error == Failure("service_error", words)
    assert statuses(world.run(plan(TOKYO))) == {TOKYO.address: "completed"}
    assert world.keys == [key_for(TOKYO.hash, 1)]


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        pytest.param(ReadError(code="not_found", message="no such task", status=404), 5, id="404"),
        pytest.param(ReadError(code="http_500", message="sorry", status=500), 5, id="500"),
        pytest.param(ReadError(code="lost", message="lost", reached=False), 5, id="unreachable"),
        pytest.param(Task(id="task-1", state="completed"), 5, id="without links"),
        pytest.param(ReadError(code="401", message="no", status=401, denied=True), 1, id="denied"),
    ],
)
def test_a_clip_whose_task_cannot_be_read_again_is_fetched_from_the_link_that_is_known(
    world: World, answer: Task | ReadError, times: int
) -> None:
    world.downloader.answers.append(DownloadFailed("truncated", "half"))
    made = Task(id="task-1", state="completed", links=(LINK,))
    world.gateway.reads["task-1"] = deque([made, *_times(answer, 100)])

    outcome = world.run(plan(TOKYO))

    assert list(statuses(outcome).values()) == ["completed"]
    assert world.downloader.brought == [LINK, LINK]
    assert len(world.gateway.reads["task-1"]) == 100 - times
    assert outcome.code == ExitCode.DONE


def test_one_broken_video_of_several_does_not_lose_the_others(world: World) -> None:
    world.gateway.links = 2
    world.downloader.answers.append(DownloadFailed("truncated", "half"))

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.DONE
    assert sorted(records(outcome)[0].videos) == [0, 1]
    assert len(world.downloader.brought) == 3


def test_one_video_that_can_never_be_fetched_is_not_asked_for_again(world: World) -> None:
    world.gateway.links = 2
    world.downloader.answers.append(DownloadFailed("in-the-way", "a folder is there", retry=False))

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.INCOMPLETE
    assert records(outcome)[0].error == Failure("in-the-way", "a folder is there")
    assert sorted(records(outcome)[0].videos) == [1]
    assert len(world.downloader.brought) == 2


def test_a_full_disk_stops_the_buying(world: World) -> None:
    world.downloader.answers.append(DiskFull("12 bytes left"))

    outcome = world.run(cities(*"abc"), RunPolicy(max_in_flight=1))

    assert list(statuses(outcome).values()) == ["undelivered", "completed", "planned"]
    no_room = Failure("disk-full", "there was no room for it on the disk")
    assert records(outcome)[0].error == no_room
    assert outcome.stop == Stop("disk", "12 bytes left")
    assert outcome.code == ExitCode.STOPPED


def test_a_gateway_that_is_down_for_a_while_is_waited_for(world: World) -> None:
    down = NotAccepted(code="refused", message="connection refused", reached=False)
    world.gateway.answers.extend([down] * 4)

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.DONE
    assert world.keys == [key_for(TOKYO.hash, 1)] * 5


def test_a_gateway_that_is_down_for_good_stops_the_run_after_a_minute(world: World) -> None:
    down = NotAccepted(code="refused", message="connection refused", reached=False)
    world.gateway.answers.extend([down] * 1000)

    outcome = world.run(plan(TOKYO))

    assert list(statuses(outcome).values()) == ["planned"]
    assert outcome.stop == Stop("silent", "the gateway has not answered for 60 s")
    assert 60 <= world.clock.monotonic() < 75
    assert outcome.code == ExitCode.STOPPED


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(RunPolicy(poll_interval=120.0), id="seldom looked at"),
        pytest.param(RunPolicy(submit_rate=0.5), id="seldom sent"),
    ],
)
def test_one_call_that_got_lost_is_no_silence(world: World, policy: RunPolicy) -> None:
    """However long it is until the next: nobody has asked since."""
    world.gateway.takes = 300.0
    broke = Unknown(code="lost", message="the connection broke")
    world.gateway.answers.extend([lambda: world.gateway.take(world.keys[-1]), broke])
    lost = ReadError(code="lost", message="the connection broke", reached=False)
    world.gateway.reads["task-1"] = _times(lost, 1)

    outcome = world.run(cities("Tokyo", "Paris", "Oslo"), policy)

    assert list(statuses(outcome).values()) == ["completed", "indeterminate", "completed"]
    assert (outcome.stop, outcome.code) == (None, ExitCode.INDETERMINATE)


def test_the_ceiling_buys_in_plan_order_until_the_next_would_pass_it(world: World) -> None:
    outcome = world.run(cities(*"abc"), RunPolicy(max_credits=PRICE * 2))

    assert list(statuses(outcome).values()) == ["completed", "completed", "planned"]
    assert (outcome.code, outcome.spent) == (ExitCode.STOPPED, PRICE * 2)


def test_an_estimate_over_the_budget_is_refused_before_anything_is_sent(world: World) -> None:
    with pytest.raises(UsageError, match="pass the budget of 76"):
        world.run(cities(*"abc"), RunPolicy(budget=Decimal(76)))

    assert world.gateway.submits == []


def test_an_unknown_price_is_refused_where_money_has_a_limit(world: World) -> None:
    with pytest.raises(UsageError, match=r"the price of .* is unknown"):
        world.run(plan(request("Tokyo", credits_=None)), RunPolicy(max_credits=Decimal(100)))


def test_a_budget_counts_what_the_directory_spent_before(world: World) -> None:
    world.run(cities("Tokyo"), RunPolicy(budget=PRICE * 2))
    world.run(cities("Paris"), RunPolicy(budget=PRICE * 2))

    with pytest.raises(UsageError, match="already"):
        world.run(cities("Oslo"), RunPolicy(budget=PRICE * 2))


def test_only_the_difference_is_bought_and_older_clips_stay_on_record(world: World) -> None:
    world.run(cities("Tokyo", "Paris"))
    changed = plan(request("Tokyo", prompt="Tokyo in the rain"), request("Oslo"))

    outcome = world.run(changed)

    assert len(world.keys) == 4
    assert list(statuses(outcome).values()) == ["completed", "completed"]
    former = [(s.request.address, s.record.status) for s in outcome.ledger.former]
    assert former == [("city[name=Tokyo]", "completed"), ("city[name=Paris]", "completed")]


@pytest.mark.parametrize(
    ("only", "bought"),
    [
        pytest.param("new", ["city[name=Oslo]"], id="new"),
        pytest.param("changed", ["city[name=Tokyo]"], id="changed"),
        pytest.param("failed", ["city[name=Paris]"], id="failed"),
    ],
)
def test_only_narrows_what_is_bought(world: World, only: Only, bought: list[str]) -> None:
    world.run(cities("Tokyo"))
    world.gateway.reads["task-2"] = _failed("task-2", "service_error")
    world.run(cities("Paris"), RunPolicy(task_retries=0))
    target = plan(request("Tokyo", prompt="rain"), request("Paris"), request("Oslo"))
    before = len(world.keys)

    outcome = world.run(target, selection=Selection(only=[only]))

    sent = {key.split("-")[2] for key in world.keys[before:]}
    assert [r.address for r in target.requests if r.hash in sent] == bought
    assert len(outcome.ledger.record(TOKYO.hash).videos) == 1


@pytest.mark.parametrize(
    ("only", "code"),
    [
        pytest.param("new", ExitCode.DONE, id="there is nothing new"),
        pytest.param("changed", ExitCode.DONE, id="what is changed is bought"),
    ],
)
def test_what_only_leaves_out_is_no_failure(world: World, only: Only, code: ExitCode) -> None:
    world.run(cities("Tokyo", "Paris"))
    target = plan(request("Tokyo", prompt="rain"), *cities("Paris").requests)

    assert world.run(target, selection=Selection(only=[only])).code == code


def test_what_has_failed_counts_though_only_what_is_new_is_bought(world: World) -> None:
    world.gateway.reads["task-1"] = _failed("task-1", "service_error")
    world.run(cities("Tokyo"), RunPolicy(task_retries=0))

    assert world.run(cities("Tokyo"), selection=Selection(only=["new"])).code == 1


def test_a_selection_narrows_what_is_bought_and_the_exit_code(world: World) -> None:
    outcome = world.run(cities("Tokyo", "Paris"), selection=Selection(selected={TOKYO.hash}))

    assert list(statuses(outcome).values()) == ["completed", "planned"]
    assert outcome.code == ExitCode.DONE


def test_a_purchase_of_another_machine_is_taken_in_and_not_made_again(
    world: World, tmp_path: Path
) -> None:
    world.run(cities("Tokyo", "Paris"))
    elsewhere = World(tmp_path / "clone")
    elsewhere.path.mkdir()
    results = (world.path / "results.json").read_bytes()
    (elsewhere.path / "results.json").write_bytes(results)

    outcome = elsewhere.run(cities("Tokyo", "Paris"))

    assert elsewhere.gateway.submits == []
    assert outcome.code == ExitCode.DONE
    assert (elsewhere.path / "results.json").read_bytes() == results


def test_a_purchase_in_flight_travels_and_is_collected_without_a_spec(
    world: World, tmp_path: Path
) -> None:
    world.gateway.takes = 10_000.0
    world.run(plan(TOKYO), RunPolicy(task_timeout=1.0))
    elsewhere = World(tmp_path / "clone", clock=world.clock)
    elsewhere.gateway = world.gateway
    elsewhere.path.mkdir()
    (elsewhere.path / "results.json").write_bytes((world.path / "results.json").read_bytes())
    world.gateway.takes = 0.0

    outcome = elsewhere.run(None)

    assert len(world.keys) == 1
    assert outcome.code == ExitCode.DONE
    assert records(outcome)[0].videos[0].path.startswith("videos/city/Tokyo-")


def test_a_purchase_that_a_journal_knows_is_not_taken_in_twice(world: World) -> None:
    world.run(plan(TOKYO))
    world.memory.events.clear()

    outcome = world.run(plan(TOKYO))

    assert [e for e in world.memory.events if isinstance(e, PurchaseImported)] == []
    assert outcome.ledger.spent == PRICE


def test_an_interrupted_run_leaves_what_is_known_on_record(world: World) -> None:
    world.gateway.takes = 10_000.0
    with _opened(world) as session:
        session.scheduler.interrupt()
        outcome = session.run()

    assert outcome.code == ExitCode.INTERRUPTED
    again = World(world.path, clock=world.clock)
    again.gateway = world.gateway
    world.gateway.takes = 0.0
    assert again.run(cities("Tokyo", "Paris")).code == ExitCode.DONE
    assert len(set(world.keys)) == len(world.keys) == 2


def _opened(world: World) -> AbstractContextManager[Run]:
    return open_run(
        world.path,
        plan=cities("Tokyo", "Paris"),
        dependencies=world.dependencies(),
        policy=RunPolicy(),
        listener=world.memory,
        selection=Selection(),
    )


def _failed(task_id: str, code: str) -> deque[Task | ReadError]:
    return _times(Task(id=task_id, state="failed", error_code=code, error_message="sorry"), 1)


def _times(answer: Task | ReadError, times: int) -> deque[Task | ReadError]:
    return deque([answer] * times)


def test_a_storm_of_429_is_waited_out_and_nothing_is_bought_twice(world: World) -> None:
    storm = NotAccepted(code="429", message="slow down", status=429)
    world.gateway.answers.extend([storm] * 40)

    outcome = world.run(cities(*"abcdefghij"), RunPolicy(max_in_flight=8))

    assert outcome.code == ExitCode.DONE
    assert len(set(world.keys)) == len(world.gateway.tasks_by_key) == 10
    assert world.gateway.most_in_flight < 8


@pytest.mark.parametrize("seconds", [-86_400.0, 86_400.0], ids=["back a day", "on a day"])
def test_a_clock_that_jumps_loses_no_task(world: World, seconds: float) -> None:
    world.gateway.takes = 300.0

    def jump() -> Submission:
        world.clock.jump = seconds
        return world.gateway.take(world.keys[-1])

    world.gateway.answers.append(jump)

    outcome = world.run(cities("Tokyo", "Paris"), RunPolicy(task_timeout=900.0))

    assert (outcome.code, len(world.keys)) == (ExitCode.DONE, 2)
