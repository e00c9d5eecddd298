"""What a price says of a request: the amount, how sure it is, and what it is in dollars."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from veogen.models.parameters import Json
from veogen.models.prices import Multiplier, Price, Quote, RulePrice, unknown

SECOND = Price(
    date="2026-10-10",
    source="test",
    credits_per_usd=Decimal(68),
    per_second=True,
    credits=Decimal("9.504"),
    minimum=Decimal(20),
    multipliers=(Multiplier({"quality": "4k"}, Decimal(2)), Multiplier({"n": 3}, Decimal(5))),
)
CALL = Price(
    date="2026-10-10",
    source="test",
    credits_per_usd=Decimal(68),
    per_second=False,
    credits=Decimal("1.0005"),
)
NO_SECONDS = unknown("the number of seconds is not known")


def exactly(credits_: str) -> Quote:
    return Quote(Decimal(credits_), "exact")


@pytest.mark.parametrize(
    ("price", "request_", "quote"),
    [
        pytest.param(SECOND, {"duration": 8}, exactly("76.032"), id="seconds"),
        pytest.param(SECOND, {"duration": 8, "n": 2}, exactly("152.064"), id="several clips"),
        pytest.param(SECOND, {"duration": 2}, exactly("20.000"), id="the least"),
        pytest.param(
            SECOND, {"duration": 8, "quality": "4k"}, exactly("152.064"), id="a multiplier"
        ),
        pytest.param(
            SECOND,
            {"duration": 8, "n": 3, "quality": "4k"},
            exactly("456.192"),
            id="the first multiplier that fits counts",
        ),
        pytest.param(SECOND, {}, NO_SECONDS, id="no seconds"),
        pytest.param(SECOND, {"duration": "auto"}, NO_SECONDS, id="seconds by a word"),
        pytest.param(SECOND, {"duration": 8, "n": "auto"}, NO_SECONDS, id="clips by a word"),
        pytest.param(CALL, {}, exactly("1.001"), id="a call, half a unit upwards"),
        pytest.param(CALL, {"duration": 8, "n": 2}, exactly("2.001"), id="calls without seconds"),
        pytest.param(CALL, {"n": "auto"}, NO_SECONDS, id="calls by a word"),
        pytest.param(
            CALL, {"n": 10**40}, unknown("it has more digits than money has"), id="absurd"
        ),
    ],
)
def test_a_price_of_seconds_or_calls(
    price: Price, request_: Mapping[str, Json], quote: Quote
) -> None:
    assert price.quote(request_, {}) == quote


def published(settlement: str, data: Mapping[str, Any], *surcharges: Multiplier) -> RulePrice:
    return RulePrice(
        date="2026-10-10",
        source="test",
        credits_per_usd=Decimal(68),
        settlement=settlement,
        surcharges=surcharges,
        data=data,
    )


SECONDS = {"op": "variable", "name": "output_seconds"}
DATA: Mapping[str, Any] = {
    "parameters": [{"name": "output_seconds", "type": "integer", "maximum": "10"}],
    "components": [
        {
            "id": "video",
            "rate": {"uc": "15001"},
            "rounding": {"point": "per_component_subtotal", "mode": "half_up"},
            "quantity_rule": SECONDS,
        }
    ],
}
EXPECTED: Mapping[str, Any] = {
    **DATA,
    "expects": {"output_seconds": {"op": "variable", "name": "duration"}},
}


@pytest.mark.parametrize(
    ("settlement", "data", "duration", "quote"),
    [
        pytest.param(
            "request_only", DATA, 8, Quote(Decimal("12.0008"), "exact"), id="by the request"
        ),
        pytest.param(
            "request_then_actual",
            DATA,
            None,
            Quote(Decimal("15.001"), "at most"),
            id="by what is made, within bounds",
        ),
        pytest.param(
            "actual_usage", DATA, 8, Quote(Decimal("12.0008"), "estimate"), id="by measured usage"
        ),
        pytest.param(
            "request_only",
            EXPECTED,
            8,
            Quote(Decimal("12.0008"), "estimate"),
            id="by what is expected to be measured",
        ),
    ],
)
def test_how_sure_a_published_price_is(
    settlement: str, data: Mapping[str, Any], duration: int | None, quote: Quote
) -> None:
    body: dict[str, Json] = {} if duration is None else {"duration": duration}
    assert published(settlement, data).quote(body, {}) == quote


def test_every_surcharge_that_fits_counts() -> None:
    price = published(
        "request_only",
        DATA,
        Multiplier({"quality": "4k"}, Decimal(2)),
        Multiplier({"fast": True}, Decimal("1.5")),
        Multiplier({"fast": False}, Decimal(100)),
    )

    quote = price.quote({"duration": 8, "quality": "4k", "fast": True}, {})

    assert quote == Quote(Decimal("36.0024"), "exact")
    assert price.requested == {"duration", "quality", "fast", "image_urls", "video_urls"}


@pytest.mark.parametrize("price", [SECOND, published("request_only", DATA)], ids=["own", "rules"])
def test_dollars_are_at_the_rate_of_the_price(price: Price | RulePrice) -> None:
    assert price.usd(Decimal(34)) == Decimal("0.5")
