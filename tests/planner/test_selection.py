"""Globs on addresses: only `*` and `?` are special."""

import pytest
from support.plans import request

from veogen.errors import UsageError
from veogen.planner.plan import Plan
from veogen.planner.selection import narrowed, selected
from veogen.spec.types import Limits

ADDRESSES = (
    "opening[city=Tokyo,seed=7]",
    "opening[city=Oslo,seed=7]",
    "closing",
    "closing#2",
    "a*b",
)


@pytest.mark.parametrize(
    ("select", "deselect", "expected"),
    [
        pytest.param((), (), ADDRESSES, id="all"),
        pytest.param(("closing",), (), ("closing",), id="an address"),
        pytest.param(("opening[[]*",), (), None, id="brackets are not special"),
        pytest.param(("opening[city=Tokyo,seed=7]",), (), ADDRESSES[:1], id="brackets as written"),
        pytest.param(("closing*",), (), ADDRESSES[2:4], id="star"),
        pytest.param(("closing??",), (), ADDRESSES[3:4], id="question mark"),
        pytest.param(("*seed=7]", "a*b"), ("*Oslo*",), (ADDRESSES[0], "a*b"), id="several"),
        pytest.param((), ("*",), (), id="none left"),
        pytest.param(("a*b",), (), ("a*b",), id="an address with a star is itself"),
    ],
)
def test_what_is_selected(
    select: tuple[str, ...], deselect: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    if expected is None:
        with pytest.raises(UsageError):
            selected(ADDRESSES, select, deselect)
    else:
        assert selected(ADDRESSES, select, deselect) == frozenset(expected)


def test_globs_that_match_nothing_are_told_with_what_is_near() -> None:
    with pytest.raises(UsageError) as caught:
        selected(ADDRESSES, ("closng", "closing"), ("openin",))

    assert str(caught.value) == (
        "--select 'closng' matches no address; the nearest are closing, closing#2\n"
        "--deselect 'openin' matches no address; the nearest are closing, closing#2, "
        "opening[city=Oslo,seed=7]"
    )


def test_the_name_of_a_shot_is_told_to_be_no_glob_for_it() -> None:
    with pytest.raises(UsageError) as caught:
        selected(["opening[city=Oslo]", "opening[city=Rome]"], ["opening"])

    assert str(caught.value) == (
        "--select 'opening' matches no address; 'opening*' matches all of the shot; "
        "the nearest are opening[city=Rome], opening[city=Oslo]"
    )


def test_of_an_old_list_only_the_first_globs_are_told_with_what_is_near() -> None:
    with pytest.raises(UsageError) as caught:
        selected(ADDRESSES, [f"gone{number}" for number in range(7)])

    told = str(caught.value).splitlines()
    assert ["nearest" in line for line in told] == [*[True] * 5, False, False]
    assert told[-1] == "--select 'gone6' matches no address"


def plans(*named: str) -> list[Plan]:
    return [
        Plan(
            name=name,
            spec=f"specs/{name}.yaml",
            profile=None,
            requests=(request(name), request(f"{name}#2")),
            budget=Limits(),
        )
        for name in named
    ]


def addresses(narrow: tuple[Plan, ...]) -> list[list[str]]:
    return [[request.address for request in plan.requests] for plan in narrow]


def test_a_glob_may_be_meant_for_any_of_several_plans() -> None:
    assert addresses(narrowed(plans("a", "b"), ["b*"], ["*#2"])) == [[], ["b"]]


def test_without_globs_plans_stay_whole() -> None:
    both = plans("a", "b")

    assert narrowed(both, [], []) == tuple(both)


def test_a_glob_that_no_plan_knows_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"--select 'c\*' matches no address"):
        narrowed(plans("a", "b"), ["c*"], [])
