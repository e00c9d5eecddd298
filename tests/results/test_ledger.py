"""Many events folded at once come to what they come to one after the other."""

from dataclasses import replace
from decimal import Decimal
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from support.plans import EVENTS, HASHES, entry

from veogen.results.events import Event, TaskAdopted, TaskCreated
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


def assert_same(one: Ledger, other: Ledger) -> None:
    assert [s.record for s in one.everything] == [s.record for s in other.everything]
    assert one.summary() == other.summary()
    money = (one.spent, one.in_doubt, one.estimated, one.reserved)
    assert money == (other.spent, other.in_doubt, other.estimated, other.reserved)
    assert render(one, "evolink") == render(other, "evolink")
