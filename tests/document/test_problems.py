"""Collecting problems: each once, in order, and no more than anybody reads."""

import pytest

from veogen.document.nodes import Location
from veogen.document.problems import MOST, MistakesError, Problem, Problems, did_you_mean


def place(line: int, path: str = "a.yaml") -> Location:
    return Location(path, line, 1)


def test_problems_are_told_once_in_the_order_of_files_and_lines() -> None:
    problems = Problems()
    problems.error(place(2), "two", "second")
    problems.warn(place(1, "b.yaml"), "three", "third", "a hint")
    problems.error(place(1), "one", "first")
    problems.error(place(2), "two", "second")

    assert list(map(str, problems.all)) == [
        "a.yaml:1:1: error[one]: first",
        "a.yaml:2:1: error[two]: second",
        "b.yaml:1:1: warning[three]: third; a hint",
    ]
    assert [problem.code for problem in problems.warnings] == ["three"]


def test_only_mistakes_are_raised_with_the_warnings_among_them() -> None:
    problems = Problems()
    problems.warn(place(1), "one", "first")
    problems.raise_errors()
    problems.error(place(2), "two", "second")

    with pytest.raises(MistakesError) as caught:
        problems.raise_errors()

    assert str(caught.value) == ("a.yaml:1:1: warning[one]: first\na.yaml:2:1: error[two]: second")


def test_beyond_a_number_one_line_says_that_there_are_more() -> None:
    problems = Problems()
    problems.extend(Problem(place(line), "error", "x", "wrong") for line in range(1, MOST + 500))

    assert problems.full
    assert len(problems.all) == MOST + 1
    assert str(problems.all[-1]) == (
        "a.yaml:1001:1: error[too-many]: there are more than 1,000; "
        "those after this one are not told"
    )


def test_warnings_hide_no_mistake() -> None:
    problems = Problems()
    for line in range(1, MOST + 500):
        problems.warn(place(line), "x", "odd")
    problems.error(place(1), "y", "wrong")

    assert not problems.full
    assert [problem.code for problem in problems.all if problem.severity == "error"] == ["y"]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        pytest.param("durration", "did you mean 'duration'?", id="near"),
        pytest.param("zzz", None, id="far"),
        pytest.param("d" * 100_000, None, id="endless"),
    ],
)
def test_a_hint_names_the_nearest_word(word: str, hint: str | None) -> None:
    assert did_you_mean(word, ["duration", "seed"]) == hint


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        pytest.param("veo-3.1-fast", "did you mean 'veo-3.1-fast-generate-preview'?", id="long"),
        pytest.param("veo", "did you mean 'veo-3.1-generate-preview'?", id="the shortest of two"),
        pytest.param("ve", None, id="too little"),
    ],
)
def test_a_hint_is_rather_a_word_that_begins_so(word: str, hint: str | None) -> None:
    known = ["veo-3.1-fast-generate-preview", "veo-3.1-generate-preview", "fast-beta-veo3.1"]

    assert did_you_mean(word, known) == hint
