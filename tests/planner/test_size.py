"""A plan that is too large is refused before anything is expanded."""

from typing import Any

import pytest
from support.project import Project

HUNDRED = "[" + ", ".join(map(str, range(1, 101))) + "]"


@pytest.mark.parametrize(
    ("matrix", "options", "expected"),
    [
        pytest.param(
            f"a: {HUNDRED}, b: [1, 2, 3, 4, 5, 6], exclude: [{{a: 1}}]",
            {},
            "1,200 requests are more than 1,000: s: 100 a x 6 b x 2 takes = 1,200; "
            "--max-requests 1200 allows it",
            id="the product before excludes, times takes",
        ),
        pytest.param(
            "a: [1, 2, 3], include: [{a: 4}]",
            {"max_requests": 5},
            "8 requests are more than 5: s: (3 a + 1 included) x 2 takes = 8; --max-requests 8 allows it",
            id="includes count",
        ),
        pytest.param(
            f"a: {HUNDRED}, b: {HUNDRED}, sample: {{count: 600, seed: 1}}",
            {},
            "1,200 requests are more than 1,000: s: a sample of 600 from 100 a x 100 b x 2 takes = "
            "1,200; --max-requests 1200 allows it",
            id="a sample's count",
        ),
        pytest.param(
            f"a: {HUNDRED}, b: {HUNDRED}, c: {HUNDRED}, d: {HUNDRED}",
            {"max_requests": 10**9},
            "200,000,000 requests are more than 10,000,000: s: 100 a x 100 b x 100 c x 100 d x "
            "2 takes = 200,000,000",
            id="never more than ten million",
        ),
        pytest.param(
            f"a: {HUNDRED}, b: {HUNDRED}, c: {HUNDRED}, d: {HUNDRED}, sample: {{count: 5, seed: 1}}",
            {},
            "10 requests are a sample of too many combinations: s: a sample of 5 from 100 a x 100 b "
            "x 100 c x 100 d x 2 takes = 10",
            id="nor a sample from more",
        ),
        pytest.param(
            "rows: [{x: 1}, {x: 2}, {x: 3}], a: [1], b: [1, 2], zip: [[a]]",
            {"max_requests": 10},
            "12 requests are more than 10: s: 3 rows x 1 a x 2 b x 2 takes = 12; "
            "--max-requests 12 allows it",
            id="rows",
        ),
        pytest.param(
            "rows: [{x: 1}], a: [1, 2, 3]",
            {"max_requests": 5},
            "6 requests are more than 5: s: 1 row x 3 a x 2 takes = 6; --max-requests 6 allows it",
            id="one row",
        ),
        pytest.param(
            ", ".join(f"a{n}: [1, 2]" for n in range(20_000)),
            {},
            f"10^6020 requests are more than 1,000: s: "
            f"{' x '.join(f'2 a{n}' for n in range(20))} x 19,980 more axes x 2 takes = 10^6020",
            id="a number of more digits than anybody writes",
        ),
    ],
)
def test_a_plan_that_is_too_large(
    project: Project, matrix: str, options: dict[str, Any], expected: str
) -> None:
    text = f"shots: [{{name: s, prompt: x, takes: 2, matrix: {{{matrix}}}}}]"

    assert project.told(text, **options) == [f"2:48 too-many-requests: {expected}"]


def test_all_shots_count_together(project: Project) -> None:
    text = """shots:
  - {name: s, prompt: x, matrix: {a: [1, 2, 3]}}
  - {name: t, prompt: y}
"""

    assert project.told(text, max_requests=3) == [
        (
            "3:34 too-many-requests: 4 requests are more than 3: s: 3 a = 3; t: 1; "
            "--max-requests 4 allows it"
        )
    ]


def test_takes_of_an_override_count_when_they_come(project: Project) -> None:
    text = """shots:
  - name: s
    prompt: "{{ a }}"
    matrix: {a: [1, 2]}
    overrides: [{when: {a: 1}, takes: 5}]
"""

    assert len(project.requests(text, max_requests=6)) == 6
    assert project.told(text, max_requests=5) == [
        (
            "6:17 too-many-requests: overrides with more takes make more than 5 requests; "
            "--max-requests allows more"
        )
    ]


def test_a_budget_says_how_many_unless_the_command_does(project: Project) -> None:
    text = """budget: {max_requests: 2}
shots: [{name: s, prompt: "{{ a }}", matrix: {a: [1, 2, 3], exclude: [{a: 1}]}}]
"""

    assert project.told(text) == [
        (
            "3:46 too-many-requests: 3 requests are more than the budget's 2: s: 3 a = 3; "
            "--max-requests 3 allows it"
        )
    ]
    assert len(project.requests(text, max_requests=3)) == 2
    assert project.told(text.replace("exclude: [{a: 1}]", ""), max_requests=3) == [
        "2:9 over-budget: 3 requests are more than the budget allows: 2"
    ]


@pytest.mark.parametrize(
    ("shots", "options", "expected"),
    [
        pytest.param(
            "{name: s, prompt: '{{ a }}', matrix: {a: [1, 2, 3]}}",
            {},
            "3:46 too-many-requests: 3 requests are more than the budget's 1: s: 3 a = 3",
            id="the budget's own",
        ),
        pytest.param(
            "{name: s, prompt: '{{ a }}', matrix: {a: [1, 2, 3]}}",
            {"max_requests": 2},
            "3:46 too-many-requests: 3 requests are more than 2: s: 3 a = 3",
            id="more than the budget's",
        ),
        pytest.param(
            "{name: s, prompt: x}, {name: t, prompt: y}",
            {},
            "3:9 too-many-requests: 2 requests are more than the budget's 1: s: 1; t: 1",
            id="shots without a matrix",
        ),
    ],
)
def test_no_option_is_advised_that_a_budget_forbids(
    project: Project, shots: str, options: dict[str, Any], expected: str
) -> None:
    text = f"budget: {{max_requests: 1}}\nshots: [{shots}]\n"

    assert project.told(text, **options) == [expected]
