"""Planning for models beside Veo: kinds of values, axes over models, what a price assumes."""

import pytest
from support.project import Project

from veogen.planner.plan import total_credits

AXIS = """\
params: {duration: 6, quality: 720p}
shots:
  - name: compare
    prompt: a boat at dusk
    matrix: {model: [kling-v3-text-to-video, veo-3.1-fast-generate-preview]}
    overrides:
      - {when: {model: kling-v3-text-to-video}, params: {sound: "on"}}
"""


def test_an_axis_goes_over_models_each_with_its_own_rules_and_price(project: Project) -> None:
    kling, veo = project.requests(AXIS)

    assert dict(kling.body) == {
        "duration": 6,
        "model": "kling-v3-text-to-video",
        "prompt": "a boat at dusk",
        "quality": "720p",
        "sound": "on",
    }
    assert "sound" not in veo.body
    assert (str(kling.credits), str(veo.credits)) == ("48.600", "57.024")


def test_a_parameter_that_one_model_of_an_axis_does_not_take_is_a_mistake(project: Project) -> None:
    text = AXIS.replace("quality: 720p", 'quality: 720p, sound: "on"')

    (told,) = project.told(text)

    assert told == (
        "2:38 unknown-key: 'sound' is not a parameter of veo-3.1-fast-generate-preview "
        "(compare[model=veo-3.1-fast-generate-preview]); leave it out; on an axis of models by an "
        "entry of 'overrides': {when: {model: veo-3.1-fast-generate-preview}, params: {sound: null}}"
    )


def test_an_override_leaves_out_what_a_model_does_not_take(project: Project) -> None:
    text = AXIS.replace("quality: 720p", 'quality: 720p, sound: "on"')
    leave_out = "{when: {model: veo-3.1-fast-generate-preview}, params: {sound: null}}"

    kling, veo = project.requests(f"{text}      - {leave_out}\n")

    assert ("sound" in kling.body, "sound" in veo.body) == (True, False)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("sound", "[rain, wind]", id="sound"),
        pytest.param("draft", "[first, second]", id="draft"),
        pytest.param("audio_url", "[a, b]", id="audio_url"),
        pytest.param("model_params", "[{id: a, x: 1}, {id: b, x: 2}]", id="model_params"),
    ],
)
def test_a_parameter_of_other_models_is_an_axis_of_ones_own(
    name: str, values: str, project: Project
) -> None:
    text = f"shots: [{{name: a, prompt: 'a {{{{ {name}.id | default({name}) }}}}'"

    requests = project.requests(f"{text}, matrix: {{{name}: {values}}}}}]\n")

    assert [set(request.body) for request in requests] == [{"model", "prompt"}] * 2
    assert len({request.body["prompt"] for request in requests}) == 2


def test_a_column_of_ones_own_is_text_for_a_model_that_has_no_such_parameter(
    project: Project,
) -> None:
    project.write("specs/rows.csv", "id,draft,sound\n1,true,on\n2,false,off\n")
    text = "shots: [{name: a, prompt: 'x {{ draft }} {{ sound }}', matrix: {rows: rows.csv}}]\n"

    first, second = project.requests(text, name="specs/a.yaml")

    assert (first.body["prompt"], second.body["prompt"]) == ("x true on", "x false off")


