"""Which level's word counts: overrides, axes, columns, profiles and settings."""

from typing import Any

import pytest
from support.project import Project


def bodies(project: Project, text: str, **options: Any) -> dict[str, dict[str, Any]]:
    """What is sent for each address, less the model."""
    return {
        r.address: {name: value for name, value in r.body.items() if name != "model"}
        for r in project.requests(text, **options)
    }


OVERRIDES = """
vars: {mood: calm, place: a pier}
params: {duration: 4}
shots:
  - name: s
    prompt: "{{ city }} {{ mood }} {{ place }}"
    matrix: {city: [Rome, Oslo, Bern]}
    overrides:
      - {when: {city: [Rome, Oslo]}, params: {duration: 6, seed: 1}, vars: {mood: loud}}
      - {when: {city: Oslo}, params: {duration: 8}, negative_prompt: rain}
      - {when: {city: Bern}, prompt: "Snow in {{ city }}", takes: 2}
"""


def test_a_later_override_wins_name_by_name(project: Project) -> None:
    assert bodies(project, OVERRIDES) == {
        "s[city=Rome]": {"duration": 6, "prompt": "Rome loud a pier", "seed": 1},
        "s[city=Oslo]": {
            "duration": 8,
            "negative_prompt": "rain",
            "prompt": "Oslo loud a pier",
            "seed": 1,
        },
        "s[city=Bern]": {"duration": 4, "prompt": "Snow in Bern"},
        "s[city=Bern]#2": {"duration": 4, "prompt": "Snow in Bern"},
    }


def test_a_setting_wins_over_an_override(project: Project) -> None:
    found = bodies(project, OVERRIDES, settings=("params.duration=8", "vars.mood=silent"))

    assert found["s[city=Rome]"] == {"duration": 8, "prompt": "Rome silent a pier", "seed": 1}


def test_an_override_may_take_its_prompt_from_a_file(project: Project) -> None:
    project.write("templates/o.j2", "From a file: {{ x }}")
    text = """
shots:
  - name: s
    prompt: "{{ x }}"
    matrix: {x: [1, 2]}
    overrides: [{when: {x: 2}, template: o.j2}]
"""

    assert bodies(project, text) == {
        "s[x=1]": {"prompt": "1"},
        "s[x=2]": {"prompt": "From a file: 2"},
    }


def test_an_override_is_an_exception_from_an_axis_too(project: Project) -> None:
    text = """
shots:
  - name: s
    prompt: x
    matrix: {seed: [7, 8]}
    overrides: [{when: {seed: 8}, params: {seed: 99}}]
"""

    assert bodies(project, text) == {
        "s[seed=7]": {"prompt": "x", "seed": 7},
        "s[seed=8]": {"prompt": "x", "seed": 99},
    }


def test_an_override_of_an_included_combination_counts(project: Project) -> None:
    text = """
shots:
  - name: s
    prompt: "{{ city }}"
    matrix: {city: [Rome], include: [{city: Oslo}]}
    overrides: [{when: {city: Oslo}, params: {seed: 2}}]
"""

    assert bodies(project, text)["s[city=Oslo]"] == {"prompt": "Oslo", "seed": 2}


