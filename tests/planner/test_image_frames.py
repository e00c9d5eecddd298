"""Frames of the project by name (`image_start`), and what each model takes of an image."""

import io
from hashlib import sha256

import pytest
from PIL import Image
from support.project import Project

from veogen.planner.identity import request_hash, with_images

KLING, FLASH = "kling-v3-image-to-video", "wan2.6-image-to-video-flash"


def image(width: int, height: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def spec(model: str, params: str) -> str:
    return (
        f"params: {{model: {model}, duration: 5, {params}}}\nshots: [{{name: a, prompt: a boat}}]\n"
    )


def test_a_frame_is_a_file_of_the_project_and_counts_by_its_bytes(project: Project) -> None:
    start, end = image(640, 360), image(640, 480)
    project.write("first.png", start)
    project.write("last.png", end)

    (request,) = project.requests(spec(KLING, "image_start: first.png, image_end: last.png"))

    assert (request.body["image_start"], request.body["image_end"]) == (
        "file:first.png",
        "file:last.png",
    )
    assert [(i.path, i.sha256) for i in request.images] == [
        ("first.png", sha256(start).hexdigest()),
        ("last.png", sha256(end).hexdigest()),
    ]
    hashes = {f"file:{i.path}": f"sha256:{i.sha256}" for i in request.images}
    assert request.hash == request_hash(with_images(request.body, hashes), 1)


def test_other_bytes_are_another_request_and_another_name_is_not(project: Project) -> None:
    project.write("a.png", image(640, 360))
    project.write("b.png", image(640, 360))
    first = project.requests(spec(KLING, "image_start: a.png"))[0].hash

    renamed = project.requests(spec(KLING, "image_start: b.png"))[0].hash
    project.write("a.png", image(641, 360))
    changed = project.requests(spec(KLING, "image_start: a.png"))[0].hash

    assert renamed == first
    assert changed != first


def test_a_frame_may_be_an_address(project: Project) -> None:
    (request,) = project.requests(spec(KLING, 'image_start: "https://example.org/a.png"'))

    assert request.body["image_start"] == "https://example.org/a.png"
    assert request.images == ()


@pytest.mark.parametrize(
    ("model", "params", "content", "mistake"),
    [
        pytest.param(
            KLING,
            "image_start: a.png",
            image(640, 360, "WEBP"),
            "'a.png' is a WEBP; image_start takes JPEG, PNG",
            id="a kind that it does not take",
        ),
        pytest.param(
            KLING,
            "image_start: a.png",
            image(299, 400),
            "'a.png' has 299x400 pixels; each side has at least 300 for image_start",
            id="too small",
        ),
        pytest.param(
            KLING,
            "image_start: a.png",
            image(300, 751),
            "'a.png' has 300x751 pixels; image_start takes up to 1:2.5",
            id="too long",
        ),
        pytest.param(
            FLASH,
            "image_urls: [a.png]",
            image(2001, 1000),
            "'a.png' has 2001x1000 pixels; each side has 360 to 2000 for image_urls",
            id="too large",
        ),
        pytest.param(
            KLING,
            "image_start: b.png",
            image(640, 360),
            "'b.png' cannot be read: No such file or directory",
            id="not there",
        ),
        pytest.param(
            KLING,
            "image_start: [a.png]",
            image(640, 360),
            'image_start is a path or an https URL, not ["a.png"]',
            id="a list for one",
        ),
        pytest.param(
            KLING,
            "image_start: ../a.png",
            image(640, 360),
            "'../a.png' leaves the project",
            id="outside of the project",
        ),
    ],
)
def test_an_image_that_a_model_does_not_take_is_a_mistake_at_its_place(
    model: str, params: str, content: bytes, mistake: str, project: Project
) -> None:
    project.write("a.png", content)

    (told,) = project.told(spec(model, params))

    assert told.removesuffix(" (a)").endswith(f": {mistake}")
    assert told.startswith("2:")


def test_the_first_frame_is_needed(project: Project) -> None:
    (told,) = project.told(f"params: {{model: {KLING}}}\nshots: [{{name: a, prompt: a boat}}]\n")

    assert told == "3:9 missing-parameter: 'image_start' is missing (a)"