def test_a_column_is_read_as_the_type_of_the_models_that_its_rows_name(project: Project) -> None:
    project.write(
        "specs/rows.csv",
        "id,model,duration,draft\n"
        "1,seedance-2.5-text-to-video,-1,true\n"
        "2,gemini-omni-flash-text-to-video,auto,\n"
        "3,kling-v3-text-to-video,12,\n",
    )
    text = "shots: [{name: a, prompt: a boat, matrix: {rows: rows.csv}}]\n"

    found = project.requests(text, name="specs/a.yaml")

    assert [(r.body["duration"], r.body.get("draft")) for r in found] == [
        (-1, True),
        ("auto", None),
        (12, None),
    ]
    assert [str(r.credits) for r in found] == ["280.2555", "58.5861", "64.800"]
    assert [r.seconds for r in found] == [None, None, 12]
    assert str(total_credits(found)) == "403.6416"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("params.duration=-1", -1, id="an integer beside the bounds"),
        pytest.param("params.quality=480p", "480p", id="a word"),
        pytest.param(
            'params.model_params={"web_search": false}', {"web_search": False}, id="an object"
        ),
    ],
)
def test_a_setting_takes_the_new_kinds(setting: str, value: object, project: Project) -> None:
    text = "params: {model: seedance-2.5-text-to-video}\nshots: [{name: a, prompt: a boat}]\n"

    (request,) = project.requests(text, settings=(setting,))

    assert request.body[setting.partition("=")[0].removeprefix("params.")] == value


def test_templates_stand_in_an_object_and_in_lists_of_objects(project: Project) -> None:
    (request,) = project.requests(
        "params: {model: kling-v3-text-to-video, duration: 5}\n"
        "vars: {city: Oslo}\n"
        "shots:\n"
        "  - name: a\n"
        "    prompt: a boat\n"
        "    params:\n"
        "      model_params:\n"
        "        multi_shot: true\n"
        "        shot_type: customize\n"
        "        multi_prompt:\n"
        '          - {index: 1, prompt: "{{ city }} at dawn", duration: "2"}\n'
        '          - {index: 2, prompt: "{{ city }} at dusk", duration: "3"}\n'
    )

    assert request.body["model_params"] == {
        "multi_shot": True,
        "shot_type": "customize",
        "multi_prompt": [
            {"index": 1, "prompt": "Oslo at dawn", "duration": "2"},
            {"index": 2, "prompt": "Oslo at dusk", "duration": "3"},
        ],
    }


def test_an_axis_of_objects_is_named_by_their_ids_which_are_not_sent(project: Project) -> None:
    many, plain = project.requests(
        "params: {model: kling-v3-text-to-video, duration: 5}\n"
        "shots:\n"
        "  - name: a\n"
        "    prompt: a boat\n"
        "    matrix:\n"
        "      model_params:\n"
        "        - {id: many, multi_shot: true, shot_type: intelligence}\n"
        "        - {id: plain, multi_shot: false}\n"
    )

    assert [request.address for request in (many, plain)] == [
        "a[model_params=many]",
        "a[model_params=plain]",
    ]
    assert many.body["model_params"] == {"multi_shot": True, "shot_type": "intelligence"}
    assert plain.body["model_params"] == {"multi_shot": False}


def test_a_cell_holds_an_object_as_json(project: Project) -> None:
    cell = '{""id"": ""many"", ""multi_shot"": true, ""shot_type"": ""intelligence""}'
    project.write("specs/rows.csv", f'id,model_params\n1,"{cell}"\n2,\n')
    text = (
        "params: {model: kling-v3-text-to-video, duration: 5}\n"
        "shots: [{name: a, prompt: 'a boat {{ id }}', matrix: {rows: rows.csv}}]\n"
    )

    first, second = project.requests(text, name="specs/a.yaml")

    assert first.body["model_params"] == {"multi_shot": True, "shot_type": "intelligence"}
    assert "model_params" not in second.body


SHOTS = (
    "{multi_shot: true, shot_type: customize, multi_prompt: [{index: 1, prompt: x, duration: D}]}"
)


