"""Templates as they were written, and what can be wrong with one."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from veogen.document.files import Files
from veogen.document.nodes import Place

FOLDER = PurePosixPath("templates")

_MARKS = ("{{", "{%", "{#")

Mode: TypeAlias = Literal["text", "path"]


@dataclass(frozen=True, slots=True)
class Source:
    """A template: its text, and whether its values become parts of a path.

    `place` is where the spec writes or names it; `name` is the file below `templates/` that it
    is, None for a text of a spec.
    """

    text: str
    place: Place
    name: str | None = None
    block: bool = False
    mode: Mode = "text"

    @property
    def is_constant(self) -> bool:
        """Whether it has no syntax of templates at all."""
        return "{" not in self.text or not any(mark in self.text for mark in _MARKS)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a template could not be rendered.

    `line` counts in the file `name` below `templates/`, or in the source itself when None.
    """

    code: str
    message: str
    hint: str | None = None
    name: str | None = None
    line: int = 1


def place_of(fault: Fault, source: Source, files: Files) -> Place:
    """Where a fault stands: in the text of a spec, or in a file below `templates/`."""
    name = fault.name or source.name
    if name is not None:
        return Place(files.shown(FOLDER / name), fault.line, 1)
    if source.block:
        return Place(source.place.path, source.place.line + fault.line, 1)
    return source.place
