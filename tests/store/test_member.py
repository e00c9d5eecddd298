"""What one process does in a store, beside others."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from support.stores import LATE, Fault, MemoryObjects, NoRecords, StoreTimeOfTests, no_faults

from veogen.results.events import (
    Event,
    SubmitFailed,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
)
from veogen.store.budget import Allowance, MoneyChain
from veogen.store.history import News
from veogen.store.layout import AttemptId, Batch, Claimed, Fact, RunNames, UnreadableError, encode
from veogen.store.location import StoreLocation
from veogen.store.member import ClaimedByOther, ClosedError, DecidedError, Identity, Member, Permit
from veogen.store.objects import StoreAwayError, StoreError
from veogen.store.opening import Store
from veogen.store.signs import Patience

HASH = "a" * 64
OTHER = "b" * 64
FIRST = AttemptId(HASH, 1)
LOCATION = StoreLocation("s3", "clips", "")
MINUTE = 60.0


class Place:
    """A store in memory, and processes that join it."""

    def __init__(self, stack: ExitStack) -> None:
        self.time = StoreTimeOfTests()
        self.objects = MemoryObjects(self.time, ahead=600.0)
        self.store = Store(self.objects, LOCATION, self.time, Patience())
        self._stack = stack

    def join(self, machine: str, run: str = "run") -> Member:
        identity = Identity(f"{machine}.1", machine)
        member = self.store.join(run, "evolink", identity)
        self._stack.callback(member.flush, 5.0)
        return member

    def passes(self, seconds: float) -> None:
        self.time.sleep(seconds)

    def json(self, name: str) -> object:
        return json.loads(self.objects.objects[name][0])


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr("veogen.store.log._PAUSE", 0.01)  # who is refused tries again at once
    with ExitStack() as stack:
        yield Place(stack)


def claim(member: Member, of: AttemptId = FIRST) -> Permit | ClaimedByOther:
    key = f"veogen-{of.hash}-{of.attempt}"
    price = Decimal("76.032")
    return member.claim(of, key=key, body='{"a":1}', address="opening", credits_=price)


def say(member: Member, *events: Event, attempt: int = 1, owner: str | None = None) -> None:
    claimed = Claimed(owner, "opening", Decimal("76.032")) if owner else None
    member.record([(attempt, event, claimed) for event in events], prompt=True)
    assert member.flush(60.0)


def accepted(task_id: str = "task-1", credits_: str | None = "70") -> TaskCreated:
    amount = None if credits_ is None else Decimal(credits_)
    return TaskCreated(hash=HASH, attempt=1, task_id=task_id, credits=amount, at=1.0)


def test_a_claim_says_who_is_about_to_send_what(place: Place) -> None:
    member = place.join("ada")

    permit = claim(member)

    assert isinstance(permit, Permit)
    assert place.json(f"runs/run/claims/{HASH}.0001") == {
        "owner": "ada.1",
        "key": f"veogen-{HASH}-1",
        "body": '{"a":1}',
        "address": "opening",
        "credits": "76.032",
        "machine": "ada",
        "at": place.time.now(),
    }


def test_there_is_never_a_second_claim_of_an_attempt(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")

    answers = [claim(ada), claim(bob), claim(ada)]  # its owner may ask again

    assert [isinstance(answer, Permit) for answer in answers] == [True, False, True]
    assert isinstance(answers[1], ClaimedByOther)
    assert answers[1].claim.machine == "ada"


def test_others_read_what_was_recorded(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    claim(ada)
    made = TaskCompleted(
        hash=HASH, task_id="task-1", links=("https://a/b.mp4",), credits=None, at=2.0
    )

    say(ada, accepted(), owner="ada.1")
    say(bob, made)

    assert bob.follow() == [News(1, accepted())]
    assert ada.follow() == [News(1, made)]
    assert ada.follow() == []
    assert ada.history.claim(FIRST) == Claimed("ada.1", "opening", Decimal("76.032"))
    assert ada.history.events(FIRST) == [accepted(), made]
    assert sorted(bob.history.events(FIRST), key=repr) == sorted([accepted(), made], key=repr)


def test_a_store_that_writes_over_what_is_there_is_refused(place: Place) -> None:
    class Overwrites(MemoryObjects):
        def create(self, name: str, content: bytes) -> bytes | None:
            self.replace(name, content)
            return None

    store = Store(Overwrites(place.time), LOCATION, place.time, Patience())

    with pytest.raises(StoreError, match="writes over what is there"):
        store.join("run", "evolink", Identity("ada.1", "ada"))


def test_a_store_of_another_layout_is_refused(place: Place) -> None:
    place.objects.objects["veogen.json"] = (b'{"format": "veogen.store/2", "more": 1}', 0.0)

    with pytest.raises(StoreError, match="another veogen made this store"):
        place.join("ada")


def test_a_run_of_the_other_kind_is_refused(place: Place) -> None:
    place.join("ada")

    with pytest.raises(StoreError, match="'evolink'"):
        place.store.join("run", "simulated", Identity("bob.1", "bob"))


def test_a_run_that_lost_its_beginning_is_refused(place: Place) -> None:
    claim(place.join("ada"))
    del place.objects.objects["runs/run/run.json"]

    with pytest.raises(StoreError, match=r"run\.json is missing"):
        place.join("bob")


def test_two_runs_do_not_see_each_other(place: Place) -> None:
    ada, bob = place.join("ada", "one"), place.join("bob", "two")

    assert [isinstance(claim(member), Permit) for member in (ada, bob)] == [True, True]


def test_a_young_look_is_not_repeated(place: Place) -> None:
    member = place.join("ada")
    permit = claim(member)
    assert isinstance(permit, Permit)
    place.passes(MINUTE)
    calls = len(place.objects.calls)

    assert member.look_again(permit) == permit
    assert len(place.objects.calls) == calls


@pytest.mark.parametrize("asleep", [False, True], ids=["waited", "slept"])
def test_after_a_minute_it_gives_a_sign_and_looks_again(place: Place, *, asleep: bool) -> None:
    member = place.join("ada")
    permit = claim(member)
    assert isinstance(permit, Permit)
    if asleep:
        place.time.slept += MINUTE + 1
    else:
        place.passes(MINUTE + 1)
    del place.objects.calls[:]

    again = member.look_again(permit)

    assert isinstance(again, Permit)
    assert again.look.age(place.time) == 0.0
    assert place.objects.calls == [
        ("replace", "runs/run/signs/ada.1"),
        ("info", "runs/run/signs/ada.1"),
        ("read", "runs/run/closings/ada.1"),
        ("read", f"runs/run/decisions/{HASH}.0001.00"),
        ("read", f"runs/run/claims/{HASH}.0002"),
    ]


def test_what_was_decided_meanwhile_is_not_sent(place: Place) -> None:
    ada = place.join("ada")
    permit = claim(ada)
    place.passes(6 * MINUTE)
    bob = place.join("bob")

    decided = bob.decide(FIRST, "rebuy")

    assert isinstance(decided, Permit)
    assert isinstance(permit, Permit)
    assert ada.look_again(permit) == "bob decided about it meanwhile (rebuy)"


def test_a_decision_over_a_machine_that_lives_sends_nothing(place: Place) -> None:
    ada = place.join("ada")
    claim(ada)
    place.passes(6 * MINUTE)
    bob = place.join("bob")
    assert bob.is_silent("ada.1")
    assert ada.sign_if_due()

    assert bob.decide(FIRST, "replay") == "ada lives and may still send it"


def test_a_decision_is_made_once(place: Place) -> None:
    claim(place.join("ada"))
    place.passes(6 * MINUTE)
    bob, eve = place.join("bob"), place.join("eve")
    bob.decide(FIRST, "abandon")

    with pytest.raises(DecidedError, match="bob has decided about it already: abandon"):
        eve.decide(FIRST, "rebuy")


def test_a_machine_is_silent_by_the_clock_of_the_store(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    seconds = 0.0
    while not bob.is_silent("ada.1"):
        place.passes(10.0)
        seconds += 10.0
        bob.sign_if_due()

    assert seconds == 310.0
    say(ada, accepted(), owner="ada.1")
    bob.follow()
    assert not bob.is_silent("ada.1")


def test_whoever_left_is_silent_at_once(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")

    assert ada.leave(spent=None, seconds=5.0)
    bob.follow()

    assert bob.is_silent("ada.1")


def test_a_journal_has_one_next_process(place: Place) -> None:
    claim(place.join("ada"))
    again, copied = place.join("ada-2"), place.join("copy")

    assert copied.succeed("ada.1", is_surely_over=False) is False
    assert again.succeed("ada.1", is_surely_over=True) is True
    assert copied.succeed("ada.1", is_surely_over=True) is False
    again.follow()
    assert again.history.heir("ada.1") == "ada-2.1"


def test_a_process_that_was_taken_over_claims_nothing_more(place: Place) -> None:
    ada = place.join("ada")
    permit = claim(ada)
    place.passes(6 * MINUTE)
    assert place.join("copy").succeed("ada.1", is_surely_over=False)

    assert isinstance(permit, Permit)
    assert ada.look_again(permit) == "copy took this run's journal over"
    with pytest.raises(ClosedError, match="copy took this run's journal over"):
        claim(ada, AttemptId(OTHER, 1))


def test_a_machine_that_was_closed_stops_and_its_piece_comes_back(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    ada.allowance(Decimal(1600)).covers(
        Decimal(100),
        spent=Decimal(0),
        outside=Decimal(0),
        is_last=True,
        following=[Decimal(100)] * 4,
    )
    claim(ada)
    assert bob.close("ada") == {"ada.1": None}
    place.passes(6 * MINUTE)

    assert bob.close("ada") == {"ada.1": Decimal(200) - Decimal("76.032")}
    assert not ada.sign_if_due()
    assert ada.closed == "this machine was closed by bob: it buys no more"


def test_a_piece_is_of_the_next_requests_within_an_eighth_of_what_is_left(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    budget, none, four = Decimal(2000), Decimal(0), [Decimal(100)] * 4
    first, second = ada.allowance(budget), bob.allowance(budget)

    def covers(allowance: Allowance, spent: int, outside: int = 0) -> bool:
        return allowance.covers(
            Decimal(100), spent=Decimal(spent), outside=none + outside, is_last=True, following=four
        )

    assert covers(first, 0)  # two, as an eighth of 2000 is 250
    assert covers(second, 0)  # two again of 1800
    assert covers(first, 200)  # two of 1600
    assert covers(second, 250)  # it lacks 50, and an eighth of the rest is 175
    pieces = [place.json(f"runs/run/money/{n:08}") for n in range(4)]
    assert [(p["process"], p["credits"]) for p in pieces if isinstance(p, dict)] == [
        ("ada.1", "200"),
        ("bob.1", "200"),
        ("ada.1", "200"),
        ("bob.1", "150"),
    ]
    assert not covers(second, 350, outside=1250)


def test_the_next_process_of_a_journal_gives_back_what_its_predecessor_left(place: Place) -> None:
    ada = place.join("ada")
    ada.allowance(Decimal(800)).covers(
        Decimal(100),
        spent=Decimal(0),
        outside=Decimal(0),
        is_last=True,
        following=[Decimal(100)] * 4,
    )
    claim(ada)
    again = place.join("ada-2")
    assert again.succeed("ada.1", is_surely_over=True)

    again.allowance(Decimal(800))

    assert again.chain.pieces == {"ada.1": Decimal("76.032")}


def test_who_has_too_little_gives_it_back_and_hears_of_what_others_gave(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    none, price = Decimal(0), Decimal(60)
    first, second = ada.allowance(Decimal(100)), bob.allowance(Decimal(100))
    assert first.covers(price, spent=none, outside=none, is_last=True, following=[price])

    assert not second.covers(price, spent=none, outside=none, is_last=True, following=[price])
    assert not first.covers(price, spent=price, outside=none, is_last=True, following=[price])
    ada.chain.give_back("ada.1", none)  # it was not taken after all

    assert second.covers(price, spent=none, outside=none, is_last=True, following=[price])


def test_what_is_left_over_comes_back_at_the_end(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    ada.allowance(Decimal(800)).covers(
        Decimal(100),
        spent=Decimal(0),
        outside=Decimal(0),
        is_last=True,
        following=[Decimal(100)] * 4,
    )

    assert ada.leave(spent=Decimal(70), seconds=5.0)

    allowance = bob.allowance(Decimal(800))
    assert bob.chain.taken == Decimal(70)
    assert allowance.covers(
        Decimal(730), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[Decimal(730)]
    )


@pytest.mark.parametrize(
    ("events", "spent"),
    [
        pytest.param([], "76.032", id="not answered: what it may cost"),
        pytest.param([accepted()], "70", id="what was reserved"),
        pytest.param([accepted(credits_=None)], "76.032", id="no amount was named"),
        pytest.param(
            [SubmitFailed(hash=HASH, attempt=1, code="a", message="b")], "0", id="not taken"
        ),
        pytest.param(
            [SubmitUnknown(hash=HASH, attempt=1, code="a", message="b")], "76.032", id="in doubt"
        ),
        pytest.param(
            [accepted(), TaskFailed(hash=HASH, task_id="task-1", code="a", message="b")],
            "70",
            id="of what failed too",
        ),
    ],
)
def test_what_a_process_has_spent(place: Place, events: list[Event], spent: str) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    claim(ada)
    say(ada, *events, owner="ada.1")

    bob.follow()

    assert bob.history.spent_by("ada.1") == Decimal(spent)


def test_who_opens_reads_a_checkpoint_and_what_came_after(place: Place) -> None:
    ada = place.join("ada")
    claim(ada)
    say(ada, accepted(), owner="ada.1")
    assert ada.leave(spent=None, seconds=5.0)
    eve = place.join("eve")
    claim(eve, AttemptId(OTHER, 1))
    del place.objects.calls[:]

    bob = place.join("bob")

    assert bob.history.claim(FIRST) == Claimed("ada.1", "opening", Decimal("76.032"))
    assert list(bob.history.unanswered) == [AttemptId(OTHER, 1)]
    logs = [name for kind, name in place.objects.calls if kind == "read" and "/log/" in name]
    assert logs == ["runs/run/log/eve.1/00000000"]


def test_a_bare_reader_writes_nothing(place: Place) -> None:
    ada = place.join("ada")
    claim(ada)
    say(ada, accepted(), owner="ada.1")
    before = dict(place.objects.objects)

    history = place.store.read("run", "evolink")

    assert history is not None
    assert history.events(FIRST) == [accepted()]
    assert place.objects.objects == before
    assert place.store.read("another", "evolink") is None


@pytest.mark.parametrize(
    "name",
    [
        f"runs/run/claims/{OTHER}.0001",
        "runs/run/log/eve.1/00000000",
        f"runs/run/decisions/{HASH}.0001.00",
        "runs/run/closings/eve.1",
        "runs/run/checkpoints/0000000000001-eve.1",
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"owner": 1}', id="another shape"),
    ],
)
def test_a_record_that_cannot_be_read_prevents_purchases_and_is_named(
    place: Place, name: str, content: bytes
) -> None:
    place.join("ada")
    place.objects.objects[name] = (content, place.time.now() + 1000)

    with pytest.raises(UnreadableError, match=name.replace(".", r"\.")):
        place.join("bob")


def test_names_that_no_veogen_writes_are_passed_over(place: Place) -> None:
    ada = place.join("ada")
    for name in ("claims/x", f"claims/{HASH}.1", "signs/A B", "decisions/..", "log/UPPER/00000000"):
        place.objects.objects[f"runs/run/{name}"] = (b"", 0.0)

    assert ada.follow() == []


def test_nothing_is_claimed_while_a_record_waits(place: Place) -> None:
    member = place.join("ada")
    place.objects.faults = refuses = NoRecords()
    member.record([(1, accepted(), None)], prompt=True)
    refuses.noticed()
    place.passes(MINUTE)

    with pytest.raises(StoreAwayError, match="no answer"):
        claim(member)
    place.objects.faults = lambda _number, _kind, _name: None
    assert member.flush(60.0)
    assert isinstance(claim(member), Permit)


def test_a_record_whose_answer_was_lost_is_written_once(place: Place) -> None:
    member = place.join("ada")
    lost = len(place.objects.calls) + 1
    place.objects.faults = lambda number, _kind, _name: "after" if number == lost else None

    say(member, accepted(), owner="ada.1")

    logs = [name for name in place.objects.objects if "/log/" in name]
    assert logs == ["runs/run/log/ada.1/00000000", "runs/run/log/ada.1/00000001"]


def test_a_claim_that_took_long_counts_from_its_beginning(place: Place) -> None:
    member = place.join("ada")
    place.objects.faults = lambda _number, kind, _name: "late" if kind == "create" else None

    permit = claim(member)

    assert isinstance(permit, Permit)
    assert permit.look.age(place.time) == LATE


def signs(place: Place, machine: str) -> None:
    """A sign of life of a machine, as if it had just written it."""
    now = place.time.now() + place.objects.ahead
    place.objects.objects[f"runs/run/signs/{machine}.1"] = (b"{}", now)


def wakes_when_closed(place: Place) -> Callable[[int, str, str], None]:
    """Ada gives a sign at the moment in which somebody writes that it is gone."""

    def wakes(_number: int, kind: str, name: str) -> None:
        if (kind, name) == ("create", "runs/run/closings/ada.1"):
            signs(place, "ada")

    return wakes


def calls(place: Place) -> list[str]:
    """What was asked of the store since the last time."""
    asked = [f"{kind} {name.removeprefix('runs/run/')}" for kind, name in place.objects.calls]
    del place.objects.calls[:]
    return asked


@pytest.mark.parametrize(
    ("passed", "asked"),
    [
        pytest.param(MINUTE, [], id="a young sign"),
        pytest.param(
            MINUTE + 1,
            ["replace signs/ada.1", "info signs/ada.1", "read closings/ada.1"],
            id="an old sign",
        ),
    ],
)
def test_who_claims_has_given_a_sign_within_a_minute(
    place: Place, passed: float, asked: list[str]
) -> None:
    member = place.join("ada")
    place.passes(passed)
    calls(place)

    permit = claim(member)

    assert calls(place) == [*asked, f"create claims/{HASH}.0001"]
    assert isinstance(permit, Permit)
    assert (permit.of, permit.decisions, permit.look.wall) == (FIRST, 0, place.time.now())


@pytest.mark.parametrize(
    ("passed", "asked"),
    [
        pytest.param(MINUTE - 1, [], id="not yet"),
        pytest.param(
            MINUTE,
            ["replace signs/ada.1", "info signs/ada.1", "read closings/ada.1"],
            id="every minute",
        ),
    ],
)
def test_a_sign_is_given_every_minute(place: Place, passed: float, asked: list[str]) -> None:
    member = place.join("ada")
    place.passes(passed)
    calls(place)

    assert member.sign_if_due() is True
    assert calls(place) == asked
    assert member.closed is None


def test_the_bytes_that_were_claimed_can_be_read_again(place: Place) -> None:
    member = place.join("ada")
    claim(member)

    assert member.claimed_body(FIRST) == '{"a":1}'
    assert member.claimed_body(AttemptId(OTHER, 1)) is None


def test_what_was_claimed_anew_meanwhile_is_not_sent(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    permit = claim(ada)
    claim(bob, AttemptId(HASH, 2))
    place.passes(MINUTE + 1)

    assert isinstance(permit, Permit)
    assert ada.look_again(permit) == "a later attempt was claimed meanwhile"


def test_who_decided_itself_may_send_until_somebody_decides_after_it(place: Place) -> None:
    claim(place.join("ada"))
    place.passes(6 * MINUTE)
    bob, eve = place.join("bob"), place.join("eve")

    permit = bob.decide(FIRST, "replay")
    assert isinstance(permit, Permit)
    assert (permit.of, permit.decisions) == (FIRST, 1)
    place.passes(MINUTE + 1)
    assert isinstance(bob.look_again(permit), Permit)
    eve.follow()
    eve.decide(FIRST, "adopt", "task-1")
    place.passes(MINUTE + 1)

    assert bob.look_again(permit) == "eve decided about it meanwhile (adopt)"
    assert place.json(f"runs/run/decisions/{HASH}.0001.01") == {
        "decision": "adopt",
        "owner": "eve.1",
        "machine": "eve",
        "at": place.time.now() - MINUTE - 1,
        "task_id": "task-1",
    }


def test_a_decision_about_what_nobody_claimed_or_we_did_sends_at_once(place: Place) -> None:
    ada = place.join("ada")
    claim(ada)
    say(ada, accepted(), owner="ada.1")

    calls(place)

    answers = [ada.decide(FIRST, "replay"), ada.decide(AttemptId(OTHER, 1), "replay")]

    assert [isinstance(answer, Permit) for answer in answers] == [True, True]
    assert calls(place) == [f"create decisions/{hash_}.0001.00" for hash_ in (HASH, OTHER)]


def test_what_a_predecessor_claimed_is_decided_about_as_our_own(place: Place) -> None:
    claim(place.join("ada"))
    again = place.join("ada-2")
    assert again.succeed("ada.1", is_surely_over=True)
    again.follow()

    assert isinstance(again.decide(FIRST, "replay"), Permit)


def test_what_a_closed_machine_claimed_is_decided_about_though_it_may_live(place: Place) -> None:
    claim(place.join("ada"))
    bob = place.join("bob")
    bob.close("ada")

    assert isinstance(bob.decide(FIRST, "rebuy"), Permit)


def test_of_a_copy_the_next_process_is_none_if_the_one_before_lives_after_all(
    place: Place,
) -> None:
    ada, copied = place.join("ada"), place.join("copy")
    place.passes(6 * MINUTE)
    copied.sign_if_due()

    place.objects.faults = wakes_when_closed(place)

    assert copied.succeed("ada.1", is_surely_over=False) is False
    assert not ada.sign_if_due()  # but its closing stands: neither buys


def test_who_succeeds_may_ask_again(place: Place) -> None:
    place.join("ada")
    place.passes(6 * MINUTE)
    again, began = place.join("ada-2"), place.time.now()

    assert again.succeed("ada.1", is_surely_over=False)
    place.passes(MINUTE)
    assert again.succeed("ada.1", is_surely_over=False)

    assert place.json("runs/run/closings/ada.1") == {
        "owner": "ada-2.1",
        "machine": "ada-2",
        "kind": "next",
        "at": began,
    }


def test_a_machine_is_closed_by_its_name_or_that_of_a_process(place: Place) -> None:
    ada = place.join("ada")
    others = [
        place.store.join("run", "evolink", Identity(f"bob.{number}", "bob")) for number in (1, 2)
    ]
    for other in others:
        other.flush(5.0)
    place.passes(6 * MINUTE)
    ada.sign_if_due()

    assert ada.close("bob.2") == {"bob.2": Decimal(0)}
    assert ada.close("bob") == {"bob.1": Decimal(0), "bob.2": Decimal(0)}
    assert ada.close("ada") == {}
    assert ada.close("eve") == {}
    assert place.json("runs/run/closings/bob.1") == {
        "owner": "ada.1",
        "machine": "ada",
        "kind": "closed",
        "at": place.time.now(),
    }


def test_what_a_closed_machine_wrote_last_is_counted_before_its_piece_comes_back(
    place: Place,
) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    ada.allowance(Decimal(800)).covers(
        Decimal(100), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[Decimal(100)]
    )
    place.passes(6 * MINUTE)

    def buys_last(_number: int, kind: str, name: str) -> None:
        if (kind, name) == ("create", "runs/run/closings/ada.1"):
            place.objects.faults = lambda *_: None
            claim = Claimed("ada.1", "opening", Decimal(30))
            batch = Batch("ada.1", "ada", 1.0, (Fact.of(accepted(credits_="30"), 1, claim=claim),))
            old = place.objects.objects["runs/run/log/ada.1/00000000"][1]
            place.objects.objects["runs/run/log/ada.1/00000001"] = (encode(batch), old)

    place.objects.faults = buys_last

    assert bob.close("ada") == {"ada.1": Decimal(70)}


def test_only_what_a_predecessor_left_comes_back_and_not_what_others_hold(place: Place) -> None:
    ada, eve = place.join("ada"), place.join("eve")
    for member in (ada, eve):
        member.allowance(Decimal(800)).covers(
            Decimal(50), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[]
        )
    bob, again = place.join("bob"), place.join("ada-2")
    bob.close("eve")
    assert again.succeed("ada.1", is_surely_over=True)
    again.follow()

    again.allowance(Decimal(800))

    assert again.chain.pieces == {"ada.1": Decimal(0), "eve.1": Decimal(50)}


def test_who_leaves_while_the_store_takes_nothing_gives_nothing_back(place: Place) -> None:
    ada = place.join("ada")
    ada.allowance(Decimal(800)).covers(
        Decimal(50), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[]
    )
    place.objects.faults = NoRecords()
    ada.record([(1, accepted(), None)], prompt=True)

    assert ada.leave(spent=Decimal(0), seconds=0.05) is False

    bob = chain_of(place)
    assert bob.pieces == {"ada.1": Decimal(50)}


def test_what_came_back_of_a_closed_machine_is_not_given_back_by_it_again(place: Place) -> None:
    ada = place.join("ada")
    ada.allowance(Decimal(800)).covers(
        Decimal(50), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[]
    )
    place.passes(6 * MINUTE)
    assert place.join("bob").close("ada") == {"ada.1": Decimal(50)}

    assert ada.leave(spent=Decimal(0), seconds=5.0) is True

    assert chain_of(place).pieces == {"ada.1": Decimal(0)}


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_closing_that_broke_off_is_carried_out_by_who_closes_again(
    place: Place, fault: Fault
) -> None:
    """The n-th call of it fails, for n = 1, 2, … until it has no n-th."""
    for nth in count(1):
        run = f"run-{nth}"
        ada, bob = place.join("ada", run), place.join("bob", run)
        ada.allowance(Decimal(800)).covers(
            Decimal(50), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[]
        )
        place.passes(6 * MINUTE)
        last = len(place.objects.calls) + nth

        def faults(number: int, kind: str, name: str, last: int = last) -> Fault | None:
            del kind, name
            return fault if number == last else None

        place.objects.faults = faults
        with suppress(StoreAwayError):
            bob.close("ada")
        is_whole = len(place.objects.calls) < last
        place.objects.faults = no_faults

        came_back = place.join("eve", run).close("ada")["ada.1"]

        assert came_back in (Decimal(0), Decimal(50))
        assert chain_of(place, run).pieces == {"ada.1": Decimal(0)}
        if is_whole:
            assert nth > 10
            return


def chain_of(place: Place, run: str = "run") -> MoneyChain:
    chain = MoneyChain(place.objects, RunNames(run), "reader", place.time)
    chain.open()
    return chain


def test_who_leaves_says_so_and_leaves_a_checkpoint(place: Place) -> None:
    ada = place.join("ada")
    say(ada, accepted())

    assert ada.leave(spent=None, seconds=5.0)

    assert place.json("runs/run/log/ada.1/00000002") == {
        "process": "ada.1",
        "machine": "ada",
        "at": place.time.now(),
        "ends": True,
    }
    [checkpoint] = checkpoints(place)
    assert (checkpoint["read"], checkpoint["ended"], checkpoint["count"]) == (
        {"ada.1": 3},
        ["ada.1"],
        1,
    )


def checkpoints(place: Place) -> list[dict[str, Any]]:
    return [
        json.loads(content)
        for name, (content, _) in sorted(place.objects.objects.items())
        if "/checkpoints/" in name
    ]


def test_one_of_many_leaves_no_checkpoint(place: Place) -> None:
    ada = place.join("ada")
    say(ada, accepted())

    assert ada.leave(spent=None, seconds=5.0, is_one_of_many=True)

    assert checkpoints(place) == []


@pytest.mark.parametrize("is_one_of_many", [False, True])
def test_after_a_thousand_facts_each_leaves_a_checkpoint(
    place: Place, *, is_one_of_many: bool
) -> None:
    ada = place.join("ada")
    say(ada, *(accepted(f"task-{number}") for number in range(999)))
    ada.checkpoint_if_due()
    assert checkpoints(place) == []
    say(ada, accepted("task-999"))

    assert ada.leave(spent=None, seconds=5.0, is_one_of_many=is_one_of_many)

    assert [each["count"] for each in checkpoints(place)] == [1000]


def test_a_checkpoint_is_left_after_a_thousand_facts_and_again_after_as_many(
    place: Place,
) -> None:
    ada = place.join("ada")
    counts = []
    for thousand in range(2):
        say(ada, *(accepted(f"task-{thousand}-{number}") for number in range(1000)))
        for _ in range(2):
            place.passes(1.0)
            ada.checkpoint_if_due()
            counts.append(len(checkpoints(place)))

    assert counts == [1, 1, 2, 2]


def test_who_waits_for_others_leaves_a_checkpoint_of_all_that_it_wrote(place: Place) -> None:
    ada = place.join("ada")
    ada.checkpoint_if_due(waits=True)
    assert checkpoints(place) == []  # there is nothing new
    say(ada, accepted())
    ada.checkpoint_if_due()
    assert checkpoints(place) == []

    for _ in range(2):
        place.passes(1.0)
        ada.checkpoint_if_due(waits=True)

    assert [each["count"] for each in checkpoints(place)] == [1]


def test_a_process_knows_itself_by_its_machine(place: Place) -> None:
    ada = place.join("ada")

    assert ada.history.processes["ada.1"].machine == "ada"
    assert ada.history.owner(FIRST) is None


def test_what_waits_to_be_written_says_for_how_long(place: Place) -> None:
    ada = place.join("ada")
    assert (ada.waits_for, ada.is_refused) == (0.0, False)
    place.objects.faults = refuses = NoRecords()
    ada.record([(1, accepted(), None)], prompt=True)
    refuses.noticed()
    assert ada.flush(0.0) is False
    place.passes(30.0)

    assert (ada.waits_for, ada.is_refused) == (30.0, True)
    place.objects.faults = no_faults
    assert ada.flush(60.0) is True
    assert (ada.waits_for, ada.is_refused) == (0.0, False)


def test_a_glance_tells_of_whom_claims_are_new(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    claim(bob)

    assert [ada.glance(), ada.glance()] == [{HASH}, set()]


def test_what_was_bought_before_there_was_a_store_is_brought_with_its_address(
    place: Place,
) -> None:
    ada, bob = place.join("ada"), place.join("bob")

    ada.bring([(1, accepted(), "opening")])

    assert ada.flush(60.0)
    assert bob.follow() == [News(1, accepted())]
    assert bob.history.address(HASH) == "opening"
    assert bob.history.claim(FIRST) is None


def test_what_is_known_is_not_written_again(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    say(ada, accepted())
    bob.follow()

    say(bob, accepted())

    assert sorted(name for name in place.objects.objects if "/log/" in name) == [
        "runs/run/log/ada.1/00000000",
        "runs/run/log/ada.1/00000001",
        "runs/run/log/bob.1/00000000",
    ]


def test_who_is_silent_is_told_by_what_was_read_and_nothing_is_asked(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    ada.follow()
    place.passes(6 * MINUTE)
    bob.sign_if_due()
    calls(place)

    assert ada.is_silent("bob.1")
    assert calls(place) == []
    assert not ada.is_silent("bob.1", again=True)


def test_a_record_that_waits_for_less_than_a_minute_keeps_nothing_from_being_claimed(
    place: Place,
) -> None:
    member = place.join("ada")
    place.objects.faults = refuses = NoRecords()
    member.record([(1, accepted(), None)], prompt=True)
    refuses.noticed()
    place.passes(MINUTE - 1)
    assert (member.is_refused, member.waits_for) == (True, MINUTE - 1)

    assert isinstance(claim(member), Permit)
    place.objects.faults = no_faults


def test_what_waited_long_is_written_before_more_is_claimed(place: Place) -> None:
    member = place.join("ada")
    member.record([(1, accepted(), None)], prompt=False)
    place.passes(MINUTE)

    assert isinstance(claim(member), Permit)

    created = [name for kind, name in place.objects.calls if kind == "create"]
    names = ("log/ada.1/00000001", f"claims/{HASH}.0001")
    assert created[-2:] == [f"runs/run/{name}" for name in names]


def test_nothing_is_claimed_while_the_store_does_not_answer_at_all(place: Place) -> None:
    goes_on = threading.Event()

    class Hangs(MemoryObjects):
        def create(self, name: str, content: bytes) -> bytes | None:
            if name.endswith("/log/ada.1/00000001"):
                assert goes_on.wait(30.0)
            return super().create(name, content)

    store = Store(Hangs(place.time), LOCATION, place.time, Patience(0.5, 0.1, 0.1))
    member = store.join("run", "evolink", Identity("ada.1", "ada"))
    member.record([(1, accepted(), None)], prompt=True)
    place.passes(0.1)

    with pytest.raises(StoreAwayError) as error:
        claim(member)

    assert str(error.value) == "the store has taken no record for a minute"
    goes_on.set()
    assert member.flush(60.0)


def test_all_that_a_machine_that_lives_wrote_is_read_unless_lazily(place: Place) -> None:
    lazy, all_, bob = place.join("ada"), place.join("eve"), place.join("bob")
    for number in range(21):
        say(bob, accepted(f"task-{number}"))

    assert (len(lazy.follow(lazily=True)), len(all_.follow())) == (0, 21)


def test_nothing_comes_back_of_a_machine_that_lives_after_all(place: Place) -> None:
    ada, bob = place.join("ada"), place.join("bob")
    ada.allowance(Decimal(800)).covers(
        Decimal(50), spent=Decimal(0), outside=Decimal(0), is_last=True, following=[]
    )
    place.passes(6 * MINUTE)
    bob.sign_if_due()
    place.objects.faults = wakes_when_closed(place)

    assert bob.close("ada") == {"ada.1": None}
    assert chain_of(place).pieces == {"ada.1": Decimal(50)}


def test_who_waits_leaves_no_checkpoint_of_what_the_store_does_not_take(place: Place) -> None:
    store = Store(place.objects, LOCATION, place.time, Patience(0.5, 0.1, 0.1))
    ada = store.join("run", "evolink", Identity("ada.1", "ada"))
    say(ada, accepted())
    place.objects.faults = NoRecords()
    ada.record([(1, accepted("task-2"), None)], prompt=True)

    ada.checkpoint_if_due(waits=True)

    assert checkpoints(place) == []
    place.objects.faults = no_faults
    assert ada.flush(60.0)
