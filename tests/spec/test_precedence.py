"""Which level wins: --set, profile, override, shot, spec, extends."""

from pathlib import PurePosixPath

import pytest
from support.project import Project, top_of

from veogen.spec.layers import overlay
from veogen.templates.template import Template

LEVELS = """\
extends: base.yaml
params: {duration: 4, quality: 720p, n: 2, seed: 3}
vars: {mood: spec, place: spec}
profiles:
  draft:
    params: {quality: 1080p, n: 3}
    vars: {mood: profile}
    shots: [{name: a, params: {n: 4}, takes: 5, prompt: profile}]
shots:
  - name: a
    prompt: shot
    vars: {mood: shot}
    params: {n: 1, seed: null}
    overrides: [{when: {x: 1}, params: {n: 2}, prompt: override}]
"""
BASE = "params: {duration: 6, person_generation: dont_allow}\nvars: {mood: base, light: base}"


def test_shot_over_spec_over_base(project: Project) -> None:
    project.base("base.yaml", BASE)

    base = project.shot(LEVELS).base

    assert base.params == {
        "duration": 4,
        "person_generation": "dont_allow",
        "quality": "720p",
        "n": 1,
    }
    assert base.vars == {"mood": "shot", "light": "base", "place": "spec"}


def test_a_profile_wins_over_every_shot_and_its_own_shots_over_its_params(
    project: Project,
) -> None:
    project.base("base.yaml", BASE)

    top = top_of(project.shot(LEVELS, profile="draft"))

    assert (top.params, top.vars, top.takes) == (
        {"quality": "1080p", "n": 4},
        {"mood": "profile"},
        5,
    )
    assert top.prompt is not None
    assert top.prompt.text == "profile"


def test_a_setting_wins_over_everything(project: Project) -> None:
    project.base("base.yaml", BASE)

    settings = ("params.n=1", "params.n=2", "vars.mood=set", "params.quality=null")
    top = top_of(project.shot(LEVELS, profile="draft", set_=settings))

    assert (top.params, top.vars) == ({"quality": None, "n": 2}, {"mood": "set"})


def test_an_override_stands_between(project: Project) -> None:
    project.base("base.yaml", BASE)

    shot = project.shot(LEVELS, profile="draft")
    (override,) = shot.overrides
    whole = overlay(overlay(shot.base, override.layer), top_of(shot))

    assert override.when == {"x": 1}
    assert override.layer.params == {"n": 2}
    assert whole.params["n"] == 4
    assert whole.prompt is not None
    assert whole.prompt.text == "profile"


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        pytest.param("shots: [{name: a, prompt: x}]", "x", id="a prompt"),
        pytest.param("shots: [{name: a, template: x.j2}]", "x.j2", id="a template"),
        pytest.param("params: {prompt: y}\nshots: [{name: a}]", "y", id="of all shots"),
        pytest.param(
            "params: {prompt: y}\nshots: [{name: a, template: x.j2}]", "x.j2", id="the shot's own"
        ),
        pytest.param(
            "shots: [{name: a}]\nprofiles: {p: {shots: [{name: a, prompt: z}]}}",
            "z",
            id="the profile's",
        ),
    ],
)
def test_a_prompt_comes_from_the_strongest_that_has_one(
    text: str, prompt: str, project: Project
) -> None:
    shot = project.shot(text, profile="p" if "profiles" in text else None)

    text_ = top_of(shot).prompt or shot.base.prompt
    assert text_ is not None
    assert (text_.name or text_.text, text_.name is not None) == (prompt, prompt.endswith(".j2"))


def test_a_text_can_be_taken_away(project: Project) -> None:
    shot = project.shot(
        "params: {negative_prompt: blur}\n"
        "shots:\n- {name: a, prompt: x, overrides: [{when: {x: 1}, negative_prompt: null}]}"
    )

    assert shot.base.negative_prompt is not None
    assert overlay(shot.base, shot.overrides[0].layer).negative_prompt is None


def test_a_block_knows_that_its_text_begins_on_the_next_line(project: Project) -> None:
    shot = project.shot("shots:\n- name: a\n  prompt: |\n    x\n  output: y")

    assert shot.base.prompt == Template("x\n", shot.base.prompt.place, block=True)  # type: ignore[union-attr]
    assert shot.output is not None
    assert not shot.output.block


MATRIX = """\
matrix: {city: [Tokyo], look: [day, night], exclude: [{city: Tokyo}]}
shots:
  - name: a
    prompt: x
    matrix: {look: null, city: [Paris, Oslo], rows: r.csv, seed: [1], exclude: null}
"""


