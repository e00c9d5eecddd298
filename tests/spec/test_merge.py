"""How a stronger mapping is laid over a weaker one."""

from typing import Any

import pytest

from veogen.document.nodes import Map, without_nulls
from veogen.document.reader import read
from veogen.spec.layers import merge, merge_documents, merge_shot


def mapping(text: str, path: str = "a.yaml") -> Map:
    tree = read(text.encode(), path)
    assert isinstance(tree, Map)
    return tree


@pytest.mark.parametrize(
    ("weak", "strong", "merged"),
    [
        pytest.param("{a: 1, b: 2}", "{b: 3, c: 4}", {"a": 1, "b": 3, "c": 4}, id="by key"),
        pytest.param("{a: {x: 1, y: 2}}", "{a: {y: 3}}", {"a": {"x": 1, "y": 3}}, id="deeply"),
        pytest.param("{a: [1, 2]}", "{a: [3]}", {"a": [3]}, id="a list is replaced"),
        pytest.param("{a: {x: 1}}", "{a: 5}", {"a": 5}, id="a mapping gives way to a value"),
        pytest.param("{a: 5}", "{a: {x: 1}}", {"a": {"x": 1}}, id="and the reverse"),
        pytest.param("{a: 1, b: 2}", "{a: null}", {"b": 2}, id="null takes a key away"),
        pytest.param("{a: {x: 1}}", "{a: {x: null}}", {"a": {}}, id="null deep down"),
        pytest.param("{}", "{a: null}", {}, id="null where there is nothing"),
        pytest.param("{a: null}", "{a: 1}", {"a": 1}, id="what was taken away comes back"),
        pytest.param("{}", "{a: [null]}", {"a": [None]}, id="null in a list is a value"),
    ],
)
def test_the_stronger_wins_key_by_key(weak: str, strong: str, merged: dict[str, Any]) -> None:
    assert without_nulls(merge(mapping(weak), mapping(strong))) == merged


@pytest.mark.parametrize(
    ("weak", "strong", "merged"),
    [
        pytest.param(
            "{shots: [{name: a, x: 1}, {name: b}]}",
            "{shots: [{name: c}, {name: a, x: 2}]}",
            {"shots": [{"name": "a", "x": 2}, {"name": "b"}, {"name": "c"}]},
            id="shots by name, in their place, new ones last",
        ),
        pytest.param(
            "{profiles: {p: {shots: [{name: a, x: 1}]}, q: {}}}",
            "{profiles: {p: {shots: [{name: b}, {name: a, y: 2}]}, r: {}}}",
            {
                "profiles": {
                    "p": {"shots": [{"name": "a", "x": 1, "y": 2}, {"name": "b"}]},
                    "q": {},
                    "r": {},
                }
            },
            id="those of a profile as well",
        ),
        pytest.param("{shots: [{name: a}]}", "{shots: null}", {}, id="all shots taken away"),
        pytest.param(
            "{vars: {shots: [{name: a}]}}",
            "{vars: {shots: [{name: b}]}}",
            {"vars": {"shots": [{"name": "b"}]}},
            id="a var of that name is a list like others",
        ),
    ],
)
def test_documents_merge_shots_by_name(weak: str, strong: str, merged: dict[str, Any]) -> None:
    assert without_nulls(merge_documents(mapping(weak), mapping(strong))) == merged


def test_keys_stay_in_their_order_and_at_their_places() -> None:
    weak, strong = mapping("{a: 1, b: 2}", "weak"), mapping("{c: 3, a: 4}", "strong")

    merged = merge(weak, strong)

    assert list(merged) == ["a", "b", "c"]
    assert [str(merged.value_place(key)) for key in merged] == [
        "strong:1:11",
        "weak:1:11",
        "strong:1:5",
    ]


@pytest.mark.parametrize(
    ("weak", "strong", "merged"),
    [
        pytest.param("{template: t}", "{prompt: p}", {"prompt": "p"}, id="prompt over template"),
        pytest.param("{prompt: p}", "{template: t}", {"template": "t"}, id="template over prompt"),
        pytest.param("{prompt: p}", "{template: null}", {"prompt": "p"}, id="null over nothing"),
    ],
)
def test_a_shot_has_a_prompt_or_a_template(weak: str, strong: str, merged: dict[str, Any]) -> None:
    assert without_nulls(merge_shot(mapping(weak), mapping(strong))) == merged
