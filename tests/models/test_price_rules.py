"""The gateway's published price rules, computed as its own client computes them."""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.models.expressions import BadRuleError, Parser, Range, Texts, Value, truth
from veogen.models.model import shipped
from veogen.models.parameters import Json
from veogen.models.price_rules import PriceRules, parse_rules
from veogen.models.prices import Certainty, RulePrice
from veogen.text import rounded_credits

DOCUMENTS = Path(__file__).parent / "documents"

KLING, KLING_IMAGE = "kling-v3-text-to-video", "kling-v3-image-to-video"
FLASH, OMNI = "wan2.6-image-to-video-flash", "gemini-omni-flash-text-to-video"
REFERENCE, SEEDANCE = "seedance-2.0-reference-to-video", "seedance-2.5-text-to-video"
UPSCALE, VEO = "tencent-video-upscale", "veo-3.1-fast-generate-preview"


def published() -> Mapping[str, Any]:
    """The models of the price documents, by id."""
    models = [
        model
        for name in ("prices-list.json", "prices-odd.json")
        for model in json.loads((DOCUMENTS / name).read_text())["models"]
    ]
    single = json.loads((DOCUMENTS / "prices-single-route.json").read_text())["model"]
    return {model["model_id"]: model for model in (*models, single)}


PUBLISHED = published()


def rules(model: str) -> PriceRules:
    return parse_rules(PUBLISHED[model])


def charged(model: str, **amounts: str | bool | Fraction) -> int | None:
    """UC for these rule parameters, the rule's own defaults for all others; None if unknown."""
    price = rules(model)
    variables: dict[str, Value] = {
        each.name: each.default for each in price.parameters if each.default is not None
    }
    variables |= {name: value(amount) for name, amount in amounts.items()}
    applied = [each for each in price.components if True in each.applies(variables)]
    if not applied:
        return None
    charges = [each.charge(variables) for each in applied]
    assert all(charge.exact for charge in charges)
    return int(sum(charge.low for charge in charges))


def value(amount: str | bool | Fraction) -> Value:
    if isinstance(amount, bool):
        return truth(amount)
    return Texts(frozenset({amount})) if isinstance(amount, str) else Range.exactly(amount)


