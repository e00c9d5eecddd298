import io
from dataclasses import replace
from pathlib import Path

import av
import pytest
from frames import frames
from PIL import Image, ImageChops, ImageStat

from veogen.simulator.video import AbandonedError, SimulatedClip, UnusableImageError, render, still

CLIP = SimulatedClip(
    task="task-unified-1757169743-7cvnl5zw",
    prompt="a boat at dusk",
    seed=7,
    size=(320, 180),
    seconds=4,
    audio=True,
)


def made(clip: SimulatedClip, folder: Path) -> bytes:
    path = folder / "clip.mp4"
    render(clip, path)
    return path.read_bytes()


def test_equal_clips_are_equal_bytes(tmp_path: Path) -> None:
    assert made(CLIP, tmp_path) == made(replace(CLIP), tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(CLIP, seed=8), id="seed"),
        pytest.param(replace(CLIP, prompt="a boat at dawn"), id="prompt"),
        pytest.param(replace(CLIP, number=2, of=2), id="number"),
    ],
)
def test_clips_look_different_for_every(other: SimulatedClip, tmp_path: Path) -> None:
    one, two = (middle(clip, tmp_path) for clip in (CLIP, other))

    assert difference(one, two) > 10


def test_the_picture_moves(tmp_path: Path) -> None:
    shown = [upper(frame) for frame in frames(made(CLIP, tmp_path))]

    assert len(shown) == 96
    assert difference(shown[0], shown[48]) > 5
    assert difference(shown[48], shown[95]) > 5


def test_a_clip_says_that_it_is_simulated(tmp_path: Path) -> None:
    render(CLIP, tmp_path / "clip.mp4")

    with av.open(str(tmp_path / "clip.mp4"), "r") as clip:
        assert clip.metadata["comment"] == "SIMULATED by veogen: not a clip of the gateway"


def test_the_longest_prompt_leaves_half_of_the_frame_and_its_task(tmp_path: Path) -> None:
    long = replace(CLIP, prompt="very long " * 200, size=(1280, 720))

    frame = middle(long, tmp_path)

    assert difference(upper(frame), Image.new("RGB", (1280, 360), (18, 18, 22))) > 30


def test_an_image_of_too_many_pixels_is_not_read() -> None:
    file = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(file, "PNG")

    with pytest.raises(UnusableImageError, match="an image has too many pixels"):
        still(file.getvalue(), (1280, 720), "pad")


def test_a_clip_nobody_waits_for_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(AbandonedError):
        render(CLIP, tmp_path / "clip.mp4", lambda: True)


def middle(clip: SimulatedClip, folder: Path) -> Image.Image:
    decoded = frames(made(clip, folder))
    return decoded[len(decoded) // 2]


def upper(frame: Image.Image) -> Image.Image:
    return frame.crop((0, 0, frame.width, frame.height // 2))


def difference(one: Image.Image, two: Image.Image) -> float:
    """How far two pictures are apart, on average, of 255."""
    return max(ImageStat.Stat(ImageChops.difference(one, two)).mean)
