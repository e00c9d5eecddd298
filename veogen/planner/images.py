"""Images of requests: https addresses as they are, files of the project by their bytes."""

import hashlib
import io
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from veogen.document.files import POINTER, Files, OutsideRootError, inside, nearest_file
from veogen.models.parameters import Json, Parameter, shown_size
from veogen.planner.identity import FILE
from veogen.planner.plan import Image

Kind: TypeAlias = Literal["jpeg", "png", "webp"]

MOST_PIXELS = 100_000_000
"""More than any camera makes; a small file that claims more is made to hurt who unpacks it."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # not those without a length
_JPEG_END = 0xD9
_JPEG_SCAN = 0xDA
_MOST_FILLER = 1024  # bytes before a marker, which no encoder needs
_MOST_PREVIEWS = 16
_ZEROS = re.compile(rb"\0*")
_WEBP_HEAD = 12
_WEBP_EXTENDED = re.compile(rb"VP8X.{8}(.{3})(.{3})", re.DOTALL)
_WEBP_LOSSLESS = re.compile(rb"VP8L.{4}\x2f(.{4})", re.DOTALL)
_WEBP_LOSSY = re.compile(rb"VP8 .{7}\x9d\x01\x2a(..)(..)", re.DOTALL)
_14_BITS = 0x3FFF
_MOST_PIECES = 100_000  # no image has more chunks or segments; a file made of them would keep us
_QUARTER_TURNS = frozenset({5, 6, 7, 8})  # of the tag that says how a camera was held
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a file shows: its kind, and width and height as they are seen."""

    kind: Kind
    width: int
    height: int


class NotAnImageError(ValueError):
    """The bytes are no picture that can be used; the message goes on from the file's name."""


def inspect_image(raw: bytes) -> ImageInfo:
    """What is in a file; nothing is unpacked but its header. Raises `NotAnImageError`."""
    kind = kind_of(raw)
    if kind is None:
        raise NotAnImageError("is not a JPEG, PNG or WebP file by its bytes")
    end = _end(raw, kind)
    if end is None:
        raise NotAnImageError(f"is cut short: the end of the {kind.upper()} is missing")
    for _ in range(_MOST_PREVIEWS if kind == "jpeg" else 0):
        preview_end = _jpeg_end(raw, end) if raw.startswith(_JPEG, end) else None
        if preview_end is None:
            break
        end = _after_zeros(raw, preview_end)
    if _after_zeros(raw, end) < len(raw):  # cameras add fill bytes, and previews to a JPEG
        raise NotAnImageError(
            f"holds something else after the end of the {kind.upper()}; save it again as an image"
        )
    width, height = _size(raw, kind)
    if width * height > MOST_PIXELS:
        raise NotAnImageError(f"claims {width}x{height} pixels, which no reference image has")
    return ImageInfo(kind, width, height)


def kind_of(raw: bytes) -> Kind | None:
    """The kind of picture that the first bytes promise."""
    if raw.startswith(_JPEG):
        return "jpeg"
    if raw.startswith(_PNG):
        return "png"
    return "webp" if (raw[:4], raw[8:12]) == (b"RIFF", b"WEBP") else None


def _size(raw: bytes, kind: Kind) -> tuple[int, int]:
    from PIL import Image  # noqa: PLC0415 - dear, and wanted only where there is an image

    if kind == "webp":  # this reader makes room for the whole picture before it tells the size
        if head := _WEBP_EXTENDED.match(raw, _WEBP_HEAD):
            return _little(head[1]) + 1, _little(head[2]) + 1
        if head := _WEBP_LOSSLESS.match(raw, _WEBP_HEAD):
            bits = _little(head[1])
            return (bits & _14_BITS) + 1, (bits >> 14 & _14_BITS) + 1
        if head := _WEBP_LOSSY.match(raw, _WEBP_HEAD):
            return _little(head[1]) & _14_BITS, _little(head[2]) & _14_BITS
        raise NotAnImageError("is a WEBP that cannot be read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd, but can be read
            with Image.open(io.BytesIO(raw), formats=[kind.upper()]) as image:
                turned = kind == "jpeg" and image.getexif().get(_ORIENTATION) in _QUARTER_TURNS
                width, height = image.size
                return (height, width) if turned else (width, height)
    except Image.DecompressionBombError:
        raise NotAnImageError("claims more pixels than any reference image has") from None
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, zlib.error):
        raise NotAnImageError(f"is a {kind.upper()} that cannot be read") from None


