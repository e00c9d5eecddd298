"""The models that veogen knows: their prices as published, and what each takes."""

from decimal import Decimal

import pytest

from veogen.models.model import shipped
from veogen.models.parameters import Json

FAST, FULL = "veo-3.1-fast-generate-preview", "veo-3.1-generate-preview"
FAST_BETA, PRO_BETA = "veo3.1-fast-beta", "veo3.1-pro-beta"


def price(model: str, **body: Json) -> tuple[str, str]:
    """Credits and dollars of a request."""
    found = shipped()[model]
    credits_ = found.estimate({"model": model, **body})
    assert credits_ is not None
    assert found.price is not None
    return str(credits_), str(found.price.usd(credits_).quantize(Decimal("0.01")))


PUBLISHED = [  # the gateway's public rules of 2026-10-10: credits for 4, 6 and 8 seconds
    (FAST, "720p", False, ("25.344", "38.016", "50.688")),
    (FAST, "1080p", False, ("25.344", "38.016", "50.688")),
    (FAST, "720p", True, ("38.016", "57.024", "76.032")),
    (FAST, "1080p", True, ("38.016", "57.024", "76.032")),
    (FAST, "4k", False, ("76.032", "114.048", "152.064")),
    (FAST, "4k", True, ("88.957", "133.436", "177.915")),
    (FULL, "720p", False, ("50.688", "76.032", "101.376")),
    (FULL, "1080p", False, ("50.688", "76.032", "101.376")),
    (FULL, "720p", True, ("101.376", "152.064", "202.752")),
    (FULL, "1080p", True, ("101.376", "152.064", "202.752")),
    (FULL, "4k", False, ("101.376", "152.064", "202.752")),
    (FULL, "4k", True, ("152.064", "228.096", "304.128")),
]


@pytest.mark.parametrize(
    ("model", "quality", "audio", "credits_"),
    PUBLISHED,
    ids=[
        f"{model}-{quality}-{'audio' if audio else 'silent'}"
        for model, quality, audio, _ in PUBLISHED
    ],
)
def test_a_second_costs_what_is_published(
    model: str,
    quality: str,
    audio: bool,
    credits_: tuple[str, str, str],
) -> None:
    found = tuple(
        price(model, quality=quality, generate_audio=audio, duration=seconds)[0]
        for seconds in (4, 6, 8)
    )

    assert found == credits_


@pytest.mark.parametrize(
    ("model", "body", "published"),
    [
        pytest.param(FAST, {}, ("38.016", "0.56"), id="fast, as the gateway's defaults are"),
        pytest.param(FAST, {"n": 4, "duration": 8}, ("304.128", "4.47"), id="fast, four videos"),
        pytest.param(FAST, {"generation_type": "REFERENCE"}, ("76.032", "1.12"), id="fixed to 8 s"),
        pytest.param(FULL, {}, ("101.376", "1.49"), id="full, as the gateway's defaults are"),
        pytest.param(FAST_BETA, {}, ("21.600", "0.32"), id="fast beta, a call"),
        pytest.param(PRO_BETA, {}, ("162.000", "2.38"), id="pro beta, a call"),
    ],
)
def test_a_request_costs_what_is_published(
    model: str, body: dict[str, Json], published: tuple[str, str]
) -> None:
    assert price(model, **body) == published


def test_each_file_is_named_after_its_model() -> None:
    assert {id_: model.id for id_, model in shipped().items()} == {id_: id_ for id_ in shipped()}


def test_the_models_are_those_of_the_endpoint() -> None:
    assert set(shipped()) == {
        FAST,
        FULL,
        FAST_BETA,
        PRO_BETA,
        "gemini-omni-flash-text-to-video",
        "gemini-omni-1.1-flash-text-to-video",
        "gemini-omni-1.1-flash-image-to-video",
        "kling-v3-text-to-video",
        "kling-v3-image-to-video",
        "wan2.6-text-to-video",
        "wan2.6-image-to-video",
        "wan2.6-image-to-video-flash",
        "seedance-2.5-text-to-video",
        "seedance-2.5-image-to-video",
    }


def test_the_previews_take_the_same() -> None:
    assert shipped()[FULL].parameters == shipped()[FAST].parameters
    assert shipped()[FULL].rules == shipped()[FAST].rules
    assert shipped()[FULL].derived == shipped()[FAST].derived


@pytest.mark.parametrize("model", [FAST_BETA, PRO_BETA])
@pytest.mark.parametrize(
    "name",
    [
        "duration",
        "n",
        "seed",
        "generate_audio",
        "negative_prompt",
        "person_generation",
        "resize_mode",
    ],
)
def test_a_beta_takes_no_such_parameter(model: str, name: str) -> None:
    assert name not in shipped()[model].parameters


