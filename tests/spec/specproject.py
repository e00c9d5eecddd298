"""A project in a folder of its own, where tests write files and look at what a spec says.

A test module that wants it says `project = project_fixture`.
"""

from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from veogen.document.problems import MistakesError
from veogen.spec.layers import overlay
from veogen.spec.load import load_spec
from veogen.spec.types import Layer, Shot, Spec


class Project:
    """The working directory is the root of the project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".git").mkdir()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Path(name)

    def spec(
        self,
        text: str,
        name: str = "a.yaml",
        profile: str | None = None,
        set_: tuple[str, ...] = (),
    ) -> Spec:
        """The spec that `text` is; `veogen: 1` stands before it, on a line of its own."""
        path = self.write(name, f"veogen: 1\n{text}")
        return load_spec(path, profile=profile, settings=set_)

    def shot(self, text: str, **options: Any) -> Shot:
        """The only shot of a spec."""
        (shot,) = self.spec(text, **options).shots
        return shot

    def mistakes(self, text: str, **options: Any) -> list[str]:
        """The lines that are shown instead."""
        with pytest.raises(MistakesError) as caught:
            self.spec(text, **options)
        return [str(problem) for problem in caught.value.problems]

    def mistakes_of(self, path: Path) -> list[str]:
        with pytest.raises(MistakesError) as caught:
            load_spec(path)
        return [str(problem) for problem in caught.value.problems]


def top_of(shot: Shot) -> Layer:
    """What the profile, its shot and `--set` say together."""
    return reduce(overlay, shot.tops)


@pytest.fixture
def project_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)
