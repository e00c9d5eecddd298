"""This process's part of a budget that holds over all machines of a run."""

from collections.abc import Callable
from decimal import Decimal

from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.executor.others import Afford, PieceTaken
from veogen.executor.shared_budget import SharedBudget
from veogen.results.events import SubmitIntended
from veogen.results.ledger import Ledger
from veogen.store.history import History
from veogen.store.location import StoreLocation
from veogen.store.member import Identity
from veogen.store.opening import Store
from veogen.store.signs import Patience

ONE, TWO, BUDGET = Decimal(10), Decimal(20), Decimal(40)
GRANTED, WAITS = Afford(granted=True), Afford(granted=False, wait=True)


class Part:
    """A machine's part of a budget, of which the calls to the store are made one by one."""

    def __init__(self, objects: MemoryObjects, machine: str) -> None:
        store = Store(objects, StoreLocation("s3", "clips", ""), StoreTimeOfTests(), Patience())
        member = store.join("run", "evolink", Identity(f"{machine}.1", machine))
        self.budget = SharedBudget(member, History(), BUDGET, Ledger())
        self.calls: list[Callable[[], PieceTaken]] = []

    def affords(self, price: Decimal, under_way: Decimal = Decimal(0)) -> Afford:
        return self.budget.affords(price, under_way, [], self.calls.append)

    def answer(self) -> bool:
        message = self.calls.pop()()
        self.budget.taken(message)
        return message.granted

    def take(self, price: Decimal) -> bool:
        assert self.affords(price) == WAITS
        return self.answer()

    def spend(self, price: Decimal) -> None:
        intent = SubmitIntended(f"{self.budget.spent:064}", 1, "key", "{}", price, 1.0)
        self.budget.intend([intent])


def test_what_is_left_of_a_piece_buys_nothing_while_it_may_go_back() -> None:
    """A cheaper request that came before the one for which the piece is too small."""
    objects = MemoryObjects(StoreTimeOfTests())
    ada, bob = Part(objects, "ada"), Part(objects, "bob")
    assert ada.take(ONE + TWO)
    ada.spend(TWO)
    assert ada.affords(ONE) == GRANTED
    assert bob.take(ONE)

    assert ada.affords(TWO) == WAITS
    assert ada.affords(ONE) == WAITS
    assert not ada.answer()

    assert bob.take(TWO)


def test_what_is_about_to_be_sent_is_not_given_back() -> None:
    """The first of a batch is granted, the next is not, and then the first is on record."""
    objects = MemoryObjects(StoreTimeOfTests())
    ada, bob = Part(objects, "ada"), Part(objects, "bob")
    assert ada.take(ONE + TWO)
    assert bob.take(ONE)

    assert ada.affords(ONE) == GRANTED
    assert ada.affords(ONE + TWO, under_way=ONE) == WAITS
    assert not ada.answer()
    ada.spend(ONE)

    assert [bob.take(ONE + TWO), bob.take(TWO + TWO)] == [True, False]
