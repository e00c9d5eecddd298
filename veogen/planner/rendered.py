"""What becomes of rendered text: white space that means nothing goes, garbage is refused."""

import re
from collections.abc import Iterator

_LEFT_OVER = ("{{", "{%")
_GARBAGE = ("<built-in", "<function", "<class", " object at 0x")
_NONE = re.compile(r"\bNone\b")


def tidy(text: str) -> str:
    """Every line stripped, blank lines dropped, every line end a line feed."""
    return "\n".join(line for line in map(str.strip, text.splitlines()) if line)


def flaws(text: str) -> Iterator[tuple[str, str]]:
    """Codes and messages of what must not be bought: the rest of a sentence "PROMPT …"."""
    if not text:
        yield "empty-text", "is empty once it is rendered"
    if not is_unicode(text):
        yield "not-text", "holds half of a surrogate pair, which no UTF-8 text can"
    for left in _LEFT_OVER:
        if left in text:
            yield "left-over-template", f"still holds {left!r} once it is rendered"
    garbage = next((garbage for garbage in _GARBAGE if garbage in text), None)
    if garbage is not None:
        yield "not-text", f"holds {garbage.strip()!r}: the insides of a program, not text"


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: not if it holds half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def oddities(text: str) -> Iterator[tuple[str, str]]:
    """Codes and messages of what is likely not meant: the rest of a sentence "the text …"."""
    if "None" in text and _NONE.search(text):
        yield "bare-none", "holds a bare 'None'"
    if "  " in text:
        yield "doubled-space", "holds two spaces in a row"
