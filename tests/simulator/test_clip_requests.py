from collections.abc import Iterator

import pytest
from customer import Customer
from frames import frames
from PIL import Image
from test_uploads import PNG, png, upload

from veogen.simulator.scenario import Options
from veogen.simulator.server import running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def customer() -> Iterator[Customer]:
    with running(Options(generation_time=0)) as simulator:
        yield Customer(simulator)


def ends(customer: Customer, **asked: object) -> list[Image.Image]:
    """The first and the last frame of a clip."""
    [link] = customer.make(generate_audio=False, **asked)["results"]
    decoded = frames(customer.fetch(link).content)
    return [decoded[0], decoded[-1]]


def colour(frame: Image.Image) -> str:
    """Which of red, green and blue leads above the caption."""
    width, height = frame.size
    red, green, blue = (
        band.crop((0, 0, width, height // 2)).resize((1, 1)).getpixel((0, 0))
        for band in frame.split()
    )
    return max([(red, "red"), (green, "green"), (blue, "blue")])[1]


def test_a_clip_starts_from_its_image(customer: Customer) -> None:
    image = upload(customer, png("blue"), fileName="blue.png").json()["data"]["file_url"]

    first, _ = ends(customer, image_urls=[image])

    assert colour(first) == "blue"


def test_a_clip_goes_from_its_first_image_to_its_last(customer: Customer) -> None:
    images = [
        upload(customer, png(name), fileName=f"{name}.png").json()["data"]["file_url"]
        for name in ("red", "lime")
    ]

    first, last = ends(customer, image_urls=images, generation_type="FIRST&LAST")

    assert (colour(first), colour(last)) == ("red", "green")


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        pytest.param({"prompt": "a vertical boat"}, (720, 1280), id="the prompt says upright"),
        pytest.param({"prompt": "a boat, 9:16"}, (720, 1280), id="the prompt says a ratio"),
        pytest.param({"prompt": "a boat"}, (1280, 720), id="the prompt says nothing"),
    ],
)
def test_an_automatic_ratio_comes_from_the_prompt(
    customer: Customer, asked: dict[str, str], size: tuple[int, int]
) -> None:
    assert ends(customer, aspect_ratio="auto", **asked)[0].size == size


def test_an_automatic_ratio_comes_from_the_image(customer: Customer) -> None:
    image = upload(customer, png(size=(36, 64))).json()["data"]["file_url"]

    assert ends(customer, aspect_ratio="auto", image_urls=[image])[0].size == (720, 1280)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"GIF89a" + bytes(50), "is image/gif, not JPEG, PNG or WebP", id="a GIF"),
        pytest.param(PNG[:40], "an image cannot be read", id="half an image"),
        pytest.param(PNG + bytes(10 * 1024 * 1024), "is larger than 10485760 bytes", id="large"),
    ],
)
def test_a_task_fails_with_an_image_that_is_no_good(
    customer: Customer, data: bytes, message: str
) -> None:
    image = upload(customer, data, fileName="bad.png").json()["data"]["file_url"]

    task = customer.make(image_urls=[image])

    assert (task["status"], task["error"]["code"]) == ("failed", "image_processing_error")
    assert message in task["error"]["message"]


def test_an_image_of_another_host_is_not_looked_at(customer: Customer) -> None:
    task = customer.make(image_urls=["https://example.org/none.png"])

    assert task["status"] == "completed"


def test_references_are_no_frames_and_fix_length_and_number(customer: Customer) -> None:
    image = upload(customer, png("blue"), fileName="blue.png").json()["data"]["file_url"]

    task = customer.submit(image_urls=[image], generation_type="REFERENCE", n=4).json()

    assert task["task_info"]["video_duration"] == 8
    assert task["usage"]["credits_reserved"] == 76.032
