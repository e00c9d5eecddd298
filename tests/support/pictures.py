"""Real images for tests."""

import io
from functools import cache

from PIL import Image


@cache
def picture(kind: str = "png", size: tuple[int, int] = (1280, 720), colour: str = "red") -> bytes:
    """The bytes of an image of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind.upper())
    return file.getvalue()
