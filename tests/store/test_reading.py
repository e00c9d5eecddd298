"""What opening a long run costs, and that a checkpoint gives back what was put into it."""

import hashlib
import math
import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import json
from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.executor.options import SystemClock
from veogen.results.events import Event, TaskCompleted, TaskCreated
from veogen.store.cloud import connect
from veogen.store.history import History
from veogen.store.layout import (
    CHECKPOINT_LIMIT,
    LIMIT,
    AttemptId,
    Batch,
    Checkpoint,
    Claim,
    Claimed,
    Fact,
    RunNames,
    UnreadableError,
    encode,
)
from veogen.store.location import StoreLocation
from veogen.store.objects import Objects
from veogen.store.reading import HistoryReader

NAMES = RunNames("trip")
ADA = "ada.000000000001"
PRICE = Decimal("76.032")
MANY = 25_000
SINCE = 900
"""Facts that a process has written since its last checkpoint when it is killed, each alone."""


def attempt(number: int) -> AttemptId:
    return AttemptId(hashlib.sha256(str(number).encode()).hexdigest(), 1)


def facts_of(of: AttemptId) -> list[Fact]:
    task, claimed = f"task-{of.hash[:9]}", Claimed(ADA, f"boat[i={of.hash[:9]}]", PRICE)
    links = (f"https://media.example/{of.hash}.mp4?signature={of.hash}",)
    events: list[Event] = [
        TaskCreated(of.hash, of.attempt, task, PRICE, 1.0),
        TaskCompleted(of.hash, task, links, PRICE, 2.0),
    ]
    return [Fact.of(events[0], of.attempt, claim=claimed), Fact.of(events[1], of.attempt)]


def history_of(*attempts: AttemptId) -> History:
    history = History()
    for of in attempts:
        for fact in facts_of(of):
            history.take(fact, "test")
    return history


def fold(history: History) -> History:
    """What somebody knows who reads its checkpoint."""
    read = History()
    content = encode(history.checkpoint(ADA, 1.0))
    read.take_checkpoint(json.decode(content, type=Checkpoint), "checkpoint")
    return read


def test_a_checkpoint_gives_back_what_was_put_into_it() -> None:
    history = history_of(attempt(1), attempt(2))

    read = fold(history)

    for of in (attempt(1), attempt(2)):
        assert read.events(of) == history.events(of)
        assert read.claim(of) == history.claim(of)
        assert read.owner(of) == ADA
        assert read.attempts[of.hash] == frozenset({1})
        assert read.address(of.hash) == f"boat[i={of.hash[:9]}]"
    assert read.spent_by(ADA) == history.spent_by(ADA) == 2 * PRICE


def test_what_was_never_asked_for_is_left_in_the_next_checkpoint_as_it_came() -> None:
    read = fold(history_of(attempt(1), attempt(2)))
    [later] = facts_of(AttemptId(attempt(2).hash, 2))[:1]
    read.take(later, "log")

    again = fold(read)

    assert again.events(attempt(1)) == history_of(attempt(1)).events(attempt(1))
    assert again.attempts[attempt(2).hash] == frozenset({1, 2})
    assert again.count == read.count == 5


def test_of_a_checkpoint_that_comes_later_only_what_is_new_is_news() -> None:
    history, later = history_of(attempt(1)), history_of(attempt(1), attempt(2))
    checkpoint = json.decode(encode(later.checkpoint(ADA, 2.0)), type=Checkpoint)

    news = history.take_checkpoint(checkpoint, "checkpoint")

    assert {item.event.hash for item in news} == {attempt(2).hash}
    assert len(news) == 2


def test_a_checkpoint_of_an_earlier_version_is_read() -> None:
    facts = {ADA: tuple(facts_of(attempt(1)))}
    old = Checkpoint(ADA, 1.0, read={}, ended=frozenset(), machines={}, facts=facts)
    read = History()

    read.take_checkpoint(json.decode(encode(old), type=Checkpoint), "checkpoint")

    assert read.events(attempt(1)) == history_of(attempt(1)).events(attempt(1))