def _end(raw: bytes, kind: Kind) -> int | None:
    """Where an image ends; None if it does not."""
    if kind == "jpeg":
        return _jpeg_end(raw)
    if kind == "webp":
        end = 8 + _little(raw[4:8])
        end += end % 2
        return end if end <= len(raw) else None
    end = len(_PNG)
    for _ in range(_MOST_PIECES):
        length, name = int.from_bytes(raw[end : end + 4]), raw[end + 4 : end + 8]
        end += 12 + length
        if end > len(raw):
            return None
        if name == b"IEND":
            return end
    return None


def _jpeg_end(raw: bytes, at: int = 0) -> int | None:
    """Where the JPEG that begins at `at` ends; None if it does not."""
    at, in_head = at + 2, True
    for _ in range(_MOST_PIECES):
        segment = _JPEG_MARKER.search(raw, at)
        if segment is None:
            return None
        if in_head and segment.start() - at > _MOST_FILLER:  # the reader would go over each of them
            raise NotAnImageError("is a JPEG that cannot be read")
        marker, at = segment[0][1], segment.end()
        if marker == _JPEG_END:
            return at
        # A scan is a segment with its head; the search goes over the bytes that follow it.
        in_head = in_head and marker != _JPEG_SCAN
        at += int.from_bytes(raw[at : at + 2])
    return None


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _after_zeros(raw: bytes, at: int) -> int:
    found = _ZEROS.match(raw, at)
    return found.end() if found else at


LARGEST = 10 * 1024 * 1024
"""Bytes of an image where no model says how many it takes."""

_SMALLEST = (1280, 720)
_FAR = 0.05
_RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16}


class BadImageError(ValueError):
    """An image that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class LocalImage:
    """A local image, and what it shows."""

    image: Image
    picture: ImageInfo

    def check(self, parameter: Parameter) -> None:
        """Raise `BadImageError` for an image that a parameter does not take."""
        picture = self.picture
        wrong = parameter.check_image(picture.kind, picture.width, picture.height)
        if wrong is not None:
            raise BadImageError(f"{self.image.path!r} {wrong}")


class Images:
    """Reads each local image once, or once for each limit on its size that models have."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[tuple[PurePosixPath, int], LocalImage | BadImageError] = {}

    def find(self, url: str, folder: PurePosixPath, max_bytes: int | None) -> LocalImage | str:
        """A local image, its path relative to `folder`, or the address as it was written.

        Raises `BadImageError`.
        """
        if url[:8].lower() == "https://":
            try:
                parts = urlsplit(url)
                whole = bool(parts.hostname) and parts.port != 0
            except ValueError:
                whole = False
            if not whole or any(char <= " " or char in "\\\x7f" for char in url):
                raise BadImageError(f"{url!r} is not an https URL")  # no server can fetch it
            return url
        if ":" in url.partition("/")[0]:
            raise BadImageError(f"{url!r} is neither a file of the project nor an https URL")
        try:
            path = inside(folder, url)
        except OutsideRootError as error:
            raise BadImageError(str(error)) from None
        key = path, max_bytes or LARGEST
        image = self._known.get(key)
        if image is None:
            image = self._known[key] = self._read(*key, url)
        if isinstance(image, BadImageError):
            raise image
        return image

    def _read(self, path: PurePosixPath, max_bytes: int, url: str) -> LocalImage | BadImageError:
        try:
            raw = self._files.read(path, max_bytes)
        except OutsideRootError:
            return BadImageError(f"{url!r} leaves the project")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            near = nearest_file(self._files, path)
            return BadImageError(f"{url!r} cannot be read: {reason}{f'; {near}' if near else ''}")
        if len(raw) > max_bytes:
            return BadImageError(f"{url!r} has more than {shown_size(max_bytes)}, the limit")
        if raw.startswith(POINTER):
            message = f"{url!r} is kept in Git LFS and is not here; get it with: git lfs pull"
            return BadImageError(message)
        try:
            picture = inspect_image(raw)
        except NotAnImageError as error:
            return BadImageError(f"{url!r} {error}")
        return LocalImage(Image(str(path), hashlib.sha256(raw).hexdigest(), len(raw)), picture)


def shown(found: LocalImage | str) -> str:
    """An image as it stands in a body."""
    return found if isinstance(found, str) else FILE + found.image.path


def image_warnings(local: LocalImage, effective: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Code and text of what makes an image a poor choice for a request."""
    path, picture = local.image.path, local.picture
    size = f"{picture.width}x{picture.height}"
    long, short = max(picture.width, picture.height), min(picture.width, picture.height)
    if long < _SMALLEST[0] or short < _SMALLEST[1]:
        yield "small-image", f"{path!r} has {size} pixels; 1280x720 or 720x1280 are advised"
    ratio = _RATIOS.get(str(effective.get("aspect_ratio")))
    if ratio and abs(picture.width / picture.height / ratio - 1) > _FAR:
        yield "image-ratio", f"{path!r} has {size} pixels, far from {effective['aspect_ratio']}"
