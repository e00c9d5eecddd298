"""Projects that are made to keep a planner busy: each is planned, or refused, in good time."""

import json
import time

import pytest
from support.project import Project

from veogen.document.problems import MistakesError

MANY = 20_000


def shot(matrix: str, prompt: str = "{{ id }}") -> str:
    return f"shots: [{{name: s, prompt: '{prompt}', matrix: {{{matrix}}}}}]"


def in_good_time(project: Project, text: str) -> bool:
    """Whether a plan, or the mistakes in its place, took seconds and no minutes."""
    start = time.process_time()
    try:
        project.plan(text, max_requests=10 * MANY)
    except MistakesError as error:
        assert len(error.problems) <= 1002  # noqa: PT017 - either end is right
    return time.process_time() - start < 5


@pytest.mark.parametrize("name", ["c{}", "\u00e9{}"], ids=["plain", "escaped"])
def test_many_columns_of_a_row_are_found_in_one_pass(project: Project, name: str) -> None:
    row = {name.format(number): number for number in range(MANY)}
    project.write("r.jsonl", json.dumps(row) + "\n")

    assert in_good_time(project, shot("rows: r.jsonl", "a prompt"))


def test_many_includes_of_many_rows_are_looked_up(project: Project) -> None:
    project.write("r.csv", "id,hour\n" + "".join(f"{n},dawn\n" for n in range(MANY // 2)))
    included = ", ".join(f'{{id: "{n}", hour: dusk}}' for n in range(MANY, MANY + 1000))

    assert in_good_time(project, shot(f"rows: r.csv, include: [{included}]"))


@pytest.mark.parametrize("number", [MANY // 2, MANY], ids=["straight", "bulk"])
def test_a_prompt_that_uses_no_axis_makes_many_requests_alike(
    project: Project, number: int
) -> None:
    values = ", ".join(map(str, range(number)))

    assert in_good_time(project, shot(f"id: [{values}]", "the same again"))


NAMES = ", ".join(f"axis_name_{number}: [1]" for number in range(1000))
ROW = ", ".join(f"column_{number}: 1" for number in range(1000))


@pytest.mark.parametrize(
    "matrix",
    [
        pytest.param(
            f"{NAMES}, exclude: [" + ", ".join(f"{{axisname{n}: 1}}" for n in range(5000)) + "]",
            id="names in excludes",
        ),
        pytest.param(
            f"{NAMES}, zip: [[" + ", ".join(f"axisname{n}" for n in range(5000)) + "]]",
            id="names in a zip",
        ),
        pytest.param(
            f"rows: [{{{ROW}}}], rows_key: [" + ", ".join(f"colum_{n}" for n in range(5000)) + "]",
            id="key columns",
        ),
    ],
)
def test_what_was_meant_is_not_looked_for_a_thousand_times(project: Project, matrix: str) -> None:
    assert in_good_time(project, shot(matrix, "a prompt"))
