"""The combinations of a shot, and the mistakes of a matrix."""

from textwrap import dedent, indent

import pytest
from support.project import Project


def shot(matrix: str, more: str = "") -> str:
    """One shot whose prompt differs for every combination of the axes `a` to `d`."""
    prompt = "".join(f"{{{{ {name} | default('-') | tojson }}}}/" for name in "abcd")
    return (
        f'shots:\n  - name: s\n    prompt: "{prompt}"\n    matrix:\n'
        f"{indent(dedent(matrix).strip(), '      ')}\n{indent(dedent(more), '    ')}"
    )


def addresses(project: Project, text: str) -> list[str]:
    return [r.address.removeprefix("s[").removesuffix("]") for r in project.requests(text)]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param(
            """
            b: [1, 2]
            a: [x, y]
            """,
            ["a=x,b=1", "a=y,b=1", "a=x,b=2", "a=y,b=2"],
            id="product in the order written, the first slowest, names sorted in addresses",
        ),
        pytest.param(
            """
            a: [1, 2]
            b: [x, y]
            exclude: [{a: 1, b: y}]
            """,
            ["a=1,b=x", "a=2,b=x", "a=2,b=y"],
            id="exclude",
        ),
        pytest.param(
            """
            a: [1, 2, 3]
            b: [x, y]
            exclude: [{a: [1, 3], b: [y]}]
            """,
            ["a=1,b=x", "a=2,b=x", "a=2,b=y", "a=3,b=x"],
            id="a list in exclude means any of these",
        ),
        pytest.param(
            """
            a: [2, 2.0, 1, true]
            exclude: [{a: 2.0}, {a: true}]
            """,
            ["a=2", "a=1"],
            id="values compare with their types",
        ),
        pytest.param(
            """
            a: [{id: u, x: 1}, {id: v, x: 2}, w]
            b: [1, 2]
            exclude: [{a: u, b: 2}, {a: [w]}]
            """,
            ["a=u,b=1", "a=v,b=1", "a=v,b=2"],
            id="an id stands for its mapping",
        ),
        pytest.param(
            """
            a: [[x, y], [z], z]
            exclude: [{a: [x, y]}, {a: [[z]]}]
            """,
            ["a=z"],
            id="a list that is a value",
        ),
        pytest.param(
            """
            a: [1, 2]
            b: [x]
            include: [{b: z, a: 9}, {a: 1, b: y}]
            """,
            ["a=1,b=x", "a=2,b=x", "a=9,b=z", "a=1,b=y"],
            id="include appends in order",
        ),
        pytest.param(
            """
            a: [1, 2]
            exclude: [{a: 1}]
            include: [{a: 1}]
            """,
            ["a=2", "a=1"],
            id="include comes after exclude",
        ),
        pytest.param(
            """
            a: [1, 2]
            b: [x, y]
            c: [p, q]
            zip: [[c, a]]
            """,
            ["a=1,b=x,c=p", "a=1,b=y,c=p", "a=2,b=x,c=q", "a=2,b=y,c=q"],
            id="zipped axes advance together, where the first of them stands",
        ),
        pytest.param(
            """
            a: [[1, 2], "x y", "", 1.5, "a=b", "[", "7", 7.0, "é", 'q"', "a,b", "#"]
            """,
            [
                "a=[1,2]",
                'a="x y"',
                'a=""',
                "a=1.5",
                'a="a=b"',
                'a="["',
                "a=7",
                "a=7.0",
                "a=é",
                'a="q\\""',
                'a="a,b"',
                "a=#",
            ],
            id="values in addresses",
        ),
    ],
)
def test_the_combinations_of_a_matrix(project: Project, matrix: str, expected: list[str]) -> None:
    assert addresses(project, shot(matrix)) == expected


def test_a_shot_without_axes_is_one_combination(project: Project) -> None:
    assert addresses(project, "shots: [{name: s, prompt: x}]") == ["s"]


def test_takes_vary_fastest_and_count_in_the_address(project: Project) -> None:
    text = shot("a: [1, 2]", "takes: 3")

    found = [(r.address, r.take) for r in project.requests(text)]

    assert found == [
        ("s[a=1]", 1),
        ("s[a=1]#2", 2),
        ("s[a=1]#3", 3),
        ("s[a=2]", 1),
        ("s[a=2]#2", 2),
        ("s[a=2]#3", 3),
    ]


def test_takes_of_one_body_have_hashes_of_their_own(project: Project) -> None:
    requests = project.requests("shots: [{name: s, prompt: x, takes: 3}]")

    assert len({r.hash for r in requests}) == 3
    assert len({tuple(r.body.items()) for r in requests}) == 1


def test_a_shots_axis_replaces_the_specs_where_that_stands(project: Project) -> None:
    text = "matrix: {a: [1, 2], b: [x], d: [z]}\n" + shot("c: [p]\na: [3]\nd: null")

    assert addresses(project, text) == ["a=3,b=x,c=p"]


SAMPLED = """
a: [1, 2, 3, 4, 5]
b: [x, y]
exclude: [{a: 2}]
include: [{a: 2, b: x}]
sample: {count: 3, seed: 7}
"""


