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
    assert models().stdout == (
        "model                          seconds  quality          credits  title\n"
        "veo-3.1-fast-generate-preview  4, 6, 8  720p, 1080p, 4k   38.016  Veo 3.1 Fast (preview)\n"
        "veo-3.1-generate-preview       4, 6, 8  720p, 1080p, 4k  101.376  Veo 3.1 (preview)\n"
        "veo3.1-fast-beta               8        720p              21.600  Veo 3.1 Fast (beta)\n"
        "veo3.1-pro-beta                8        720p             162.000  Veo 3.1 Pro (beta)\n"
        "\n"
        "Credits of a request that sets nothing else; 'veogen models ID' tells more.\n"
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


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("veo-3.1-fast-generate", "did you mean 'veo-3.1-fast-generate-preview'?"),
        ("sora", "known are veo-3.1-fast-generate-preview, veo-3.1-generate-preview, "),
    ],
)
def test_a_model_that_is_not_known_is_a_mistake(model: str, hint: str) -> None:
    found = models(model).exception

    assert isinstance(found, UsageError)
    assert str(found).startswith(f"{model!r} is not a known model; {hint}")