def test_an_override_of_what_is_not_sampled_is_no_mistake(project: Project) -> None:
    text = """
shots:
  - name: s
    prompt: "{{ x }}"
    matrix: {x: [1, 2, 3], sample: {count: 1, seed: 1}}
    overrides:
      - {when: {x: 1}, params: {seed: 2}}
      - {when: {x: 2}, params: {seed: 2}}
      - {when: {x: 3}, params: {seed: 2}}
"""

    assert len(bodies(project, text)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            'shots: [{name: s, prompt: "{{ prompt }}!", matrix: {prompt: [a, b]}}]',
            {"s[prompt=a]": {"prompt": "a!"}, "s[prompt=b]": {"prompt": "b!"}},
            id="the shot's own prompt sees the axis of that name",
        ),
        pytest.param(
            "params: {negative_prompt: rain}\n"
            "shots: [{name: s, prompt: x, matrix: {negative_prompt: [a, b]}}]",
            {
                "s[negative_prompt=a]": {"prompt": "x", "negative_prompt": "a"},
                "s[negative_prompt=b]": {"prompt": "x", "negative_prompt": "b"},
            },
            id="an axis sets a parameter of the spec",
        ),
        pytest.param(
            "params: {duration: 4}\nshots: [{name: s, prompt: x, matrix: {duration: [6, 8]}}]",
            {
                "s[duration=6]": {"prompt": "x", "duration": 6},
                "s[duration=8]": {"prompt": "x", "duration": 8},
            },
            id="an axis named after a parameter sets it",
        ),
        pytest.param(
            "vars: {x: 1, y: {z: 2}}\nshots:\n"
            '  - {name: s, prompt: "{{ x }} {{ vars.x }} {{ vars.y.z }} {{ shot }} {{ take }}",'
            " matrix: {x: [7]}, takes: 2, vars: {y: {w: 3}}}",
            {
                "s[x=7]": {"prompt": "7 1 2 s 1"},
                "s[x=7]#2": {"prompt": "7 1 2 s 2"},
            },
            id="an axis hides a var; all vars are in vars; shot and take",
        ),
        pytest.param(
            "vars: {x: 1, y: 2}\n"
            'shots: [{name: s, prompt: "{{ y }}{{ x is defined }}", vars: {x: null}}]',
            {"s": {"prompt": "2False"}},
            id="null takes a var away",
        ),
    ],
)
def test_names(project: Project, text: str, expected: dict[str, Any]) -> None:
    assert bodies(project, text) == expected


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        pytest.param(
            "shots: [{name: s, prompt: x, params: {seed: 1}, matrix: {seed: [7]}}]",
            {},
            ["2:39 set-twice: the axis 'seed' sets 'seed'; it is set here as well"],
            id="the shot's params",
        ),
        pytest.param(
            "profiles: {p: {params: {seed: 1}}}\nshots: [{name: s, prompt: x, matrix: {seed: [7]}}]",
            {"profile": "p"},
            ["2:25 set-twice: the axis 'seed' sets 'seed'; it is set here as well"],
            id="a profile",
        ),
        pytest.param(
            "shots: [{name: s, prompt: x, matrix: {seed: [7]}}]",
            {"settings": ("params.seed=1",)},
            ["1:1 set-twice: the axis 'seed' sets 'seed'; it is set here as well"],
            id="a setting",
        ),
        pytest.param(
            "shots: [{name: s, prompt: x, params: {seed: 1}, matrix: {rows: [{id: 1, seed: 7}]}}]",
            {},
            ["2:39 set-twice: the column 'seed' sets 'seed'; it is set here as well"],
            id="a column",
        ),
        pytest.param(
            "shots: [{name: s, params: {prompt: x}, matrix: {prompt: [y]}}]",
            {},
            ["2:28 set-twice: the axis 'prompt' sets 'prompt'; it is set here as well"],
            id="a prompt among the shot's params",
        ),
        pytest.param(
            "shots: [{name: s, prompt: '{{ prompt }}', matrix: {prompt: [y]}}]",
            {"settings": ("params.prompt=x",)},
            ["1:1 set-twice: the axis 'prompt' sets 'prompt'; it is set here as well"],
            id="a prompt as a setting",
        ),
        pytest.param(
            "profiles: {p: {params: {seed: null}}}\n"
            "shots: [{name: s, prompt: x, matrix: {seed: [7]}}]",
            {"profile": "p"},
            ["2:25 set-twice: the axis 'seed' sets 'seed'; it is set here as well"],
            id="a profile that takes it away",
        ),
        pytest.param(
            "shots: [{name: s, prompt: x, matrix: {seed: [7]}}]",
            {"settings": ("params.seed=null",)},
            ["1:1 set-twice: the axis 'seed' sets 'seed'; it is set here as well"],
            id="a setting that takes it away",
        ),
    ],
)
def test_what_an_axis_sets_is_not_set_beside_it(
    project: Project, text: str, options: dict[str, Any], expected: list[str]
) -> None:
    assert project.told(text, **options) == expected


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param("params: {seed: null}, matrix: {seed: [7]}", id="of all shots"),
        pytest.param("shots: [{name: s, params: {seed: null}, matrix: {seed: [7]}}]", id="of one"),
    ],
)
def test_a_profile_puts_an_axis_in_the_place_of_a_parameter(project: Project, profile: str) -> None:
    text = f"profiles: {{p: {{{profile}}}}}\nshots: [{{name: s, prompt: x, params: {{seed: 1}}}}]"

    assert bodies(project, text, profile="p") == {"s[seed=7]": {"prompt": "x", "seed": 7}}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        pytest.param(
            "{when: {x: 3}, takes: 2}",
            ["6:28 matches-nothing: matches nothing: no 'x' is 3; there is 1, 2"],
            id="a value that there is not",
        ),
        pytest.param(
            "{when: {x: 1, y: b}, takes: 2}",
            ["6:17 matches-nothing: this override matches no combination"],
            id="a combination that there is not",
        ),
        pytest.param(
            "{when: {z: 1}, takes: 2}",
            ["6:25 unknown-axis: 'z' is neither an axis nor a column; there is x, y"],
            id="a name that there is not",
        ),
    ],
)
def test_an_override_that_matches_nothing_is_a_mistake(
    project: Project, override: str, expected: list[str]
) -> None:
    text = f"""shots:
  - name: s
    prompt: "{{{{ x }}}} {{{{ y }}}}"
    matrix: {{x: [1, 2], y: [a, b], exclude: [{{x: 1, y: b}}]}}
    overrides: [{override}]
"""

    assert project.told(text) == expected


