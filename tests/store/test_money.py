"""The pieces of a budget that several machines take, and give back."""

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest
from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.store.budget import Allowance, MoneyChain
from veogen.store.layout import RunNames, UnreadableError
from veogen.store.objects import ObjectInfo

NOTHING, TEN, BUDGET = Decimal(0), Decimal(10), Decimal(1000)


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects(StoreTimeOfTests())


def chain(objects: MemoryObjects, machine: str) -> MoneyChain:
    return MoneyChain(objects, RunNames("run"), machine, StoreTimeOfTests())


def record(machine: str, amount: str, **more: str) -> bytes:
    said = {"process": machine, "credits": amount, "at": 1.0, "by": machine, **more}
    return json.dumps(said).encode()


def name(number: int) -> str:
    return f"runs/run/money/{number:08}"


def asked(objects: MemoryObjects) -> list[str]:
    """What was asked since the last time, in short."""
    calls = [f"{kind} {name.rpartition('/')[2]}" for kind, name in objects.calls]
    del objects.calls[:]
    return calls


def test_who_buys_alone_asks_for_nothing_but_its_next_piece(objects: MemoryObjects) -> None:
    ada = chain(objects, "ada")

    assert [ada.take_piece(BUDGET, TEN, []) for _ in range(2)] == [True, True]

    assert asked(objects) == ["create 00000000", "create 00000001"]


def test_who_was_not_alone_looks_before_its_next_piece_until_it_is_alone(
    objects: MemoryObjects,
) -> None:
    ada, bob = chain(objects, "ada"), chain(objects, "bob")
    assert ada.take_piece(BUDGET, TEN, [])
    asked(objects)

    assert bob.take_piece(BUDGET, TEN, [])
    assert asked(objects) == ["create 00000000", "list money", "create 00000001"]
    assert ada.take_piece(BUDGET, TEN, [])
    asked(objects)
    assert bob.take_piece(BUDGET, TEN, [])
    assert asked(objects) == ["list money", "read 00000002", "create 00000003"]
    assert bob.take_piece(BUDGET, TEN, [])
    assert asked(objects) == ["list money", "create 00000004"]
    assert bob.take_piece(BUDGET, TEN, [])
    assert asked(objects) == ["create 00000005"]


def test_of_several_new_records_the_last_one_is_read(objects: MemoryObjects) -> None:
    ada, bob = chain(objects, "ada"), chain(objects, "bob")
    assert bob.take_piece(BUDGET, TEN, [])
    for _ in range(6):
        assert ada.take_piece(BUDGET, TEN, [])
    assert bob.take_piece(BUDGET, TEN, [])  # it was refused once: others append too
    for _ in range(6):
        assert ada.take_piece(BUDGET, TEN, [])
    asked(objects)

    assert bob.take_piece(BUDGET, TEN, [])

    assert asked(objects) == ["list money", "read 00000013", "create 00000014"]
    assert bob.taken == ada.taken + TEN == Decimal(150)
    assert ada.give_back("bob", Decimal(5)) == Decimal(25)
    bob.open()
    assert bob.pieces == {"ada": Decimal(120), "bob": Decimal(5)}


def test_only_new_records_are_listed() -> None:
    class Counts(MemoryObjects):
        listed = 0

        def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
            infos = super().list(folder, after)
            self.listed += len(infos)
            return infos

    objects = Counts(StoreTimeOfTests())
    ada, bob = chain(objects, "ada"), chain(objects, "bob")
    for each in (ada, bob):
        for _ in range(10):
            assert each.take_piece(BUDGET, TEN, [])
    before = objects.listed

    ada.open()
    bob.open()

    assert objects.listed - before == 10
    assert ada.pieces == bob.pieces == {"ada": Decimal(100), "bob": Decimal(100)}


def test_records_of_an_earlier_version_are_all_read(objects: MemoryObjects) -> None:
    bob = chain(objects, "bob")
    assert bob.take_piece(BUDGET, Decimal(1), [])
    for number in (1, 2, 3):
        objects.create(name(number), record("ada", "300"))
    asked(objects)

    assert not bob.take_piece(BUDGET, Decimal(100), [])

    assert (bob.taken, bob.pieces["ada"]) == (Decimal(901), Decimal(900))
    looked = ["create 00000001", "list money", "read 00000003", "read 00000002"]
    assert asked(objects) == [*looked, "list money"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(record("ada", "300", taken="1"), "says another sum", id="another sum"),
        pytest.param(record("ada", "-1"), "gives back more than ada took", id="never taken"),
        pytest.param(record("bob", "-11"), "gives back more than bob took", id="more than taken"),
    ],
)
@pytest.mark.parametrize("budget", [BUDGET, TEN], ids=["in its place", "before a refusal"])
def test_a_record_that_cannot_be_true_is_unreadable(
    objects: MemoryObjects, content: bytes, reason: str, budget: Decimal
) -> None:
    bob = chain(objects, "bob")
    assert bob.take_piece(BUDGET, TEN, [])
    objects.create(name(1), content)

    with pytest.raises(UnreadableError, match=rf"money/00000001: .*{reason}"):
        bob.take_piece(budget, TEN, [])


