"""YAML that readers of YAML 1.1 and 1.2 read the same, byte-stable, one line at a time.

A string stands plain only where no reader takes it for anything else; long or many-lined text is
a literal block, which a reviewer reads as it is; the rest is quoted as in JSON. Characters that
cannot be seen are always escaped, so that a review misses nothing.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from veogen.document.nodes import Scalar

Writable: TypeAlias = "Scalar | Mapping[str, Writable] | Iterable[Writable]"

_NEWLINE = "\n"
_LAST_OF_FOUR_DIGITS = 0xFFFF
_LONG = 72  # characters, from which on a text is easier to read as a block
_LONGEST_KEY = 120

# A letter first, so neither number, date nor indicator; no `: ` and no ` #`; no space last.
_PLAIN = re.compile(r"[^\W\d]([\w ./+()&%?=@,;'-]|:(?=[^\s:]))*(?<! )")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))
_UNSEEN = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f"
    "\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164"
    "\ud800-\udfff\ufeff\uffa0\ufff0-\uffff\U000110bd\U000110cd\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_NOT_A_BLOCK = re.compile(r"\A[ \n]| (\n|\Z)|\n\n\Z")


class Block(str):
    """A text that stands as a block however short it is, wherever a block keeps it whole."""

    __slots__ = ()


def write(value: Writable) -> str:
    """The whole document."""
    return "".join(f"{line}\n" for line in lines(value))


def lines(value: Writable) -> Iterator[str]:
    """The lines of a document; an iterator in it is a sequence, written as its items come."""
    if value is None or isinstance(value, str | int | float):
        yield scalar_text(value)
    else:
        yield from _container(value, "")


def scalar_text(value: Scalar) -> str:
    """A scalar on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
            mantissa, exponent, power = repr(value).partition("e")
            # YAML 1.1 takes `1e+16` for a string.
            return f"{mantissa if '.' in mantissa else mantissa + '.0'}{exponent}{power}"
        case str():
            is_plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS
            return value if is_plain and _UNSEEN.search(value) is None else quoted(value)


_key_text: Callable[[str], str] = lru_cache(maxsize=1024)(scalar_text)


def _container(value: Writable, indent: str) -> Iterator[str]:
    """The lines of a mapping or a sequence, each beginning with `indent`."""
    empty = f"{indent}{{}}" if isinstance(value, Mapping) else f"{indent}[]"
    if isinstance(value, Mapping):
        for key, item in value.items():
            empty, text = "", _key_text(key)
            if len(text) > _LONGEST_KEY:
                yield f"{indent}? {text}"
                text = ""
            yield from _entry(f"{text}:", item, indent)
    elif isinstance(value, Iterable):
        for item in value:
            empty = ""
            yield from _entry("-", item, indent)
    if empty:
        yield empty


def _entry(head: str, value: Writable, indent: str) -> Iterator[str]:
    """The lines of `value` behind `head`, a key with its colon or the dash of an item."""
    inner = f"{indent}  "
    # A block where it is easier to read and is read back as it was written.
    if (
        isinstance(value, str)
        and (len(value) > _LONG or _NEWLINE in value[:-1] or (isinstance(value, Block) and value))
        and not _NOT_A_BLOCK.search(value)
        and not _UNSEEN.search(value)
    ):
        yield f"{indent}{head} {'|' if value.endswith(_NEWLINE) else '|-'}"
        for line in value.removesuffix(_NEWLINE).split(_NEWLINE):
            yield f"{inner}{line}" if line else ""
    elif value is None or isinstance(value, str | int | float):
        yield f"{indent}{head} {scalar_text(value)}"
    else:
        nested = _container(value, inner)
        first = next(nested)
        if head == "-" or first[len(inner) :] in ("{}", "[]"):
            yield f"{indent}{head} {first[len(inner) :]}"
        else:
            yield f"{indent}{head}"
            yield first
        yield from nested


def quoted(text: str) -> str:
    """A text in the quotes of JSON; what cannot be seen is escaped."""
    return _UNSEEN.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"
