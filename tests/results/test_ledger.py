"""Many events folded at once come to what they come to one after the other."""

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support.plans import EVENTS, HASHES, entry
from support.virtual import VIDEO

from veogen.results.events import (
    Event,
    PurchaseImported,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
    VideoSaved,
)
from veogen.results.ledger import Ledger
from veogen.results.manifest import render
from veogen.results.record import FOLD_BY_EVENT, records


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


def assert_same(one: Ledger, other: Ledger) -> None:
    assert [s.record for s in one.everything] == [s.record for s in other.everything]
    assert one.summary() == other.summary()
    money = (one.spent, one.in_doubt, one.estimated, one.reserved)
    assert money == (other.spent, other.in_doubt, other.estimated, other.reserved)
    assert render(one, "evolink") == render(other, "evolink")
