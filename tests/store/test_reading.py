"""What opening a long run costs, and that a checkpoint gives back what was put into it."""

import hashlib
import math
import os
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import json
from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.executor.options import SystemClock
from veogen.results.events import Event, TaskCompleted, TaskCreated
from veogen.store.cloud import connect
from veogen.store.history import History, ProcessSeen
from veogen.store.layout import (
    CHECKPOINT_LIMIT,
    LIMIT,
    AttemptId,
    Batch,
    Checkpoint,
    Claim,
    Claimed,
    Closing,
    DecisionKind,
    Fact,
    RunNames,
    StoredDecision,
    UnreadableError,
    encode,
)
from veogen.store.location import StoreLocation
from veogen.store.objects import ObjectInfo, Objects
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


BOB, EVE = "bob.000000000002", "eve.000000000003"


class Shelf:
    """A store in memory, and records as machines leave them."""

    def __init__(self) -> None:
        self.time = StoreTimeOfTests()
        self.objects = MemoryObjects(self.time)
        self.written: dict[str, int] = {}

    def log(self, process: str, *facts: Fact, ends: bool = False) -> None:
        """The next record of a log."""
        number = self.written.get(process, 0)
        self.written[process] = number + 1
        batch = Batch(process, process[:3], 1.0, facts, ends=ends)
        self.objects.create(NAMES.batch(process, number), encode(batch))

    def claim(self, of: AttemptId, owner: str) -> None:
        claim = Claim(owner, "key", "{}", "boat", PRICE, f"{owner[:3]}'s", 1.0)
        self.objects.create(NAMES.claim(of), encode(claim))

    def checkpoint(self, process: str, *attempts: AttemptId, read: int = 1) -> None:
        history, now = history_of(*attempts), self.time.now()
        history.processes[process] = ProcessSeen(process[:3], next=read)
        self.objects.create(
            NAMES.checkpoint(process, now), encode(history.checkpoint(process, now))
        )

    def asked(self) -> list[str]:
        """What was read since the last time."""
        names = [name.removeprefix("runs/trip/") for _, name in self.reads()]
        del self.objects.calls[:]
        return names

    def reads(self) -> list[tuple[str, str]]:
        return [call for call in self.objects.calls if call[0] == "read"]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def lives(_: str) -> bool:
    return False


def test_of_several_checkpoints_the_one_that_was_written_last_is_read(shelf: Shelf) -> None:
    shelf.checkpoint(BOB, attempt(1))
    shelf.time.sleep(10.0)
    shelf.checkpoint(ADA, attempt(1), attempt(2))
    shelf.time.sleep(-20.0)  # a machine whose clock is late
    shelf.checkpoint(EVE, attempt(3))
    shelf.time.sleep(20.0)

    history = HistoryReader(shelf.objects, NAMES).open()

    assert set(history.attempts) == {attempt(1).hash, attempt(2).hash}


def test_what_a_checkpoint_holds_of_a_log_is_not_read_again(shelf: Shelf) -> None:
    for number in range(3):
        shelf.log(BOB, *facts_of(attempt(number)))
    shelf.checkpoint(BOB, attempt(0), attempt(1), read=2)
    shelf.objects.calls.clear()
    reader = HistoryReader(shelf.objects, NAMES)

    history = reader.open()

    assert [name for name in shelf.asked() if "log/" in name] == [f"log/{BOB}/00000002"]
    assert set(history.attempts) == {attempt(number).hash for number in range(3)}
    assert history.processes[BOB].next == 3
    assert (history.count, reader.facts_since_checkpoint) == (6, 2)


@pytest.mark.parametrize(
    ("records", "is_silent", "news"),
    [
        pytest.param(20, lives, 20, id="a short log is read at once"),
        pytest.param(21, lives, 0, id="a long one of who lives is left to its checkpoint"),
        pytest.param(21, lambda _: True, 21, id="a long one of who is silent is read"),
        pytest.param(21, None, 21, id="and any if all has to be known"),
    ],
)
def test_what_is_read_of_those_who_live(
    shelf: Shelf, records: int, is_silent: Callable[[str], bool] | None, news: int
) -> None:
    reader = HistoryReader(shelf.objects, NAMES, ADA)
    reader.open()
    for number in range(records):
        shelf.claim(attempt(number), BOB)
        shelf.log(BOB, facts_of(attempt(number))[0])

    assert len(reader.refresh(is_silent)) == news

    history = reader.history
    assert [history.is_unread(attempt(number).hash) for number in (0, 19)] == [not news] * 2
    assert list(history.unanswered) == []
    assert history.processes[BOB].seen == shelf.time.now()