def test_axes_of_the_spec_come_first_and_a_shot_replaces_and_removes(project: Project) -> None:
    matrix = project.shot(MATRIX, name="specs/a.yaml").matrix

    assert list(matrix.axes.items()) == [("city", ["Paris", "Oslo"]), ("seed", [1])]
    assert matrix.exclude is None
    assert (matrix.rows, matrix.rows_folder, matrix.rows_after) == (
        "r.csv",
        PurePosixPath("specs"),
        1,
    )


def test_what_a_base_writes_is_relative_to_the_base(project: Project) -> None:
    project.base("bases/b.yaml", "matrix: {rows: r.csv}\nparams: {image_urls: [a.png]}")

    spec = project.spec(
        "extends: ../bases/b.yaml\nshots: [{name: a, prompt: x}]",
        name="specs/a.yaml",
        set_=("params.seed=1",),
    )
    (shot,) = spec.shots

    assert shot.matrix.rows_folder == PurePosixPath("bases")
    assert spec.folder(shot.base.params.value_place("image_urls")) == PurePosixPath("bases")
    assert spec.folder(top_of(shot).params.value_place("seed")) == PurePosixPath("specs")


def test_what_an_axis_may_not_be_named_after_is_known_by_its_writer(project: Project) -> None:
    shot = project.shot(
        "params: {duration: 4}\nvars: {city: x}\n"
        "profiles: {p: {params: {quality: 720p}, vars: {look: y}}}\n"
        "shots: [{name: a, prompt: x, params: {seed: 1, n: null}, vars: {mood: z}}]",
        profile="p",
        set_=("vars.light=low",),
    )

    assert {name: str(place) for name, place in shot.named.items()} == {
        "seed": "a.yaml:5:39",
        "quality": "a.yaml:4:25",
        "look": "a.yaml:4:48",
        "light": "--set vars.light=low:1:1",
    }
    assert shot.texts == {"prompt"}


def test_a_profile_may_change_the_matrix_and_the_budget(project: Project) -> None:
    spec = project.spec(
        "matrix: {seed: [1, 2, 3]}\nbudget: {max_credits: 100, max_requests: 9}\n"
        "profiles: {p: {matrix: {sample: {count: 1}}, budget: {max_credits: 10.5}}}\n"
        "shots: [{name: a, prompt: x}]",
        profile="p",
    )

    sample = spec.shots[0].matrix.sample
    assert sample is not None
    assert (sample.count, sample.seed) == (1, 0)
    assert (str(spec.budget.max_credits), spec.budget.max_requests) == ("10.5", 9)


def test_a_profile_may_add_a_shot(project: Project) -> None:
    spec = project.spec(
        "params: {n: 2}\nprofiles: {p: {shots: [{name: b, prompt: y}]}}\n"
        "shots: [{name: a, prompt: x}]",
        profile="p",
    )

    assert [shot.name for shot in spec.shots] == ["a", "b"]
    assert spec.shots[1].base.params == {"n": 2}


def test_a_shot_that_a_profile_misspells_has_no_prompt(project: Project) -> None:
    text = "profiles: {p: {shots: [{name: opning, takes: 2}]}}\nshots: [{name: opening, prompt: x}]"

    assert project.spec_mistakes(text, profile="p") == [
        (
            "a.yaml:2:24: error[missing-prompt]: shot 'opning' needs a 'prompt' or a 'template'; "
            "did you mean 'opening'?"
        )
    ]


def test_an_unknown_profile_is_told_with_the_nearest(project: Project) -> None:
    text = "profiles: {draft: {}}\nshots: [{name: a, prompt: x}]"

    assert project.spec_mistakes(text, profile="drft") == [
        (
            "a.yaml:2:1: error[unknown-profile]: 'drft' is not a profile of this spec; "
            "did you mean 'draft'?"
        )
    ]
    assert project.spec_mistakes(text, profile="final") == [
        "a.yaml:2:1: error[unknown-profile]: 'final' is not a profile of this spec; there is draft"
    ]
    assert project.spec(text, profile="draft").profiles == {"draft": {}}


def test_a_profile_that_is_taken_away_is_none_of_the_spec(project: Project) -> None:
    project.base("_base.yaml", "profiles: {draft: {params: {seed: 1}}, final: {}}")
    text = "extends: _base.yaml\nprofiles: {draft: null}\nshots: [{name: a, prompt: x}]"

    assert project.spec_mistakes(text, profile="draft") == [
        "a.yaml:3:1: error[unknown-profile]: 'draft' is not a profile of this spec; there is final"
    ]
    assert project.spec(text, profile="final").profiles == {"final": {}}
    assert project.spec_mistakes(text + "\n", profile="draf")[0].endswith("; there is final")