def test_a_fact_below_the_name_of_another_attempt_is_unreadable() -> None:
    checkpoint = history_of(attempt(1)).checkpoint(ADA, 1.0)
    checkpoint.purchases[ADA][attempt(2).name] = checkpoint.purchases[ADA].pop(attempt(1).name)
    read = History()
    read.take_checkpoint(checkpoint, "runs/trip/checkpoints/1")

    with pytest.raises(UnreadableError, match="runs/trip/checkpoints/1"):
        read.events(attempt(2))


def test_claims_that_a_checkpoint_holds_are_seen_without_reading_them() -> None:
    time_ = StoreTimeOfTests()
    objects = MemoryObjects(time_)
    objects.create(NAMES.checkpoint(ADA, 1.0), encode(history_of(attempt(1)).checkpoint(ADA, 1.0)))
    claim = Claim(ADA, "key", "{}", "boat", PRICE, "ada", 1.0)
    for of in (attempt(1), attempt(2)):
        objects.create(NAMES.claim(of), encode(claim))
        time_.sleep(60.0)

    history = HistoryReader(objects, NAMES).open()

    assert [name for kind, name in objects.calls if kind == "read"] == [
        NAMES.checkpoint(ADA, 1.0),
        NAMES.claim(attempt(2)),
    ]
    assert history.processes[ADA].seen == time_.now() - 60.0


def store_of_many(folder: Path, *, killed: bool) -> Objects:
    """A run of 25,000 purchases in a folder."""
    objects = connect(StoreLocation.of(f"file://{folder}"), os.environ, SystemClock(), make=True)
    claims = folder / NAMES.folder("claims")
    claims.mkdir(parents=True)
    history, late = History(), list[Fact]()
    for number in range(MANY):
        of = attempt(number)
        body = f'{{"model":"veo-3.1-fast-generate-preview","prompt":"A boat, {number}"}}'
        claim = Claim(ADA, f"veogen-{of.hash}-1", body, f"boat[i={number}]", PRICE, "ada", 1.0)
        (claims / of.name).write_bytes(encode(claim))
        is_late = killed and number >= MANY - SINCE // 2
        for fact in facts_of(of):
            if is_late:
                late.append(fact)
            else:
                history.take(fact, "test")
    first = Batch(ADA, "ada", 1.0, opens=1)
    batches = [first, *(Batch(ADA, "ada", 2.0, (fact,)) for fact in late)]
    for number, batch in enumerate(batches):
        objects.create(NAMES.batch(ADA, number), encode(batch))
    history.processes[ADA].next = 1
    history.processes[ADA].ended = not killed
    objects.create(NAMES.checkpoint(ADA, 3.0), encode(history.checkpoint(ADA, 3.0)))
    return objects


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_opening_costs_little_more_than_a_listing_and_the_checkpoint(
    tmp_path: Path, *, killed: bool
) -> None:
    """At most 1.5 times bare calls for what is needed: the claims' names, and what else is read."""
    objects = store_of_many(tmp_path / "store", killed=killed)

    def bare() -> None:
        assert len(objects.list(NAMES.folder("claims"))) == MANY
        [checkpoint] = objects.list(NAMES.folder("checkpoints"))
        assert objects.read(checkpoint.name, CHECKPOINT_LIMIT)
        late = [found.name for found in objects.list(NAMES.folder("log")) if killed]
        assert all(objects.read(name, LIMIT) for name in late)

    def opened() -> None:
        assert len(HistoryReader(objects, NAMES).open().attempts) == MANY

    bare()
    opening = listing = math.inf
    for _ in range(25):  # the quickest of each: whatever else the machine does only adds
        opening, listing = min(opening, seconds(opened)), min(listing, seconds(bare))
        if opening <= 1.5 * listing:
            break
    assert opening <= 1.5 * listing
