"""Which requests of two runs belong together."""

from collections.abc import Mapping
from typing import Any

import pytest

from veogen.gallery.data import pairs
from veogen.planner.plan import Request


def entry(address: str, hash_: str, **body: Any) -> Request:
    return Request(
        address=address,
        hash=hash_,
        shot="a",
        take=1,
        variables={},
        output="a",
        body={"model": "m", "prompt": "a boat", **body},
        credits=None,
    )


def matched(old: list[Request], new: list[Request]) -> list[tuple[str, int | None, int | None]]:
    return [(pair["kind"], pair["old"], pair["new"]) for pair in pairs(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param({"a": "1"}, {"a": "1"}, [("same", 0, 0)], id="the same"),
        pytest.param({"a": "1"}, {"a": "2"}, [("changed", 0, 0)], id="changed"),
        pytest.param({"a": "1"}, {"b": "1"}, [("renamed", 0, 0)], id="renamed"),
        pytest.param({"a": "1"}, {"b": "2"}, [("new", None, 0), ("gone", 0, None)], id="replaced"),
        pytest.param(
            {"a": "1", "b": "2"},
            {"b": "1", "c": "2"},
            [("changed", 1, 0), ("new", None, 1), ("gone", 0, None)],
            id="an address goes before a hash",
        ),
        pytest.param(
            {"a": "1", "b": "2", "c": "3"},
            {"c": "3", "x": "1", "a": "9"},
            [("same", 2, 0), ("new", None, 1), ("changed", 0, 2), ("gone", 1, None)],
            id="in the order of the new run",
        ),
    ],
)
def test_requests_belong_together_by_address_then_by_hash(
    old: Mapping[str, str],
    new: Mapping[str, str],
    found: list[tuple[str, int | None, int | None]],
) -> None:
    assert matched([entry(*one) for one in old.items()], [entry(*one) for one in new.items()]) == (
        found
    )
