"""Many events folded at once come to what they come to one after the other."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support.plans import EVENTS, HASHES, entry
from support.virtual import VIDEO

from veogen.errors import ExitCode
from veogen.results.events import (
    Event,
    PurchaseImported,
    Status,
    SubmitIntended,
    SubmitUnknown,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskProgressed,
    VideoSaved,
)
from veogen.results.ledger import Ledger, RequestState, Summary, exit_code
from veogen.results.manifest import render
from veogen.results.record import FOLD_BY_EVENT, Record, records


def test_every_kind_of_event_is_folded() -> None:
    assert set(FOLD_BY_EVENT) == set(get_args(Event))


@given(st.lists(EVENTS, max_size=20), st.lists(EVENTS, max_size=5))
def test_what_a_journal_tells_comes_to_the_same_as_what_happened(
    first: list[Event], then: list[Event]
) -> None:
    one, other = Ledger("trip"), Ledger.of("trip", records(first))
    for ledger in (one, other):
        ledger.adopt(map(entry, HASHES[:2]), [replace(entry(HASHES[2]), address="former")])

    for event in first:
        one.apply(event)
    assert_same(one, other)

    for event in then:
        one.apply(event)
        other.apply(event)
    assert_same(one, other)


def test_a_task_is_of_the_attempt_that_it_was_created_or_adopted_for() -> None:
    created = TaskCreated("a", 2, "task-2", Decimal(9), 20.0)
    adopted = TaskAdopted("b", "task-3", None, 30.0, attempt=3)

    assert [[(t.id, t.attempt) for t in r.facts.tasks] for r in records([created, adopted])] == [
        [("task-2", 2)],
        [("task-3", 3)],
    ]


@pytest.mark.parametrize(
    ("path", "links", "status"),
    [
        pytest.param("videos/c-0123456789-2.mp4", ["x"], "undelivered", id="the second of two"),
        pytest.param("videos/c-0123456789-1.mp4", ["x"], "undelivered", id="the first of two"),
        pytest.param("videos/c-0123456789-1.mp4", ["x", "y"], "undelivered", id="all are listed"),
        pytest.param("videos/c-0123456789.mp4", ["x"], "completed", id="the only one"),
    ],
)
def test_a_clip_that_somebody_lacks_is_lacking_though_a_look_lists_fewer(
    path: str, links: list[str], status: str
) -> None:
    others_have = PurchaseImported(
        "0123456789", "undelivered", "task-1", 1, None, None, None, (VIDEO.at(path),), None, 10.0
    )
    looked = TaskCompleted("0123456789", "task-1", tuple(links), None, 20.0)

    assert [record.status for record in records([others_have, looked])] == [status]


def test_a_task_is_whole_with_the_clip_that_somebody_lacked() -> None:
    second = VIDEO.at("videos/c-0123456789-2.mp4")
    others_have = PurchaseImported(
        "0123456789", "undelivered", "task-1", 1, None, None, None, (second,), None, 10.0
    )
    looked = TaskCompleted("0123456789", "task-1", ("x",), None, 20.0)
    saved = VideoSaved("0123456789", 0, structs.replace(second, sha256="1" * 64), "task-1")

    assert [r.status for r in records([others_have, looked, saved])] == ["completed"]


@pytest.mark.parametrize(
    ("warnings", "links", "status"),
    [
        pytest.param(("fewer-videos",), ("x", "y"), "undelivered", id="fewer had been listed"),
        pytest.param(("fewer-videos",), ("x",), "completed", id="still fewer"),
        pytest.param((), ("x", "y"), "completed", id="it had all, and its link has another name"),
    ],
)
def test_a_task_that_was_taken_for_whole_lacks_the_clip_that_a_later_look_lists(
    warnings: tuple[str, ...], links: tuple[str, ...], status: str
) -> None:
    first = VIDEO.at("videos/c-0123456789-1.mp4")
    others_have = PurchaseImported(
        "0123456789",
        "completed",
        "task-1",
        1,
        None,
        None,
        None,
        (structs.replace(first, warnings=warnings),),
        None,
        10.0,
    )
    looked = TaskCompleted("0123456789", "task-1", links, None, 20.0)
    again = VideoSaved("0123456789", 0, first, "task-1")

    assert [r.status for r in records([others_have, looked, again])] == [status]


A, B, C = HASHES
PLAN, FORMER = [entry(A), entry(B)], [entry(C)]
FORTY, NINE = Decimal(40), Decimal(9)


def ledger_of(*events: Event) -> Ledger:
    """Two requests of a plan, and one of an earlier plan, to which these happened."""
    ledger = Ledger("trip")
    ledger.adopt(PLAN, FORMER)
    for event in events:
        ledger.apply(event)
    return ledger


def sent(hash_: str, attempt: int = 1) -> SubmitIntended:
    return SubmitIntended(hash_, attempt, "k", "{}", Decimal("38.016"), 10.0 * attempt)


def taken(hash_: str, task: str, attempt: int = 1, amount: Decimal | None = FORTY) -> TaskCreated:
    return TaskCreated(hash_, attempt, task, amount, 20.0)


def saved(hash_: str, task: str) -> VideoSaved:
    return VideoSaved(hash_, 0, VIDEO.at(f"videos/{task}.mp4"), task)


LOST = SubmitUnknown(B, 1, "lost", "it broke")


@pytest.mark.parametrize(
    ("events", "money"),
    [
        pytest.param([], (0, 0, 0, 0), id="nothing"),
        pytest.param([sent(A)], ("38.016", "38.016", 0, 0), id="in doubt"),
        pytest.param([sent(A), taken(A, "t1")], (40, 0, 0, 40), id="reserved"),
        pytest.param(
            [sent(A), taken(A, "t1", amount=None)],
            ("38.016", 0, "38.016", 0),
            id="taken without an amount",
        ),
        pytest.param(
            [sent(A), taken(A, "t1"), TaskCompleted(A, "t1", ("x",), NINE, 30.0)],
            (9, 0, 0, 9),
            id="charged",
        ),
        pytest.param(
            [sent(A), taken(A, "t1"), sent(B), LOST, sent(C), taken(C, "t3", amount=None)],
            ("116.032", "38.016", "38.016", 40),
            id="one of each, the former one too",
        ),
    ],
)
def test_what_was_spent_is_told_apart_by_who_names_it(
    events: list[Event], money: tuple[str | int, ...]
) -> None:
    ledger = ledger_of(*events)
    again = Ledger.of("trip", [state.record for state in ledger.everything])

    amounts = tuple(map(Decimal, money))
    assert (ledger.spent, ledger.in_doubt, ledger.estimated, ledger.reserved) == amounts
    assert (again.spent, again.in_doubt, again.estimated, again.reserved) == amounts


def hashes(states: Iterable[RequestState]) -> list[str]:
    return [state.request.hash for state in states]


def test_what_left_the_plan_is_known_once_it_was_bought() -> None:
    unsent, bought = ledger_of(), ledger_of(sent(C))

    assert hashes(unsent.planned) == hashes(unsent.everything) == [A, B]
    assert (hashes(bought.former), hashes(bought.everything)) == ([C], [A, B, C])
    assert (unsent.knows(A), unsent.knows(C), bought.knows(C)) == (True, False, True)
    assert (bought.is_planned(B), bought.is_planned(C)) == (True, False)
    assert [request.hash for request in bought.requests] == [C, A, B]
    assert (bought.request(C), bought.request("d" * 64)) == (FORMER[0], None)
    assert [bought.name_of(state) for state in bought.everything] == ["a", "b", "c" * 10]


def test_a_plan_that_is_taken_up_again_keeps_what_has_happened() -> None:
    ledger = ledger_of(sent(A), taken(A, "t1"))
    before = ledger.changes

    ledger.adopt([entry(C), entry(A)], [entry(B)])

    assert hashes(ledger.planned) == [C, A]
    assert (ledger.count("submitted"), ledger.count("planned")) == (1, 1)
    assert ledger.changes > before


@pytest.mark.parametrize("asked_first", [True, False], ids=["asked all the while", "asked once"])
def test_a_task_is_owned_by_the_request_and_the_attempt_that_it_is_known_of(
    asked_first: bool,
) -> None:
    ledger = ledger_of(sent(A))
    if asked_first:
        assert ledger.owner("t2") is None

    for event in (taken(A, "t1"), sent(A, 2), taken(A, "t2", 2), TaskAdopted(C, "t3", None, 30.0)):
        ledger.apply(event)

    assert [ledger.owner(task) for task in ("t1", "t2", "t3", "t4")] == [
        (A, 1),
        (A, 2),
        (C, 1),
        None,
    ]


def test_requests_of_the_plan_are_counted_where_they_stand() -> None:
    ledger = ledger_of(
        sent(A), taken(A, "t1"), saved(A, "t1"), sent(B), LOST, sent(C), taken(C, "t3", amount=NINE)
    )

    assert ledger.summary() == Summary(
        requests=2,
        counts={
            "planned": 0,
            "submitted": 0,
            "completed": 1,
            "failed": 0,
            "indeterminate": 1,
            "undelivered": 0,
        },
        videos=1,
        credits=FORTY,
    )
    assert ledger.title == "trip: 1 completed, 1 indeterminate, 40.000 credits"
    assert Ledger("trip").title == "trip: no request, 0.000 credits"
    assert repr(ledger) == f"<Ledger {ledger.title}>"
    assert list(map(repr, ledger.planned)) == [
        "<RequestState a: completed>",
        "<RequestState b: indeterminate>",
    ]


def test_progress_of_a_task_moves_nothing_and_all_else_does() -> None:
    ledger = ledger_of(sent(A), taken(A, "t1"))
    before, record = ledger.changes, ledger.record(A)

    told = ledger.apply(TaskProgressed(A, "t1", "processing", 5))
    assert (ledger.changes, told) == (before, record)

    ended = ledger.apply(TaskFailed(A, "t1", "service_error", "sorry"))
    assert ledger.changes == before + 1
    assert [ended.status, *(state.record.status for state in ledger.planned)] == [
        "failed",
        "failed",
        "planned",
    ]


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        pytest.param([], ExitCode.DONE, id="no request"),
        pytest.param(["completed"], ExitCode.DONE, id="all completed"),
        *(
            pytest.param(["completed", status], ExitCode.INCOMPLETE, id=status)
            for status in ("planned", "submitted", "failed", "undelivered")
        ),
        pytest.param(["failed", "indeterminate"], ExitCode.INDETERMINATE, id="one is held"),
    ],
)
def test_the_exit_code_of_what_a_run_was_about(statuses: list[Status], code: ExitCode) -> None:
    assert exit_code(Record(A, status=status) for status in statuses) == code


def assert_same(one: Ledger, other: Ledger) -> None:
    assert [s.record for s in one.everything] == [s.record for s in other.everything]
    assert one.summary() == other.summary()
    money = (one.spent, one.in_doubt, one.estimated, one.reserved)
    assert money == (other.spent, other.in_doubt, other.estimated, other.reserved)
    assert render(one, "evolink") == render(other, "evolink")
