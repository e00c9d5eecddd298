"""What clips should be, by model: the checks of what is delivered go by it."""

import pytest

from veogen.models.model import ExpectedClip, Model, expected_clip, shipped
from veogen.models.parameters import Json

KLING, OMNI = "kling-v3-text-to-video", "gemini-omni-1.1-flash-text-to-video"
SEEDANCE, VEO = "seedance-2.5-text-to-video", "veo-3.1-fast-generate-preview"


@pytest.mark.parametrize(
    ("model", "body", "expected"),
    [
        pytest.param(
            VEO,
            {"duration": 8, "aspect_ratio": "16:9"},
            ExpectedClip(seconds=(8, 8), sizes=frozenset({(1280, 720)}), ratio=(16, 9), audio=True),
            id="veo as it always was",
        ),
        pytest.param(
            VEO,
            {"generation_type": "REFERENCE", "generate_audio": False},
            ExpectedClip(
                seconds=(8, 8), sizes=frozenset({(1280, 720)}), ratio=(16, 9), audio=False
            ),
            id="what a rule fixes",
        ),
        pytest.param(
            KLING,
            {"aspect_ratio": "1:1", "sound": "on"},
            ExpectedClip(seconds=(5, 5), ratio=(1, 1), audio=True),
            id="kling, whose pixels nobody states",
        ),
        pytest.param(
            "kling-v3-image-to-video",
            {"quality": "1080p"},
            ExpectedClip(seconds=(5, 5), audio=False),
            id="kling, of the ratio of the image",
        ),
        pytest.param(
            "wan2.6-text-to-video",
            {"aspect_ratio": "4:3"},
            ExpectedClip(ratio=(4, 3)),
            id="wan, whose default length and sound nobody states",
        ),
        pytest.param(
            SEEDANCE,
            {"duration": -1, "quality": "480p", "aspect_ratio": "16:9"},
            ExpectedClip(seconds=(4, 30), sizes=frozenset({(854, 480)}), ratio=(16, 9), audio=True),
            id="seedance, a length that it chooses",
        ),
        pytest.param(
            SEEDANCE,
            {"draft": True, "generate_audio": False},
            ExpectedClip(
                seconds=(5, 5),
                sizes=frozenset({(854, 480), (752, 560), (640, 640), (992, 432)}),
                audio=False,
            ),
            id="seedance, a draft of any ratio",
        ),
        pytest.param(
            OMNI,
            {"quality": "360p", "aspect_ratio": "9:16"},
            ExpectedClip(seconds=(3, 3), sizes=frozenset({(640, 360)}), ratio=(9, 16), audio=True),
            id="omni, which always has sound",
        ),
    ],
)
def test_a_model_says_what_its_clips_should_be(
    model: str, body: dict[str, Json], expected: ExpectedClip
) -> None:
    assert expected_clip(shipped()[model], {"model": model, **body}) == expected


@pytest.mark.parametrize("model", [None, Model.unknown("veo-9")], ids=["none", "an id alone"])
def test_of_a_model_that_is_not_known_what_is_written_counts(model: Model | None) -> None:
    assert expected_clip(model, {"duration": 8, "generate_audio": False}) == ExpectedClip(
        seconds=(8, 8), audio=False
    )
    assert expected_clip(model, {"duration": "long", "aspect_ratio": "wide"}) == ExpectedClip()