def test_all_of_a_piece_can_be_given_back(objects: MemoryObjects) -> None:
    bob = chain(objects, "bob")
    assert bob.take_piece(BUDGET, TEN, [])
    objects.create(name(1), record("bob", "-10", taken="0"))

    bob.open()

    assert (bob.taken, bob.pieces) == (NOTHING, {"bob": NOTHING})


def test_of_what_was_counted_by_a_sum_alone_more_may_come_back_than_was_read(
    objects: MemoryObjects,
) -> None:
    ada, bob, eve = (chain(objects, machine) for machine in ("ada", "bob", "eve"))
    assert bob.take_piece(BUDGET, TEN, [])
    assert ada.take_piece(BUDGET, TEN, [])
    assert eve.take_piece(BUDGET, TEN, [])
    assert not bob.take_piece(TEN, TEN, [])  # it has read the last record alone
    ada.give_back("ada", NOTHING)

    assert not bob.take_piece(TEN, TEN, [])

    assert bob.taken == Decimal(20)
    bob.open()
    assert bob.pieces == {"ada": NOTHING, "bob": TEN, "eve": TEN}


def test_a_record_that_was_listed_and_is_gone_is_unreadable() -> None:
    class Loses(MemoryObjects):
        def read(self, name: str, limit: int) -> bytes | None:
            del name, limit
            return None

    objects = Loses(StoreTimeOfTests())
    objects.create(name(0), record("ada", "300"))

    with pytest.raises(UnreadableError, match=r"money/00000000: .*listed and is gone"):
        chain(objects, "bob").open()


def test_what_others_gave_back_is_seen_before_a_piece_is_refused(objects: MemoryObjects) -> None:
    ada, bob = chain(objects, "ada"), chain(objects, "bob")
    assert ada.take_piece(BUDGET, BUDGET, [])
    assert not bob.take_piece(BUDGET, TEN, [])
    ada.give_back("ada", NOTHING)

    assert bob.take_piece(BUDGET, TEN, [])

    assert bob.taken == TEN


def test_no_more_than_the_budget_is_taken(objects: MemoryObjects) -> None:
    ada = chain(objects, "ada")

    assert ada.take_piece(BUDGET, BUDGET + Decimal("0.0001"), []) is False
    assert ada.take_piece(BUDGET, BUDGET, [])
    assert not ada.take_piece(BUDGET, Decimal("0.0001"), [])
    assert ada.taken == BUDGET


@pytest.mark.parametrize(
    ("prices", "piece"),
    [
        pytest.param([], 10, id="none follows"),
        pytest.param([TEN] * 3, 40, id="all that follow"),
        pytest.param([TEN] * 30, 120, id="an eighth of what is left"),
        pytest.param([Decimal(115)], 125, id="just an eighth"),
        pytest.param([Decimal("115.0001")], 10, id="just too much"),
        pytest.param([TEN, Decimal(200), TEN], 20, id="what follows a dear one waits for it"),
    ],
)
def test_a_piece_is_of_whole_prices_in_their_order(
    objects: MemoryObjects, prices: Sequence[Decimal], piece: int
) -> None:
    ada = chain(objects, "ada")

    assert ada.take_piece(BUDGET, TEN, prices)

    assert ada.pieces == {"ada": Decimal(piece)}


@pytest.mark.parametrize(
    ("spent", "comes_back", "left"),
    [
        pytest.param(Decimal(4), Decimal(6), Decimal(4), id="a part"),
        pytest.param(NOTHING, TEN, NOTHING, id="all"),
        pytest.param(Decimal("9.9999"), Decimal("0.0001"), Decimal("9.9999"), id="next to nothing"),
        pytest.param(TEN, NOTHING, TEN, id="nothing"),
        pytest.param(Decimal(12), NOTHING, TEN, id="more was spent: no more is taken for it"),
    ],
)
@pytest.mark.parametrize("by", ["ada", "bob"])
def test_what_was_not_spent_comes_back(
    objects: MemoryObjects, by: str, spent: Decimal, comes_back: Decimal, left: Decimal
) -> None:
    ada = chain(objects, "ada")
    assert ada.take_piece(BUDGET, TEN, [])
    giver = ada if by == "ada" else chain(objects, "bob")
    asked(objects)

    assert giver.give_back("ada", spent) == comes_back

    reader = chain(objects, "eve")
    reader.open()
    assert (reader.taken, reader.pieces) == (left, {"ada": left})
    assert len(objects.objects) == (2 if comes_back else 1)


