"""The frames of a clip as pictures."""

import io

import av
from PIL import Image


def frames(clip: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(clip), "r") as file:
        return [picture(frame) for frame in file.decode(video=0)]


def picture(frame: av.VideoFrame) -> Image.Image:
    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it so
    return image
