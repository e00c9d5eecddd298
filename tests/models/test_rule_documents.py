"""How the rules of a price are read: what each word comes to, and what is refused."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from veogen.models.expressions import (
    EITHER,
    NO,
    YES,
    BadRuleError,
    Expression,
    Range,
    Texts,
    UnpricedError,
    Value,
)
from veogen.models.parameters import Json
from veogen.models.price_rules import (
    MOST_COMPONENTS,
    MOST_TIERS,
    Component,
    RuleParameter,
    Tier,
    parse_rules,
)

ROUNDING = {"point": "per_component_subtotal", "mode": "half_up"}
WHOLE = {"point": "per_quantity", "mode": "ceil"}
TWO: dict[str, Any] = {"op": "constant", "value": "2"}
TIER: dict[str, Any] = {"when": TWO, "rate": {"uc": "0.5"}}


def component(**more: Any) -> dict[str, Any]:
    return {"rate": {"uc": "500"}, "rounding": ROUNDING, "quantity_rule": TWO, **more}


def named(number: int) -> list[dict[str, Any]]:
    return [{"name": f"p{each}", "type": "integer"} for each in range(number)]


@pytest.mark.parametrize(
    ("written", "parameter"),
    [
        pytest.param(
            {"name": "a", "type": "integer"}, RuleParameter("a", "integer"), id="a whole number"
        ),
        pytest.param(
            {"name": "a", "type": "decimal", "minimum": "0.5", "maximum": "9", "default": "2.5"},
            RuleParameter(
                "a",
                "decimal",
                minimum=Fraction(1, 2),
                maximum=Fraction(9),
                default=Range.exactly(Fraction(5, 2)),
            ),
            id="a number with all that may be said",
        ),
        pytest.param(
            {"name": "a", "type": "enum", "values": ["720p", "4k"], "default": "4k"},
            RuleParameter("a", "enum", ("720p", "4k"), default=Texts(frozenset({"4k"}))),
            id="a word",
        ),
        pytest.param(
            {"name": "a", "type": "boolean", "default": False},
            RuleParameter("a", "boolean", default=NO),
            id="a truth",
        ),
        pytest.param(
            {"name": "a", "type": "boolean", "values": None, "minimum": None, "default": None},
            RuleParameter("a", "boolean"),
            id="nothing is said by a null",
        ),
    ],
)
def test_a_parameter_of_a_rule(written: Mapping[str, Any], parameter: RuleParameter) -> None:
    assert parse_rules({"parameters": [written]}).parameters == (parameter,)


TWO_READ = Expression("constant", value=Texts(frozenset({"2"})))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param(
            component(),
            Component(
                id="",
                rate=Fraction(500),
                minimum=Fraction(0),
                quantity=TWO_READ,
                mode="half_up",
                point="per_component_subtotal",
            ),
            id="the least that may be said",
        ),
        pytest.param(
            component(
                id="video",
                rate={"uc": "2"},
                minimum_charge={"uc": "3"},
                rounding=WHOLE,
                condition=TWO,
                tiers=[
                    {"when": TWO, "rate": {"uc": "0"}},
                    {"when": TWO, "rate": {"uc": "7"}, "minimum_charge": {"uc": "9"}},
                ],
                pricing_status="available",
            ),
            Component(
                id="video",
                rate=Fraction(2),
                minimum=Fraction(3),
                quantity=TWO_READ,
                mode="ceil",
                point="per_quantity",
                condition=TWO_READ,
                tiers=(
                    Tier(TWO_READ, Fraction(0), Fraction(0)),
                    Tier(TWO_READ, Fraction(7), Fraction(9)),
                ),
            ),
            id="all that may be said",
        ),
    ],
)
def test_a_component_of_a_rule(written: Mapping[str, Any], read: Component) -> None:
    assert parse_rules({"components": [written]}).components == (read,)


def test_as_many_parts_as_may_be_are_read() -> None:
    tiered, plain = component(tiers=[TIER] * MOST_TIERS), component()
    rules = parse_rules(
        {
            "parameters": named(MOST_COMPONENTS),
            "components": [tiered, *[plain] * (MOST_COMPONENTS - 1)],
        }
    )

    assert len(rules.parameters) == len(rules.components) == MOST_COMPONENTS == 200
    assert len(rules.components[0].tiers) == MOST_TIERS == 100


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param(
            {"parameters": named(201)}, "'parameters' is a list of at most 200", id="too many"
        ),
        pytest.param(
            {"components": [component()] * 201},
            "'components' is a list of at most 200",
            id="too many components",
        ),
        pytest.param(
            {"components": [component(tiers=[TIER] * 101)]},
            "'tiers' is a list of at most 100",
            id="too many tiers",
        ),
        pytest.param(
            {"parameters": "ab"}, "'parameters' is a list of at most 200", id="a text for a list"
        ),
        pytest.param(
            {"components": [1]}, "'components' is a list of mappings", id="a number for a component"
        ),
        pytest.param(
            {"parameters": [{"name": 1, "type": "integer"}]},
            "a parameter of a price has a name and a type, not 1, 'integer'",
            id="a name that is none",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "number"}]},
            "a parameter of a price has a name and a type, not 'a', 'number'",
            id="a type that is none",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "enum", "values": [1]}]},
            "the values of a parameter are texts",
            id="numbers for words",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "enum", "values": {"b": 1}}]},
            "the values of a parameter are texts",
            id="a mapping for words",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "enum", "values": "4k"}]},
            "the values of a parameter are texts",
            id="a word for words",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "enum", "values": ["4k"], "default": "8k"}]},
            "'8k' is not a value of a",
            id="a default that is no value",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "boolean", "default": "true"}]},
            "'true' is not a value of a",
            id="a text for a truth",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "integer", "default": 5}]},
            "5 is not a number written as a text",
            id="a number that may not be exact",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "type": "integer", "maximum": "9 s"}]},
            "'9 s' is not a number written as a text",
            id="a text that is no number",
        ),
        pytest.param(
            {"parameters": [*named(1), *named(1)]},
            "two parameters of the price have one name",
            id="one name for two",
        ),
        pytest.param(
            {"parameters": named(2), "expects": {"p1": TWO, "p2": TWO}},
            "'p2' is not a declared parameter",
            id="nobody declared what is expected",
        ),
        pytest.param(
            {"components": [component(tiers=[{**TIER, "pricing_status": "hidden"}])]},
            "a tier of the price is not available",
            id="a tier that is not for sale",
        ),
        pytest.param(
            {"components": [component(rounding="half_up")]},
            "a price is not rounded 'None' at 'None'",
            id="a rounding that is a text",
        ),
        pytest.param(
            {"components": [component(rounding={**ROUNDING, "point": "per_total"})]},
            "a price is not rounded 'half_up' at 'per_total'",
            id="rounded where nobody does",
        ),
        pytest.param(
            {"components": [component(minimum_charge={"uc": "-1"})]},
            "'minimum_charge' is -1 UC",
            id="at least less than nothing",
        ),
        pytest.param(
            {"components": [component(minimum_charge="5")]},
            "'minimum_charge' is an amount in UC",
            id="a minimum without its unit",
        ),
        pytest.param(
            {"components": [component(rate={"uc": "0.5"}, rounding=WHOLE)]},
            "a rate that is not whole is rounded before it is multiplied",
            id="a half of a unit",
        ),
        pytest.param(
            {"components": [component(tiers=[TIER], rounding=WHOLE)]},
            "a rate that is not whole is rounded before it is multiplied",
            id="a half of a unit in a tier",
        ),
    ],
)
def test_what_cannot_be_a_rule_is_refused(written: Mapping[str, Any], message: str) -> None:
    with pytest.raises(BadRuleError) as error:
        parse_rules(written)

    assert str(error.value) == message


NUMBER = RuleParameter("a", "integer", minimum=Fraction(2), maximum=Fraction(9))
WORD = RuleParameter("a", "enum", ("720p", "4", "True"))
TRUTH = RuleParameter("a", "boolean")


@pytest.mark.parametrize(
    ("parameter", "written", "value"),
    [
        pytest.param(NUMBER, 2, Range.exactly(2), id="the least"),
        pytest.param(NUMBER, 9, Range.exactly(9), id="the most"),
        pytest.param(NUMBER, 2.5, Range.exactly(Fraction(5, 2)), id="between"),
        pytest.param(NUMBER, "auto", None, id="a word for a number"),
        pytest.param(
            RuleParameter("a", "integer", ("auto",)), "auto", None, id="even if it is among values"
        ),
        pytest.param(
            RuleParameter("a", "decimal"), -1, Range.exactly(-1), id="a number without bounds"
        ),
        pytest.param(WORD, "720p", Texts(frozenset({"720p"})), id="a word"),
        pytest.param(WORD, 4, Texts(frozenset({"4"})), id="a number that is a word here"),
        pytest.param(TRUTH, True, YES, id="true"),
        pytest.param(TRUTH, False, NO, id="false"),
    ],
)
def test_what_a_value_of_a_request_is_to_a_rule(
    parameter: RuleParameter, written: Json, value: Value | None
) -> None:
    assert parameter.value(written) == value


@pytest.mark.parametrize(
    ("parameter", "written"),
    [
        pytest.param(NUMBER, 1.9999, id="less than the least"),
        pytest.param(NUMBER, 9.0001, id="more than the most"),
        pytest.param(NUMBER, True, id="a truth for a number"),
        pytest.param(NUMBER, [3], id="a list for a number"),
        pytest.param(WORD, "8k", id="another word"),
        pytest.param(TRUTH, 1, id="a number for a truth"),
        pytest.param(TRUTH, "true", id="a text for a truth"),
    ],
)
def test_a_value_that_no_rule_takes(parameter: RuleParameter, written: Json) -> None:
    with pytest.raises(UnpricedError) as error:
        parameter.value(written)

    assert str(error.value) == f"there is no price for a {written}"


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        pytest.param(NUMBER, Range(Fraction(2), Fraction(9)), id="all within the bounds"),
        pytest.param(
            RuleParameter("a", "decimal"), Range(Fraction(0), None), id="all that are not negative"
        ),
        pytest.param(WORD, Texts(frozenset({"720p", "4", "True"})), id="any word"),
        pytest.param(TRUTH, EITHER, id="true or false"),
    ],
)
def test_what_is_not_said_may_be_any_value(parameter: RuleParameter, values: Value) -> None:
    assert parameter.any_value == values