def test_who_gives_back_its_own_reads_nothing(objects: MemoryObjects) -> None:
    ada = chain(objects, "ada")
    assert ada.take_piece(BUDGET, TEN, [])
    asked(objects)

    ada.give_back("ada", NOTHING)

    assert asked(objects) == ["create 00000001"]


def test_what_is_given_back_while_others_append_comes_back_once(objects: MemoryObjects) -> None:
    ada, bob = chain(objects, "ada"), chain(objects, "bob")
    assert ada.take_piece(BUDGET, TEN, [])
    assert bob.take_piece(BUDGET, TEN, [])

    assert ada.give_back("ada", NOTHING) == TEN

    assert (ada.taken, ada.pieces) == (TEN, {"ada": NOTHING, "bob": TEN})


@pytest.mark.parametrize(
    ("price", "spent", "has"),
    [
        pytest.param("10", "0", True, id="all of it"),
        pytest.param("10.0001", "0", False, id="a little too much"),
        pytest.param("4", "6", True, id="what is left"),
        pytest.param("4", "6.0001", False, id="less than that is left"),
    ],
)
def test_what_a_piece_covers_is_known_without_asking(
    objects: MemoryObjects, price: str, spent: str, *, has: bool
) -> None:
    ada = chain(objects, "ada")
    assert ada.take_piece(BUDGET, TEN, [])
    allowance = Allowance(ada, "ada", BUDGET)
    asked(objects)

    assert allowance.has(Decimal(price), spent=Decimal(spent)) is has
    assert asked(objects) == []
    covered = allowance.covers(
        Decimal(price),
        spent=Decimal(spent),
        outside=NOTHING,
        is_last=True,
        following=[Decimal(price)],
    )
    assert covered is True
    assert asked(objects) == ([] if has else ["create 00000001"])


def test_a_piece_is_for_the_next_requests_too(objects: MemoryObjects) -> None:
    ada = chain(objects, "ada")
    following = [TEN, Decimal(20), Decimal(30)]

    assert Allowance(ada, "ada", BUDGET).covers(
        TEN, spent=NOTHING, outside=NOTHING, is_last=True, following=following
    )

    assert ada.pieces == {"ada": sum(following)}


def test_what_was_bought_outside_of_the_pieces_counts(objects: MemoryObjects) -> None:
    allowance = Allowance(chain(objects, "ada"), "ada", BUDGET)

    def covers(outside: int) -> bool:
        return allowance.covers(
            TEN, spent=NOTHING, outside=Decimal(outside), is_last=True, following=[TEN]
        )

    assert [covers(991), covers(990)] == [False, True]


@pytest.mark.parametrize("is_last", [False, True])
def test_after_the_last_refusal_it_is_known_who_holds_what(
    objects: MemoryObjects, *, is_last: bool
) -> None:
    for machine, amount in (("ada", 500), ("eve", 300), ("zoe", 200)):
        assert chain(objects, machine).take_piece(BUDGET, Decimal(amount), [])
    bob = chain(objects, "bob")

    covered = Allowance(bob, "bob", BUDGET).covers(
        TEN, spent=NOTHING, outside=NOTHING, following=[TEN], is_last=is_last
    )

    assert covered is False
    known = {process: amount for process, amount in bob.pieces.items() if amount}
    assert known == {"ada": 500, "zoe": 200} | ({"eve": 300} if is_last else {})


def test_too_little_is_given_back_for_others(objects: MemoryObjects) -> None:
    ada = chain(objects, "ada")
    assert ada.take_piece(BUDGET, TEN, [])
    allowance = Allowance(ada, "ada", Decimal(12))

    assert not allowance.covers(
        Decimal(8), spent=Decimal(5), outside=NOTHING, is_last=True, following=[Decimal(8)]
    )

    assert (ada.taken, ada.pieces) == (Decimal(5), {"ada": Decimal(5)})


def test_what_came_back_of_a_machine_that_slept_does_not_come_back_again(
    objects: MemoryObjects,
) -> None:
    ada, bob, eve = (chain(objects, machine) for machine in ("ada", "bob", "eve"))
    half = Decimal(500)
    assert ada.take_piece(BUDGET, half, [])
    assert bob.take_piece(BUDGET, half, [])
    assert eve.give_back("ada", NOTHING) == half  # a person said that it is gone
    for _ in range(2):
        assert eve.take_piece(BUDGET, Decimal(250), [])

    covered = Allowance(ada, "ada", BUDGET).covers(
        Decimal(600), spent=NOTHING, outside=NOTHING, is_last=False, following=[]
    )

    assert covered is False
    reader = chain(objects, "reader")
    reader.open()
    assert reader.pieces == {"ada": NOTHING, "bob": half, "eve": half}
    assert not bob.take_piece(BUDGET, TEN, [])
