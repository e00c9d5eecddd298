"""What a process writes down in its own log: all of it, once, in order."""

import threading
from collections.abc import Iterator

import pytest
from msgspec import json
from support.stores import MemoryObjects, NoRecords, StoreTimeOfTests, no_faults

from veogen.results.events import Event, TaskCreated, VideoNotSaved
from veogen.store.layout import Batch, Fact, RunNames, encode
from veogen.store.log import OwnLog, StolenNameError
from veogen.store.objects import StoreError

HASH = "a" * 64


class Scribe:
    """A log of `ada.1` in a store in memory."""

    def __init__(self, objects: MemoryObjects, time: StoreTimeOfTests) -> None:
        self.objects, self.time = objects, time
        time.sleep(1000.0)  # the machine runs for longer than this
        self.log = OwnLog(objects, RunNames("run"), "ada.1", "ada", time)

    def open(self) -> OwnLog:
        self.log.open(Batch("ada.1", "ada", self.time.now(), opens=1))
        return self.log

    def records(self) -> list[Batch]:
        """All records of the log, in their order."""
        named = sorted((n, c) for n, (c, _) in self.objects.objects.items() if "/log/" in n)
        assert [int(name.rpartition("/")[2]) for name, _ in named] == list(range(len(named)))
        return [json.decode(content, type=Batch) for _, content in named]

    def events(self) -> list[list[Event]]:
        """What happened, as each record but the first tells it."""
        return [[fact.read() for fact in batch.facts] for batch in self.records()[1:]]


@pytest.fixture
def scribe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scribe]:
    monkeypatch.setattr("veogen.store.log._PAUSE", 0.01)  # who is refused tries again at once
    time = StoreTimeOfTests()
    scribe = Scribe(MemoryObjects(time), time)
    yield scribe
    scribe.objects.faults = no_faults
    scribe.log.close(0.05)


def created(number: int) -> TaskCreated:
    return TaskCreated(HASH, 1, f"task-{number}", None, 1.0)


def fact(number: int) -> Fact:
    return Fact.of(created(number), 1)


def test_a_log_begins_with_who_writes_it(scribe: Scribe) -> None:
    log = scribe.open()

    assert scribe.records() == [Batch("ada.1", "ada", scribe.time.now(), opens=1)]
    assert (log.next, log.written, log.waits_for, log.trouble) == (1, 0, 0.0, None)


def test_a_log_that_another_process_has_is_not_begun(scribe: Scribe) -> None:
    other = encode(Batch("ada.1", "bob", 1.0, opens=1))
    scribe.objects.create("runs/run/log/ada.1/00000000", other)

    with pytest.raises(StolenNameError) as error:
        scribe.open()

    assert str(error.value) == "runs/run/log/ada.1/00000000: another process has this name"


def test_a_store_that_takes_one_name_twice_is_refused(scribe: Scribe) -> None:
    class Overwrites(MemoryObjects):
        def create(self, name: str, content: bytes) -> bytes | None:
            self.replace(name, content)
            return None

    with pytest.raises(StoreError, match="it is refused; nothing was sent"):
        Scribe(Overwrites(scribe.time), scribe.time).open()


def test_what_is_prompt_takes_with_it_what_waits(scribe: Scribe) -> None:
    log = scribe.open()
    log.add([])
    log.add([fact(1), fact(2)])
    assert scribe.events() == []
    log.add([fact(3)], prompt=True)
    log.add([], prompt=True)

    assert log.flush(60.0)

    assert scribe.events() == [[created(1), created(2), created(3)]]
    assert (log.next, log.written) == (2, 3)


class Tells(MemoryObjects):
    """Tells that the first record after the one that opens a log is there."""

    def __init__(self, time: StoreTimeOfTests) -> None:
        super().__init__(time)
        self.written = threading.Event()

    def create(self, name: str, content: bytes) -> bytes | None:
        there = super().create(name, content)
        if name.endswith("1"):
            self.written.set()
        return there


