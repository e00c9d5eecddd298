"""A project's own models, and models that nobody knows."""

from decimal import Decimal
from pathlib import Path

import pytest

from veogen.document.files import Folder
from veogen.document.problems import Problems
from veogen.models.custom import own_models
from veogen.models.model import Catalog
from veogen.models.parameters import Json

FAST = "veo-3.1-fast-generate-preview"

LITE = """\
id: veo-3.1-lite
title: Veo 3.1 Lite
parameters:
  prompt: {type: string, required: true, max_length: 1000}
  duration: {type: integer, enum: [5, 10], default: 5}
  style: {type: string, enum: [film, paint]}
rules:
  - {code: long-paint, when: {style: paint, duration: 10}, fixes: {duration: 5}, message: short}
prices:
  date: 2026-11-01
  credits_per_usd: 70
  rule: per_second
  credits: 2.5
  multipliers:
    - {when: {style: paint}, times: "2"}
"""

TAKES_IMAGES = (
    LITE
    + """\
derived: {parameter: style, by_images: [film, paint]}
"""
)

LIKE = "id: veo-3.1-fast-generate-001\nlike: veo-3.1-fast-generate-preview\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


def write(project: Folder, name: str, text: str) -> None:
    path = project.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def known(project: Folder, *, lenient: bool = False) -> Catalog:
    problems = Problems()
    models = own_models(project, problems)
    problems.raise_errors()
    return Catalog(models, lenient=lenient)


def mistakes(project: Folder) -> list[str]:
    problems = Problems()
    own_models(project, problems)
    return [str(problem) for problem in problems.all]


def test_a_project_may_bring_a_model(project: Folder) -> None:
    write(project, "models/lite.yaml", LITE)

    model = known(project)["veo-3.1-lite"]

    assert model.parameters["duration"].enum == (5, 10)
    assert model.estimate({"prompt": "a boat"}) == Decimal("12.500")
    assert model.estimate({"prompt": "a boat", "style": "paint"}) == Decimal("25.000")
    paint: dict[str, Json] = {"prompt": "a boat", "style": "paint", "duration": 10}
    assert [finding.code for finding in model.findings(paint)] == ["long-paint"]


def test_a_project_says_what_its_model_takes_by_the_number_of_images(project: Folder) -> None:
    write(project, "models/lite.yaml", TAKES_IMAGES)

    model = known(project)["veo-3.1-lite"]

    one: dict[str, Json] = {"prompt": "a boat", "duration": 10, "image_urls": ["https://a.example"]}
    assert [model.taken_as(body) for body in ({}, one, {"style": "film"})] == [
        "film",
        "paint",
        None,
    ]
    assert [finding.message for finding in model.findings(one)] == [
        "style is left out and the model file states no default: the price assumes that it is not 'paint'",
        "without style 1 image may be taken as paint: duration is 5 there, not 10",
    ]


def test_a_model_may_be_like_one_that_is_known(project: Folder) -> None:
    write(project, "models/fast.yml", LIKE + "parameters: {seed: {type: integer, maximum: 9}}\n")
    catalogue = known(project)

    model, like = catalogue["veo-3.1-fast-generate-001"], catalogue[FAST]

    assert model.parameters["seed"].maximum == 9
    assert model.derived == like.derived
    assert model.parameters["duration"] == like.parameters["duration"]
    assert (model.rules, model.defaults, model.price) == (like.rules, like.defaults, None)


def test_models_may_have_other_prices(project: Folder) -> None:
    write(project, "models/fast.yml", LIKE)
    catalogue = known(project)
    price = catalogue["veo3.1-pro-beta"].price
    assert price is not None

    other = catalogue.at({"veo-3.1-fast-generate-001": price})

    assert other["veo-3.1-fast-generate-001"].estimate({}) == Decimal("162.000")
    assert other[FAST].price == catalogue[FAST].price


def test_without_leniency_a_model_that_nobody_knows_is_none(project: Folder) -> None:
    assert known(project).get("veo-9") is None
    assert known(project, lenient=True)["veo-9"].known is False


def test_parameters_of_all_models_are_known_by_their_names(project: Folder) -> None:
    write(project, "models/lite.yaml", LITE)

    parameters = known(project).parameters

    assert [parameter.enum for parameter in parameters["duration"] if parameter.enum] == [
        (4, 6, 8),
        (4, 6, 8),
        (5, 10),
    ]
    assert len(parameters["style"]) == 1


def test_a_model_has_one_file(project: Folder) -> None:
    write(project, "models/a.yaml", LIKE)
    write(project, "models/b.yaml", LIKE)

    assert mistakes(project) == [
        (
            "models/b.yaml:1:5: error[bad-model]: 'veo-3.1-fast-generate-001' is the model of "
            "another file here already"
        )
    ]


