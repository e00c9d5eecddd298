"""One entry for many requests: an axis that grew, came or went, a value that was renamed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product

import pytest
from support.plans import request

from veogen.diff.axis_changes import axis_changes
from veogen.diff.compare import compare
from veogen.models.parameters import Json
from veogen.planner.plan import Request

Axes = Mapping[str, Iterable[str | int]]


def plan(axes: Axes) -> list[Request]:
    """The requests of a shot, whose prompts show the value of every axis."""
    requests = []
    for values in product(*axes.values()):
        variables = dict(zip(axes, values, strict=True))
        address = ",".join(f"{name}={value}" for name, value in sorted(variables.items()))
        made = request(f"s[{address}]", " ".join(map(str, values)))
        requests.append(replace(made, variables=variables))
    return requests


CITY = {"city": ["Rome", "Oslo"], "hour": ["dawn", "dusk"]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            plan(CITY),
            plan(CITY | {"city": ["Rome", "Oslo", "Bern", "Faro"]}),
            [("shot s: city + Bern, Faro", 4, 0, 0)],
            id="values that came",
        ),
        pytest.param(
            plan(CITY),
            plan(CITY | {"city": ["Rome"]}),
            [("shot s: city \u2212 Oslo", 0, 2, 0)],
            id="a value that went",
        ),
        pytest.param(
            plan(CITY),
            plan(CITY | {"city": ["Rome", "Bergen"]}),
            [("shot s: city Oslo \u2192 Bergen", 2, 2, 0)],
            id="a value that was renamed, and is in the prompt",
        ),
        pytest.param(
            plan(CITY),
            plan(CITY | {"seed": [1, 2, 3]}),
            [("shot s: axis seed 1, 2, 3 added, 4 \u2192 12", 12, 4, 0)],
            id="an axis that came",
        ),
        pytest.param(
            plan(CITY | {"seed": [1, 2]}),
            plan(CITY),
            [("shot s: axis seed removed, 8 \u2192 4", 4, 8, 0)],
            id="an axis that went",
        ),
        pytest.param(
            [],
            plan(CITY),
            [("shot s added", 4, 0, 0)],
            id="a shot that came",
        ),
        pytest.param(plan(CITY), plan(CITY)[:3], [], id="one combination that was excluded"),
        pytest.param(
            plan({"city": ["Rome"]}), plan({"city": ["Oslo"]}), [], id="one value, of one request"
        ),
    ],
)
def test_many_requests_are_one_entry(
    old: list[Request], new: list[Request], expected: list[tuple[str, int, int, int]]
) -> None:
    difference = compare(old, new)

    changes, rest = axis_changes(difference, old, new)

    counts = [(c.title, len(c.added), len(c.removed), len(c.renamed)) for c in changes]
    explained = sum(len(c.added) + len(c.removed) + len(c.renamed) for c in changes)
    left = len(rest.added) + len(rest.removed) + len(rest.renamed)
    every = len(difference.added) + len(difference.removed) + len(difference.renamed)
    assert counts == expected
    assert explained + left == every


def test_values_that_only_change_their_name_are_one_entry_too() -> None:
    old = plan(CITY)
    new = [
        replace(one, address=one.address.replace("Oslo", "Bergen"), variables=_moved(one))
        for one in old
    ]

    [change], rest = axis_changes(compare(old, new), old, new)

    assert (change.title, len(change.renamed)) == ("shot s: city Oslo \u2192 Bergen", 2)
    assert rest.renamed == ()


def _moved(one: Request) -> dict[str, Json]:
    return {**one.variables, "city": str(one.variables["city"]).replace("Oslo", "Bergen")}
