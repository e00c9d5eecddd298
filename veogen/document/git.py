"""A git repository, read by git itself: nothing is checked out, nothing of it is executed.

A repository is input. Git reads objects for us with hooks, file watchers, pagers and every
transport switched off, and of its other settings none is about reading objects by their name.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from veogen.errors import VeogenError
from veogen.terminal import plain

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
        reader = self._reader = self._reader or self._start()
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

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - arguments of our own
            ["git", *_OFF, "cat-file", "--batch"],  # noqa: S607 - the git that the user has
            cwd=self.top,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

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
        told = done.stderr.decode(errors="replace").strip() or "git failed"
        raise GitError(f"{folder}: {plain(told.removeprefix('fatal: '))}")
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")
