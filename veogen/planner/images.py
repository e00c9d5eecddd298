"""Images of requests: https addresses as they are, files of the project by their bytes."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from veogen.catalogue.parameters import Json, shown_size
from veogen.document.files import POINTER, Files, OutsideRootError, inside
from veogen.planner.canonical import FILE
from veogen.planner.pictures import NoPictureError, Picture, look_at
from veogen.planner.plan import Image

LARGEST = 10 * 1024 * 1024
"""Bytes of an image where no model says how many it takes."""

_SMALLEST = (1280, 720)
_FAR = 0.05
_RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16}


class BadImageError(ValueError):
    """An image that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A local image, and what it shows."""

    image: Image
    picture: Picture


class Images:
    """Reads each local image once, or once for each limit on its size that models have."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[tuple[PurePosixPath, int], Found | BadImageError] = {}

    def find(self, written: str, folder: PurePosixPath, max_bytes: int | None) -> Found | str:
        """A local image, its path relative to `folder`, or the address as it was written.

        Raises `BadImageError`.
        """
        if written[:8].lower() == "https://":
            _check_address(written)
            return written
        if ":" in written.partition("/")[0]:
            raise BadImageError(f"{written!r} is neither a file of the project nor an https URL")
        try:
            path = inside(folder, written)
        except OutsideRootError as error:
            raise BadImageError(str(error)) from None
        key = path, max_bytes or LARGEST
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._read(*key, written)
        if isinstance(found, BadImageError):
            raise found
        return found

    def _read(self, path: PurePosixPath, max_bytes: int, written: str) -> Found | BadImageError:
        try:
            raw = self._files.read(path, max_bytes)
        except OutsideRootError:
            return BadImageError(f"{written!r} leaves the project")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            return BadImageError(f"{written!r} cannot be read: {reason}")
        if len(raw) > max_bytes:
            return BadImageError(f"{written!r} has more than {shown_size(max_bytes)}, the limit")
        if raw.startswith(POINTER):
            message = f"{written!r} is kept in Git LFS and is not here; get it with: git lfs pull"
            return BadImageError(message)
        try:
            picture = look_at(raw)
        except NoPictureError as error:
            return BadImageError(f"{written!r} {error}")
        return Found(Image(str(path), hashlib.sha256(raw).hexdigest(), len(raw)), picture)


def _check_address(written: str) -> None:
    """Refuse what no server can fetch."""
    try:
        parts = urlsplit(written)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or any(char <= " " or char in "\\\x7f" for char in written):
        raise BadImageError(f"{written!r} is not an https URL")


def shown(found: Found | str) -> str:
    """An image as it stands in a body."""
    return found if isinstance(found, str) else FILE + found.image.path


def doubts(found: Found, effective: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Code and text of what makes an image a poor choice for a request."""
    path, picture = found.image.path, found.picture
    size = f"{picture.width}x{picture.height}"
    long, short = max(picture.width, picture.height), min(picture.width, picture.height)
    if long < _SMALLEST[0] or short < _SMALLEST[1]:
        yield "small-image", f"{path!r} has {size} pixels; 1280x720 or 720x1280 are advised"
    ratio = _RATIOS.get(str(effective.get("aspect_ratio")))
    if ratio and abs(picture.width / picture.height / ratio - 1) > _FAR:
        yield "image-ratio", f"{path!r} has {size} pixels, far from {effective['aspect_ratio']}"
