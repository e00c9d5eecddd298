"""What becomes of rendered text: white space that means nothing goes, garbage is refused."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from veogen.document.nodes import is_unicode

_LEFT_OVER = ("{{", "{%")
INSIDES = ("<built-in", "<function", "<class", "<generator", " object at 0x")
"""What stands in a text that was made of a function, a class, a generator or the like."""
_NONE = re.compile(r"\bNone\b")


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
    return Rendered(tidied, tuple(errors_in(tidied)), tuple(warnings_in(tidied)))


def tidy(text: str) -> str:
    """Every line stripped, blank lines dropped, every line end a line feed."""
    return "\n".join(filter(None, map(str.strip, text.splitlines())))


def errors_in(text: str) -> Iterator[tuple[str, str]]:
    """Codes and messages of what must not be bought: the rest of a sentence "PROMPT …"."""
    if not text:
        yield "empty-text", "is empty once it is rendered"
    if not is_unicode(text):
        yield "not-text", "holds half of a surrogate pair, which no UTF-8 text can"
    for left in _LEFT_OVER:
        if left in text:
            yield "left-over-template", f"still holds {left!r} once it is rendered"
    if (wrong := leaked_repr(text)) is not None:
        yield "not-text", wrong


def leaked_repr(text: str) -> str | None:
    """What is wrong with a text that holds a leaked repr: `errors_in` has the sentence."""
    for inside in INSIDES:
        if inside in text:
            return f"holds {inside.strip()!r}: the insides of a program, not text"
    return None


def warnings_in(text: str) -> Iterator[tuple[str, str]]:
    """Codes and messages of what is likely not meant: the rest of a sentence "the text …"."""
    if "None" in text and _NONE.search(text):
        yield "bare-none", "holds a bare 'None'"
    if "  " in text:
        yield "doubled-space", "holds two spaces in a row"
