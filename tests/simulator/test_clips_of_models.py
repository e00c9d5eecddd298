"""Clips of the models beside Veo: in their sizes, lengths and sound, at their prices."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import av
import pytest
from customer import Customer

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running

FRAME = "https://example.com/frame.png"
KLING, SEEDANCE = "kling-v3-text-to-video", "seedance-2.5-text-to-video"
OMNI, FLASH = "gemini-omni-1.1-flash-text-to-video", "wan2.6-image-to-video-flash"


def made(**body: Any) -> tuple[dict[str, Any], tuple[int, int, int, bool]]:
    """A task that has ended, and its clip: width, height, seconds, whether it has sound."""
    with running(Options(generation_time=0)) as simulator:
        customer = Customer(simulator)
        task = customer.make(**body)
        clip = customer.fetch(task["results"][0]).content
    with av.open(BytesIO(clip), "r") as container:
        stream = container.streams.video[0]
        seconds = round(Decimal(container.duration or 0) / av.time_base)
        return task, (stream.width, stream.height, seconds, bool(container.streams.audio))


@pytest.mark.parametrize(
    ("body", "clip", "credits_"),
    [
        pytest.param(
            {"model": KLING, "duration": 3, "aspect_ratio": "1:1"},
            (720, 720, 3, False),
            "16.2",
            id="kling, square and silent",
        ),
        pytest.param(
            {"model": KLING, "duration": 4, "aspect_ratio": "9:16", "sound": "on"},
            (720, 1280, 4, True),
            "32.4",
            id="kling, upright with sound",
        ),
        pytest.param(
            {"model": FLASH, "duration": 2, "image_urls": [FRAME], "generate_audio": False},
            (1280, 720, 2, False),
            "6",
            id="wan flash, the least that it costs",
        ),
        pytest.param(
            {"model": "wan2.6-text-to-video", "duration": 2, "aspect_ratio": "4:3"},
            (960, 720, 2, True),
            "9.52",
            id="wan, of another ratio",
        ),
        pytest.param(
            {"model": SEEDANCE, "duration": 4, "quality": "480p", "aspect_ratio": "21:9"},
            (992, 432, 4, True),
            "37.3674",
            id="seedance, a size of its own",
        ),
        pytest.param(
            {"model": SEEDANCE, "duration": 4, "draft": True, "aspect_ratio": "16:9"},
            (854, 480, 4, True),
            "37.3674",
            id="seedance, a draft",
        ),
        pytest.param(
            {"model": OMNI, "quality": "360p", "aspect_ratio": "9:16"},
            (360, 640, 3, True),
            "5.8581",
            id="omni, always with sound",
        ),
    ],
)
def test_a_clip_is_as_its_model_makes_it(
    body: dict[str, Any], clip: tuple[int, int, int, bool], credits_: str
) -> None:
    task, found = made(**body)

    assert found == clip
    assert task["task_info"]["video_duration"] == clip[2]
    assert Decimal(str(task["usage"]["credits_used"])) == Decimal(credits_)


def test_a_clip_may_be_quicktime() -> None:
    with running(Options(generation_time=0)) as simulator:
        customer = Customer(simulator)
        task = customer.make(model=SEEDANCE, duration=4, quality="480p", output_format="mov")
        clip = customer.fetch(task["results"][0]).content

    assert clip[4:12] == b"ftypqt  "


def test_a_length_that_the_model_chooses_is_reserved_at_most_and_charged_as_made() -> None:
    task, (_, _, seconds, _) = made(
        model=SEEDANCE, duration=-1, quality="480p", aspect_ratio="16:9", generate_audio=False
    )

    usage = {
        name: Decimal(str(task["usage"][name])) for name in ("credits_reserved", "credits_used")
    }
    assert 4 <= seconds <= 30
    assert usage["credits_reserved"] == Decimal("280.2555")
    assert abs(usage["credits_used"] - seconds * Decimal("9.34185")) < Decimal("0.001")


@pytest.mark.parametrize(
    ("settings", "reserved", "used"),
    [
        pytest.param({}, "27", "27", id="as published"),
        pytest.param({"amounts": "units"}, "270000", "270000", id="in 10,000ths"),
        pytest.param({"reserves": Decimal("1.75")}, "47.25", "27", id="more is reserved"),
        pytest.param({"charges": Decimal("0.5")}, "27", "13.5", id="less is charged"),
    ],
)
def test_an_account_names_amounts_as_it_is_told(
    settings: dict[str, Any], reserved: str, used: str
) -> None:
    gateway = AccountSettings(clips="shared", credits=Decimal(100), **settings)
    with running(Options(generation_time=0, gateway=gateway)) as simulator:
        customer = Customer(simulator)
        usage = customer.make(model=KLING)["usage"]
        audit = customer.ask("GET", "/__audit").json()["credits"]

    assert (Decimal(str(usage["credits_reserved"])), Decimal(str(usage["credits_used"]))) == (
        Decimal(reserved),
        Decimal(used),
    )
    charged = Decimal(used) / (10_000 if "amounts" in settings else 1)
    assert Decimal(audit["remaining"]) == 100 - charged
    assert Decimal(audit["charged"]) == charged
    assert Decimal(audit["reserved"]) == 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"model": KLING, "sound": True}, "sound", id="a boolean for a word"),
        pytest.param(
            {"model": KLING, "model_params": {"multi_shot": True}},
            "model_params.shot_type",
            id="what several shots need",
        ),
        pytest.param(
            {"model": KLING, "model_params": {"x": 1}}, "model_params.x", id="a key within"
        ),
        pytest.param({"model": SEEDANCE, "duration": 3}, "duration", id="too short"),
        pytest.param(
            {"model": SEEDANCE, "draft": True, "quality": "720p"}, "quality", id="a draft of 720p"
        ),
        pytest.param({"model": FLASH}, "image_urls", id="no image"),
        pytest.param({"model": OMNI, "duration": "auto"}, "duration", id="a word of version 1.0"),
    ],
)
def test_what_a_model_does_not_take_is_refused(body: dict[str, Any], param: str) -> None:
    with running(Options(generation_time=0)) as simulator:
        answer = Customer(simulator).submit(**body)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
