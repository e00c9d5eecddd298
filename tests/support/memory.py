"""A project that is only a mapping of paths to what the files hold."""

import errno
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath


class MemoryFiles:
    """The files of no disk."""

    root = Path("/nowhere")

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._files = {
            PurePosixPath(name): content.encode() if isinstance(content, str) else content
            for name, content in files.items()
        }

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        if path not in self._files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        raw = self._files[path]
        return raw if at_most is None else raw[: at_most + 1]

    def names(self, folder: PurePosixPath) -> Iterator[str]:
        yield from sorted(path.name for path in self._files if path.parent == folder)

    def shown(self, path: PurePosixPath) -> str:
        return str(path)
