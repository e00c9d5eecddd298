"""Which bytes are a reference image, seen without unpacking it."""

import contextlib
import io
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.galleries import picture

from veogen.planner.images import ImageInfo, NotAnImageError, inspect_image

KINDS = ["jpeg", "png", "webp"]


def saved(kind: str, mode: str | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    mode = mode or ("RGBA" if kind == "webp" else "RGB")
    Image.effect_noise((1280, 720), 50).convert(mode).save(file, kind.upper(), **options)
    return file.getvalue()


def moving(kind: str) -> bytes:
    file = io.BytesIO()
    first, *others = (Image.new("RGB", (1280, 720), colour) for colour in ("red", "green", "blue"))
    first.save(file, kind.upper(), save_all=True, append_images=others)
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size, and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def packed(name: bytes, head: bytes, size: int) -> bytes:
    """A PNG with a chunk of packed zeros, so many of them."""
    raw, packer = picture("png"), zlib.compressobj(9)
    zeros = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()
    return raw[:33] + chunk(name, head + zeros) + raw[33:]


def webp_of(width: int, height: int) -> bytes:
    """A WebP that claims a canvas, and holds next to nothing."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    content = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", len(content)) + content


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("evil.sh", "rm -rf /")
    return file.getvalue()


def turned() -> bytes:
    """A photo that was taken on end: stored wide, with a note to turn it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (1280, 720)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize(
    ("made", "seen"),
    [
        pytest.param(lambda: picture("png"), ImageInfo("png", 1280, 720), id="png"),
        pytest.param(lambda: picture("jpeg"), ImageInfo("jpeg", 1280, 720), id="jpeg"),
        pytest.param(lambda: picture("webp"), ImageInfo("webp", 1280, 720), id="webp"),
        pytest.param(
            lambda: saved("jpeg", progressive=True), ImageInfo("jpeg", 1280, 720), id="progressive"
        ),
        pytest.param(
            lambda: saved("webp", lossless=True), ImageInfo("webp", 1280, 720), id="lossless"
        ),
        pytest.param(lambda: saved("webp"), ImageInfo("webp", 1280, 720), id="with transparency"),
        pytest.param(lambda: picture("png", (3, 5)), ImageInfo("png", 3, 5), id="tiny"),
        pytest.param(turned, ImageInfo("jpeg", 720, 1280), id="turned"),
        pytest.param(
            lambda: saved("jpeg", mode="CMYK"), ImageInfo("jpeg", 1280, 720), id="for print"
        ),
        pytest.param(lambda: moving("png"), ImageInfo("png", 1280, 720), id="a moving PNG"),
        pytest.param(lambda: moving("webp"), ImageInfo("webp", 1280, 720), id="a moving WebP"),
        pytest.param(
            lambda: picture("jpeg") + bytes(32), ImageInfo("jpeg", 1280, 720), id="fill bytes"
        ),
        pytest.param(
            lambda: picture("jpeg") + picture("jpeg", (160, 90)),
            ImageInfo("jpeg", 1280, 720),
            id="a preview",
        ),
    ],
)
def test_an_image_is_known_by_its_bytes(made: Callable[[], bytes], seen: ImageInfo) -> None:
    assert inspect_image(made()) == seen


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param(lambda: b"", "is not a JPEG, PNG or WebP", id="empty"),
        pytest.param(
            lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a JPEG", id="svg"
        ),
        pytest.param(lambda: b"<?xml version='1.0'?><svg/>", "is not a JPEG", id="xml"),
        pytest.param(lambda: picture("gif"), "is not a JPEG", id="gif"),
        pytest.param(lambda: picture("bmp"), "is not a JPEG", id="bmp"),
        pytest.param(lambda: b"%PDF-1.7\n", "is not a JPEG", id="pdf"),
        pytest.param(lambda: b"\x89PNG\r\n\x1a\n", "is cut short", id="a signature"),
        pytest.param(lambda: b"\xff\xd8\xff\xd9", "cannot be read", id="a JPEG of nothing"),
        pytest.param(lambda: png_of(50_000, 50_000), "claims", id="a bomb"),
        pytest.param(lambda: png_of(2**31 - 1, 1), "claims", id="a wide bomb"),
        pytest.param(
            lambda: webp_of(16_384, 16_384), "claims 16384x16384 pixels", id="a WebP bomb"
        ),
        pytest.param(lambda: png_of(0, 9), "cannot be read", id="nothing to see"),
        pytest.param(
            lambda: picture("png") + archive(), "holds something else", id="with an archive"
        ),
        pytest.param(
            lambda: picture("jpeg") + b"<script>alert(1)</script>",
            "holds something else",
            id="with a script",
        ),
        pytest.param(
            lambda: picture("webp") + b"%PDF-1.7", "holds something else", id="with a document"
        ),
        pytest.param(
            lambda: picture("jpeg") + picture("jpeg") + archive(),
            "something else",
            id="behind a preview",
        ),
        pytest.param(
            lambda: b"\xff\xd8\xff" + b"\xe0\x00\x02\xff" * 2_000_000, "cut short", id="segments"
        ),
        pytest.param(
            lambda: b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"") * 500_000, "cut short", id="chunks"
        ),
        pytest.param(
            lambda: b"\xff\xd8" + b"\xff" * (9 << 20) + b"\xd9", "cannot be read", id="filler"
        ),
        pytest.param(
            lambda: b"\xff\xd8\xff\xe0\x00\x02" + b"\xff\x00" * (4 << 20) + b"\xff\xd9",
            "cannot be read",
            id="filler of two bytes",
        ),
        pytest.param(
            lambda: picture("jpeg") + b"\xff\xd8\xff\xd9" * (2 << 20),
            "something else",
            id="previews",
        ),
        pytest.param(
            lambda: packed(b"zTXt", b"k\0\0", 300 << 20), "cannot be read", id="a bomb of a comment"
        ),
        pytest.param(
            lambda: packed(b"iTXt", b"k\0\1\0\0\0", 300 << 20),
            "cannot be read",
            id="a bomb of text",
        ),
    ],
)
def test_what_is_no_image_is_told_quickly_and_in_little_memory(
    made: Callable[[], bytes], reason: str
) -> None:
    raw = made()
    began = time.process_time()
    with pytest.raises(NotAnImageError, match=reason):
        inspect_image(raw)
    took = time.process_time() - began
    tracemalloc.start()
    with pytest.raises(NotAnImageError, match=reason):
        inspect_image(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert took < 3
    assert peak < 2 * len(raw) + 4_000_000


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b"\xff\xe2\x00\x66MPF\0" + bytes(96), id="a broken index of previews"),
        pytest.param(
            b"\xff\xe1\x01\x0aExif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\0\0\x90\1" * 31,
            id="broken notes",
        ),
    ],
)
def test_what_the_reader_finds_odd_is_no_line_on_the_terminal(odd: bytes) -> None:
    raw = picture("jpeg")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert inspect_image(raw[:2] + odd + raw[2:]) == ImageInfo("jpeg", 1280, 720)
    assert told == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_an_image_that_was_cut_short_is_found_out(kind: str, kept: float) -> None:
    raw = saved(kind)

    with pytest.raises(NotAnImageError, match="is cut short"):
        inspect_image(raw[: int(kept * len(raw))])


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), at=st.integers(0, 400), what=st.binary(min_size=1, max_size=16))
def test_no_bytes_make_it_raise_anything_else(kind: str, at: int, what: bytes) -> None:
    raw = picture(kind, (16, 9))
    spoilt = raw[:at] + what + raw[at:]

    with contextlib.suppress(NotAnImageError):
        assert inspect_image(spoilt).kind == kind