def test_what_is_not_prompt_is_written_within_a_moment(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veogen.store.log.WITHIN", 0.01)
    objects = Tells(scribe.time)
    slow = Scribe(objects, scribe.time)
    log = slow.open()

    log.add([fact(1)])
    scribe.time.sleep(1.0)

    assert objects.written.wait(60.0)
    assert slow.events() == [[created(1)]]
    assert log.close(60.0)


def test_what_is_prompt_does_not_wait_for_what_comes_after_it(scribe: Scribe) -> None:
    objects = Tells(scribe.time)
    hurried = Scribe(objects, scribe.time)
    hurried.log.add([fact(1)], prompt=True)
    hurried.log.add([fact(2)])

    log = hurried.open()

    assert objects.written.wait(20.0)
    assert hurried.events() == [[created(1), created(2)]]
    assert log.close(60.0)


def test_what_comes_after_something_prompt_is_not_written_one_by_one(scribe: Scribe) -> None:
    log = scribe.open()
    log.add([fact(0)], prompt=True)
    assert log.flush(60.0)

    for number in range(1, 100):
        log.add([fact(number)])
    assert log.flush(60.0)

    assert scribe.events() == [[created(0)], [created(number) for number in range(1, 100)]]


def test_a_record_is_no_longer_than_may_be_read(scribe: Scribe) -> None:
    log = scribe.open()
    long = [VideoNotSaved(HASH, str(n), "x" * 1_000_000) for n in range(3)]
    huge = VideoNotSaved(HASH, "huge", "x" * 3_000_000)

    log.add([Fact.of(event, 1) for event in (*long, huge, long[0])])
    assert log.flush(60.0)

    assert scribe.events() == [long[:2], long[2:], [huge], long[:1]]


def test_how_long_the_oldest_has_waited_and_why(scribe: Scribe) -> None:
    log = scribe.open()
    scribe.objects.faults = refuses = NoRecords()
    log.add([fact(1)], prompt=True)
    refuses.noticed()
    scribe.time.sleep(30.0)
    log.add([fact(2)])
    scribe.time.sleep(10.0)

    assert log.waits_for == 40.0
    assert str(log.trouble) == "memory: no answer to create runs/run/log/ada.1/00000001"
    scribe.objects.faults = no_faults
    assert log.flush(60.0)
    assert (log.waits_for, log.trouble) == (0.0, None)
    assert scribe.events() == [[created(1)], [created(2)]]  # the very bytes that may be there


def test_who_finds_its_place_taken_writes_nothing_over_it(scribe: Scribe) -> None:
    log = scribe.open()
    other = encode(Batch("ada.1", "bob", 1.0))
    scribe.objects.create("runs/run/log/ada.1/00000001", other)

    log.add([fact(1)])
    assert not log.close(0.05)
    assert log.flush(60.0)  # it has tried

    assert isinstance(log.trouble, StolenNameError)
    assert "another process wrote into the log of this one" in str(log.trouble)
    assert scribe.objects.objects["runs/run/log/ada.1/00000001"][0] == other


@pytest.mark.parametrize("takes", [True, False])
def test_who_closes_has_all_written_or_says_that_it_is_not(scribe: Scribe, *, takes: bool) -> None:
    before = set(threading.enumerate())
    log = scribe.open()
    scribe.objects.faults = no_faults if takes else NoRecords()
    log.add([fact(1)])

    assert log.close(60.0 if takes else 0.05) is takes
    assert log.flush(60.0)  # who leaves does not wait for it

    scribe.objects.faults = no_faults
    log.end(9.0)
    last = Batch("ada.1", "ada", 9.0, ends=True)
    assert scribe.records()[-1] == last
    assert scribe.events() == ([[created(1)], []] if takes else [[]])
    assert set(threading.enumerate()) <= before