def test_a_price_of_more_digits_than_money_has_is_unknown(project: Folder) -> None:
    endless = "parameters: {duration: {type: integer}}\nprices: {date: d, credits_per_usd: 1,"
    write(project, "models/a.yaml", f"id: a\n{endless} rule: per_second, credits: 1}}\n")

    assert known(project)["a"].estimate({"duration": 10**30}) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param(
            "like: veo\n", "models/a.yaml:1:1: error[missing-key]: a model needs 'id'", id="no id"
        ),
        pytest.param(
            "id: a\nlike: veo-3.1-fast\n",
            "models/a.yaml:2:7: error[bad-model]: 'veo-3.1-fast' is not a model that veogen comes"
            " with; did you mean 'veo-3.1-fast-generate-preview'?",
            id="like none",
        ),
        pytest.param(
            "id: a\nparamters: {}\n",
            "models/a.yaml:2:1: error[unknown-key]: 'paramters' is not a key of a model; "
            "did you mean 'parameters'?",
            id="a misspelt key",
        ),
        pytest.param(
            "id: a\nparameters: {seed: {type: float}}\n",
            "models/a.yaml:2:27: error[value]: 'type' is one of 'string', 'integer', 'number', "
            "'boolean', 'uri', 'uris', 'object', 'list', 'callback', 'any', not 'float'",
            id="a type that is none",
        ),
        pytest.param(
            "id: a\nprices: {date: d, credits_per_usd: 68, rule: per_call, credits: free}\n",
            "models/a.yaml:2:65: error[type]: 'credits' is a number of credits, not 'free'",
            id="an amount that is none",
        ),
        pytest.param("- a\n", "models/a.yaml:1:1: error[type]: the file is a mapping", id="a list"),
        pytest.param(
            "id: a\nprices: {date: d, credits_per_usd: 0, rule: per_call, credits: 1}\n",
            "models/a.yaml:2:36: error[rate]: a dollar is worth more than no credits",
            id="a worthless dollar",
        ),
        pytest.param(
            'id: "a\\u001b[31m"\n',
            "models/a.yaml:1:5: error[value]: an id is letters, digits and signs without white "
            "space, not 'a\\x1b[31m'",
            id="an id that paints",
        ),
        pytest.param(
            "id: a\nparameters: {duration: {type: integer, enum: [4, '6'], default: 4}}\n",
            "models/a.yaml:2:50: error[bad-model]: duration is an integer, not '6'",
            id="a value of another type",
        ),
        pytest.param(
            "id: a\nparameters: {duration: {type: integer, enum: [4, 6], default: 5}}\n",
            "models/a.yaml:2:63: error[bad-model]: duration is one of 4, 6, not 5",
            id="a default that it does not take",
        ),
        pytest.param(
            "id: a\nparameters: {n: {type: integer, minimum: 4, maximum: 1}}\n",
            "models/a.yaml:2:54: error[bad-model]: 'maximum' is 1, less than the 'minimum' 4",
            id="bounds that leave nothing",
        ),
        pytest.param(
            f"id: a\nlike: {FAST}\nrules: [{{code: x, message: y, when: {{qualty: 4k}}}}]\n",
            "models/a.yaml:3:38: error[bad-model]: 'qualty' is not a parameter of it; "
            "did you mean 'quality'?",
            id="a rule for a misspelt parameter",
        ),
        pytest.param(
            f"id: a\nlike: {FAST}\nprices: {{date: d, credits_per_usd: 68, rule: per_call,"
            " credits: 1, multipliers: [{when: {quality: 8k}, times: 2}]}\n",
            "models/a.yaml:3:99: error[bad-model]: quality is one of '720p', '1080p', '4k', "
            "not '8k'",
            id="a price that never holds",
        ),
        pytest.param(
            "id: a\nid: b\n",
            "models/a.yaml:2:1: error[duplicate-key]: 'id' is a key of this mapping already,"
            " in line 1",
            id="a key twice",
        ),
    ],
)
def test_a_model_file_that_is_wrong_is_told_with_its_place(
    text: str, mistake: str, project: Folder
) -> None:
    write(project, "models/a.yaml", text)

    assert mistakes(project) == [mistake]