def test_what_was_left_to_a_checkpoint_is_read_from_that(shelf: Shelf) -> None:
    shelf.log(EVE, *facts_of(attempt(98)))
    reader = HistoryReader(shelf.objects, NAMES, ADA)
    reader.open()
    for number in range(30):
        shelf.claim(attempt(number), BOB)
        shelf.log(BOB, facts_of(attempt(number))[0])
    shelf.claim(attempt(99), EVE)
    assert reader.refresh(lives) == []
    for process in (BOB, BOB, ADA):
        shelf.time.sleep(1.0)
        shelf.checkpoint(process, *map(attempt, range(30)), read=30)
    newest = NAMES.checkpoint(BOB, shelf.time.now() - 1.0).removeprefix("runs/trip/")
    shelf.asked()

    assert len(reader.refresh(lives)) == 60

    assert shelf.asked() == [newest, f"claims/{attempt(99).name}"]
    assert not reader.history.is_unread(attempt(0).hash)
    assert reader.history.owner(attempt(99)) == EVE
    assert reader.refresh(lives) == []
    assert shelf.asked() == []


def test_a_log_that_ended_is_not_looked_at_again(shelf: Shelf) -> None:
    shelf.log(BOB, ends=True)
    reader = HistoryReader(shelf.objects, NAMES)
    history = reader.open()
    assert (history.processes[BOB].ended, history.processes[BOB].machine) == (True, "bob")
    shelf.objects.calls.clear()

    reader.refresh()

    assert [name for kind, name in shelf.objects.calls if f"log/{BOB}" in name] == []


def test_whose_log_is_not_there_yet_is_known_by_its_claims(shelf: Shelf) -> None:
    shelf.claim(attempt(1), BOB)
    shelf.time.sleep(60.0)

    history = HistoryReader(shelf.objects, NAMES).open()

    seen = ProcessSeen("bob's", seen=shelf.time.now() - 60.0)
    assert history.processes == {BOB: seen}
    assert history.newest == seen.seen


def test_one_process_is_looked_at_by_its_sign_and_its_log(shelf: Shelf) -> None:
    reader = HistoryReader(shelf.objects, NAMES)
    reader.open()
    shelf.objects.replace(NAMES.sign(BOB), b"{}")
    reader.look_at(BOB)
    assert reader.history.processes[BOB].seen == shelf.time.now()
    shelf.time.sleep(60.0)
    shelf.log(BOB)
    reader.look_at(BOB)
    assert reader.history.processes[BOB].seen == shelf.time.now()

    reader.look_at(EVE)

    assert reader.history.processes[EVE] == ProcessSeen()


def test_a_glance_sees_claims_and_signs_and_reads_nothing(shelf: Shelf) -> None:
    reader = HistoryReader(shelf.objects, NAMES)
    reader.open()
    shelf.claim(attempt(1), BOB)
    shelf.objects.replace(NAMES.sign(BOB), b"{}")
    shelf.asked()

    assert [reader.glance(), reader.glance()] == [{attempt(1).hash}, set()]

    assert shelf.asked() == []
    assert reader.history.processes[BOB].seen == shelf.time.now()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        pytest.param(3, "it is gone, and something is known of it", id="a few are missing"),
        pytest.param(40, "it is missing, and later ones are there", id="many are missing"),
    ],
)
def test_a_log_with_a_gap_is_unreadable(shelf: Shelf, number: int, reason: str) -> None:
    shelf.objects.create(NAMES.batch(BOB, number), encode(Batch(BOB, "bob", 1.0)))

    with pytest.raises(UnreadableError, match=rf"log/{BOB}/00000000: .*{reason}"):
        HistoryReader(shelf.objects, NAMES).open()


def test_a_record_that_no_listing_shows_yet_is_read(shelf: Shelf) -> None:
    class Slow(MemoryObjects):
        def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
            return [info for info in super().list(folder, after) if not info.name.endswith("00")]

    shelf.objects = Slow(shelf.time)
    for number in (1, 2):
        shelf.log(BOB, facts_of(attempt(number))[0])

    history = HistoryReader(shelf.objects, NAMES).open()

    assert set(history.attempts) == {attempt(1).hash, attempt(2).hash}


def test_a_record_of_another_process_is_unreadable(shelf: Shelf) -> None:
    shelf.objects.create(NAMES.batch(BOB, 0), encode(Batch(EVE, "eve", 1.0)))

    with pytest.raises(UnreadableError, match=f"log/{BOB}/00000000: .*it is of {EVE}"):
        HistoryReader(shelf.objects, NAMES).open()


@pytest.mark.parametrize("kind", ["claims", "checkpoints", "closings", "decisions"])
def test_what_was_listed_and_is_gone_is_unreadable(kind: str) -> None:
    class Loses(MemoryObjects):
        def read(self, name: str, limit: int) -> bytes | None:
            return None if f"/{kind}/" in name else super().read(name, limit)

    shelf = Shelf()
    shelf.objects = Loses(shelf.time)
    shelf.claim(attempt(1), BOB)
    shelf.checkpoint(BOB)
    shelf.objects.create(NAMES.closing(BOB), encode(Closing(ADA, "ada", "next", 1.0)))
    decision = StoredDecision("abandon", ADA, "ada", 1.0)
    shelf.objects.create(NAMES.decision(attempt(1), 0), encode(decision))

    with pytest.raises(UnreadableError, match=f"runs/trip/{kind}/.*gone"):
        HistoryReader(shelf.objects, NAMES).open()


