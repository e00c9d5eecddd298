"""Rendering many templates at once, each in the cheapest way that is safe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from veogen.document.files import Files, OutsideRootError, inside
from veogen.planner.templates.simple import NotSimpleError, SimpleTemplate, simple
from veogen.planner.templates.source import FOLDER, Fault, Source
from veogen.planner.templates.work import Workshop
from veogen.spec.model import Text


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A template that is ready to be rendered, as pieces when it is simple."""

    source: Source
    simple: SimpleTemplate | None
    fault: Fault | None = None


class Renderer:
    """Renders the templates of one project."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._workshop = Workshop(self.load)

    def prepare(self, source: Source) -> Prepared:
        return Prepared(source, simple(source))

    def prepare_text(self, text: Text) -> Prepared:
        """A prompt, be it in the spec or in a file."""
        if not text.template:
            return self.prepare(Source(text.source, text.place, block=text.block))
        written = self.load(text.source)
        source = Source(written or "", text.place, text.source)
        if written is None:
            fault = Fault("template-not-found", f"there is no template {text.source!r}")
            return Prepared(Source("", text.place), None, fault)
        return self.prepare(source)

    def render(self, tasks: Sequence[tuple[Prepared, Mapping[str, Any]]]) -> Sequence[str | Fault]:
        """The text of each task, in order."""
        return [self._render(prepared, scope) for prepared, scope in tasks]

    def _render(self, prepared: Prepared, scope: Mapping[str, Any]) -> str | Fault:
        if prepared.simple is not None:
            try:
                return prepared.simple.render(scope)
            except NotSimpleError:
                pass
        if prepared.fault is not None:
            return prepared.fault
        source = prepared.source
        template = self._workshop.compile(source.text, source.name, source.mode)
        return template if isinstance(template, Fault) else self._workshop.render(template, scope)

    def load(self, name: str) -> str | None:
        """The text of a file below `templates/`, None if there is none or it lies outside."""
        path = template_path(name)
        if path is None:
            return None
        try:
            return self._files.read(path).decode()
        except (OSError, UnicodeDecodeError, OutsideRootError):
            return None


def template_path(name: str) -> PurePosixPath | None:
    """The path below the root of a template, None if it leaves `templates/`."""
    try:
        path = inside(FOLDER, name)
    except OutsideRootError:
        return None
    return path if path.is_relative_to(FOLDER) and path != FOLDER else None
