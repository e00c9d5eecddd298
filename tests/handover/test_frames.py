"""The ends of a clip as pictures."""

from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops
from support.galleries import clip

from veogen.handover.media import ENDS, End, NoFrameError, frame_name, write_frame


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "opening.mp4"
    path.write_bytes(clip((320, 180)))
    return path


@pytest.mark.parametrize(("end", "index"), [("first", 0), ("last", -1)])
def test_a_frame_is_that_end_of_the_clip(film: Path, end: End, index: int, tmp_path: Path) -> None:
    place = tmp_path / frame_name("opening.mp4", end)

    write_frame(film, end, place)

    with av.open(str(film)) as container:
        frames: list[Any] = list(container.decode(video=0))
    with Image.open(place) as picture:
        assert (picture.format, picture.size, place.name) == (
            "PNG",
            (320, 180),
            f"opening-{end}.png",
        )
        assert ImageChops.difference(picture, frames[index].to_image()).getbbox() is None
        assert ImageChops.difference(picture, frames[len(frames) // 2].to_image()).getbbox()


@pytest.mark.parametrize("end", ENDS)
def test_a_clip_without_pictures_has_no_frame(end: End, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(clip((320, 180))[:3000])

    with pytest.raises(NoFrameError, match=r"broken\.mp4: it has no frame that can be read"):
        write_frame(path, end, tmp_path / "frame.png")

    assert not (tmp_path / "frame.png").exists()
