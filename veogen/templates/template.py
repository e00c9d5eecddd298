"""A template as it was written, what can be wrong with one, and what becomes of its text.

White space that means nothing goes from a rendered text, and garbage in it is refused.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias

from veogen.document.files import Files
from veogen.document.nodes import LINE_END, Location, is_unicode

if TYPE_CHECKING:
    from veogen.templates.inline import InlineTemplate

FOLDER = PurePosixPath("templates")

Mode: TypeAlias = Literal["text", "path", "value"]
"""What a template makes: a text, a path whose values become parts, or a list or mapping too."""


@dataclass(frozen=True, slots=True)
class TemplateFailure:
    """Why a template could not be rendered.

    `line` counts in the file `name` below `templates/`, or in the source itself when None.
    `also` is what else is wrong with it, each by itself.
    """

    code: str
    message: str
    hint: str | None = None
    name: str | None = None
    line: int = 1
    also: "tuple[TemplateFailure, ...]" = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template as a text of a spec or a file below `templates/`.

    `place` is where the spec writes or names it; `name` is the file below `templates/` that it
    is, None for a text of a spec. `block` says that it was written as a literal block (`|`): its
    first line stands on the line below `place`. A `Renderer` prepares it: it reads the file, and
    fills in `inline` where no Jinja2 is needed, or the `fault` that it has.
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


INSIDES = ("<built-in", "<function", "<class", "<generator", " object at 0x")
"""What stands in a text that was made of a function, a class, a generator or the like."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""A control character that is neither a tab nor a line end, said so that it compiles fast."""
_LIKELY_MISTAKES = (
    ("bare-none", re.compile(r"\bNone\b"), "holds a bare {!r}"),
    ("doubled-space", re.compile("  "), "holds two spaces in a row"),
    ("lost-character", re.compile("\ufffd"), "holds U+FFFD, which stands for a lost character"),
    (
        "placeholder",
        re.compile(r"(?<!\{)\$?\{\s*\w[\w .-]*\}(?!\})"),
        "holds {!r}, which is bought as it stands: a template writes {{{{ name }}}}",
    ),
    ("todo", re.compile(r"\b(?:TODO|FIXME|TBD)\b"), "holds {!r}"),
    (
        "spreadsheet-error",
        re.compile(r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!)"),
        "holds {!r}, a spreadsheet's error",
    ),
)
NEEDLES = ("None", "  ", "\ufffd", "{", "TODO", "FIXME", "TBD", "#")
"""A text that holds none of these has nothing of `oddities`."""
_NEEDLE = re.compile("|".join(map(re.escape, NEEDLES)))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it is bought, and what is to be said of it.

    `flaws` must not be bought, `oddities` are likely not meant: each a code, and the rest of a
    sentence "the text …".
    """

    text: str
    flaws: tuple[tuple[str, str], ...]
    oddities: tuple[tuple[str, str], ...]


@lru_cache(maxsize=128)  # what is the same for many requests is looked at once
def rendered_text(text: str) -> Rendered:
    """What becomes of a text that a template made."""
    tidied = tidy(text)
    flaws = []
    # Tidying takes control characters for white space where they begin or end a line.
    if (control := CONTROL.search(text)) is not None:
        flaws.append(("control-character", f"holds the control character {control[0]!a}"))
    elif not tidied:
        flaws.append(("empty-text", "is empty once it is rendered"))
    if not is_unicode(tidied):
        message = "holds half of a surrogate pair, which no UTF-8 text can"
        flaws.append(("not-text", message))
    for left in ("{{", "{%"):
        if left in tidied:
            message = f"still holds {left!r} once it is rendered"
            flaws.append(("left-over-template", message))
    if (leaked := leaked_repr(tidied)) is not None:
        flaws.append(("not-text", leaked))
    oddities = []
    for code, pattern, message in _LIKELY_MISTAKES if _NEEDLE.search(tidied) else ():
        if (match := pattern.search(tidied)) is not None:
            oddities.append((code, message.format(match[0])))
    return Rendered(tidied, tuple(flaws), tuple(oddities))


def tidy(text: str) -> str:
    """Every line stripped, blank lines dropped, every line end a line feed."""
    return "\n".join(filter(None, map(str.strip, LINE_END.split(text))))


def leaked_repr(text: str) -> str | None:
    """What is wrong with a text that holds a leaked repr: the rest of a sentence "the text …"."""
    for inside in INSIDES:
        if inside in text:
            return f"holds {inside.strip()!r}: the insides of a program, not text"
    return None
