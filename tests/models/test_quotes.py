"""What a price says of a request: the amount, how sure it is, and what it is in dollars."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from veogen.models.parameters import Json, Parameter
from veogen.models.prices import AnyPrice, Multiplier, Price, Quote, RulePrice, parse_price, unknown

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


def test_a_price_names_the_parameters_that_it_may_depend_on() -> None:
    fast = Multiplier({"output.fast": True}, Decimal(2))

    assert SECOND.requested == {"duration", "n", "quality"}
    assert published("request_only", DATA, fast).requested == {
        "duration",
        "image_urls",
        "output",
        "video_urls",
    }


@pytest.mark.parametrize("price", [SECOND, published("request_only", DATA)], ids=["own", "rules"])
def test_dollars_are_at_the_rate_of_the_price(price: AnyPrice) -> None:
    assert price.usd(Decimal(34)) == Decimal("0.5")


WRITTEN: Mapping[str, Any] = {"date": "2026-10-10", "source": "test", "credits_per_usd": 68}


@pytest.mark.parametrize(
    ("written", "price"),
    [
        pytest.param(
            {
                **WRITTEN,
                "rule": "per_second",
                "credits": 9.504,
                "minimum": "20",
                "multipliers": [
                    {"when": {"quality": "4k"}, "times": 2},
                    {"when": {"n": 3}, "times": "5"},
                ],
            },
            SECOND,
            id="seconds",
        ),
        pytest.param({**WRITTEN, "rule": "per_call", "credits": "1.0005"}, CALL, id="calls"),
        pytest.param(
            {**WRITTEN, "rule": "components", **DATA},
            published("request_only", {"expects": (), **DATA}),
            id="rules",
        ),
        pytest.param(
            {
                **WRITTEN,
                "lowest": True,
                "rule": "components",
                "settlement": "actual_usage",
                "surcharges": [{"when": {"quality": "4k"}, "times": "1.5"}],
                **EXPECTED,
            },
            replace(
                published("actual_usage", EXPECTED, Multiplier({"quality": "4k"}, Decimal("1.5"))),
                lowest=True,
            ),
            id="rules with all that may be said",
        ),
    ],
)
def test_a_price_as_a_model_file_has_it(written: Mapping[str, Any], price: AnyPrice) -> None:
    assert parse_price(written) == price


def number(value: str) -> dict[str, Any]:
    return {"op": "constant", "value": value}


def at_least(name: str, value: str) -> dict[str, Any]:
    return {"op": "gte", "args": [{"op": "variable", "name": name}, number(value)]}


def part(rate: str, quantity: Any = SECONDS, **more: Any) -> dict[str, Any]:
    rounding = {"point": "per_component_subtotal", "mode": "half_up"}
    return {"rate": {"uc": rate}, "rounding": rounding, "quantity_rule": quantity, **more}


def rules(*components: Mapping[str, Any], **parameters: Mapping[str, Any]) -> RulePrice:
    named = [{"name": name, "type": "integer", **each} for name, each in parameters.items()]
    seconds = [{"name": "output_seconds", "type": "decimal"}]
    declared = [*([] if "output_seconds" in parameters else seconds), *named]
    return published("request_only", {"parameters": declared, "components": list(components)})


ROUNDED = {"point": "per_quantity", "mode": "ceil"}
NONE_APPLIES = unknown("no component of the price applies")


@pytest.mark.parametrize(
    ("price", "request_", "quote"),
    [
        pytest.param(
            rules(part("100", condition=at_least("output_seconds", "5"))),
            {"duration": 4},
            NONE_APPLIES,
            id="a sum of nothing is not free",
        ),
        pytest.param(
            rules(
                part("100", condition=at_least("kept", "5")), kept={"minimum": "1", "maximum": "9"}
            ),
            {"duration": 4},
            NONE_APPLIES,
            id="nor is a sum of what may not apply",
        ),
        pytest.param(
            rules(
                part("100"),
                part("50", condition=at_least("kept", "5")),
                kept={"minimum": "1", "maximum": "9"},
            ),
            {"duration": 4},
            Quote(Decimal("0.0600"), "at most", {}),
            id="what may apply is paid at most",
        ),
        pytest.param(
            rules(part("100", rounding=ROUNDED)),
            {"duration": 1.5},
            Quote(Decimal("0.0200"), "exact"),
            id="a quantity that is rounded first",
        ),
        pytest.param(
            rules(part("100", rounding={**ROUNDED, "point": "per_tier"})),
            {"duration": 1.505},
            Quote(Decimal("0.0151"), "exact"),
            id="an amount that is rounded",
        ),
        pytest.param(
            rules(
                part(
                    "100",
                    tiers=[
                        {"when": at_least("output_seconds", "4"), "rate": {"uc": "10"}},
                        {"when": at_least("kept", "5"), "rate": {"uc": "1000"}},
                    ],
                ),
                kept={"minimum": "1", "maximum": "9"},
            ),
            {"duration": 4},
            Quote(Decimal("0.0040"), "exact"),
            id="a tier that holds, and one that may",
        ),
        pytest.param(
            rules(part("1")),
            {"duration": 10**24},
            Quote(Decimal(10**20), "exact"),
            id="the most that there is",
        ),
        pytest.param(
            rules(part("1")),
            {"duration": 10**24 + 1},
            unknown("nothing says how much it may be at most"),
            id="more than there is",
        ),
    ],
)
def test_a_price_by_rules(price: RulePrice, request_: Mapping[str, Json], quote: Quote) -> None:
    assert price.quote(request_, {}) == quote


def test_a_search_is_asked_for_by_either_name() -> None:
    price = rules(part("100", {"op": "variable", "name": "search_count"}), search_count={})

    assert {"web_search", "model_params"} <= price.requested


def variable(name: str) -> dict[str, Any]:
    return {"op": "variable", "name": name}


def by(name: str, **declared: Any) -> RulePrice:
    """A price of 100 UC for each of what a rule counts."""
    return rules(part("100", variable(name)), **{name: declared})


KEPT = {"kept": Parameter(name="kept", kind="integer", description="", source="")}
SEARCHES = by("search_count", minimum="0", maximum="10", default="2")
INPUT = by("input_seconds", maximum="60", default="4")
VIDEO: dict[str, Json] = {"video_urls": ["https://a.example/b.mp4"]}


@pytest.mark.parametrize(
    ("price", "request_", "quote"),
    [
        pytest.param(
            by("kept", minimum="1", maximum="9", default="3"),
            {},
            Quote(Decimal("0.0300"), "exact", {"kept": "3"}),
            id="what is left out is the rule's default",
        ),
        pytest.param(
            by("kept", minimum="1", maximum="9"),
            {},
            Quote(Decimal("0.0900"), "at most", {"kept": "its dearest value"}),
            id="without one it is the dearest",
        ),
        pytest.param(
            by("other", minimum="1", maximum="9", default="3"),
            {},
            Quote(Decimal("0.0300"), "exact"),
            id="what no request may say is nobody's choice",
        ),
        pytest.param(
            rules(
                part("100", {"op": "if", "args": [variable("kept"), number("3"), number("2")]}),
                kept={"type": "boolean"},
            ),
            {},
            Quote(Decimal("0.0300"), "at most", {"kept": "its dearest value"}),
            id="so is a truth",
        ),
        pytest.param(
            rules(
                part(
                    "100",
                    {"op": "lookup", "key": variable("kept"), "values": {"720p": "1", "4k": "5"}},
                ),
                kept={"type": "enum", "values": ["720p", "4k"]},
            ),
            {},
            Quote(Decimal("0.0500"), "at most", {"kept": "its dearest value"}),
            id="and a word",
        ),
        pytest.param(
            by("output_seconds", maximum="10", default="5"),
            {},
            Quote(Decimal("0.1000"), "at most"),
            id="a length that the gateway chooses is the longest",
        ),
        pytest.param(SEARCHES, {}, Quote(Decimal("0.0000"), "exact"), id="no search"),
        pytest.param(
            SEARCHES,
            {"web_search": True},
            Quote(Decimal("0.1000"), "at most"),
            id="as many searches as there may be",
        ),
        pytest.param(INPUT, {}, Quote(Decimal("0.0400"), "exact"), id="no video goes in"),
        pytest.param(INPUT, VIDEO, Quote(Decimal("0.6000"), "at most"), id="a video goes in"),
        pytest.param(
            INPUT,
            {"source_task_id": "task-1"},
            Quote(Decimal("0.6000"), "at most"),
            id="a clip made before goes in",
        ),
        pytest.param(
            by("input_seconds", maximum="60"),
            {},
            Quote(Decimal("0.6000"), "at most"),
            id="no video and no default",
        ),
        pytest.param(
            by("output_tokens", maximum="50", default="5"),
            {},
            Quote(Decimal("0.5000"), "at most"),
            id="tokens that nobody expects",
        ),
        pytest.param(
            by("output_tokens"),
            {},
            unknown("nothing says how much it may be at most"),
            id="tokens without end",
        ),
    ],
)
def test_what_is_not_said_or_measured_later_is_never_too_cheap(
    price: RulePrice, request_: Mapping[str, Json], quote: Quote
) -> None:
    assert price.quote(request_, KEPT) == quote


LENGTH = Parameter(
    name="duration",
    kind="integer",
    description="",
    source="",
    words=("auto",),
    minimum=4,
    maximum=12,
)
EXPECTS = {
    "output_tokens": {
        "op": "multiply",
        "args": [
            variable("duration"),
            {"op": "if", "args": [variable("sound"), number("3"), number("2")]},
            {"op": "lookup", "key": variable("quality"), "values": {"720p": "1", "4k": "5"}},
        ],
    }
}
TOKENS = published(
    "actual_usage",
    {
        "parameters": [
            {"name": "output_tokens", "type": "integer"},
            {"name": "input_tokens", "type": "integer", "default": "7"},
        ],
        "components": [part("100", variable("output_tokens")), part("1", variable("input_tokens"))],
        "expects": EXPECTS,
    },
)


@pytest.mark.parametrize(
    ("request_", "quote"),
    [
        pytest.param(
            {"duration": 8, "sound": True, "quality": "720p"},
            Quote(Decimal("0.2407"), "estimate"),
            id="a number, a truth and a word",
        ),
        pytest.param(
            {"duration": "auto", "sound": False, "quality": "4k"},
            Quote(Decimal("1.2007"), "estimate"),
            id="a length by a word is the longest",
        ),
        pytest.param(
            {"sound": False, "quality": "4k"},
            Quote(Decimal("1.2007"), "estimate"),
            id="a length that is left out too",
        ),
        pytest.param({"duration": 8, "quality": "4k"}, unknown("sound is not there"), id="missing"),
    ],
)
def test_tokens_that_are_expected(request_: Mapping[str, Json], quote: Quote) -> None:
    assert TOKENS.quote(request_, {"duration": LENGTH}) == quote


EQUALS = {"op": "eq", "args": [variable("kept"), number("4k")]}


@pytest.mark.parametrize(
    ("declared", "written", "why"),
    [
        pytest.param(
            {"type": "enum", "values": ["720p", "4k"]},
            "8k",
            "there is no price for kept 8k",
            id="a word that is not priced",
        ),
        pytest.param(
            {"maximum": "9"}, True, "there is no price for kept True", id="a truth for a number"
        ),
        pytest.param(
            {"maximum": "9"}, [1], "there is no price for kept [1]", id="a list for a number"
        ),
        pytest.param(
            {"maximum": "9"}, 10, "there is no price for kept 10", id="a number beyond the bounds"
        ),
    ],
)
def test_a_value_without_a_price_is_not_taken_for_another(
    declared: Mapping[str, Any], written: Json, why: str
) -> None:
    price = rules(
        part("100", {"op": "if", "args": [EQUALS, number("5"), number("1")]}), kept=declared
    )

    assert price.quote({"kept": written}, KEPT) == unknown(why)


@pytest.mark.parametrize(
    "name",
    ["input_seconds", "first_input_video_seconds", "source_output_seconds", "output_fps"],
)
def test_no_measure_of_a_video_that_goes_in_is_taken_as_its_default(name: str) -> None:
    price = by(name, maximum="60", default="4")

    assert price.quote(VIDEO, {}) == Quote(Decimal("0.6000"), "at most")


@pytest.mark.parametrize(
    ("name", "request_", "number_"),
    [
        pytest.param("duration_seconds", {"duration": 8}, 8, id="a length"),
        pytest.param("output_seconds", {"duration": 8}, 8, id="a length that is made"),
        pytest.param("video_count", {"n": 3}, 3, id="clips"),
        pytest.param("video_count", {"count": 3}, 3, id="clips by another word"),
        pytest.param("image_count", {"n": 3}, 3, id="images"),
        pytest.param("image_count", {"count": 3}, 3, id="images by another word"),
        pytest.param("video_count", {"n": 3, "count": 4}, 3, id="the first word counts"),
        pytest.param("quality", {"quality": 4}, 4, id="a quality"),
        pytest.param("quality", {"resolution": 4}, 4, id="a quality that is a resolution"),
        pytest.param("quality", {"quality": 4, "resolution": 5}, 4, id="a quality first"),
        pytest.param("resolution", {"resolution": 4}, 4, id="a resolution"),
        pytest.param("resolution", {"quality": 4}, 4, id="a resolution that is a quality"),
        pytest.param("resolution", {"quality": 5, "resolution": 4}, 4, id="a resolution first"),
        pytest.param("kept", {"kept": 4}, 4, id="any other by its name"),
        pytest.param("kept", {"model_params": {"kept": 4}}, 4, id="or below the model's"),
        pytest.param("kept", {"kept": 4, "model_params": {"kept": 5}}, 4, id="above all its own"),
        pytest.param(
            "input_images", {"image_urls": ["https://a.example/b"] * 2}, 2, id="images in"
        ),
        pytest.param(
            "input_images", {"image_urls": "https://a.example/b"}, 0, id="no list of them"
        ),
        pytest.param("input_images", {}, 0, id="no images"),
    ],
)
def test_where_a_rule_finds_its_amounts_in_a_request(
    name: str, request_: Mapping[str, Json], number_: int
) -> None:
    price = by(name)

    assert price.quote(request_, {}) == exactly(f"{number_ / 100:.4f}")
    assert price.requested >= {each for each in request_ if each != "image_urls"}


def test_a_length_that_is_declared_beside_is_not_what_is_made() -> None:
    seconds = {"minimum": "4", "maximum": "12"}
    price = rules(
        part("100", variable("duration_seconds")),
        part("1", variable("duration")),
        duration_seconds=seconds,
        duration=seconds,
    )

    assert price.quote({"duration": 8}, {}) == Quote(Decimal("0.1208"), "at most")
    assert price.requested == {"duration", "model_params", "image_urls", "video_urls"}


def bounded(**more: Any) -> Mapping[str, Parameter]:
    return {"kept": Parameter(name="kept", kind="integer", description="", source="", **more)}


@pytest.mark.parametrize(
    ("parameters", "number_"),
    [
        pytest.param(bounded(minimum=4, maximum=12), 12, id="within the parameter's bounds"),
        pytest.param(bounded(minimum=4), 9, id="without its most, within the rule's"),
        pytest.param(bounded(maximum=12), 9, id="without its least, within the rule's"),
        pytest.param(bounded(), 9, id="without both"),
        pytest.param({}, 9, id="of no parameter that is known"),
    ],
)
def test_a_word_for_a_number_may_be_any_number(
    parameters: Mapping[str, Parameter], number_: int
) -> None:
    price = by("kept", minimum="1", maximum="9")

    quote = price.quote({"kept": "auto"}, parameters)

    assert quote == Quote(Decimal(f"{number_ / 100:.4f}"), "at most")


@pytest.mark.parametrize(
    ("minimum", "maximum"), [(None, 12), (4, None), (None, None)], ids=["least", "most", "both"]
)
def test_what_is_expected_of_a_length_without_bounds_is_not_known(
    minimum: int | None, maximum: int | None
) -> None:
    length = replace(LENGTH, minimum=minimum, maximum=maximum)
    request: dict[str, Json] = {"duration": "auto", "sound": True, "quality": "4k"}

    quote = TOKENS.quote(request, {"duration": length})

    assert quote == unknown("its bounds are not known")


def test_tokens_that_no_rule_has_a_word_for_are_none_where_others_are_expected() -> None:
    price = published(
        "actual_usage",
        {
            **TOKENS.data,
            "parameters": [
                {"name": n, "type": "integer"} for n in ("output_tokens", "input_tokens")
            ],
        },
    )
    request: dict[str, Json] = {"duration": 8, "sound": True, "quality": "720p"}

    assert price.quote(request, {}) == Quote(Decimal("0.2400"), "estimate")


LESS = {"op": "subtract", "args": [variable("output_seconds"), number("5")]}


@pytest.mark.parametrize(
    ("price", "quote"),
    [
        pytest.param(
            rules(part("100", LESS)), unknown("a quantity is less than nothing"), id="below nothing"
        ),
        pytest.param(
            rules(part("100"), part("0", variable("kept")), kept={}),
            exactly("0.0400"),
            id="what is free costs nothing, however much it is",
        ),
        pytest.param(
            rules(part("100"), part("0", variable("kept"), minimum_charge={"uc": "7"}), kept={}),
            exactly("0.0407"),
            id="but its minimum",
        ),
        pytest.param(
            rules(part("100"), kept={"type": "enum", "values": ["4k"]}),
            exactly("0.0400"),
            id="what no part reads changes nothing",
        ),
        pytest.param(
            rules(part("50"), part("100", condition=at_least("output_seconds", "5"))),
            exactly("0.0200"),
            id="a part that does not apply",
        ),
    ],
)
def test_what_parts_of_a_price_come_to(price: RulePrice, quote: Quote) -> None:
    assert price.quote({"duration": 4, "kept": "auto"}, {}) == quote


def test_a_tier_that_surely_does_not_hold_costs_nothing() -> None:
    tier = {"when": at_least("output_seconds", "5"), "rate": {"uc": "1000"}}

    assert rules(part("100", tiers=[tier])).quote({"duration": 4}, {}) == exactly("0.0400")


def test_a_part_that_may_not_apply_may_cost_nothing() -> None:
    may = part("100", condition=at_least("kept", "5"))
    price = rules(part("50"), may, kept={"minimum": "1", "maximum": "9"})

    charge = price.rules.total({"duration": 4}, {}).charge

    assert (charge.low, charge.high) == (Fraction(200), Fraction(600))
