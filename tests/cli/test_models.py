"""`veogen models`: for people a table, for scripts JSON."""

import json

import pytest
from click.testing import CliRunner, Result

from veogen.cli import veogen
from veogen.errors import UsageError
from veogen.models.model import shipped


def models(*arguments: str) -> Result:
    return CliRunner().invoke(veogen, ["models", *arguments], standalone_mode=False)


def test_the_models_are_listed_with_the_price_of_a_plain_request() -> None:
    lines = models().stdout.splitlines()

    assert len(lines) == 1 + len(shipped()) + 2
    assert [line for line in lines if not line.startswith(("gemini", "kling", "wan2.6-i"))] == [
        "model                                 seconds        quality                credits  price     title",
        "seedance-2.5-image-to-video           4 to 30, -1    480p, 720p, 1080p      100.450  exact     Seedance 2.5, image to video",
        "seedance-2.5-text-to-video            4 to 30, -1    480p, 720p, 1080p      100.450  exact     Seedance 2.5, text to video",
        "veo-3.1-fast-generate-preview         4, 6, 8        720p, 1080p, 4k         38.016  exact     Veo 3.1 Fast (preview)",
        "veo-3.1-generate-preview              4, 6, 8        720p, 1080p, 4k        101.376  exact     Veo 3.1 (preview)",
        "veo3.1-fast-beta                      8              720p                    21.600  exact     Veo 3.1 Fast (beta)",
        "veo3.1-pro-beta                       8              720p                   162.000  exact     Veo 3.1 Pro (beta)",
        "wan2.6-text-to-video                  2 to 15        720p, 1080p             23.800  exact     Wan 2.6, text to video",
        "",
        "Credits of a request that sets nothing else; 'veogen models ID' tells more.",
    ]
    assert lines[1] == (
        "gemini-omni-1.1-flash-image-to-video  3 to 10        360p, 720p, 1080p, 4k  17.5759  estimate  "
        "Gemini Omni Flash 1.1, image to video"
    )


def test_scripts_read_every_model() -> None:
    data = json.loads(models("--format", "json").stdout)

    assert data["format"] == "veogen.models/1"
    assert [model["id"] for model in data["models"]] == list(shipped())


@pytest.mark.parametrize("model", list(shipped()))
def test_one_model_is_told_with_all_it_takes(model: str) -> None:
    text = models(model).stdout

    assert text.startswith(f"{model}: ")
    assert all(f"\n{name} " in text for name in shipped()[model].parameters)
    assert max(map(len, text.splitlines())) <= 100


def test_one_model_is_read_by_scripts() -> None:
    data = json.loads(models("veo-3.1-fast-generate-preview", "--format", "json").stdout)

    assert data["parameters"]["duration"] == {
        "type": "integer",
        "required": False,
        "default": 4,
        "enum": [4, 6, 8],
        "unit": "seconds",
        "description": "Length of a clip.",
        "source": "docs",
    }
    assert data["rules"][0] == {
        "code": "text-with-images",
        "severity": "error",
        "when": {"generation_type": ["TEXT"]},
        "message": "TEXT takes no images",
        "source": "inferred",
    }
    assert data["derived"] == {
        "parameter": "generation_type",
        "by_images": ["TEXT", "FIRST&LAST", "FIRST&LAST", "REFERENCE"],
        "source": "inferred",
    }
    assert data["prices"] == {
        "date": "2026-10-10",
        "source": "the gateway's public price rules, default group",
        "credits_per_usd": "68",
        "rule": "per_second",
        "credits": "6.336",
        "minimum": "25.344",
        "multipliers": [
            {"when": {"quality": "4k", "generate_audio": True}, "times": "3.51"},
            {"when": {"quality": "4k"}, "times": "3"},
            {"when": {"generate_audio": True}, "times": "1.5"},
        ],
    }


def test_rules_and_prices_are_told_in_words() -> None:
    text = models("veo-3.1-fast-generate-preview").stdout

    assert (
        "with generation_type REFERENCE: REFERENCE fixes it (duration 8, aspect_ratio 16:9)" in text
    )
    told = "generation_type, left out, is likely to be taken by the number of images: 0 TEXT, 1"
    assert told in text
    assert "with images 0: resize_mode has a meaning only with images (resize_mode)" in text
    assert "6.336 credits a second of each clip, at least 25.344 a request\n" in text
    assert "3.51 times as much with quality 4k, generate_audio true\n" in text


def test_a_price_by_published_rules_is_told_with_its_kind_and_source() -> None:
    text = models("seedance-2.5-text-to-video").stdout

    assert (
        "  video_output: 20.090 credits, at least 37.3674, by duration, duration_seconds, quality\n"
        in text
    )
    assert "1.1 times as much with content_filter false\n" in text
    assert "reserved by the request, settled by what was made\n" in text
    assert "a request that sets nothing else: exact, 100.450 credits\n" in text
    assert (
        "the lowest published prices of 2026-10-10, 68 credits to the dollar; source: the" in text
    )
    assert "pixels of 480p: 16:9 854x480, 9:16 480x854, " in text
    assert "a task takes about 165 seconds\n" in text
    assert "sound: by generate_audio\n" in text


def test_scripts_read_a_price_by_published_rules_as_it_is() -> None:
    data = json.loads(models("kling-v3-text-to-video", "--format", "json").stdout)

    prices = data["prices"]
    assert prices["components"][0]["rate"] == {"uc": "54000"}
    assert {key: prices[key] for key in ("rule", "settlement", "lowest", "surcharges")} == {
        "rule": "components",
        "settlement": "request_only",
        "lowest": True,
        "surcharges": [],
    }
    assert data["audio"] == "by sound"
    assert data["plain_request"] == {"credits": "27.000", "certainty": "exact", "assumed": {}}
    assert data["expected_seconds"] == 300
    shots = data["parameters"]["model_params"]["properties"]["multi_prompt"]
    assert (shots["min_items"], shots["max_items"]) == (1, 6)
    assert shots["item"]["properties"]["prompt"]["max_length"] == 512


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("veo-3.1-fast-generate", "did you mean 'veo-3.1-fast-generate-preview'?"),
        ("sora", "known are gemini-omni-1.1-flash-image-to-video, "),
    ],
)
def test_a_model_that_is_not_known_is_a_mistake(model: str, hint: str) -> None:
    found = models(model).exception

    assert isinstance(found, UsageError)
    assert str(found).startswith(f"{model!r} is not a known model; {hint}")
