"""What one process does in a store, beside others."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest
from support.stores import LATE, MemoryObjects, StoreTimeOfTests

from veogen.results.events import (
    Event,
    SubmitFailed,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
)
from veogen.store.budget import Allowance
from veogen.store.history import News
from veogen.store.layout import AttemptId, Claimed, UnreadableError
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
    assert member.flush(5.0)


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
    place.objects.faults = lambda _number, _kind, name: "before" if "/log/" in name else None
    member.record([(1, accepted(), None)], prompt=True)
    assert not member.flush(0.05)
    place.passes(MINUTE)

    with pytest.raises(StoreAwayError, match="no answer"):
        claim(member)
    place.objects.faults = lambda _number, _kind, _name: None
    assert member.flush(5.0)
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
