"""Ceilings are judged by what is really reserved."""

from decimal import Decimal

import pytest

from veogen.executor.ceilings import ReservedRatios

FAST, PRO = "veo-fast", "veo-pro"
PRICE = Decimal("38.016")


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        pytest.param([], "38.016", id="nothing was seen"),
        pytest.param(["100"], "100.000", id="it reserves more than we think"),
        pytest.param(["100", "40"], "100.000", id="the largest counts"),
        pytest.param(["20"], "38.016", id="never lowered"),
    ],
)
def test_an_estimate_is_raised_by_the_largest_ratio_of_its_model(
    seen: list[str], raised: str
) -> None:
    ratios = ReservedRatios()
    for amount in seen:
        ratios.observe(FAST, PRICE, Decimal(amount))

    assert ratios.raised(FAST, PRICE) == Decimal(raised)
    assert ratios.raised(FAST, 2 * PRICE) >= 2 * PRICE
    assert ratios.raised(PRO, PRICE) == PRICE, "of another model nothing was seen"


def test_a_raised_estimate_is_never_less_than_what_is_reserved() -> None:
    ratios = ReservedRatios()
    ratios.observe(FAST, Decimal(3), Decimal(10))

    assert ratios.raised(FAST, Decimal(3)) >= Decimal(10)
    assert ratios.raised(FAST, Decimal(1)) == Decimal("3.334")


@pytest.mark.parametrize("reserved", [Decimal(100), None], ids=["an amount", "no amount, or held"])
def test_the_second_of_a_kind_waits_for_the_first(reserved: Decimal | None) -> None:
    ratios = ReservedRatios()
    assert ratios.may_send(FAST, PRICE)

    ratios.sent(FAST, PRICE, "first")
    assert not ratios.may_send(FAST, PRICE)
    assert ratios.may_send(FAST, 2 * PRICE), "another estimate"
    assert ratios.may_send(PRO, PRICE), "another model"
    ratios.answered(FAST, PRICE, "another")
    assert not ratios.may_send(FAST, PRICE)

    ratios.answered(FAST, PRICE, "first", reserved)
    assert ratios.may_send(FAST, PRICE)
    assert ratios.raised(FAST, PRICE) == (PRICE if reserved is None else Decimal("100.000"))