@pytest.mark.parametrize("model", [FAST_BETA, PRO_BETA])
def test_a_beta_makes_eight_seconds_of_720p(model: str) -> None:
    effective = shipped()[model].effective({"model": model, "prompt": "a boat"})

    assert (effective["duration"], effective["quality"]) == (8, "720p")
    assert list(shipped()[model].findings({"model": model, "prompt": "a boat"})) == []


@pytest.mark.parametrize(
    ("model", "kind", "images", "codes"),
    [
        (FAST, "TEXT", 1, ["text-with-images"]),
        (FAST, "FIRST&LAST", 0, ["first-last-images"]),
        (FAST, "FIRST&LAST", 2, []),
        (FAST, "FIRST&LAST", 3, ["first-last-images"]),
        (FAST, "REFERENCE", 0, ["reference-images"]),
        (FULL, "REFERENCE", 3, []),
        (FAST_BETA, "REFERENCE", 3, []),
        (FAST_BETA, "FIRST&LAST", 3, ["first-last-images"]),
        (PRO_BETA, "TEXT", 1, ["text-with-images"]),
    ],
)
def test_images_fit_the_way_they_are_used(
    model: str, kind: str, images: int, codes: list[str]
) -> None:
    body: dict[str, Json] = {"model": model, "prompt": "a boat", "generation_type": kind}
    if images:
        body["image_urls"] = [f"https://a.example/{n}.png" for n in range(images)]

    assert [finding.code for finding in shipped()[model].findings(body)] == codes


@pytest.mark.parametrize(
    ("model", "images", "params", "kind", "doubts"),
    [
        (FAST, 0, {"duration": 4}, "TEXT", []),
        (FAST, 1, {"duration": 4, "seed": 7}, "FIRST&LAST", []),
        (FULL, 2, {"aspect_ratio": "9:16"}, "FIRST&LAST", []),
        (FAST, 3, {}, "REFERENCE", ["image_urls: duration is 8 there, not 4"]),
        (FAST, 3, {"duration": 8, "aspect_ratio": "16:9"}, "REFERENCE", []),
        (
            FULL,
            3,
            {"duration": 6, "aspect_ratio": "9:16", "seed": 7},
            "REFERENCE",
            [
                "duration: duration is 8 there, not 6",
                "aspect_ratio: aspect_ratio is '16:9' there, not '9:16'",
                "seed: seed is not taken there",
            ],
        ),
        (FAST, 3, {"generation_type": "REFERENCE"}, None, []),
        (FAST_BETA, 3, {"aspect_ratio": "9:16"}, "REFERENCE", []),
        (PRO_BETA, 2, {}, "FIRST&LAST", []),
    ],
)
def test_a_way_that_is_left_out_is_a_doubt_and_no_mistake(
    model: str, images: int, params: dict[str, Json], kind: str | None, doubts: list[str]
) -> None:
    body: dict[str, Json] = {"model": model, "prompt": "a boat", **params}
    if images:
        body["image_urls"] = [f"https://a.example/{n}.png" for n in range(images)]
    why = f"without generation_type {images} images may be taken as {kind}: "

    found = list(shipped()[model].findings(body))

    assert shipped()[model].taken_as(body) == kind
    assert {finding.severity for finding in found} <= {"warning"}
    assert [f"{f.parameter}: {f.message.removeprefix(why)}" for f in found] == doubts


@pytest.mark.parametrize(
    ("model", "name", "value", "wrong"),
    [
        (
            PRO_BETA,
            "generation_type",
            "REFERENCE",
            "is one of 'TEXT', 'FIRST&LAST', not 'REFERENCE'",
        ),
        (PRO_BETA, "image_urls", ["a", "b", "c"], "takes at most 2, not 3"),
        (FAST_BETA, "quality", "1080p", "is one of '720p', not '1080p'"),
        (FAST_BETA, "enhance_prompt", False, None),
        (FULL, "seed", 4294967295, None),
        (FULL, "seed", 0, "is at least 1, not 0"),
    ],
)
def test_a_value_fits_its_model(model: str, name: str, value: Json, wrong: str | None) -> None:
    assert shipped()[model].parameters[name].check(value) == wrong


def test_every_field_says_where_it_is_from() -> None:
    sources = {
        parameter.source for model in shipped().values() for parameter in model.parameters.values()
    } | {rule.source for model in shipped().values() for rule in model.rules}
    sources |= {model.derived.source for model in shipped().values() if model.derived}

    assert sources <= {"docs", "docs-model", "google", "inferred"}