def test_a_sample_is_taken_by_hash_of_what_is_not_excluded_and_keeps_the_order(
    project: Project,
) -> None:
    # printf '7:s[a=3,b=y]' | sha256sum, and so on for all eight
    assert addresses(project, shot(SAMPLED)) == ["a=3,b=y", "a=4,b=x", "a=4,b=y", "a=2,b=x"]


def test_a_sample_is_the_same_when_axes_grow_around_it(project: Project) -> None:
    small = shot("a: [1, 2, 3, 4]\nsample: {count: 2, seed: 1}")
    large = shot("a: [4, 3, 2, 1]\nsample: {count: 2, seed: 1}")

    assert sorted(addresses(project, small)) == sorted(addresses(project, large))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param(
            "a: []",
            ["6:10 empty-axis: an axis without values makes no request; null takes an axis away"],
            id="an empty axis",
        ),
        pytest.param(
            "a: [1, x, 1]",
            ["6:17 repeated-value: the axis 'a' has 1 already, on line 6"],
            id="a repeated value",
        ),
        pytest.param(
            'a: [1, "1"]',
            [
                (
                    "6:14 same-address: two requests with one address: 1 and \"1\" of 'a'; "
                    "both are a=1 there; 'takes' buys one request several times"
                )
            ],
            id="values that look alike in an address",
        ),
        pytest.param(
            "a: [{id: x, k: 1}, {id: x, k: 2}]",
            ["6:26 repeated-value: the axis 'a' has \"x\" already, on line 6"],
            id="a repeated id",
        ),
        pytest.param(
            "a: [1]\nexclude: [{aa: 1}, {b: 1}]",
            [
                ("7:18 unknown-axis: 'aa' is neither an axis nor a column; did you mean 'a'?"),
                "7:27 unknown-axis: 'b' is neither an axis nor a column; there is a",
            ],
            id="an unknown name in an exclude",
        ),
        pytest.param(
            "a: [Paris, Rome]\nexclude: [{a: Pariss}]",
            [
                (
                    "7:21 matches-nothing: matches nothing: no 'a' is \"Pariss\"; "
                    'did you mean "Paris"?'
                )
            ],
            id="an exclude of a value that there is not",
        ),
        pytest.param(
            'a: [1]\nexclude: [{a: "1"}]',
            ["7:21 matches-nothing: matches nothing: no 'a' is \"1\"; there is 1"],
            id="an exclude of another type",
        ),
        pytest.param(
            "a: [1, 2]\nb: [x, y]\nzip: [[a, b]]\nexclude: [{a: 1, b: y}]",
            ["9:17 matches-nothing: this exclude matches no combination"],
            id="an exclude that matches nothing",
        ),
        pytest.param(
            "a: [1, 2]\nb: [x]\nexclude: [{a: [], b: x}, {b: []}]",
            [
                "8:21 matches-nothing: an empty list matches nothing",
                "8:36 matches-nothing: an empty list matches nothing",
            ],
            id="an exclude of none of the values",
        ),
        pytest.param(
            "a: [1, 2]\ninclude: [{a: 1}, {a: 3}, {a: 3}]",
            [
                "7:17 repeated-combination: this include repeats a combination",
                "7:33 repeated-combination: this include repeats a combination",
            ],
            id="an include that repeats a combination",
        ),
        pytest.param(
            "a: [1, 2]\nb: [x]\ninclude: [{a: 3}, {a: 3, b: x, c: 1}]",
            [
                ("8:17 incomplete-include: an include gives a value to every axis; missing: b"),
                ("8:38 unknown-axis: 'c' is neither an axis nor a column; there is a, b"),
            ],
            id="an include that is not whole",
        ),
        pytest.param(
            "a: [{id: noir}, {id: soft}]\ninclude: [{a: nior}]",
            [('7:21 unknown-value: matches nothing: no \'a\' is "nior"; did you mean "noir"?')],
            id="an include of an unknown id",
        ),
        pytest.param(
            "a: [1, 2]\nb: [x, y, z]\nzip: [[a, b, c]]",
            [
                "8:13 zip: zipped axes are of equal length: a has 2, b has 3",
                "8:20 unknown-axis: 'c' is not an axis",
            ],
            id="a zip of unequal axes and of an unknown one",
        ),
        pytest.param(
            "a: [1]\nb: [x]\nzip: [[a, b], [b, a]]",
            [
                "8:22 zip: 'b' is zipped already",
                "8:25 zip: 'a' is zipped already",
            ],
            id="an axis zipped twice",
        ),
    ],
)
def test_mistakes_of_a_matrix(project: Project, matrix: str, expected: list[str]) -> None:
    assert project.told(shot(matrix)) == expected


def test_of_a_long_list_of_old_values_only_the_first_are_told_with_what_is_near(
    project: Project,
) -> None:
    gone = ", ".join(f"Pariss{number}" for number in range(25))

    told = project.told(shot(f"a: [Paris, Rome]\nexclude: [{{a: [{gone}]}}]"))

    assert ["did you mean" in line for line in told] == [*[True] * 20, *[False] * 5]
