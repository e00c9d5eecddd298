"""What of a budget over several machines this one may still claim, and when that is not known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from support.stores import MemoryObjects, StoreTimeOfTests
from support.virtual import cities

from veogen.executor.others import Afford, PieceTaken
from veogen.executor.shared_budget import SharedBudget
from veogen.executor.transitions import Stop
from veogen.results.events import (
    Event,
    SubmitFailed,
    SubmitIntended,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
)
from veogen.results.ledger import Ledger
from veogen.store.layout import AttemptId, Claimed
from veogen.store.location import StoreLocation
from veogen.store.member import Identity, Member
from veogen.store.opening import Store
from veogen.store.signs import Patience

PLANNED = cities("Oslo", "Paris").requests
HASH, OTHER = (request.hash for request in PLANNED)
TEN = Decimal(10)
NO, WAIT, YES = Afford(granted=False), Afford(granted=False, wait=True), Afford(granted=True)
SILENT = 301.0


@dataclass
class Machine:
    """One of several with a budget over all, that asks when it is told to."""

    member: Member
    budget: SharedBudget
    asks: list[Callable[[], PieceTaken]] = field(default_factory=list)

    def affords(self, price: int, under_way: int = 0) -> Afford:
        amount = Decimal(price)
        return self.budget.affords(amount, Decimal(under_way), [amount], self.asks.append)

    def granted(self) -> bool:
        """Whether it has got the piece that it asked for."""
        [ask] = self.asks
        self.asks.clear()
        message = ask()
        self.budget.taken(message)
        return message.granted

    def takes(self, price: int) -> bool:
        """Whether it asks for a piece, and gets it."""
        assert self.affords(price) == WAIT
        return self.granted()

    def spends(self, price: int) -> None:
        """It is about to claim a request."""
        self.budget.intend([intended(f"{self.budget.spent:064}", price)])

    def answer(self) -> Stop | None:
        [ask] = self.asks
        self.asks.clear()
        return self.budget.taken(ask())

    def refused(self, price: int) -> None:
        """It asks, and is refused."""
        self.budget.heard()
        assert self.affords(price) == WAIT
        assert self.answer() is None
        assert self.affords(price) != YES

    def buys(self, hash_: str, credits_: int) -> None:
        """It has claimed a request and sent it; the gateway reserves as much."""
        of, amount = AttemptId(hash_, 1), Decimal(credits_)
        self.budget.intend([intended(hash_, credits_)])
        self.member.claim(of, key=hash_, body="{}", address="boat", credits_=amount)
        created = TaskCreated(hash_, 1, f"task-{hash_[:4]}", amount, 1.0)
        claimed = Claimed(self.member.identity.process, "boat", amount)
        self.member.record([(1, created, claimed)], prompt=True)
        assert self.member.flush(5.0)


class Team:
    """A store in memory."""

    def __init__(self) -> None:
        self.time = StoreTimeOfTests()
        self.objects = MemoryObjects(self.time)
        self._store = Store(self.objects, StoreLocation("s3", "clips", ""), self.time, Patience())

    def machine(self, name: str, budget: int, ledger: Ledger | None = None) -> Machine:
        member = self._store.join("run", "evolink", Identity(f"{name}.1", name))
        shared = SharedBudget(member, member.history, Decimal(budget), ledger or Ledger())
        return Machine(member, shared)


@pytest.fixture
def team() -> Team:
    return Team()


def intended(hash_: str, credits_: int | None) -> SubmitIntended:
    estimate = None if credits_ is None else Decimal(credits_)
    return SubmitIntended(hash_, 1, hash_, "{}", estimate, 1.0)


def created(amount: int | None) -> TaskCreated:
    return TaskCreated(HASH, 1, "task", None if amount is None else Decimal(amount), 1.0)


def knowing(*events: Event) -> Ledger:
    """What a journal with these events says of two requests."""
    ledger = Ledger()
    ledger.adopt(PLANNED, [])
    for event in events:
        ledger.apply(event)
    return ledger


@pytest.mark.parametrize(
    ("estimate", "events", "spent"),
    [
        pytest.param(10, [], 10, id="about to be claimed"),
        pytest.param(None, [], 0, id="of no price that is known"),
        pytest.param(10, [created(7)], 7, id="what was reserved"),
        pytest.param(10, [created(None)], 10, id="no amount was named"),
        pytest.param(
            10, [created(7), TaskCompleted(HASH, "task", (), Decimal(8), 2.0)], 8, id="charged"
        ),
        pytest.param(10, [SubmitFailed(HASH, 1, "no", "")], 0, id="surely not accepted"),
        pytest.param(
            10, [created(7), TaskFailed(HASH, "task", "no", "")], 7, id="failed: not yet returned"
        ),
    ],
)
def test_what_this_machines_attempts_cost(
    team: Team, estimate: int | None, events: list[Event], spent: int
) -> None:
    budget = team.machine("ada", 100).budget
    budget.intend([intended(OTHER, 1), intended(HASH, estimate)])

    for event in events:
        budget.count(AttemptId(HASH, 1), event)
        budget.count(AttemptId("c" * 64, 1), event)  # it is another machine's

    assert budget.spent == 1 + spent


def test_a_piece_is_asked_for_once_and_then_covers(team: Team) -> None:
    ada = team.machine("ada", 100)
    waits = [ada.budget.waits]

    assert [ada.affords(10), ada.affords(10)] == [WAIT, WAIT]
    waits.append(ada.budget.waits)
    assert len(ada.asks) == 1
    assert ada.answer() is None
    waits.append(ada.budget.waits)

    assert waits == [False, True, False]
    assert ada.affords(10) == YES
    ada.budget.intend([intended(HASH, 10)])
    assert ada.affords(1) == WAIT
    assert len(ada.asks) == 1


def test_what_was_bought_without_a_claim_counts_beside_all_pieces(team: Team) -> None:
    ledger = knowing(created(30))
    ledger.apply(SubmitIntended(OTHER, 1, OTHER, "{}", None, 1.0))  # of no price that is known
    refused, granted = (team.machine(name, 100, ledger) for name in ("ada", "bob"))

    refused.refused(71)
    assert granted.affords(70) == WAIT
    assert granted.answer() is None

    assert granted.affords(70) == YES


def test_what_was_claimed_is_in_a_piece_and_counts_once(team: Team) -> None:
    eve = team.machine("eve", 100)
    assert eve.affords(30) == WAIT
    eve.answer()
    eve.buys(HASH, 30)

    ada = team.machine("ada", 100, knowing(created(30)))

    assert ada.affords(70) == WAIT
    ada.answer()
    assert ada.affords(70) == YES


def test_after_three_refusals_nobody_is_waited_for(team: Team) -> None:
    ada = team.machine("ada", 5)
    states = []

    for _ in range(3):
        ada.refused(10)
        budget = ada.budget
        states.append((ada.affords(10), budget.is_in_doubt, budget.must_know_all, budget.waits))

    assert states == [
        (WAIT, True, False, True),
        (WAIT, True, True, True),
        (NO, False, True, True),
    ]
    ada.budget.heard()
    budget = ada.budget
    assert (budget.is_in_doubt, budget.must_know_all, budget.waits) == (False, False, False)


def test_after_three_refusals_it_is_known_who_holds_what(team: Team) -> None:
    ada = team.machine("ada", 10)
    assert not ada.budget.is_in_doubt
    for name, amount in (("bob", 4), ("eve", 3), ("zoe", 3)):
        assert team.machine(name, 10).takes(amount)
    known = []

    for _ in range(3):
        ada.refused(10)
        pieces = ada.member.chain.pieces
        known.append({name: amount for name, amount in pieces.items() if amount})

    some = {"bob.1": Decimal(4), "zoe.1": Decimal(3)}
    assert known == [some, some, {**some, "eve.1": Decimal(3)}]


def test_a_piece_that_is_granted_begins_the_count_anew(team: Team) -> None:
    ada = team.machine("ada", 10)
    for _ in range(2):
        ada.refused(11)
    ada.budget.heard()
    assert ada.affords(10) == WAIT
    ada.answer()
    assert ada.affords(10) == YES

    ada.refused(11)

    assert (ada.budget.is_in_doubt, ada.budget.must_know_all) == (True, False)


@pytest.mark.parametrize(
    ("bought", "passes", "waits", "silent"),
    [
        pytest.param(6, 0.0, True, [], id="it lives and may give some back"),
        pytest.param(10, 0.0, False, [], id="it lives and has spent all"),
        pytest.param(6, SILENT, False, ["bob.1"], id="it is silent: it has to be closed"),
        pytest.param(10, SILENT, False, [], id="it is silent and has spent all"),
    ],
)
def test_who_waits_for_money_of_whom(
    team: Team, bought: int, passes: float, silent: list[str], *, waits: bool
) -> None:
    bob = team.machine("bob", 10)
    assert bob.affords(10) == WAIT
    assert bob.answer() is None
    bob.buys(HASH, bought)
    team.time.sleep(passes)
    ada = team.machine("ada", 10)

    for _ in range(3):
        ada.refused(10)

    assert ada.affords(10) == Afford(granted=False, wait=waits)
    assert ada.budget.silent_holders() == silent


def test_its_own_piece_is_nobody_elses_money(team: Team) -> None:
    ada = team.machine("ada", 10)
    assert ada.affords(5) == WAIT
    ada.answer()
    team.time.sleep(SILENT)

    assert ada.member.chain.pieces == {"ada.1": Decimal(5)}
    assert ada.budget.silent_holders() == []


def test_a_store_that_does_not_answer_stops_all_purchases(team: Team) -> None:
    ada = team.machine("ada", 100)
    assert ada.affords(10) == WAIT
    team.objects.faults = lambda _number, _kind, name: "before" if "/money/" in name else None

    stop = ada.answer()

    assert stop == Stop("store", "memory: no answer to create runs/run/money/00000000")
    assert ada.budget.waits


def test_what_is_left_of_a_piece_buys_nothing_while_it_may_go_back(team: Team) -> None:
    """A cheaper request that came before the one for which the piece is too small."""
    ada, bob = team.machine("ada", 40), team.machine("bob", 40)
    assert ada.takes(30)
    ada.spends(20)
    assert ada.affords(10) == YES
    assert bob.takes(10)

    assert ada.affords(20) == WAIT
    assert ada.affords(10) == WAIT
    assert not ada.granted()

    assert bob.takes(20)


def test_what_is_about_to_be_sent_is_not_given_back(team: Team) -> None:
    """The first of a batch is granted, the next is not, and then the first is on record."""
    ada, bob = team.machine("ada", 40), team.machine("bob", 40)
    assert ada.takes(30)
    assert bob.takes(10)

    assert ada.affords(10) == YES
    assert ada.affords(30, under_way=10) == WAIT
    assert not ada.granted()
    ada.spends(10)

    assert [bob.takes(30), bob.takes(40)] == [True, False]
