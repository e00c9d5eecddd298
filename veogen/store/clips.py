"""Clips in a store: by the SHA-256 of their bytes, for all runs of it."""

import hashlib
import os
from pathlib import Path

from veogen.store.layout import CLIP_LIMIT, clip
from veogen.store.objects import Objects, TooLargeError

_PIECE = 1 << 20


class Clips:
    """Puts clips into a store and fetches them, checked."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, path: Path, sha256: str) -> None:
        """Have a clip in the store that was verified here; one that is there stays."""
        self._objects.send(clip(sha256), path)

    def has(self, sha256: str, size: int) -> bool:
        """Whether a clip of this size is there."""
        info = self._objects.info(clip(sha256))
        return info is not None and info.size == size

    def fetch(self, sha256: str, size: int, path: Path) -> bool:
        """Write a clip to a new file; False, and no file, if it is not there or not that clip."""
        part = path.with_name(f".{path.name}.store.part")
        try:
            limit = min(size, CLIP_LIMIT)
            if not self._objects.fetch(clip(sha256), part, limit) or _sha256(part) != sha256:
                return False
            os.replace(part, path)
        except TooLargeError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
