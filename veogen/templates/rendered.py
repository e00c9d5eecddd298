"""What becomes of rendered text: white space that means nothing goes, garbage is refused."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from veogen.document.nodes import LINE_END, is_unicode

_LEFT_OVER = ("{{", "{%")
INSIDES = ("<built-in", "<function", "<class", "<generator", " object at 0x")
"""What stands in a text that was made of a function, a class, a generator or the like."""
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)  # compiles faster than its negation
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
    """A text as it is bought, and what is to be said of it: `errors_in` and `warnings_in`."""

    text: str
    flaws: tuple[tuple[str, str], ...]
    oddities: tuple[tuple[str, str], ...]


@lru_cache(maxsize=128)  # what is the same for many requests is looked at once
def rendered_text(text: str) -> Rendered:
    """What becomes of a text that a template made."""
    tidied = tidy(text)
    return Rendered(tidied, tuple(errors_in(text, tidied)), tuple(warnings_in(tidied)))


def tidy(text: str) -> str:
    """Every line stripped, blank lines dropped, every line end a line feed."""
    return "\n".join(filter(None, map(str.strip, LINE_END.split(text))))


def errors_in(rendered: str, text: str) -> Iterator[tuple[str, str]]:
    """Codes and messages of what must not be bought: the rest of a sentence "the text …".

    `text` is what tidying leaves of what was `rendered`: it takes control characters for white
    space where they begin or end a line.
    """
    if (control := control_character(rendered)) is not None:
        yield "control-character", f"holds the control character {control!a}"
    elif not text:
        yield "empty-text", "is empty once it is rendered"
    if not is_unicode(text):
        yield "not-text", "holds half of a surrogate pair, which no UTF-8 text can"
    for left in _LEFT_OVER:
        if left in text:
            yield "left-over-template", f"still holds {left!r} once it is rendered"
    if (wrong := leaked_repr(text)) is not None:
        yield "not-text", wrong


def control_character(text: str) -> str | None:
    """The first control character that is neither a tab nor a line end."""
    found = _CONTROL.search(text)
    return None if found is None else found[0]


def leaked_repr(text: str) -> str | None:
    """What is wrong with a text that holds a leaked repr: `errors_in` has the sentence."""
    for inside in INSIDES:
        if inside in text:
            return f"holds {inside.strip()!r}: the insides of a program, not text"
    return None


def warnings_in(text: str) -> Iterator[tuple[str, str]]:
    """Codes and messages of what is likely not meant: the rest of a sentence "the text …"."""
    if _NEEDLE.search(text) is None:
        return
    for code, pattern, message in _LIKELY_MISTAKES:
        if (match := pattern.search(text)) is not None:
            yield code, message.format(match[0])
