"""Shapes: what they refuse, and what they tell editors."""

from typing import Any

import pytest

from veogen.document.nodes import Location, Map
from veogen.document.reader import read
from veogen.document.schema import (
    AmountType,
    AnyType,
    Field,
    IntegerType,
    ListOf,
    MapOf,
    ObjectType,
    OrNull,
    StringType,
    Type,
    amount,
    problems_of,
    value_of,
)


def short(text: str) -> tuple[str, str] | None:
    return None if len(text) < 4 else ("long", f"{text!r} is long")


POINT = ObjectType(
    "a point",
    "Point",
    "Somewhere.",
    {
        "x": Field(IntegerType(0), "To the right.", required=True),
        "label": Field(StringType(short, "^.{0,3}$"), "For people."),
        "height": Field(OrNull(AmountType()), "Upwards.", required=True),
    },
    elsewhere=lambda key: "it is the height" if key == "z" else None,
)
LINE = ListOf(POINT)
TAGS = MapOf(ListOf(StringType(), alone=True), StringType(short, "^.{0,3}$"))


def told(text: str, shape: Type) -> list[str]:
    tree = read(text.encode(), "a.yaml")
    return [str(problem) for problem in problems_of(tree, shape, Location("a.yaml", 1, 1))]


@pytest.mark.parametrize(
    ("text", "shape", "lines"),
    [
        pytest.param("[{x: 1, height: 2.5}, {x: 0, height: null}]", LINE, [], id="points"),
        pytest.param("[{x: 1, label: null, height: '7'}]", LINE, [], id="null for a key"),
        pytest.param("{a: x, b: [y, z], c: null}", TAGS, [], id="lists, and one alone"),
        pytest.param(
            "5", LINE, ["a.yaml:1:1: error[type]: it is a list, not 5"], id="not even a list"
        ),
        pytest.param(
            "[5]",
            LINE,
            ["a.yaml:1:2: error[type]: an item of it is a mapping, not 5"],
            id="an item",
        ),
        pytest.param(
            "{x: -1, height: true, label: longer}",
            POINT,
            [
                "a.yaml:1:5: error[value]: 'x' is at least 0, not -1",
                "a.yaml:1:17: error[type]: 'height' is a number of credits, not true",
                "a.yaml:1:30: error[long]: 'longer' is long",
            ],
            id="every value is looked at",
        ),
        pytest.param(
            "{y: 1, z: 2, lable: 3}",
            POINT,
            [
                "a.yaml:1:2: error[unknown-key]: 'y' is not a key of a point",
                "a.yaml:1:8: error[unknown-key]: 'z' is not a key of a point; it is the height",
                (
                    "a.yaml:1:14: error[unknown-key]: 'lable' is not a key of a point; "
                    "did you mean 'label'?"
                ),
                "a.yaml:1:1: error[missing-key]: a point needs 'x'",
                "a.yaml:1:1: error[missing-key]: a point needs 'height'",
            ],
            id="keys that are not there and keys that should be",
        ),
        pytest.param(
            "{abcd: [1], e: {}}",
            TAGS,
            [
                "a.yaml:1:2: error[long]: 'abcd' is long",
                "a.yaml:1:9: error[type]: an item of 'abcd' is a string, not 1",
                "a.yaml:1:16: error[type]: 'e' is a list, not a mapping",
            ],
            id="names of the writer's choice",
        ),
    ],
)
def test_a_shape_tells_what_is_wrong(text: str, shape: Type, lines: list[str]) -> None:
    assert told(text, shape) == lines


def test_a_shape_tells_editors_the_same() -> None:
    definitions: dict[str, Any] = {}

    assert ListOf(POINT).schema(definitions) == {
        "type": "array",
        "items": {"$ref": "#/$defs/Point"},
    }
    assert definitions == {
        "Point": {
            "description": "Somewhere.",
            "type": "object",
            "properties": {
                "x": {"type": "integer", "minimum": 0, "description": "To the right."},
                "label": {
                    "type": ["string", "null"],
                    "pattern": "^.{0,3}$",
                    "description": "For people.",
                },
                "height": {
                    "anyOf": [
                        {
                            "type": ["number", "string"],
                            "minimum": 0,
                            "pattern": r"^[0-9]{1,100}(\.[0-9]{1,100})?$",
                        },
                        {"type": "null"},
                    ],
                    "description": "Upwards.",
                },
            },
            "required": ["x", "height"],
            "additionalProperties": False,
        }
    }
    assert TAGS.schema({}) == {
        "type": "object",
        "patternProperties": {
            "^.{0,3}$": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "null"},
                ]
            }
        },
        "additionalProperties": False,
    }
    assert MapOf(AnyType()).schema({}) == {"type": "object", "additionalProperties": {}}


@pytest.mark.parametrize(
    ("value", "credits_"),
    [
        pytest.param(5, "5", id="an integer"),
        pytest.param(1064.448, "1064.448", id="a float"),
        pytest.param("1064.448", "1064.448", id="a text"),
        pytest.param(-1, None, id="below nothing"),
        pytest.param(float("inf"), None, id="infinite"),
        pytest.param("NaN", None, id="no number"),
        pytest.param(True, None, id="a boolean"),
        pytest.param("lots", None, id="a word"),
        pytest.param(None, None, id="null"),
    ],
)
def test_credits_are_exact_and_never_negative(value: Any, credits_: str | None) -> None:
    found = amount(value)

    assert (None if found is None else str(found)) == credits_


def test_a_value_that_is_not_what_was_checked_is_a_bug() -> None:
    tree = read(b"{x: 1}", "a.yaml")
    assert isinstance(tree, Map)

    assert value_of(tree, "x", int) == 1
    with pytest.raises(TypeError, match="x is 1 in a document that was checked"):
        value_of(tree, "x", str)
