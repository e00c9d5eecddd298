"""The files of a git repository at one commit, by their paths, links followed."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from veogen.document.files import OutsideRootError
from veogen.document.git import GitError, Repository

Kind: TypeAlias = Literal["file", "folder", "link", "submodule"]

_KINDS: dict[bytes, Kind] = {b"40000": "folder", b"120000": "link", b"160000": "submodule"}
_MOST_LINKS = 40
_TOP = PurePosixPath()


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder, or the top folder itself."""

    name: str
    kind: Kind
    id: str


class Tree:
    """All files of a repository at one commit; paths are below its top.

    `label` is how messages call the commit.
    """

    def __init__(self, repository: Repository, commit: str, label: str) -> None:
        self.repository = repository
        self.label = label
        self._top = Entry("", "folder", f"{commit}^{{tree}}")
        self._id_bytes = len(commit) // 2
        self._folders: dict[str, dict[str, Entry]] = {}

    def shown(self, path: PurePosixPath) -> str:
        """A path as git writes it."""
        return f"{self.label}:{path}"

    def kind(self, path: PurePosixPath) -> Kind | None:
        """What stands at a path, None when nothing does that could be read."""
        try:
            return self.find(path)[1].kind
        except (OSError, OutsideRootError, GitError):
            return None

    def content(self, entry: Entry) -> bytes:
        return self.repository.object(entry.id)[1]

    def entries(self, folder: Entry) -> Iterator[Entry]:
        """What stands in a folder, sorted by name."""
        yield from (entry for _, entry in sorted(self._inside(folder).items()))

    def find(self, path: PurePosixPath, root: PurePosixPath = _TOP) -> tuple[PurePosixPath, Entry]:
        """What stands at a path, and where it is once links are followed.

        Raises `OSError` when there is nothing, `OutsideRootError` when it is not below `root`,
        `GitError` for what is inside a submodule.
        """
        stack, ahead, links = [self._top], list(reversed(path.parts)), 0
        while ahead:
            name = ahead.pop()
            if name == "..":
                stack.pop()
                _refuse_outside(stack, [], root)
                continue
            entry = self._inside(stack[-1]).get(name)
            if entry is None or entry.kind == "submodule":
                _refuse_outside(stack, [name, *reversed(ahead)], root)
                raise self._not_here(path, stack, entry)
            if entry.kind != "link":
                stack.append(entry)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            ahead.extend(reversed(self._target(entry, path).parts))
        _refuse_outside(stack, [], root)
        return PurePosixPath(*(entry.name for entry in stack[1:])), stack[-1]

    def _target(self, link: Entry, path: PurePosixPath) -> PurePosixPath:
        target = PurePosixPath(os.fsdecode(self.content(link)))
        if target.is_absolute():
            raise OutsideRootError(f"{path} leaves the project")
        return target

    def _not_here(self, path: PurePosixPath, stack: list[Entry], entry: Entry | None) -> Exception:
        if entry is None:
            return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        where = PurePosixPath(*(above.name for above in stack[1:]), entry.name)
        return GitError(
            f"{self.shown(path)}: {where} is a submodule, a repository of its own; its files "
            "cannot be read at a revision of this one"
        )

    def _inside(self, folder: Entry) -> dict[str, Entry]:
        if folder.kind != "folder":
            return {}
        if folder.id not in self._folders:
            _, raw = self.repository.object(folder.id)
            self._folders[folder.id] = {entry.name: entry for entry in self._parsed(raw)}
        return self._folders[folder.id]

    def _parsed(self, raw: bytes) -> Iterator[Entry]:
        """The entries of a tree object: mode, name and the id as bytes."""
        start = 0
        while start < len(raw):
            end = raw.index(b"\0", start)
            mode, _, name = raw[start:end].partition(b" ")
            start = end + 1 + self._id_bytes
            kind = _KINDS.get(mode, "file")
            yield Entry(os.fsdecode(name), kind, raw[end + 1 : start].hex())


def _refuse_outside(stack: list[Entry], ahead: list[str], root: PurePosixPath) -> None:
    """Say of a path outside the root nothing but that, not even whether it is there."""
    where = PurePosixPath(*(entry.name for entry in stack[1:]), *ahead)
    normal = PurePosixPath(os.path.normpath(where))
    if not stack or not normal.is_relative_to(root):
        raise OutsideRootError(f"{where} leaves the project")