@pytest.mark.parametrize(
    ("model", "amounts", "units", "credits_", "dollars"),
    [
        pytest.param(KLING, {}, 270000, "27.000", "0.39705882", id="kling, nothing said"),
        pytest.param(
            KLING, {"duration_seconds": "3"}, 162000, "16.200", "0.23823529", id="kling, 3 s"
        ),
        pytest.param(
            KLING,
            {"duration_seconds": "7", "sound": "on"},
            567000,
            "56.700",
            "0.83382353",
            id="kling, 7 s with sound",
        ),
        pytest.param(
            KLING,
            {"duration_seconds": "10", "quality": "1080p"},
            720360,
            "72.036",
            "1.05935294",
            id="kling, 10 s in 1080p",
        ),
        pytest.param(
            KLING,
            {"duration_seconds": "15", "quality": "4k", "sound": "on"},
            4050000,
            "405.000",
            "5.95588235",
            id="kling, 15 s in 4k with sound",
        ),
        pytest.param(KLING_IMAGE, {}, 270000, "27.000", "0.39705882", id="kling from an image"),
        pytest.param(
            FLASH,
            {"duration_seconds": "2", "generate_audio": False},
            60000,
            "6.000",
            "0.08823529",
            id="wan flash, the minimum of 2 s",
        ),
        pytest.param(
            FLASH,
            {"duration_seconds": "5", "generate_audio": False},
            60000,
            "6.000",
            "0.08823529",
            id="wan flash, the minimum of 5 s",
        ),
        pytest.param(
            FLASH,
            {"duration_seconds": "6", "generate_audio": False},
            71400,
            "7.140",
            "0.10500000",
            id="wan flash, 6 s silent",
        ),
        pytest.param(
            FLASH, {"duration_seconds": "5"}, 119000, "11.900", "0.17500000", id="wan flash, 5 s"
        ),
        pytest.param(
            FLASH,
            {"duration_seconds": "15", "quality": "1080p"},
            596190,
            "59.619",
            "0.87675000",
            id="wan flash, 15 s in 1080p",
        ),
        pytest.param(
            REFERENCE, {"duration_seconds": "5"}, 675000, "67.500", "0.99264706", id="no video"
        ),
        pytest.param(
            REFERENCE,
            {"duration_seconds": "10", "input_seconds": "5"},
            1644300,
            "164.430",
            "2.41808824",
            id="5 s of video",
        ),
        pytest.param(
            REFERENCE,
            {"duration_seconds": "5", "input_seconds": "7.34"},
            1019466,
            "101.9466",
            "1.49921471",
            id="7.34 s of video, up to tenths",
        ),
        pytest.param(
            REFERENCE,
            {"duration_seconds": "4", "input_seconds": "2", "quality": "480p"},
            306720,
            "30.672",
            "0.45105882",
            id="2 s of video in 480p",
        ),
        pytest.param(
            REFERENCE,
            {"duration_seconds": "15", "input_seconds": "15", "quality": "4k"},
            12757500,
            "1275.750",
            "18.76102941",
            id="15 s of video in 4k",
        ),
        pytest.param(
            SEEDANCE,
            {"duration": "4", "quality": "480p"},
            373674,
            "37.3674",
            "0.54952059",
            id="seedance, 4 s in 480p",
        ),
        pytest.param(
            SEEDANCE, {"duration": "5"}, 1004500, "100.450", "1.47720588", id="seedance, 5 s"
        ),
        pytest.param(
            SEEDANCE, {"duration": "-1"}, 6027000, "602.700", "8.86323529", id="seedance, the most"
        ),
        pytest.param(
            SEEDANCE,
            {"duration": "-1", "duration_seconds": "12.34"},
            2491160,
            "249.116",
            "3.66347059",
            id="seedance, 12.34 s made",
        ),
        pytest.param(
            SEEDANCE,
            {"duration": "10", "search_count": "3"},
            2010200,
            "201.020",
            "2.95617647",
            id="seedance, 3 searches",
        ),
        pytest.param(
            UPSCALE,
            {"output_seconds": "8", "quality": "4k", "output_fps": "24"},
            174080,
            "17.408",
            "0.25600000",
            id="upscale, the first tier",
        ),
        pytest.param(
            UPSCALE,
            {"output_seconds": "8.04", "output_fps": "60"},
            97920,
            "9.792",
            "0.14400000",
            id="upscale, a tier's rate holds its multiplier",
        ),
        pytest.param(
            UPSCALE,
            {"output_seconds": "0.5", "quality": "720p"},
            2380,
            "0.238",
            "0.00350000",
            id="upscale, at least a second",
        ),
        pytest.param(
            UPSCALE,
            {"output_seconds": "6"},
            32640,
            "3.264",
            "0.04800000",
            id="upscale, the documentation's example",
        ),
        pytest.param(
            VEO,
            {"duration_seconds": "8", "quality": "4k"},
            1779149,
            "177.9149",
            "2.61639559",
            id="veo, half a unit goes up",
        ),
        pytest.param(
            OMNI,
            {"video_output_tokens": "57920"},
            585861,
            "58.5861",
            "0.86156029",
            id="omni, 57,920 tokens of video",
        ),
        pytest.param(
            OMNI,
            {"video_output_tokens": "57920", "input_tokens": "400", "other_output_tokens": "2000"},
            596612,
            "59.6612",
            "0.87737059",
            id="omni, three roundings",
        ),
    ],
)
def test_a_published_rule_comes_to_what_was_worked_out(
    model: str, amounts: Mapping[str, Any], units: int, credits_: str, dollars: str
) -> None:
    found = charged(model, **amounts)

    assert found == units
    assert str(rounded_credits(Decimal(found) / 10_000)) == credits_
    assert str((Decimal(found) / 680_000).quantize(Decimal("0.00000001"))) == dollars


def test_a_rule_of_which_no_page_has_the_document_rounds_half_up() -> None:
    fast = json.loads(json.dumps(PUBLISHED[REFERENCE]))
    (component,) = fast["components"]
    component["rate"] = {"uc": "82013"}
    component["minimum_charge"] = {"uc": "151893"}
    variables: dict[str, Value] = {
        "duration_seconds": Range.exactly(15),
        "quality": Texts(frozenset({"480p"})),
        "input_seconds": Range.exactly(0),
    }

    charge = parse_rules(fast).components[0].charge(variables)

    assert charge == Range.exactly(572041)  # 572,040.675


@pytest.mark.parametrize(
    ("model", "amounts"),
    [
        pytest.param(VEO, {"duration_seconds": "5"}, id="veo has no price for 5 s"),
        pytest.param(OMNI, {}, id="omni without tokens"),
    ],
)
def test_a_sum_of_no_components_is_unknown_and_not_free(
    model: str, amounts: Mapping[str, Any]
) -> None:
    assert charged(model, **amounts) is None


