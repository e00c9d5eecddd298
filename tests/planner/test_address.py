"""Addresses: readable, stable, and never alike for different values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.models.parameters import Json
from veogen.planner.identity import address, address_text


@pytest.mark.parametrize(
    ("keys", "take", "expected"),
    [
        ({}, 1, "opening"),
        ({}, 2, "opening#2"),
        ({"seed": 7, "city": "Tokyo"}, 1, "opening[city=Tokyo,seed=7]"),
        ({"city": "New York"}, 12, 'opening[city="New York"]#12'),
        ({"a": "São", "b": ""}, 1, 'opening[a=São,b=""]'),
        ({"a": 'q"', "b": "\u0085", "c": "\t"}, 1, 'opening[a="q\\"",b="\u0085",c="\\t"]'),
        ({"a": True, "b": 1.5, "c": ["x", 1]}, 1, 'opening[a=true,b=1.5,c=["x",1]]'),
    ],
)
def test_an_address(keys: dict[str, Json], take: int, expected: str) -> None:
    assert address("opening", keys, take) == expected


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: st.SearchStrategy[Json] = st.one_of(
    TEXTS, st.integers(), st.booleans(), st.lists(TEXTS, max_size=2)
)


@given(st.lists(VALUES, min_size=2, max_size=2, unique_by=address_text), VALUES)
def test_different_texts_of_values_give_different_addresses(
    values: list[Json], other: Json
) -> None:
    first, second = ({"a": value, "b": other} for value in values)

    assert address("s", first) != address("s", second)
    assert address("s", {"a": other, "b": values[0]}) != address("s", {"a": other, "b": values[1]})


@given(TEXTS)
def test_a_string_stands_plain_or_as_json(text: str) -> None:
    shown = address_text(text)

    assert shown == text or json.loads(shown) == text
    assert not any(character.isspace() for character in shown.strip('"')) or shown.startswith('"')
