"""A template as it was written, and what can be wrong with one."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias

from veogen.document.files import Files
from veogen.document.nodes import Location

if TYPE_CHECKING:
    from veogen.templates.inline import InlineTemplate

FOLDER = PurePosixPath("templates")

Mode: TypeAlias = Literal["text", "path", "value"]
"""What a template makes: a text, a path whose values become parts, or a list or mapping too."""


@dataclass(frozen=True, slots=True)
class TemplateFailure:
    """Why a template could not be rendered.

    `line` counts in the file `name` below `templates/`, or in the source itself when None.
    """

    code: str
    message: str
    hint: str | None = None
    name: str | None = None
    line: int = 1


@dataclass(frozen=True, slots=True)
class Template:
    """A template as a text of a spec or a file below `templates/`.

    `place` is where the spec writes or names it; `name` is the file below `templates/` that it
    is, None for a text of a spec. `block` says that it was written as a block scalar (`|` or
    `>`): its first line stands on the line below `place`. A `Renderer` prepares it: it reads the
    file, and fills in `inline` where no Jinja2 is needed, or the `fault` that it has.
    """

    text: str
    place: Location
    name: str | None = None
    block: bool = False
    mode: Mode = "text"
    inline: "InlineTemplate | None" = field(default=None, compare=False)
    fault: TemplateFailure | None = field(default=None, compare=False)

    @property
    def is_constant(self) -> bool:
        """Whether it has no syntax of templates at all."""
        return is_constant(self.text)


def is_constant(text: str) -> bool:
    """Whether a text has no syntax of templates at all."""
    return not ("{{" in text or "{%" in text or "{#" in text)


def place_of(fault: TemplateFailure, template: Template, files: Files) -> Location:
    """Where a fault stands: in the text of a spec, or in a file below `templates/`."""
    name = fault.name or template.name
    if name is not None:
        return Location(files.shown(FOLDER / name), fault.line, 1)
    if template.block:
        return Location(template.place.path, template.place.line + fault.line, 1)
    return template.place
