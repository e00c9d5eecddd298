"""What is written for people: text without control characters, numbers, colours if wanted."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal, TextIO, TypeAlias

Colour: TypeAlias = Literal["red", "green", "yellow", "cyan", "dim", "bold"]
Paint: TypeAlias = Callable[[str, Colour], str]

_CODES: Mapping[Colour, int] = {
    "bold": 1,
    "dim": 2,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "cyan": 36,
}
_MOST_CREDITS = Decimal(10) ** 22  # beyond which a place more has more digits than a Decimal
_MILLI, _UNIT = Decimal("0.001"), Decimal("0.0001")
_JOINERS = "\u200c\u200d"  # they are part of words and of emoji, and do nothing by themselves


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where data and messages go, and what the environment says about them."""

    data: TextIO
    messages: TextIO
    environ: Mapping[str, str]


def plain(text: str) -> str:
    """`text` as one line that no terminal obeys: what cannot be printed is spelled out."""
    if text.isprintable():
        return text
    return "".join(
        c if _is_harmless(c) else " " if c.isspace() else c.encode("unicode_escape").decode()
        for c in text
    )


def is_plain(text: str, *, limit: int) -> bool:
    """Whether a text can go into a URL, a database and a terminal just as it is."""
    return 0 < len(text) <= limit and text.isprintable() and " " not in text


def plain_lines(text: str) -> str:
    """`text` with its lines, each as `plain` makes it."""
    return "\n".join(map(plain, text.split("\n")))


def plain_json(text: str) -> str:
    """JSON of the same value that no terminal obeys; its own lines and indents stay."""
    if text.replace("\n", "").isprintable():
        return text
    return "\n".join(
        line
        if line.isprintable()
        else "".join(c if _is_harmless(c) else json.dumps(c)[1:-1] for c in line)
        for line in text.split("\n")
    )


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in _JOINERS


def counted(number: int, noun: str, nouns: str = "") -> str:
    """A number of things; `nouns` are several of them, where an `s` does not make them."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def rounded_credits(amount: Decimal) -> Decimal:
    """An amount of credits as people see it: three places, a fourth only where it is not 0."""
    if abs(amount) >= _MOST_CREDITS:
        return amount
    fine = amount.quantize(_UNIT, ROUND_HALF_UP)
    coarse = fine.quantize(_MILLI, ROUND_HALF_UP)
    return coarse if coarse == fine else fine


def credits_text(amount: Decimal) -> str:
    """An amount of credits in words that are not grouped: `1064.448`, `37.3674`."""
    return f"{rounded_credits(amount):f}"


def columns(text: str) -> int:
    """How many columns a text takes: East Asian letters two, marks above letters none."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shortened(text: str, width: int) -> str:
    """`text` cut to a number of columns, with `…` where something is missing."""
    if columns(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return f"{kept}…" if width > 0 else ""


def shortened_inside(text: str, width: int) -> str:
    """`text` cut to a number of columns in its middle, a third before the `…`, the rest after."""
    if columns(text) <= width:
        return text
    tail = (width - 1) * 2 // 3
    head = shortened(text, width - tail)
    return head + shortened(text[::-1], tail + 1)[::-1].removeprefix("…")


def is_screen(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether somebody sits before it on whom a line can be drawn anew."""
    in_ci = environ.get("CI", "").lower() not in ("", "0", "false")
    return stream.isatty() and environ.get("TERM") != "dumb" and not in_ci


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """NO_COLOR forbids, FORCE_COLOR demands, else a terminal that knows colours decides."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def paint(stream: TextIO, environ: Mapping[str, str]) -> Paint:
    """The way to colour what is written to `stream`, which may be not at all."""
    return _coloured if wants_colour(stream, environ) else uncoloured


def _coloured(text: str, colour: Colour) -> str:
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if text else text


def uncoloured(text: str, colour: Colour) -> str:
    """The paint that leaves no mark."""
    del colour
    return text


@lru_cache(maxsize=4096)
def safe(value: str) -> str:
    """All but letters, digits, `.`, `_` and `-` becomes `-`."""
    if value.isascii() and value.isalnum():
        return value
    text = unicodedata.normalize("NFC", value)
    return "".join(char if char.isalnum() or char in "._-" else "-" for char in text)