def quoted(model: str, body: dict[str, Json]) -> tuple[str | None, Certainty]:
    quote = shipped()[model].quote({"model": model, **body})
    return (None if quote.credits is None else str(quote.credits)), quote.certainty


@pytest.mark.parametrize(
    ("model", "body", "price"),
    [
        pytest.param(KLING, {}, ("27.000", "exact"), id="kling"),
        pytest.param(KLING, {"quality": "1080p", "sound": "on"}, ("54.000", "exact"), id="sound"),
        pytest.param(KLING_IMAGE, {"duration": 3}, ("16.200", "exact"), id="kling from an image"),
        pytest.param("wan2.6-text-to-video", {"duration": 2}, ("9.520", "exact"), id="wan"),
        pytest.param(
            "wan2.6-image-to-video",
            {"duration": 1 + 9, "quality": "1080p"},
            ("79.492", "exact"),
            id="wan in 1080p",
        ),
        pytest.param(FLASH, {"generate_audio": False}, ("6.000", "exact"), id="wan flash, silent"),
        pytest.param(SEEDANCE, {}, ("100.450", "exact"), id="seedance"),
        pytest.param(SEEDANCE, {"duration": -1}, ("602.700", "at most"), id="a chosen length"),
        pytest.param(
            SEEDANCE,
            {"duration": -1, "quality": "480p"},
            ("280.2555", "at most"),
            id="a chosen length in 480p",
        ),
        pytest.param(SEEDANCE, {"draft": True}, ("46.7093", "exact"), id="a draft has 480p"),
        pytest.param(
            SEEDANCE, {"content_filter": False}, ("110.495", "exact"), id="a relaxed filter"
        ),
        pytest.param(
            SEEDANCE, {"model_params": {"web_search": True}}, (None, "unknown"), id="searches"
        ),
        pytest.param(
            SEEDANCE,
            {"model_params": {"web_search": False}},
            ("100.450", "exact"),
            id="no searches",
        ),
        pytest.param(
            "seedance-2.5-image-to-video", {"duration": 30}, ("602.700", "exact"), id="from images"
        ),
        pytest.param(OMNI, {}, ("58.5861", "estimate"), id="omni 1.0"),
        pytest.param(OMNI, {"duration": "auto"}, ("58.5861", "estimate"), id="omni, at most 10 s"),
        pytest.param(OMNI, {"duration": 3}, ("17.5759", "estimate"), id="omni, 3 s"),
        pytest.param(
            "gemini-omni-1.1-flash-text-to-video", {}, ("17.5759", "estimate"), id="omni 1.1"
        ),
        pytest.param(
            "gemini-omni-1.1-flash-image-to-video",
            {"duration": 10, "quality": "4k"},
            ("175.7583", "estimate"),
            id="omni 1.1 in 4k",
        ),
    ],
)
def test_a_shipped_model_says_what_a_request_costs_and_how_sure_that_is(
    model: str, body: dict[str, Json], price: tuple[str | None, Certainty]
) -> None:
    assert quoted(model, body) == price


def test_an_input_video_is_never_priced_by_the_default_of_its_length() -> None:
    price = RulePrice(
        date="2026-10-10",
        source="test",
        credits_per_usd=Decimal(68),
        settlement="request_then_actual",
        data=PUBLISHED[REFERENCE],
    )

    without = price.quote({"duration": 5, "quality": "720p"}, {})
    measured = price.quote({"duration": 5, "quality": "720p", "video_urls": ["https://a.b/c"]}, {})

    assert (without.credits, without.certainty) == (Decimal("67.500"), "exact")
    assert (measured.credits, measured.certainty) == (None, "unknown")


def test_what_is_measured_between_bounds_costs_at_most_their_dearest() -> None:
    price = RulePrice(
        date="2026-10-10",
        source="test",
        credits_per_usd=Decimal(68),
        settlement="request_then_actual",
        data=PUBLISHED[UPSCALE],
    )

    quote = price.quote({"video_urls": ["https://a.b/c.mp4"], "quality": "4k"}, {})

    assert (quote.credits, quote.certainty) == (Decimal("530.944"), "at most")  # 61 s, x 4, x 4


TEXTS = st.sampled_from(["480p", "720p", "1080p"])


@given(duration=st.integers(4, 30), made=st.integers(400, 3000), quality=TEXTS)
def test_at_most_is_never_less_than_any_length_that_may_be_made(
    duration: int, made: int, quality: str
) -> None:
    most = shipped()[SEEDANCE].quote({"duration": -1, "quality": quality}).credits
    exact = shipped()[SEEDANCE].quote({"duration": duration, "quality": quality}).credits
    settled = charged(
        SEEDANCE, duration="-1", duration_seconds=Fraction(made, 100), quality=quality
    )

    assert most is not None
    assert exact is not None
    assert settled is not None
    assert max(exact, Decimal(settled) / 10_000) <= most


