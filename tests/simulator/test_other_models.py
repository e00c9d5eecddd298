"""Models that are not shipped: a project's own, and those of which only the id is known."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from customer import Customer

from veogen.models.model import Model, parse_model, shipped
from veogen.simulator.scenario import Options
from veogen.simulator.server import running

LITE = parse_model(
    {
        "id": "veo-lite",
        "title": "Lite",
        "checked": "never",
        "parameters": {
            "model": {"type": "string", "description": "", "source": "project"},
            "prompt": {"type": "string", "description": "", "source": "project"},
            "duration": {
                "type": "integer",
                "enum": [2],
                "default": 2,
                "description": "",
                "source": "",
            },
        },
        "prices": {
            "date": "2026-11-01",
            "source": "project",
            "credits_per_usd": 70,
            "rule": "per_second",
            "credits": "1.5",
        },
    }
)


def made(models: Mapping[str, Model], **body: Any) -> dict[str, Any]:
    """A task of another model, ended."""
    with running(Options(generation_time=0.05, models={**shipped(), **models})) as simulator:
        return Customer(simulator).make(**body)


def test_a_projects_own_model_is_simulated_at_its_price() -> None:
    task = made({"veo-lite": LITE}, model="veo-lite")

    assert task["status"] == "completed"
    assert task["task_info"]["video_duration"] == 2
    assert Decimal(str(task["usage"]["credits_used"])) == Decimal("3.0")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"duration": "long", "n": "many", "quality": "8k", "aspect_ratio": 1},
        {"duration": 10**9, "n": 99, "generate_audio": "no", "resize_mode": 3, "image_urls": 4},
        {"camera": {"move": ["dolly", None]}},
        {"image_urls": [4, None, {}, "http://h:99999/", "http://[::1/a", "data:image/png,x"]},
    ],
    ids=["nothing", "words", "sizes", "others", "images"],
)
def test_a_model_that_nobody_knows_takes_anything(odd: dict[str, Any]) -> None:
    task = made({"veo-9": Model.unknown("veo-9")}, model="veo-9", **odd)

    assert (task["status"], len(task["results"])) == ("completed", 1)


def test_a_model_that_is_not_there_is_refused() -> None:
    with running(Options()) as simulator:
        refused = Customer(simulator).submit(model="veo-lite")

    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_unavailable")
