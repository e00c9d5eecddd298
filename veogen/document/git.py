"""A git repository, read by git itself: nothing is checked out, nothing of it is executed.

A repository is input. Git reads objects for us with hooks, file watchers, pagers and every
transport switched off, and of its other settings none is about reading objects by their name.
"""

import errno
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Literal, Self, TypeAlias

from veogen.document.files import POINTER, OutsideRootError
from veogen.errors import VeogenError
from veogen.text import plain

_OFF = (
    "--no-pager",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "safe.bareRepository=explicit"),  # a folder of the work tree may look like one
)
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_EXEC_PATH", "GIT_CONFIG", "GIT_CEILING_DIRECTORIES")


class GitError(VeogenError):
    """A revision, or something in it, cannot be read."""


class Repository:
    """Objects of the repository at `top`; closes the process that reads them at the end."""

    def __init__(self, top: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.top = top
        self._environ = _safe(environ)
        self._reader: subprocess.Popen[bytes] | None = None

    @classmethod
    def around(cls, folder: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """The repository whose work tree `folder` is in; raises `GitError`."""
        command = ("rev-parse", "--show-toplevel")
        return cls(Path(_output(folder, command, _safe(environ))), environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._reader is not None and self._reader.stdin and self._reader.stdout:
            with suppress(BrokenPipeError):
                self._reader.stdin.close()
            self._reader.stdout.close()
            self._reader.wait()
        self._reader = None

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision means; raises `GitError`."""
        command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        try:
            return self._git(*command)
        except GitError:
            message = f"{revision!r} is not a revision of {self.top}{self._depth()}"
            raise GitError(message) from None

    def merge_base(self, revision: str) -> str:
        """Where the history of a revision and that of HEAD part; raises `GitError`."""
        command = ("merge-base", self.commit(revision), self.commit("HEAD"))
        try:
            return self._git(*command).splitlines()[0]
        except GitError:
            message = f"{revision!r} and HEAD have no common ancestor{self._depth()}"
            raise GitError(message) from None

    def object(self, name: str) -> tuple[str, bytes]:
        """The kind and the content of an object; raises `GitError`."""
        if self._reader is None:
            self._reader = subprocess.Popen(  # noqa: S603 - arguments of our own
                ["git", *_OFF, "cat-file", "--batch"],  # noqa: S607 - the git that the user has
                cwd=self.top,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        reader = self._reader
        if reader.stdin is None or reader.stdout is None:
            raise GitError("git has no pipes")
        with suppress(BrokenPipeError):
            reader.stdin.write(f"{name}\n".encode())
            reader.stdin.flush()
        header = reader.stdout.readline().split()
        if len(header) != 3:  # noqa: PLR2004 - id, kind, size
            self.close()
            raise GitError(
                f"{self.top}: the object {name} is not in this clone; fetch it with git first"
            )
        content = reader.stdout.read(int(header[2]))
        reader.stdout.read(1)
        return header[1].decode(), content

    @property
    def common_folder(self) -> Path:
        """Where git keeps what all work trees share."""
        return self.top / self._git("rev-parse", "--git-common-dir")

    def _git(self, *command: str) -> str:
        return _output(self.top, command, self._environ)

    def _depth(self) -> str:
        shallow = self._git("rev-parse", "--is-shallow-repository") == "true"
        return "; this clone is shallow: fetch its history (fetch-depth: 0)" if shallow else ""


def _safe(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would point git elsewhere or make it start something."""
    kept = {n: v for n, v in environ.items() if not n.startswith("GIT_") or n.startswith(_KEPT)}
    return {**kept, **_SET}


def _output(folder: Path, command: Sequence[str], environ: Mapping[str, str]) -> str:
    """What git prints; raises `GitError` with what it complains of."""
    try:
        done = subprocess.run(  # noqa: S603 - arguments of our own
            ["git", *_OFF, *command],  # noqa: S607 - the git that the user has
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed, and revisions are read with it") from None
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip() or "git failed"
        raise GitError(f"{folder}: {plain(complaint.removeprefix('fatal: '))}")
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")


Kind: TypeAlias = Literal["file", "folder", "link", "submodule"]

_KINDS: dict[bytes, Kind] = {b"40000": "folder", b"120000": "link", b"160000": "submodule"}
_MOST_LINKS = 40
_TOP = PurePosixPath()


@dataclass(frozen=True, slots=True)
class TreeEntry:
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
        self._top = TreeEntry("", "folder", f"{commit}^{{tree}}")
        self._id_bytes = len(commit) // 2
        self._folders: dict[str, dict[str, TreeEntry]] = {}

    def shown(self, path: PurePosixPath) -> str:
        """A path as git writes it."""
        return f"{self.label}:{path}"

    def kind(self, path: PurePosixPath) -> Kind | None:
        """What stands at a path, None when nothing does that could be read."""
        try:
            return self.find(path)[1].kind
        except (OSError, OutsideRootError, GitError):
            return None

    def content(self, entry: TreeEntry) -> bytes:
        return self.repository.object(entry.id)[1]

    def entries(self, folder: TreeEntry) -> Iterator[TreeEntry]:
        """What stands in a folder, sorted by name."""
        yield from (entry for _, entry in sorted(self._inside(folder).items()))

    def find(
        self, path: PurePosixPath, root: PurePosixPath = _TOP
    ) -> tuple[PurePosixPath, TreeEntry]:
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
            target = PurePosixPath(os.fsdecode(self.content(entry)))
            if target.is_absolute():
                raise OutsideRootError(f"{path} leaves the project")
            ahead.extend(reversed(target.parts))
        _refuse_outside(stack, [], root)
        return PurePosixPath(*(entry.name for entry in stack[1:])), stack[-1]

    def _not_here(
        self, path: PurePosixPath, stack: list[TreeEntry], entry: TreeEntry | None
    ) -> Exception:
        if entry is None:
            return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        where = PurePosixPath(*(above.name for above in stack[1:]), entry.name)
        return GitError(
            f"{self.shown(path)}: {where} is a submodule, a repository of its own; its files "
            "cannot be read at a revision of this one"
        )

    def _inside(self, folder: TreeEntry) -> dict[str, TreeEntry]:
        """The entries of a tree object by name: mode, name and the id as bytes."""
        if folder.kind != "folder":
            return {}
        if folder.id not in self._folders:
            _, raw = self.repository.object(folder.id)
            entries, start = self._folders.setdefault(folder.id, {}), 0
            while start < len(raw):
                end = raw.index(b"\0", start)
                mode, _, name = raw[start:end].partition(b" ")
                start = end + 1 + self._id_bytes
                entry = TreeEntry(
                    os.fsdecode(name), _KINDS.get(mode, "file"), raw[end + 1 : start].hex()
                )
                entries[entry.name] = entry
        return self._folders[folder.id]


def _refuse_outside(stack: list[TreeEntry], ahead: list[str], root: PurePosixPath) -> None:
    """Say of a path outside the root nothing but that, not even whether it is there."""
    where = PurePosixPath(*(entry.name for entry in stack[1:]), *ahead)
    normal = PurePosixPath(os.path.normpath(where))
    if not stack or not normal.is_relative_to(root):
        raise OutsideRootError(f"{where} leaves the project")


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
        for inner in self.tree.entries(entry):
            kind = self.tree.kind(where / inner.name) if inner.kind == "link" else inner.kind
            if kind == "file":
                yield inner.name

    def shown(self, path: PurePosixPath) -> str:
        return self.tree.shown(self.below / path)

    def _large(self, pointer: bytes, where: PurePosixPath) -> bytes:
        """The content that a pointer of Git LFS means, if this machine has it."""
        match = _LARGE_ID.search(pointer)
        if match is not None:
            id_ = match[1].decode()
            store = self.tree.repository.common_folder / "lfs/objects"
            with suppress(OSError):
                content = (store / id_[:2] / id_[2:4] / id_).read_bytes()
                if hashlib.sha256(content).hexdigest() == id_:
                    return content
        raise GitError(
            f"{self.tree.shown(where)}: its content is kept in Git LFS and is not in this clone; "
            f"get it with: git lfs fetch origin {self.tree.label}"
        )