NUMBERS = st.decimals(0, 1000, places=3).map(
    lambda number: {"op": "constant", "value": str(number)}
)
VARIABLES = st.sampled_from("abc").map(lambda name: {"op": "variable", "name": name})


def _call(*operators: str, least: int, most: int) -> Any:
    return lambda inner: st.builds(
        lambda op, args: {"op": op, "args": args},
        st.sampled_from(operators),
        st.lists(inner, min_size=least, max_size=most),
    )


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    conditions: st.SearchStrategy[Any] = _call(
        "gt", "gte", "lt", "lte", "eq", "neq", least=2, most=2
    )(inner)
    larger: st.SearchStrategy[Any] = (
        _call("add", "multiply", "min", "max", least=2, most=3)(inner)
        | _call("ceil", "floor", least=1, most=1)(inner)
        | _call("clamp", least=3, most=3)(inner)
        | st.builds(
            lambda condition, left, right: {"op": "if", "args": [condition, left, right]},
            conditions,
            inner,
            inner,
        )
    )
    return larger


EXPRESSIONS = st.recursive(NUMBERS | VARIABLES, _larger, max_leaves=12)
AMOUNTS = st.tuples(st.fractions(0, 50, max_denominator=8), st.fractions(0, 50, max_denominator=8))


def component(quantity: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "part",
        "rate": {"uc": "500"},
        "minimum_charge": {"uc": "1000"},
        "rounding": {"point": "per_component_subtotal", "mode": "half_up"},
        "quantity_rule": quantity,
        **more,
    }


DECLARED = [{"name": name, "type": "decimal", "minimum": "0"} for name in "abc"]


@given(
    tree=EXPRESSIONS,
    bounds=st.lists(AMOUNTS, min_size=3, max_size=3),
    part=st.fractions(0, 1, max_denominator=8),
)
def test_a_range_holds_whatever_the_values_in_it_come_to(
    tree: Any, bounds: list[tuple[Fraction, Fraction]], part: Fraction
) -> None:
    expression = Parser(frozenset("abc")).parse(tree)
    ranges = {n: Range(min(pair), max(pair)) for n, pair in zip("abc", bounds, strict=True)}
    chosen = {
        name: Range.exactly(low + (high - low) * part)
        for name, (low, high) in ((n, sorted(p)) for n, p in zip("abc", bounds, strict=True))
    }

    whole, exact = expression.number(ranges), expression.number(chosen)

    assert exact.exact
    assert whole.high is not None
    assert whole.low <= exact.low <= whole.high


@given(
    trees=st.lists(EXPRESSIONS, min_size=1, max_size=4),
    # Eighths: as floats of a request they are the same numbers.
    amounts=st.lists(st.builds(Fraction, st.integers(0, 400), st.just(8)), min_size=3, max_size=3),
)
def test_a_sum_is_never_less_than_its_components_and_their_minima(
    trees: list[Any], amounts: list[Fraction]
) -> None:
    price = parse_rules({"parameters": DECLARED, "components": [component(tree) for tree in trees]})
    variables = {n: Range.exactly(a) for n, a in zip("abc", amounts, strict=True)}
    request: dict[str, Json] = {n: float(a) for n, a in zip("abc", amounts, strict=True)}
    parts = [each.charge(variables).low for each in price.components]
    whole = [
        each.quantity.number(variables).low * each.rate - Fraction(1, 2)
        for each in price.components
    ]

    total = price.total(request, {}).charge

    assert total.exact
    assert total.low == sum(parts) >= max(1000 * len(trees), sum(whole), *parts)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        pytest.param({"op": "power", "args": []}, "'power' is not an operator", id="an operator"),
        pytest.param({"op": ["add"]}, "['add'] is not an operator", id="an operator in a list"),
        pytest.param({}, "None is not an operator", id="no operator"),
        pytest.param("a * 2", "an expression is a mapping with 'op'", id="a text"),
        pytest.param(
            {"op": "variable", "name": "d"}, "'d' is not a declared parameter", id="a variable"
        ),
        pytest.param(
            {"op": "constant", "value": 4}, "a constant's value is a text, not 4", id="a number"
        ),
        pytest.param(
            {"op": "add", "args": [{"op": "constant", "value": "1"}]},
            "'add' has 2 to 32 arguments, not 1",
            id="too few arguments",
        ),
        pytest.param(
            {"op": "ceil", "args": [{"op": "constant", "value": "1"}] * 2},
            "'ceil' has 1 arguments, not 2",
            id="too many arguments",
        ),
        pytest.param({"op": "add", "args": "ab"}, "'add' has a list of arguments", id="no list"),
        pytest.param(
            {"op": "constant", "value": "1", "args": []},
            "'args' does not belong to 'constant'",
            id="a key that is not taken",
        ),
        pytest.param(
            {"op": "lookup", "key": {"op": "constant", "value": "a"}, "values": {}},
            "a lookup has 1 to 100 values",
            id="an empty table",
        ),
        pytest.param(
            {"op": "lookup", "key": {"op": "constant", "value": "a"}, "values": {"a": "1e9"}},
            "'1e9' is not a number in a lookup",
            id="a number in a lookup",
        ),
    ],
)
def test_what_is_no_published_operator_is_refused(tree: Any, message: str) -> None:
    with pytest.raises(BadRuleError) as error:
        Parser(frozenset("abc")).parse(tree)

    assert str(error.value) == message


