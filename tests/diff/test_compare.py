"""Plans held against each other: which requests are the same, and what differs."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import PRICE, report, request

from veogen.diff.compare import Difference, compare, credit_change
from veogen.diff.report import diff_data
from veogen.models.parameters import Json
from veogen.planner.plan import Image, Request, total_credits

PROMPTS = st.sampled_from(["a boat", "a red boat", "a car", "a car at dusk", "no boat"])
PRICES = st.one_of(st.none(), st.sampled_from([PRICE, Decimal("25.344")]))


def unique(requests: list[Request]) -> list[Request]:
    """No two with one address or hash, as the planner promises."""
    kept: dict[str, Request] = {}
    for one in requests:
        if one.address not in kept and one.hash not in {other.hash for other in kept.values()}:
            kept[one.address] = one
    return list(kept.values())


PLANS = st.lists(
    st.builds(
        request,
        st.sampled_from("abcdef"),
        PROMPTS,
        output=st.sampled_from(["x", "y"]),
        credits_=PRICES,
        seed=st.sampled_from([1, 2]),
    ),
    max_size=8,
).map(unique)


def facts(difference: Difference) -> dict[str, Any]:
    return {
        "added": {one.address for one in difference.added},
        "removed": {one.address for one in difference.removed},
        "renamed": {(old.address, new.address) for old, new in difference.renamed},
        "changed": {change.address: dict(change.fields) for change in difference.changed},
        "unchanged": {(old.address, new.address) for old, new in difference.unchanged},
    }


def turned(difference: Difference) -> dict[str, Any]:
    found = facts(difference)
    return {
        "added": found["removed"],
        "removed": found["added"],
        "renamed": {(new, old) for old, new in found["renamed"]},
        "changed": {
            address: {name: (new, old) for name, (old, new) in fields.items()}
            for address, fields in found["changed"].items()
        },
        "unchanged": {(new, old) for old, new in found["unchanged"]},
    }


@given(PLANS)
def test_a_plan_does_not_differ_from_itself(plan: list[Request]) -> None:
    found = compare(plan, plan)

    assert not found
    assert found.unchanged == tuple((one, one) for one in plan)


@given(PLANS, PLANS)
def test_a_difference_mirrors_the_other_way_round(old: list[Request], new: list[Request]) -> None:
    assert facts(compare(old, new)) == turned(compare(new, old))


@given(PLANS, PLANS)
def test_every_request_is_told_of_once(old: list[Request], new: list[Request]) -> None:
    found = compare(old, new)
    pairs = [*found.renamed, *found.unchanged, *((c.old, c.new) for c in found.changed)]

    before = [*found.removed, *(pair[0] for pair in pairs)]
    after = [*found.added, *(pair[1] for pair in pairs)]

    assert sorted(one.address for one in before) == sorted(one.address for one in old)
    assert sorted(one.address for one in after) == sorted(one.address for one in new)


@given(PLANS, PLANS)
def test_what_is_to_be_bought_is_what_is_not_held_by_hash(
    old: list[Request], new: list[Request]
) -> None:
    found = compare(old, new)
    held = {one.hash for one in old}

    to_buy = credit_change(old, new, lambda one: one.hash in held).to_buy

    bought = [*found.added, *(c.new for c in found.changed if not c.is_same_clip)]
    assert to_buy == total_credits(bought)


@given(PLANS)
def test_an_estimate_is_the_sum_of_its_requests(plan: list[Request]) -> None:
    amounts = [one.credits for one in plan]

    expected = None if None in amounts else sum(a for a in amounts if a is not None)

    assert total_credits(plan) == expected
    assert credit_change(plan, plan, lambda _: True).new == expected


def test_the_hash_decides_what_a_request_is_and_the_address_only_then() -> None:
    old = [request("a", "boat"), request("b", "car"), request("c", "tree")]
    new = [request("b", "boat"), request("a", "car"), request("c", "house"), request("d", "sea")]

    assert facts(compare(old, new)) == {
        "added": {"d"},
        "removed": set(),
        "renamed": {("a", "b"), ("b", "a")},
        "changed": {"c": {"prompt": ("tree", "house")}},
        "unchanged": set(),
    }


def image(name: str, sha256: str) -> tuple[Image, ...]:
    return (Image(name, sha256 * 64, 9),)


@pytest.mark.parametrize(
    ("old", "new", "fields", "same_clip"),
    [
        pytest.param({"duration": 4}, {"duration": 8}, {"duration": (4, 8)}, False, id="a value"),
        pytest.param({}, {"seed": 7}, {"seed": (None, 7)}, False, id="one that was not set"),
        pytest.param({"n": 1}, {"n": True}, {"n": (1, True)}, False, id="of another type"),
        pytest.param(
            {"callback_url": "https://a.example"},
            {},
            {"callback_url": ("https://a.example", None)},
            True,
            id="who is told",
        ),
        pytest.param({"output": "x"}, {"output": "y"}, {"output": ("x", "y")}, True, id="its path"),
        pytest.param(
            {"images": image("a.png", "1")},
            {"images": image("a.png", "2")},
            {"image_urls": (["sha256:" + "1" * 64], ["sha256:" + "2" * 64])},
            False,
            id="the bytes of an image",
        ),
        pytest.param(
            {"images": image("a.png", "1")},
            {"images": image("b.png", "1")},
            {"image_urls": (["file:a.png"], ["file:b.png"])},
            True,
            id="the name of an image",
        ),
        pytest.param(
            {"images": (*image("a.png", "1"), *image("b.png", "1"))},
            {"images": (*image("a.png", "1"), *image("b.png", "2"))},
            {
                "image_urls": (
                    ["file:a.png", "sha256:" + "1" * 64],
                    ["file:a.png", "sha256:" + "2" * 64],
                )
            },
            False,
            id="the bytes of one image of two",
        ),
    ],
)
def test_a_change_names_each_field_with_its_old_and_its_new_value(
    old: dict[str, Any],
    new: dict[str, Any],
    fields: dict[str, tuple[Json, Json]],
    *,
    same_clip: bool,
) -> None:
    [change] = compare([request("a", **old)], [request("a", **new)]).changed

    assert (dict(change.fields), change.is_same_clip) == (fields, same_clip)


def test_the_json_is_that_of_the_contract() -> None:
    old = [request("a", "boat"), request("b", "car"), request("c", "tree"), request("d", "sun")]
    new = [request("e", "boat"), request("b", "cars"), request("d", "sun"), request("f", "sea")]

    data = diff_data(report(old, new))

    def entry(address: str, old: str | None, new: str | None, **more: object) -> dict[str, object]:
        plain: dict[str, object] = {"was": None, "fields": {}, "because": "a.yaml:1:1"}
        return {"address": address, **plain, "credits": [old, new], **more}

    price = "38.016"
    money = {
        "old": "152.064",
        "new": "152.064",
        "delta": "0.000",
        "to_buy": "76.032",
        "open_before": "0.000",
    }
    assert json.loads(json.dumps(data)) == {
        "format": "veogen.diff/2",
        "specs": [
            {
                "spec": "specs/a.yaml",
                "profile": None,
                "added": [entry("f", None, price)],
                "removed": [entry("c", price, None)],
                "renamed": [entry("e", price, price, was="a")],
                "changed": [entry("b", price, price, fields={"prompt": ["car", "cars"]})],
                "unchanged": 1,
                "credits": money,
                "notes": [],
            }
        ],
        "notes": [],
        "credits": money,
    }


@pytest.mark.parametrize(
    ("choose", "amounts"),
    [
        pytest.param(
            lambda one: [one], (None, "38.016", None, "0.000", "0.000"), id="it was there"
        ),
        pytest.param(lambda _: [], ("0.000", None, None, None, "0.000"), id="it came"),
    ],
)
def test_an_unknown_price_is_unknown_and_never_nothing(
    choose: Callable[[Request], list[Request]], amounts: tuple[str | None, ...]
) -> None:
    unpriced = request("a", credits_=None)
    old = choose(unpriced)
    new = [request("a")] if old else [unpriced]

    assert tuple(diff_data(report(old, new))["credits"].values()) == amounts
