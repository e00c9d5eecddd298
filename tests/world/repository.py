"""One branch that several clones pull and push, with its merges as git makes them."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_TASK = re.compile(rb'"(task-unified-[^"]+)"')

Conflicts = Literal["theirs", "markers"]


def task_ids(content: bytes | None) -> set[str]:
    """The tasks that a results manifest names, whatever else is wrong with it."""
    return {found.decode() for found in _TASK.findall(content or b"")}


@dataclass(frozen=True)
class Commit:
    """The results as they were committed, on top of another commit."""

    content: bytes | None
    parent: "Commit | None" = None


class Branch:
    """What everybody has pushed."""

    def __init__(self) -> None:
        self.head = Commit(None)

    def history(self) -> list[Commit]:
        """All commits, the newest first."""
        commits: list[Commit] = []
        commit: Commit | None = self.head
        while commit is not None:
            commits.append(commit)
            commit = commit.parent
        return commits


class Checkout:
    """A working copy of the results: pulled into at any time, pushed when its people say so."""

    def __init__(self, branch: Branch, file: Path) -> None:
        self._branch = branch
        self._base = branch.head
        self._conflict = False
        self.file = file

    @property
    def content(self) -> bytes | None:
        return self.file.read_bytes() if self.file.is_file() else None

    @property
    def pushed(self) -> bool:
        return self.content == self._branch.head.content

    def edit(self, changes: Mapping[str, Mapping[str, object]]) -> None:
        """Somebody edits lines by their hash; a name that ends in a blank is there twice."""
        data = json.loads(self.content or b"{}")
        for line in (*data["results"], *data["former"]):
            line.update(changes.get(line["hash"], {}))
        self._write(json.dumps(data, indent=2).replace(' ":', '":').encode())

    def put_back(self, content: bytes | None) -> None:
        """Somebody writes what was there."""
        self._write(content)

    def fresh(self) -> None:
        """A new clone of the branch."""
        self._base = self._branch.head
        self._conflict = False
        self._write(self._base.content)

    def pull(self, conflicts: Conflicts = "theirs") -> bool:
        """Stash, pull, pop; with `markers` somebody leaves what conflicts as git wrote it.

        False where lines of ours gave way: what they told only the journal here knows.
        """
        theirs = self._branch.head
        if self._conflict:
            self._write(theirs.content)
            self._base, self._conflict = theirs, False
            return False
        if theirs is self._base:
            return True
        merged, clean = merged_text(self._base.content, self.content, theirs.content, conflicts)
        self._conflict = not clean and conflicts == "markers"
        self._base = theirs
        if merged != self.content:
            self._write(merged)
        return clean

    @property
    def in_conflict(self) -> bool:
        return self._conflict

    def push(self) -> None:
        """Commit what is there, which was pulled, on top of what everybody has."""
        content = self.content
        assert self._base is self._branch.head
        if content is not None and content != self._base.content:
            self._branch.head = self._base = Commit(content, self._base)

    def _write(self, content: bytes | None) -> None:
        """As git does: the old file goes, a new one is written."""
        self.file.unlink(missing_ok=True)
        if content is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_bytes(content)


def merged_text(
    base: bytes | None, ours: bytes | None, theirs: bytes | None, conflicts: Conflicts
) -> tuple[bytes | None, bool]:
    """Three versions merged line by line, and whether nothing was in conflict.

    A file that one side deleted and the other changed stays as it was changed.
    """
    if theirs in (base, ours):
        return ours, True
    if ours in (base, None):
        return theirs, True
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, content in zip(files, (ours, base, theirs), strict=True):
            file.write_bytes(content or b"")
        merge = ("git", "merge-file", "-p")
        done = subprocess.run([*merge, *files], capture_output=True, check=False)
        if done.returncode and conflicts == "theirs":
            resolved = subprocess.run(
                [*merge, "--theirs", *files], capture_output=True, check=False
            )
            return resolved.stdout, False
    return done.stdout, done.returncode == 0