MEDIA = """\
id: seedance-2.0-reference-to-video
audio: by generate_audio
expected_seconds: 165
pixels: {480p: {"16:9": 864x496}}
parameters:
  prompt: {type: string, required: true}
  image_urls: {type: uris, media: image, max_items: 9}
  video_urls: {type: uris, media: video, max_items: 3}
  audio_urls: {type: uris, media: audio, max_items: 3}
  strength: {type: number, minimum: 0, maximum: 1.5, default: 0.5}
  duration: {type: integer, minimum: 4, maximum: 15, words: [auto], default: 5}
  generate_audio: {type: boolean, default: true}
rules:
  - {code: audio-alone, when: {images: 0, videos: 0}, audios: {max: 0}, message: sound needs an image}
  - {code: many-videos, when: {videos: [2, 3]}, images: {max: 1}, message: at most one image beside}
  - {code: two-sounds, when: {audios: 2}, videos: {min: 1}, message: two sounds need a video}
"""
VIDEO, SOUND = "https://a.example/v.mp4", "https://a.example/s.mp3"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param({}, [], id="nothing but a prompt"),
        pytest.param({"audio_urls": [SOUND]}, ["sound needs an image, not 1"], id="sound alone"),
        pytest.param({"audio_urls": [SOUND], "video_urls": [VIDEO]}, [], id="sound and a video"),
        pytest.param(
            {"video_urls": [VIDEO, VIDEO], "image_urls": ["a.png", "b.png"]},
            ["at most one image beside, not 2"],
            id="too many images beside videos",
        ),
        pytest.param(
            {"audio_urls": [SOUND, SOUND], "image_urls": ["a.png"]},
            ["two sounds need a video, not 0"],
            id="too few videos",
        ),
    ],
)
def test_rules_count_images_videos_and_sounds(
    body: dict[str, Json], found: list[str], project: Folder
) -> None:
    write(project, "models/media.yaml", MEDIA)
    model = known(project)["seedance-2.0-reference-to-video"]

    assert [finding.message for finding in model.findings({"prompt": "x", **body})] == found


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        pytest.param("video_urls", [VIDEO] * 4, "takes at most 3, not 4", id="too many videos"),
        pytest.param(
            "video_urls", VIDEO, f"is a list of https URLs, not {VIDEO!r}", id="one for a list"
        ),
        pytest.param(
            "audio_urls",
            ["sounds/a.mp3"],
            "holds an item 1 that is an https URL, not 'sounds/a.mp3'",
            id="a sound of the project",
        ),
        pytest.param("audio_urls", [SOUND, SOUND], None, id="two sounds"),
        pytest.param("strength", 0.25, None, id="a number"),
        pytest.param("strength", 1, None, id="a whole number"),
        pytest.param("strength", 1.6, "is at most 1.5, not 1.6", id="too large a number"),
        pytest.param("strength", "high", "is a number, not 'high'", id="no number"),
        pytest.param("strength", float("inf"), "is a number, not inf", id="infinity"),
        pytest.param("strength", True, "is a number, not true", id="a boolean"),
        pytest.param("duration", "auto", None, id="a word"),
        pytest.param("duration", "long", "is an integer or 'auto', not 'long'", id="no such word"),
        pytest.param("duration", 16, "is at most 15, not 16", id="too long"),
    ],
)
def test_each_kind_of_value_has_its_limits(
    name: str, value: Json, wrong: str | None, project: Folder
) -> None:
    write(project, "models/media.yaml", MEDIA)

    assert known(project)["seedance-2.0-reference-to-video"].parameters[name].check(value) == wrong


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("strength", "0.5", 0.5, id="a number"),
        pytest.param("strength", "1", 1, id="a whole number"),
        pytest.param("strength", "1e400", "1e400", id="beyond all numbers stays a text"),
        pytest.param("strength", "high", "high", id="no number stays a text"),
        pytest.param("duration", "auto", "auto", id="a word"),
        pytest.param("duration", "7", 7, id="an integer"),
        pytest.param("generate_audio", "true", True, id="a boolean"),
    ],
)
def test_the_text_of_a_cell_is_read_as_its_parameter(
    name: str, text: str, value: Json, project: Folder
) -> None:
    write(project, "models/media.yaml", MEDIA)

    assert known(project)["seedance-2.0-reference-to-video"].parameters[name].parse(text) == value


def test_a_model_says_what_else_is_known_of_its_clips(project: Folder) -> None:
    write(
        project, "models/media.yaml", MEDIA + "retired: {date: 2027-01-31, instead: seedance-3}\n"
    )

    model = known(project)["seedance-2.0-reference-to-video"]

    assert model.expected_seconds == 165
    assert model.pixels == {"480p": {"16:9": (864, 496)}}
    assert [model.has_audio({"generate_audio": on}) for on in (True, False)] == [True, False]
    assert (model.retired and (model.retired.date, model.retired.instead)) == (
        "2027-01-31",
        "seedance-3",
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("audio: sometimes", "'audio' is 'always', 'never' or 'by PARAMETER'", id="a"),
        pytest.param("pixels: {720p: {'16:9': wide}}", "a size is like 1280x720", id="a size"),
        pytest.param(
            "retired: {date: soon, instead: b}",
            "a date is like 2026-11-22, not 'soon'",
            id="a date",
        ),
        pytest.param(
            "parameters: {a: {type: object, properties: {b: {type: text}}}}",
            "'type' is one of",
            id="a type within",
        ),
        pytest.param(
            "prices: {date: d, credits_per_usd: 68, rule: components, parameters: [], components: "
            "[{id: a}]}",
            "a price is not rounded 'None' at 'None'",
            id="a component",
        ),
    ],
)
def test_what_a_model_file_cannot_mean_is_told(text: str, mistake: str, project: Folder) -> None:
    write(project, "models/a.yaml", f"id: a\n{text}\n")

    (told,) = mistakes(project)

    assert told.startswith("models/a.yaml:2:")
    assert mistake in told


def test_a_model_may_be_like_one_that_takes_its_own_id_alone(project: Folder) -> None:
    write(project, "models/kling.yaml", "id: kling-v4\nlike: kling-v3-text-to-video\n")

    model = known(project)["kling-v4"]

    assert model.parameters["model"].check("kling-v4") is None
    assert model.has_audio({"sound": "on"}) is True
    assert model.quote({}).certainty == "unknown"
