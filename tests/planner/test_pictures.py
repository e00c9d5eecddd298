"""Which bytes are a reference image, seen without unpacking it."""

import contextlib
import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.pictures import picture

from veogen.planner.pictures import NoPictureError, Picture, look_at

KINDS = ["jpeg", "png", "webp"]


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((1280, 720), 50).convert("RGBA" if kind == "webp" else "RGB").save(
        file, kind.upper(), **options
    )
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
    ("raw", "seen"),
    [
        pytest.param(picture("png"), Picture("png", 1280, 720), id="png"),
        pytest.param(picture("jpeg"), Picture("jpeg", 1280, 720), id="jpeg"),
        pytest.param(picture("webp"), Picture("webp", 1280, 720), id="webp"),
        pytest.param(saved("jpeg", progressive=True), Picture("jpeg", 1280, 720), id="progressive"),
        pytest.param(saved("webp", lossless=True), Picture("webp", 1280, 720), id="lossless"),
        pytest.param(saved("webp"), Picture("webp", 1280, 720), id="with transparency"),
        pytest.param(picture("png", (3, 5)), Picture("png", 3, 5), id="tiny"),
        pytest.param(turned(), Picture("jpeg", 720, 1280), id="turned"),
        pytest.param(picture("jpeg") + bytes(32), Picture("jpeg", 1280, 720), id="fill bytes"),
        pytest.param(
            picture("jpeg") + picture("jpeg", (160, 90)), Picture("jpeg", 1280, 720), id="a preview"
        ),
    ],
)
def test_an_image_is_known_by_its_bytes(raw: bytes, seen: Picture) -> None:
    assert look_at(raw) == seen


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"", "is not a JPEG, PNG or WebP", id="empty"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a JPEG", id="svg"),
        pytest.param(b"<?xml version='1.0'?><svg/>", "is not a JPEG", id="xml"),
        pytest.param(picture("gif"), "is not a JPEG", id="gif"),
        pytest.param(picture("bmp"), "is not a JPEG", id="bmp"),
        pytest.param(b"%PDF-1.7\n", "is not a JPEG", id="pdf"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "is cut short", id="a signature"),
        pytest.param(b"\xff\xd8\xff\xd9", "cannot be read", id="a JPEG of nothing"),
        pytest.param(png_of(50_000, 50_000), "claims", id="a bomb"),
        pytest.param(png_of(2**31 - 1, 1), "claims", id="a wide bomb"),
        pytest.param(webp_of(16_384, 16_384), "claims 16384x16384 pixels", id="a WebP bomb"),
        pytest.param(png_of(0, 9), "cannot be read", id="nothing to see"),
        pytest.param(picture("png") + archive(), "holds something else", id="with an archive"),
        pytest.param(
            picture("jpeg") + b"<script>alert(1)</script>",
            "holds something else",
            id="with a script",
        ),
        pytest.param(picture("webp") + b"%PDF-1.7", "holds something else", id="with a document"),
        pytest.param(
            picture("jpeg") + picture("jpeg") + archive(), "something else", id="behind a preview"
        ),
        pytest.param(b"\xff\xd8\xff" + b"\xe0\x00\x02\xff" * 2_000_000, "cut short", id="segments"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"") * 500_000, "cut short", id="chunks"
        ),
    ],
)
def test_what_is_no_image_is_told_quickly_and_in_little_memory(raw: bytes, reason: str) -> None:
    tracemalloc.start()
    with pytest.raises(NoPictureError, match=reason):
        look_at(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2 * len(raw) + 4_000_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_an_image_that_was_cut_short_is_found_out(kind: str, kept: float) -> None:
    raw = saved(kind)

    with pytest.raises(NoPictureError, match="is cut short"):
        look_at(raw[: int(kept * len(raw))])


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), at=st.integers(0, 400), what=st.binary(min_size=1, max_size=16))
def test_no_bytes_make_it_raise_anything_else(kind: str, at: int, what: bytes) -> None:
    raw = picture(kind, (16, 9))
    spoilt = raw[:at] + what + raw[at:]

    with contextlib.suppress(NoPictureError):
        assert look_at(spoilt).kind == kind
