"""Plan files, as `plan --format json` writes them, read back."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from support.project import Project

from veogen.document.nodes import Location
from veogen.document.problems import MistakesError
from veogen.lockfile import is_plan_file, read_stored
from veogen.models.model import shipped
from veogen.planner.plan import Plan, plan_data, totals_of

SPEC = """\
shots:
  - {name: opening, prompt: "{{ city }} 😀 at dusk", matrix: {city: [Tokyo, Paris]}}
"""
NOWHERE = Location("", 1, 1)


def data(plan: Plan, to_buy: Decimal | None = Decimal("76.032")) -> dict[str, Any]:
    return plan_data(plan, totals_of(plan.requests, shipped()), lambda _: "new", to_buy)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_plan_file_reads_back_as_the_plan(
    project: Project, indent: int | None, *, ascii_only: bool
) -> None:
    plan = project.plan(SPEC)
    text = json.dumps(data(plan), indent=indent, ensure_ascii=ascii_only)

    [stored] = read_stored(text.encode(), "plan.json")

    assert not stored.is_lock
    assert stored.plan.name == plan.name
    assert [replace(r, place=NOWHERE) for r in stored.plan.requests] == [
        replace(r, place=NOWHERE) for r in plan.requests
    ]


def test_plans_of_several_specs_are_an_array(project: Project) -> None:
    one, other = project.plan(SPEC), project.plan(SPEC, name="b.yaml")

    found = read_stored(json.dumps([data(one), data(other)]).encode(), "plan.json")

    assert [stored.plan.name for stored in found] == ["a", "b"]


def test_a_price_that_is_unknown_reads_back_as_unknown(project: Project) -> None:
    plan = project.plan(SPEC)
    unpriced = replace(plan, requests=tuple(replace(r, credits=None) for r in plan.requests))

    [stored] = read_stored(json.dumps(data(unpriced, None)).encode(), "plan.json")

    assert [request.credits for request in stored.plan.requests] == [None, None]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b'{"format": "veogen.plan/1", "name": "a"}', True, id="a plan file"),
        pytest.param(b'[\n  {\n    "format": "veogen.plan/1"', True, id="several"),
        pytest.param(b"- format: veogen.plan/1\n  name: a\n", True, id="several in YAML"),
        pytest.param(b"# why\nformat: veogen.plan/1\nname: a", True, id="a lock"),
        pytest.param(b"format: 'veogen.plan/2'", True, id="a version that is to come"),
        pytest.param(b"veogen: 1\nshots: []", False, id="a spec"),
        pytest.param(b'{"veogen": 1, "shots": []}', False, id="a spec in JSON"),
        pytest.param(b"veogen: 1\nvars:\n  format: veogen.x", False, id="a var of that name"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_a_glance_tells_plans_from_specs(raw: bytes, *, expected: bool) -> None:
    assert is_plan_file(raw) == expected


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        pytest.param(
            b"[1]", "plan.json:1:1: error[type]: a plan is a mapping, not 1", id="no plan"
        ),
        pytest.param(b"{", "this is not JSON that can be read", id="no JSON"),
        pytest.param(b'{"format": "", "format": ""}', "'format' stands twice", id="a key twice"),
        pytest.param(b"[" * 100_000, "this is not JSON that can be read", id="endless depth"),
    ],
)
def test_what_is_no_plan_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(MistakesError) as caught:
        read_stored(raw, "plan.json")

    assert told in str(caught.value)
