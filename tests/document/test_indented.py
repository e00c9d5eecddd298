"""JSON in indented lines is what the standard library writes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.jsontext import indented

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_a_value_is_written_as_the_standard_library_writes_it(value: Any) -> None:
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize(
    "value", ["%s", {"%s%": ["%d"]}, {}, [], [{}], {"a": []}, [[1], [True]], ({"a": (1, ())},)]
)
def test_what_a_form_might_take_for_a_place_stays_as_it_is(value: Any) -> None:
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


def test_lines_begin_as_asked_for() -> None:
    assert indented({"a": [1]}, "\n>") == '{\n>  "a": [\n>    1\n>  ]\n>}'
