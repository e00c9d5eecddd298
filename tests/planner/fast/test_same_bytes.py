"""The quick way and the straight way write the same bytes, count the same and see the same.

The requests that are read from what the quick way wrote are those of the straight way.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.project import MemoryFiles

from veogen.document.problems import Problems
from veogen.planner.bulk import bulk_plan
from veogen.planner.line_template import read
from veogen.planner.plan import Request, Tally, request_line
from veogen.planner.planner import Planner, plan, stream
from veogen.spec.load import load_spec
from veogen.spec.types import Spec

Ways = tuple[str, list[Any], set[str], list[Request]]


def planning(text: str) -> Planner:
    return Planner(loaded(text), Problems(), max_requests=100_000)


def straight(text: str) -> Ways:
    with planning(text) as one:
        requests = [r for shot in one.shots() for r in one.requests_of(shot)]
        lines = [request_line(request, "new") + "\n" for request in requests]
    one.problems.raise_errors()
    return "".join(lines), counted(one.tally), one.duplicates.seen.possible_duplicates, requests


def fast(text: str) -> Ways | None:
    """What the quick way gives for the only shot, None if it takes the straight way."""
    blocks, requests = list[str](), list[Request]()
    with planning(text) as one:
        for shot in one.shots():
            found = bulk_plan(shot, one.models)
            if found is None:
                return None
            blocks += found.blocks(one.duplicates.seen, one.tally)
            requests += read(blocks, shot.shot, found.model)
    return "".join(blocks), counted(one.tally), one.duplicates.seen.possible_duplicates, requests


def assert_same(found: Ways | None, text: str) -> None:
    wanted = straight(text)
    assert found == wanted
    assert repr(found) == repr(wanted)  # in the same order, and 1 is not true


def counted(tally: Tally) -> list[Any]:
    return [tally.requests, tally.videos, tally.seconds, tally.credits, tally.unpriced]


def spec(shot: dict[str, Any], **more: Any) -> str:
    return json.dumps({"veogen": 1, "name": "a", **more, "shots": [{"name": "s", **shot}]})


AB: dict[str, Any] = {"a": ["x", "y"], "b": [1, 2]}
BASE: dict[str, Any] = {"prompt": "{{ a }} and {{ b }}", "matrix": AB}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(spec(BASE), id="two axes"),
        pytest.param(spec({"prompt": "x"}), id="no axes"),
        pytest.param(spec({"prompt": "x", "takes": 3}), id="takes alone"),
        pytest.param(spec(BASE | {"takes": 2}), id="takes"),
        pytest.param(spec(BASE | {"output": "{{ shot }}/{{ a }}/{{ b }}-{{ take }}"}), id="output"),
        pytest.param(
            spec(BASE | {"matrix": AB | {"seed": [1, 2], "duration": [4, 8]}}),
            id="parameters",
        ),
        pytest.param(
            spec(BASE | {"params": {"n": 2, "seed": "{{ b }}"}}, vars={"v": "%s {{"}), id="typed"
        ),
        pytest.param(
            spec(
                {
                    "prompt": "{{ look.light | upper }} 100%d {{ c }}",
                    "matrix": {
                        "look": [{"id": "p%", "light": '"hard" \\'}, {"id": "q", "light": "soft"}],
                        "c": ["é", "東京", "50%"],
                    },
                }
            ),
            id="mappings, quotes and percent signs",
        ),
        pytest.param(
            spec({"prompt": "{{ a }}", "matrix": {"a": ["x", "y"], "b": ["\u2028", "\x85é"]}}),
            id="what other texts end lines with",
        ),
        pytest.param(
            spec(
                {
                    "prompt": "{{ p }} {{ c }}",
                    "matrix": {
                        "rows": [{"id": "1", "p": "x"}, {"id": "2", "p": "y"}],
                        "c": ["a", "b"],
                    },
                }
            ),
            id="rows",
        ),
        pytest.param(
            spec(
                {
                    "prompt": "{{ a }} {{ b }} {{ c }}",
                    "matrix": {"a": [1, 2], "b": [3, 4], "c": [5, 6], "zip": [["a", "c"]]},
                }
            ),
            id="zip",
        ),
        pytest.param(
            spec({"matrix": {"prompt": ["  a lamp ", "a chair"], "negative_prompt": ["text"]}}),
            id="prompts from axes",
        ),
        pytest.param(spec(BASE | {"prompt": "\n {{ a }}  \n\n  {{ b }} "}), id="white space"),
        pytest.param(
            spec(
                {
                    "prompt": "{{ a }} {{ i }} {{ j }}",
                    "matrix": {"a": ["x", "y"], "i": list(range(40)), "j": list(range(40))},
                }
            ),
            id="many blocks",
        ),
        pytest.param(
            spec(
                {
                    "prompt": "{{ a }} {{ i }} {{ j }}",
                    "takes": 2,
                    "matrix": {
                        "a": ["x", "y"],
                        "duration": [4, 8],
                        "i": list(range(20)),
                        "j": list(range(20)),
                        "exclude": [{"a": "x", "i": [3, 4]}, {"duration": 8, "j": 7}, {"i": 19}],
                    },
                }
            ),
            id="excludes in many blocks",
        ),
        pytest.param(
            spec(
                BASE
                | {
                    "prompt": "{{ a }}{% if b == 1 %}, near{% elif b == 2 %} far.{% endif %}\n"
                    "{{ b }}.{% if a == 'x' %} Snow.{% endif %}",
                    "output": "{{ a }}-{% if b == 1 %}near{% else %}far{% endif %}-{{ take }}",
                }
            ),
            id="choices",
        ),
    ],
)
def test_both_ways_give_the_same(text: str) -> None:
    assert_same(fast(text), text)


@pytest.mark.parametrize(
    "shot",
    [
        pytest.param(
            BASE | {"prompt": "{% if b > 1 %}{{ a }}{% endif %}{{ a }}{{ b }}"}, id="a condition"
        ),
        pytest.param(
            BASE | {"prompt": "{% if b == 1 %}{{ a }}{% endif %}{{ a }}{{ b }}"},
            id="a choice along two axes",
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }} {% if b == 1 %}x{% endif %}"}, id="a space that may end it"
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }}\n{% if b == 1 %}x{% endif %}\ny"}, id="a line that may go"
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }}\t{% if b == 1 %}x{% endif %}"}, id="a tabulator that may go"
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }}{{ b }}", "matrix": {"a": ["", "x"], "b": ["", "y"]}},
            id="nothing at all",
        ),
        pytest.param(BASE | {"overrides": [{"when": {"a": "x"}, "takes": 2}]}, id="overrides"),
        pytest.param(BASE | {"matrix": AB | {"exclude": [{"a": ["x", "y"]}]}}, id="exclude all"),
        pytest.param(BASE | {"matrix": AB | {"include": [{"a": "z", "b": 1}]}}, id="include"),
        pytest.param(BASE | {"matrix": AB | {"sample": {"count": 2, "seed": 1}}}, id="sample"),
        pytest.param(
            BASE | {"prompt": "{{ a }}{{ b }}", "matrix": {"a": ["{", "x"], "b": ["{ y", "z"]}},
            id="braces in pieces",
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }}{{ b }}", "matrix": {"a": ["No", "x"], "b": ["ne", "z"]}},
            id="None in pieces",
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }} {{ b }}", "matrix": {"a": ["x ", "x"], "b": ["y", "z"]}},
            id="a value that ends in a space",
        ),
        pytest.param(
            BASE | {"prompt": "{{ a }} {{ b }}", "matrix": {"a": ["x\ny", "x"], "b": ["y", "z"]}},
            id="a value of two lines",
        ),
        pytest.param(
            BASE | {"output": "{{ a }}/{{ b }}", "matrix": {"a": ["..", "x"], "b": ["y", "z"]}},
            id="dots in a path",
        ),
        pytest.param(
            BASE
            | {"output": "{{ a }}{{ b }}" * 30, "matrix": {"a": ["ab", "cd"], "b": ["y", "z"]}},
            id="a long part of a path",
        ),
        pytest.param(
            BASE
            | {
                "output": ("x" * 90 + "/") * 10 + "x" * 80 + "{{ a }}{{ b }}",
                "matrix": {"a": ["x", "y" * 10], "b": [1, 2]},
            },
            id="a long path",
        ),
        pytest.param(BASE | {"prompt": "{{ a }}{{ b }}" + "x" * 1999}, id="a prompt at the limit"),
        pytest.param(
            BASE | {"params": {"callback_url": "https://example.com/{{ a }}"}}, id="a callback"
        ),
        pytest.param(
            {"prompt": "{{ a }}", "matrix": {"rows": [{"id": 1, "a": 2}, {"id": 2, "a": None}]}},
            id="an empty cell",
        ),
    ],
)
def test_what_is_not_certain_takes_the_straight_way(shot: dict[str, Any]) -> None:
    assert fast(spec(shot)) is None


def test_duplicates_are_seen_on_both_ways() -> None:
    text = spec({"prompt": "{{ a | lower }} {{ b }}", "matrix": {"a": ["x", "X"], "b": [1, 2]}})

    _, _, possible_duplicates, _ = fast(text) or pytest.fail("this is quick")

    assert len(possible_duplicates) == 2


WORDS = st.text(st.sampled_from('ab N%"{ -/\\é\n'), min_size=1, max_size=6)
PIECES = st.sampled_from(
    [
        "{{ a }}",
        "{{ b | upper }}",
        "{{ v }}",
        "{{ take }}",
        "{{ m.x }}",
        "{% if a == 'a' or a == b %}b{% endif %}",
        "{% if b != 1 %} {{ b }}{% else %}{{ b }} {% endif %}",
        "No",
        " ",
        "\n",
        "{",
        "%",
        '"',
        "é",
        "x",
    ]
)
TEMPLATES = st.lists(PIECES, min_size=1, max_size=7).map("".join)


@st.composite
def shots(draw: st.DrawFn) -> dict[str, Any]:
    matrix: dict[str, Any] = {
        "a": draw(st.lists(WORDS, min_size=1, max_size=3, unique=True)),
        "b": draw(
            st.lists(st.one_of(WORDS, st.integers(0, 20)), min_size=1, max_size=3, unique_by=str)
        ),
        "m": [
            {"id": str(i), "x": x}
            for i, x in enumerate(draw(st.lists(WORDS, min_size=1, max_size=2)))
        ],
    }
    if draw(st.booleans()):
        matrix["duration"] = [4, 8]
    if draw(st.booleans()):
        rules = st.fixed_dictionaries(
            {"a": st.sampled_from(matrix["a"])}, optional={"b": st.sampled_from(matrix["b"])}
        )
        matrix["exclude"] = draw(st.lists(rules, min_size=1, max_size=2))
    shot: dict[str, Any] = {"prompt": draw(TEMPLATES), "vars": {"v": "w"}, "matrix": matrix}
    if draw(st.booleans()):
        shot["output"] = draw(TEMPLATES)
    if draw(st.booleans()):
        shot["takes"] = draw(st.integers(1, 3))
    return shot


@settings(max_examples=150, deadline=None)
@given(shots())
def test_whatever_is_quick_is_the_same(shot: dict[str, Any]) -> None:
    text = spec(shot)
    try:
        found = fast(text)
    except Exception as error:
        event(f"refused: {type(error).__name__}")
        raise
    event("quick" if found else "straight")
    if found is not None:
        assert_same(found, text)


def test_an_exclude_that_matches_nothing_is_told_of_a_large_plan_as_of_a_small_one() -> None:
    numbers = list(range(120))
    matrix = {"a": [1, 2], "b": [3, 4], "zip": [["a", "b"]], "exclude": [{"a": 1, "b": 4}]}
    prompt = "{{ a }} {{ b }} {{ c }} {{ d }}"
    told = [
        said(spec({"prompt": prompt, "matrix": matrix | {"c": numbers[:most], "d": numbers}}))
        for most in (1, 120)
    ]

    assert told == [["this exclude matches no combination"]] * 2


def test_duplicates_are_told_of_values_that_end_lines_elsewhere() -> None:
    matrix = {"a": ["x\u2028", "X\u2028"], "b": list(range(100)), "c": list(range(60))}
    text = spec({"prompt": "{{ b }} {{ c }}", "matrix": matrix})

    told = said(text)

    assert told[0] == 's[a="X\u2028",b=0,c=0] is the same request as s[a="x\u2028",b=0,c=0]'


def test_a_large_plan_is_made_of_the_requests_of_the_straight_way() -> None:
    matrix = {"a": list(range(101)), "seed": list(range(1, 51)), "duration": [4, 8]}
    text = spec({"prompt": "{{ a }}", "matrix": matrix})

    made = plan(loaded(text), max_requests=100_000)

    assert repr(list(made.requests)) == repr(straight(text)[-1])


def loaded(text: str) -> Spec:
    return load_spec(Path("a.yaml"), files=MemoryFiles({"a.yaml": text}))


def said(text: str) -> list[str]:
    problems = Problems()
    for _ in stream(loaded(text), problems, max_requests=100_000):
        pass
    return [problem.message for problem in problems.all]