@pytest.mark.parametrize(
    ("model", "params", "mistake"),
    [
        pytest.param(
            "kling-v3-text-to-video",
            "duration: 2",
            "duration is at least 3, not 2",
            id="too short",
        ),
        pytest.param(
            "kling-v3-text-to-video",
            "sound: true",
            "sound is a string, not true",
            id="a boolean for a word",
        ),
        pytest.param(
            "kling-v3-text-to-video",
            "model_params: {multi_shot: true}",
            "several shots need a shot_type: model_params.shot_type is missing",
            id="a parameter that another one needs",
        ),
        pytest.param(
            "kling-v3-text-to-video",
            f"duration: 5, model_params: {SHOTS.replace('D', chr(34) + '4' + chr(34))}",
            "the seconds of the shots add up to duration: 4 in all, and duration is 5",
            id="seconds that do not add up",
        ),
        pytest.param(
            "kling-v3-text-to-video",
            f"duration: 5, model_params: {SHOTS.replace('D', '5')}",
            "model_params holds a multi_prompt that holds an item 1 that holds a duration that is "
            "a string, not 5",
            id="a number where a text is taken",
        ),
        pytest.param(
            "kling-v3-text-to-video",
            "model_params: {multishot: true}",
            "model_params takes no 'multishot'; it takes multi_shot, shot_type, multi_prompt, "
            "watermark_info",
            id="a key within an object",
        ),
        pytest.param(
            "seedance-2.5-text-to-video",
            "duration: 31",
            "duration is at most 30, not 31",
            id="too long",
        ),
        pytest.param(
            "seedance-2.5-text-to-video",
            "duration: -2",
            "duration is at least 4, not -2",
            id="no word for a length",
        ),
        pytest.param(
            "seedance-2.5-text-to-video",
            "draft: true, quality: 720p",
            "a draft fixes it: quality is '480p' there, not '720p'",
            id="a draft of another quality",
        ),
        pytest.param(
            "seedance-2.5-text-to-video",
            "content_filter: false, model_params: {web_search: true}",
            "web_search excludes a relaxed filter: content_filter is true there, not false",
            id="what excludes each other",
        ),
        pytest.param(
            "gemini-omni-1.1-flash-text-to-video",
            "duration: auto",
            "duration is an integer, not 'auto'",
            id="a word of the other version",
        ),
        pytest.param(
            "wan2.6-image-to-video-flash",
            "image_urls: []",
            "image_urls takes at least 1, not 0",
            id="too few items",
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(
    model: str, params: str, mistake: str, project: Project
) -> None:
    text = f"params: {{model: {model}, {params}}}\nshots: [{{name: a, prompt: a boat}}]\n"

    (told,) = [line for line in project.told(text) if mistake in line]

    assert told.startswith("2:")


def test_what_a_price_assumes_is_a_warning(project: Project) -> None:
    wan = "params: {model: wan2.6-text-to-video}\nshots: [{name: a, prompt: a boat}]\n"
    omni = wan.replace("wan2.6-text-to-video", "gemini-omni-1.1-flash-text-to-video")

    told = "a.yaml:3:9: warning[priced-default]: duration is left out and"
    not_stated = f"{told} the model file states no default: the price assumes 5 (a)"
    moved = f"{told} its default has moved: the price assumes 3 (a)"
    assert project.warnings(wan) == [not_stated]
    assert project.warnings(omni) == [moved]
    assert project.warnings(wan.replace("video}", "video, duration: 5}")) == []


@pytest.mark.parametrize(
    ("params", "told"),
    [
        pytest.param(
            "duration: -1",
            ["602.700 credits are more than the budget allows: 600"],
            id="at most counts its maximum",
        ),
        pytest.param(
            "duration: 5, model_params: {web_search: true}",
            ["the price of a is unknown where a 'max_credits' holds"],
            id="an unknown price is refused",
        ),
        pytest.param("duration: 29", [], id="an exact price below it"),
    ],
)
def test_a_budget_holds_for_what_may_be_charged(
    params: str, told: list[str], project: Project
) -> None:
    text = (
        f"params: {{model: seedance-2.5-text-to-video, {params}}}\nbudget: {{max_credits: 600}}\n"
    )
    spec = f"{text}shots: [{{name: a, prompt: a boat}}]\n"

    found = project.told(spec) if told else []

    assert [line.partition(": ")[2] for line in found] == told
    if not told:
        assert str(project.requests(spec)[0].credits) == "582.610"