def test_who_opened_with_a_checkpoint_does_not_read_it_again(shelf: Shelf) -> None:
    shelf.checkpoint(BOB, attempt(1))
    reader = HistoryReader(shelf.objects, NAMES)
    reader.open()
    shelf.time.sleep(1.0)
    shelf.checkpoint(EVE, attempt(1))
    shelf.asked()

    reader.refresh()  # all is read one by one
    assert shelf.asked() == []
    reader.refresh(lives)

    newest = NAMES.checkpoint(EVE, shelf.time.now()).removeprefix("runs/trip/")
    assert shelf.asked() == [newest]


def test_a_checkpoint_says_of_which_machines_the_processes_are_and_which_have_ended(
    shelf: Shelf,
) -> None:
    history = History()
    history.processes[BOB] = ProcessSeen("bob", next=2, ended=True)
    history.processes[EVE] = ProcessSeen("eve", next=1)
    shelf.objects.create(NAMES.checkpoint(ADA, 1.0), encode(history.checkpoint(ADA, 1.0)))
    for process in (BOB, EVE):
        shelf.log(process)
    shelf.objects.calls.clear()

    read = HistoryReader(shelf.objects, NAMES, ADA).open()

    assert read.processes == history.processes
    assert [name for _, name in shelf.objects.calls if f"log/{BOB}" in name] == []


def test_what_is_known_of_a_process_stays_though_a_checkpoint_knows_less(shelf: Shelf) -> None:
    shelf.log(BOB)
    shelf.log(BOB, ends=True)
    reader = HistoryReader(shelf.objects, NAMES)
    known = reader.open().processes[BOB]
    history = History()
    history.processes[BOB] = ProcessSeen("robert", next=1)
    shelf.objects.create(NAMES.checkpoint(EVE, 1.0), encode(history.checkpoint(EVE, 1.0)))

    reader.refresh(lives)

    assert known == ProcessSeen("bob", next=2, ended=True, seen=shelf.time.now())


def test_a_machine_is_called_as_its_own_log_says(shelf: Shelf) -> None:
    shelf.log(BOB)
    shelf.claim(attempt(1), BOB)

    assert HistoryReader(shelf.objects, NAMES).open().processes[BOB].machine == "bob"


def test_a_process_was_seen_when_it_made_its_last_claim_whichever_that_is(shelf: Shelf) -> None:
    known = sorted(map(attempt, (1, 2, 3)))
    for of in (known[1], known[2], known[0]):
        shelf.time.sleep(60.0)
        shelf.claim(of, ADA)
    made = shelf.time.now()
    shelf.time.sleep(60.0)
    shelf.checkpoint(BOB, *known)

    assert HistoryReader(shelf.objects, NAMES).open().processes[ADA].seen == made


def test_names_that_are_none_are_of_no_process(shelf: Shelf) -> None:
    for name in ("signs/A B", "closings/A B", "log/A B/00000000", f"log/{BOB}/1"):
        shelf.objects.replace(f"runs/trip/{name}", b"")

    history = HistoryReader(shelf.objects, NAMES).open()

    assert dict(history.processes) == {BOB: ProcessSeen()}
    assert history.closings == {}


def test_its_own_log_is_not_read(shelf: Shelf) -> None:
    shelf.log(ADA)
    shelf.objects.calls.clear()

    HistoryReader(shelf.objects, NAMES, ADA).open()

    assert [name for _, name in shelf.objects.calls if f"log/{ADA}" in name] == []


def test_closings_and_decisions_are_read_once(shelf: Shelf) -> None:
    def decide(of: AttemptId, number: int, decision: DecisionKind) -> StoredDecision:
        record = StoredDecision(decision, EVE, "eve", 1.0)
        shelf.objects.create(NAMES.decision(of, number), encode(record))
        return record

    closing = Closing(EVE, "eve", "closed", 1.0)
    shelf.objects.create(NAMES.closing(BOB), encode(closing))
    first = decide(attempt(1), 0, "replay")
    reader = HistoryReader(shelf.objects, NAMES)
    reader.open()
    assert shelf.asked() == [f"closings/{BOB}", f"decisions/{attempt(1).name}.00"]
    again, other = decide(attempt(1), 1, "adopt"), decide(attempt(2), 0, "abandon")

    reader.refresh()

    names = [f"decisions/{attempt(1).name}.01", f"decisions/{attempt(2).name}.00"]
    assert sorted(shelf.asked()) == sorted(names)
    history = reader.history
    assert history.closings == {BOB: closing}
    assert history.decisions == {attempt(1): {0: first, 1: again}, attempt(2): {0: other}}
    assert set(history.attempts) == {attempt(1).hash, attempt(2).hash}


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
