"""The files of a project as they were at a revision of its git repository."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from veogen.document.files import POINTER
from veogen.document.git import GitError
from veogen.document.tree import Entry, Tree

_LARGE_ID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)


class Revision:
    """`Files` of the project at `below` in a tree; nothing outside of it is read."""

    def __init__(self, tree: Tree, below: PurePosixPath) -> None:
        self.tree = tree
        self.below = below
        self.root = tree.repository.top / below

    def read(self, path: PurePosixPath, at_most: int | None = None) -> bytes:
        where, entry = self.tree.find(self.below / path, self.below)
        if entry.kind != "file":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        content = self.tree.content(entry)
        whole = self._large(content, where) if content.startswith(POINTER) else content
        return whole if at_most is None else whole[: at_most + 1]

    def names(self, folder: PurePosixPath) -> Iterator[str]:
        try:
            where, entry = self.tree.find(self.below / folder, self.below)
        except FileNotFoundError:
            return
        yield from (one.name for one in self.tree.entries(entry) if self._is_file(where, one))

    def shown(self, path: PurePosixPath) -> str:
        return self.tree.shown(self.below / path)

    def _is_file(self, folder: PurePosixPath, entry: Entry) -> bool:
        if entry.kind == "link":
            return self.tree.kind(folder / entry.name) == "file"
        return entry.kind == "file"

    def _large(self, pointer: bytes, where: PurePosixPath) -> bytes:
        """The content that a pointer of Git LFS means, if this machine has it."""
        found = _LARGE_ID.search(pointer)
        if found is not None:
            id_ = found[1].decode()
            store = self.tree.repository.common_folder / "lfs/objects"
            content = _content(store / id_[:2] / id_[2:4] / id_)
            if hashlib.sha256(content).hexdigest() == id_:
                return content
        raise GitError(
            f"{self.tree.shown(where)}: its content is kept in Git LFS and is not in this clone; "
            f"get it with: git lfs fetch origin {self.tree.label}"
        )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