def test_what_a_profile_takes_away_its_shot_writes_anew(project: Project) -> None:
    text = """vars: {look: {light: hard}}
profiles: {p: {vars: {look: null}, shots: [{name: s, vars: {look: {mood: calm}}}]}}
shots: [{name: s, prompt: "{{ look | tojson }}"}]
"""

    assert bodies(project, text, profile="p") == {"s": {"prompt": '{"mood": "calm"}'}}


@pytest.mark.parametrize(
    ("override", "profile", "expected"),
    [
        pytest.param("params: {seed: null}", "params: {seed: 5}", {}, id="a parameter"),
        pytest.param(
            "params: {seed: null}", "shots: [{name: s, params: {seed: 6}}]", {}, id="of its shot"
        ),
        pytest.param(
            "negative_prompt: null", "params: {negative_prompt: fog}", {}, id="a negative prompt"
        ),
        pytest.param("params: {seed: 4}", "params: {seed: 5}", {"seed": 5}, id="what it only sets"),
    ],
)
def test_a_parameter_that_an_override_takes_away_is_not_sent_whatever_a_profile_says(
    project: Project, override: str, profile: str, expected: dict[str, object]
) -> None:
    text = f"""profiles: {{p: {{{profile}}}}}
shots: [{{name: s, prompt: "{{{{ c }}}}", matrix: {{c: [a]}}, overrides: [{{when: {{c: a}}, {override}}}]}}]
"""

    assert bodies(project, text, profile="p") == {"s[c=a]": {"prompt": "a", **expected}}


def test_a_later_override_sends_again_what_an_earlier_one_took_away(project: Project) -> None:
    text = """profiles: {p: {params: {seed: 5}}}
shots:
  - name: s
    prompt: "{{ c }}"
    matrix: {c: [a]}
    overrides: [{when: {c: a}, params: {seed: null}}, {when: {c: a}, params: {seed: 3}}]
"""

    assert bodies(project, text, profile="p") == {"s[c=a]": {"prompt": "a", "seed": 5}}


def test_a_setting_is_sent_though_an_override_takes_the_parameter_away(project: Project) -> None:
    text = """shots: [{name: s, prompt: "{{ c }}", matrix: {c: [a]},
  overrides: [{when: {c: a}, params: {seed: null}}]}]
"""

    assert bodies(project, text, settings=("params.seed=3",)) == {
        "s[c=a]": {"prompt": "a", "seed": 3}
    }
