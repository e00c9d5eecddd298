"""A project in a folder, in memory or in a git repository, and the command line called in it."""

import errno
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from veogen.cli import main
from veogen.document.problems import MistakesError
from veogen.planner.plan import Plan, Request
from veogen.planner.planner import plan
from veogen.spec.layers import overlay
from veogen.spec.load import load_spec
from veogen.spec.types import Layer, Shot, Spec


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


class Project:
    """The working directory is the project's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".git").mkdir()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def spec(
        self,
        text: str,
        name: str = "a.yaml",
        profile: str | None = None,
        set_: tuple[str, ...] = (),
    ) -> Spec:
        """The spec that `text` is; `veogen: 1` stands before it, on a line of its own."""
        self.write(name, f"veogen: 1\n{text}")
        return load_spec(Path(name), profile=profile, settings=set_)

    def shot(self, text: str, **options: Any) -> Shot:
        """The only shot of a spec."""
        (shot,) = self.spec(text, **options).shots
        return shot

    def spec_mistakes(self, text: str, **options: Any) -> list[str]:
        """The lines that are shown instead of a spec."""
        with pytest.raises(MistakesError) as caught:
            self.spec(text, **options)
        return [str(problem) for problem in caught.value.problems]

    def file_mistakes(self, path: Path) -> list[str]:
        with pytest.raises(MistakesError) as caught:
            load_spec(path)
        return [str(problem) for problem in caught.value.problems]

    def base(self, name: str, text: str) -> None:
        """Write what specs extend; `veogen: 1` stands below `text`."""
        self.write(name, f"{text}\nveogen: 1\n")

    def plan(self, text: str, *, name: str = "a.yaml", **options: Any) -> Plan:
        """The plan of a spec; `veogen: 1` is put before `text` on a line of its own."""
        self.write(name, f"veogen: 1\n{text}")
        profile, settings = options.pop("profile", None), options.pop("settings", ())
        return plan(load_spec(Path(name), profile=profile, settings=settings), **options)

    def requests(self, text: str, **options: Any) -> tuple[Request, ...]:
        return self.plan(text, **options).requests

    def mistakes(self, text: str, **options: Any) -> list[str]:
        """The lines that are shown instead of a plan."""
        with pytest.raises(MistakesError) as caught:
            self.plan(text, **options)
        return [str(problem) for problem in caught.value.problems]

    def told(self, text: str, **options: Any) -> list[str]:
        """The mistakes of `a.yaml`, shorter: `line:column code: text`."""
        with pytest.raises(MistakesError) as caught:
            self.plan(text, **options)
        return [
            f"{p.place.line}:{p.place.column} {p.code}: {p.text}" for p in caught.value.problems
        ]

    def mistakes_of(self, spec: Spec) -> list[str]:
        with pytest.raises(MistakesError) as caught:
            plan(spec)
        return [str(problem) for problem in caught.value.problems]

    def warnings(self, text: str, **options: Any) -> list[str]:
        return [str(problem) for problem in self.plan(text, **options).warnings]


def top_of(shot: Shot) -> Layer:
    """What the profile, its shot and `--set` say together."""
    return reduce(overlay, shot.tops)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """Calls `veogen` in a folder with an environment of its own."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    environ: Mapping[str, str]

    def veogen(self, *words: str | Path) -> Ended:
        self.capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("EVOLINK_")]:
                patch.delenv(name)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.setattr("sys.argv", ["veogen", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                main()
        written = self.capture.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 1, written.out, written.err)


ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_ALLOW_PROTOCOL": "file",
}


class Repo:
    """A repository whose branch is `main`; files are written, removed and committed."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)

    def git(self, *words: str | Path) -> str:
        done = subprocess.run(
            ["git", *map(str, words)],
            cwd=self.path,
            env=ENVIRON,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def link(self, name: str, target: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def commit(self) -> str:
        """Commit everything there is, and return the id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def config(self, name: str, value: str | Path) -> None:
        self.git("config", name, value)
