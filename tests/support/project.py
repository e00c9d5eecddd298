"""A project in a folder of its own, where tests write specs and look at what they say and plan."""

from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from veogen.document.problems import MistakesError
from veogen.planner.plan import Plan, Request
from veogen.planner.planner import plan
from veogen.spec.layers import overlay
from veogen.spec.load import load_spec
from veogen.spec.types import Layer, Shot, Spec


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
