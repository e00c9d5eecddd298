"""Where videos go, whatever values say."""

import pytest
from support.project import Project

from veogen.planner.plan import video_paths


def outputs(project: Project, shot: str) -> list[str]:
    return [r.output for r in project.requests(f"shots:\n  - {{name: s, {shot}}}\n")]


LONG = "x" * 120


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        pytest.param(
            'prompt: "{{ b }}{{ a }}", matrix: {b: [1, x], a: [true]}',
            ["s/true-1", "s/true-x"],
            id="by default the values of the address, names sorted",
        ),
        pytest.param("prompt: x, takes: 3", ["s", "s-take2", "s-take3"], id="without axes"),
        pytest.param(
            'prompt: "{{ a }}", matrix: {a: [1]}, takes: 2', ["s/1", "s/1-take2"], id="takes"
        ),
        pytest.param(
            'prompt: "{{ a }}", matrix: {a: ["New York/../x", "São Paulo", "a:b*c", "..", "東京"]}',
            ["s/New-York-..-x", "s/São-Paulo", "s/a-b-c", "s/..", "s/東京"],
            id="what is no letter, digit, dot or dash becomes a dash",
        ),
        pytest.param(
            'prompt: x, vars: {v: "a/b c"}, output: "{{ shot }}/{{ v }}/x{{ take }}"',
            ["s/a-b-c/x1"],
            id="only a slash of the output itself makes a folder",
        ),
        pytest.param(
            "prompt: x, vars: {v: a/b}, output: \"{% if take == 1 %}{{ v | upper }}{% endif %}/{{ 'c/d' }}\"",
            ["A-B/c-d"],
            id="under guard too",
        ),
        pytest.param('prompt: x, output: " clips / new one"', ["clips/new-one"], id="literal text"),
        pytest.param(
            f'prompt: x, output: "{LONG}/{"é" * 60}"',
            [f"{'x' * 100}/{'é' * 50}"],
            id="a part is cut to 100 bytes, not within a letter",
        ),
        pytest.param(
            f'prompt: "{{{{ a }}}}", matrix: {{a: [{LONG}]}}, takes: 2',
            [f"s/{'x' * 100}", f"s/{'x' * 94}-take2"],
            id="the take stays when values are cut",
        ),
    ],
)
def test_outputs(project: Project, shot: str, expected: list[str]) -> None:
    assert outputs(project, shot) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param("../x", "the output has a part '..', which is a folder's", id="parent"),
        pytest.param("a/./b", "the output has a part '.', which is a folder's", id="here"),
        pytest.param(
            "/x", "the output is a path below the run directory: no '/' first", id="absolute"
        ),
        pytest.param("{{ v }}", "the output has a part '..', which is a folder's", id="a value"),
        pytest.param(" / ", "the output is empty once it is rendered", id="empty"),
        pytest.param(
            "/".join(["é" * 49] * 10) + "/" + "x" * 12,
            "the output has 1002 bytes; a path has at most 1000",
            id="longer than a path can be everywhere",
        ),
    ],
)
def test_an_output_leaves_its_folder_in_no_way(
    project: Project, output: str, expected: str
) -> None:
    text = f'shots:\n  - {{name: s, prompt: x, vars: {{v: ..}}, output: "{output}"}}\n'

    assert project.told(text) == [f"3:49 bad-output: {expected} (s)"]


def test_a_template_left_over_in_an_output_is_a_mistake(project: Project) -> None:
    text = "shots:\n  - {name: s, prompt: x, output: 'a/{% raw %}{{ b }}{% endraw %}'}\n"

    assert project.told(text) == [
        "3:34 left-over-template: the text still holds '{{' once it is rendered (s)"
    ]


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        pytest.param(1, ("videos/s/a-0123456789.mp4",), id="one"),
        pytest.param(
            2, ("videos/s/a-0123456789-1.mp4", "videos/s/a-0123456789-2.mp4"), id="several"
        ),
    ],
)
def test_a_video_has_ten_digits_of_the_hash_in_its_name(
    videos: int, expected: tuple[str, ...]
) -> None:
    assert video_paths("s/a", "0123456789abcdef", videos) == expected
