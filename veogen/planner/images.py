"""Images of requests: https addresses as they are, files of the project by their bytes."""

import hashlib
from pathlib import PurePosixPath

from veogen.document.files import Files, OutsideRootError, inside
from veogen.planner.canonical import FILE
from veogen.planner.plan import Image

_KINDS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_WEBP = (b"RIFF", b"WEBP")


class BadImageError(ValueError):
    """An image that cannot be used; the message says why."""


class Images:
    """Reads each local image once."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[PurePosixPath, Image | BadImageError] = {}

    def find(self, written: str, folder: PurePosixPath, max_bytes: int | None) -> Image | str:
        """A local image, its path relative to `folder`, or the address as it was written.

        Raises `BadImageError`.
        """
        if written.startswith("https://"):
            return written
        if ":" in written.partition("/")[0]:
            raise BadImageError(f"{written!r} is neither a file of the project nor an https URL")
        try:
            path = inside(folder, written)
        except OutsideRootError as error:
            raise BadImageError(str(error)) from None
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._read(path, written, max_bytes)
        if isinstance(found, BadImageError):
            raise found
        return found

    def _read(
        self, path: PurePosixPath, written: str, max_bytes: int | None
    ) -> Image | BadImageError:
        try:
            raw = self._files.read(path)
        except OutsideRootError:
            return BadImageError(f"{written!r} leaves the project")
        except OSError as error:
            return BadImageError(f"{written!r} cannot be read: {error.strerror}")
        if max_bytes is not None and len(raw) > max_bytes:
            size = f"{len(raw) / 2**20:.1f} MiB"
            return BadImageError(f"{written!r} has {size}; the limit is {max_bytes >> 20} MiB")
        if not _is_image(raw):
            return BadImageError(f"{written!r} is not a JPEG, PNG or WebP file by its bytes")
        return Image(str(path), hashlib.sha256(raw).hexdigest(), len(raw))


def shown(image: Image | str) -> str:
    """An image as it stands in a body."""
    return image if isinstance(image, str) else FILE + image.path


def _is_image(raw: bytes) -> bool:
    return raw.startswith(_KINDS) or (raw[:4], raw[8:12]) == _WEBP
