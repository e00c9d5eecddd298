"""A plan cut into batches: never more at a time, or in all, than the run may."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.virtual import PRICE, request

from veogen.executor.batches import Share
from veogen.executor.options import RunPolicy
from veogen.executor.shares import MOST, ROUNDS, BatchCutter

HUNDRED = [request(f"c{number}") for number in range(100)]


def cut_all(cutter: BatchCutter, slots: int) -> list[tuple[int, Share]]:
    """The batches that go out at once: how many requests each has, and its share."""
    cuts: list[tuple[int, Share]] = []
    while (cut := cutter.cut(len(cuts), slots)) is not None:
        cuts.append((len(cut.requests), cut.share))
    return cuts


@pytest.mark.parametrize(
    ("policy", "slots", "expected"),
    [
        pytest.param(
            RunPolicy(max_in_flight=4), 2, [(20, Share(2)), (20, Share(2))], id="ten rounds each"
        ),
        pytest.param(
            RunPolicy(max_in_flight=3), 8, [(10, Share(1))] * 3, id="no more workers than in flight"
        ),
        pytest.param(
            RunPolicy(max_in_flight=7), 2, [(30, Share(3)), (35, Share(4))], id="shares add up"
        ),
        pytest.param(
            RunPolicy(max_in_flight=400), 2, [(50, Share(50)), (50, Share(50))], id="fifty at most"
        ),
        pytest.param(
            RunPolicy(max_in_flight=80),
            8,
            [(13, Share(10)), (11, Share(10))],
            id="a part for each slot",
        ),
        pytest.param(
            RunPolicy(max_in_flight=4, submit_rate=60.0),
            2,
            [(20, Share(2, 30.0)), (20, Share(2, 30.0))],
            id="a rate is shared",
        ),
    ],
)
def test_batches_that_go_out_at_once(
    policy: RunPolicy, slots: int, expected: list[tuple[int, Share]]
) -> None:
    cutter = BatchCutter(policy)
    cutter.add(HUNDRED)

    assert cut_all(cutter, slots)[: len(expected)] == expected


def test_a_ceiling_is_shared_evenly_but_pays_for_a_request() -> None:
    cutter = BatchCutter(RunPolicy(max_in_flight=4, max_credits=3 * PRICE))
    cutter.add(HUNDRED)

    shares = [share.max_credits for _, share in cut_all(cutter, 4)]

    assert shares == [PRICE, PRICE, PRICE]
    assert cutter.credits_left == 0


def test_what_a_batch_left_goes_to_the_next() -> None:
    cutter = BatchCutter(RunPolicy(max_in_flight=1, max_credits=2 * PRICE))
    cutter.add(HUNDRED)
    cutter.cut(0, 1)

    cutter.ended(0, PRICE)

    cut = cutter.cut(1, 1)
    assert cut is not None
    assert cut.share.max_credits == PRICE


def test_a_request_that_passes_the_ceiling_is_named_when_nothing_comes_back() -> None:
    cutter = BatchCutter(RunPolicy(max_credits=PRICE))
    cutter.add(HUNDRED)
    cutter.cut(0, 1)
    assert cutter.next_passes() is None

    cutter.ended(0, PRICE)

    assert cutter.cut(1, 1) is None
    assert cutter.next_passes() is HUNDRED[40]


@given(
    in_flight=st.integers(1, 200),
    slots=st.integers(0, 64),
    count=st.integers(0, 300),
    ceiling=st.none() | st.integers(0, 100).map(Decimal),
    ends=st.lists(st.integers(0, 400), max_size=60),
)
def test_whatever_ends_when_nothing_passes_the_policy(
    in_flight: int, slots: int, count: int, ceiling: Decimal | None, ends: list[int]
) -> None:
    """Batches go out as slots are free and end in any order; each spends all that it may."""
    policy = RunPolicy(max_in_flight=in_flight, max_credits=ceiling)
    cutter = BatchCutter(policy)
    cutter.add([request(str(number), credits_=Decimal(1)) for number in range(count)])
    under_way: dict[int, Share] = {}
    handed, spent, number = 0, Decimal(0), 0
    for end in [*ends, None]:
        while (cut := cutter.cut(number, slots)) is not None:
            under_way[number] = cut.share
            handed += len(cut.requests)
            number += 1
            assert 1 <= len(cut.requests) <= min(MOST, in_flight * ROUNDS)
        assert sum(share.max_in_flight for share in under_way.values()) <= in_flight
        assert len(under_way) <= min(slots, in_flight)
        if under_way and end is not None:
            ended = sorted(under_way)[end % len(under_way)]
            used = under_way.pop(ended).max_credits or Decimal(0)
            spent += used
            cutter.ended(ended, used)
    assert handed + cutter.waiting == count
    assert ceiling is None or spent + sum(s.max_credits or 0 for s in under_way.values()) <= ceiling