@given(operator=st.text(max_size=12), arguments=st.integers(0, 4))
def test_no_other_operator_is_taken(operator: str, arguments: int) -> None:
    taken = {
        *("constant", "variable", "lookup", "add", "multiply", "min", "max", "subtract", "divide"),
        *(
            "clamp",
            "ceil",
            "floor",
            "if",
            "eq",
            "gt",
            "gte",
            "lte",
            "and",
            "or",
            "neq",
            "lt",
            "not",
        ),
    }
    tree = {"op": operator, "args": [{"op": "constant", "value": "1"}] * arguments}

    if operator not in taken:
        with pytest.raises(BadRuleError):
            Parser(frozenset()).parse(tree)


def nested(depth: int) -> Any:
    tree: Any = {"op": "constant", "value": "1"}
    for _ in range(depth - 1):
        tree = {"op": "ceil", "args": [tree]}
    return tree


def test_expressions_are_bounded_in_depth_and_length() -> None:
    wide = {"op": "add", "args": [{"op": "constant", "value": "1"}] * 32}
    wider = {"op": "add", "args": [wide] * 32}

    Parser(frozenset()).parse(nested(32))
    Parser(frozenset()).parse(wider)
    for tree in (nested(33), {"op": "add", "args": [wider] * 10}):
        with pytest.raises(BadRuleError, match="nested too deep or too long"):
            Parser(frozenset()).parse(tree)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param({"rate": None}, "'rate' is an amount in UC", id="no rate"),
        pytest.param({"rate": {"uc": "-1"}}, "'rate' is -1 UC", id="a rate below nothing"),
        pytest.param({"rate": {"uc": 5}}, "5 is not a number written as a text", id="a float"),
        pytest.param({"minimum_charge": {"uc": "0.5"}}, "'minimum_charge' is 1/2 UC", id="half"),
        pytest.param({"rounding": {}}, "a price is not rounded 'None' at 'None'", id="no rounding"),
        pytest.param(
            {"rounding": {"point": "per_component_subtotal", "mode": "even"}},
            "a price is not rounded 'even' at 'per_component_subtotal'",
            id="a rounding",
        ),
        pytest.param(
            {"pricing_status": "unavailable"},
            "a component of the price is not available",
            id="not for sale",
        ),
        pytest.param({"tiers": {}}, "'tiers' is a list of at most 100", id="tiers in a mapping"),
        pytest.param({"tiers": [1]}, "'tiers' is a list of mappings", id="a tier that is none"),
    ],
)
def test_a_component_that_is_none_is_refused(more: dict[str, Any], message: str) -> None:
    quantity = {"op": "constant", "value": "1"}

    with pytest.raises(BadRuleError) as error:
        parse_rules({"parameters": [], "components": [component(quantity, **more)]})

    assert str(error.value) == message


def test_of_two_tiers_that_hold_none_is_chosen() -> None:
    always = {
        "op": "gte",
        "args": [{"op": "variable", "name": "a"}, {"op": "constant", "value": "0"}],
    }
    tier = {"when": always, "rate": {"uc": "10"}}
    price = RulePrice(
        date="d",
        source="s",
        credits_per_usd=Decimal(68),
        settlement="request_only",
        data={
            "parameters": DECLARED,
            "components": [component({"op": "variable", "name": "a"}, tiers=[tier, tier])],
        },
    )

    quote = price.quote({"a": 1}, {})

    assert (quote.credits, quote.why) == (None, "more than one tier of the price holds")
