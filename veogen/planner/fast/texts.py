"""Whether texts may be made in pieces: only if the whole would be nothing but its pieces."""

from collections.abc import Iterable, Sequence

from veogen.document.compact import compact
from veogen.document.text import is_unicode
from veogen.planner.fast.weave import Part, Varying
from veogen.planner.output import PART_BYTES, PATH_BYTES, BadPathError, output_path, safe
from veogen.planner.rendered import INSIDES, flaws, oddities, tidy


class NotQuickError(Exception):
    """The straight way has to be taken."""


HOLE = "\ue000"
"""Stands for a value while the text around it is tidied."""

_NEEDLES = ("{{", "{%", *INSIDES, "None", "  ")
_EDGES = (" \n", "\n ", "\n\n")
"""What tidying takes away where the only white space is spaces and line feeds."""

_FIRST_COMBINING = "\u0300"


def sound(text: str) -> str:
    """A text that nobody would say anything about."""
    if any(flaws(text)) or any(oddities(text)):
        raise NotQuickError
    return text


def text_in_pieces(parts: Sequence[Part]) -> list[Part]:
    """The parts of a text, tidied as the whole would be; nothing may be said of any whole."""
    values = [part for part in parts if isinstance(part, Varying)]
    every = [text for value in values for text in value.texts]
    if not all(map(_is_in_line, every)):
        raise NotQuickError
    tidied = tidy(with_holes(parts))
    pieces = filled(tidied, values)
    if any(_may_hold(needle, pieces) for needle in _NEEDLES):
        raise NotQuickError
    if not all(map(_is_held, every)):  # so that what is around it may be stripped
        spaces = {char for text in (tidied, *every) for char in text if char.isspace()}
        if spaces - {" ", "\n"} or any(_may_hold(e, ["\n", *pieces, "\n"]) for e in _EDGES):
            raise NotQuickError
    return pieces


def path_in_pieces(parts: Sequence[Part]) -> list[Part]:
    """The parts of a path; nothing in any of them would have to be changed."""
    values = [part for part in parts if isinstance(part, Varying)]
    shape = with_holes(parts)
    example = shape.replace(HOLE, "a")
    try:
        if output_path(example) != example:
            raise NotQuickError
    except BadPathError:
        raise NotQuickError from None
    every = [text for value in values for text in value.texts]
    if not all(any(map(str.isalnum, text)) and max(text) < _FIRST_COMBINING for text in every):
        raise NotQuickError
    if any(safe(text) != text for text in every):  # what a choice writes is no value
        raise NotQuickError
    lengths = iter(longest(value) for value in values)
    folders = [
        len(folder.encode()) + sum(next(lengths) for _ in range(folder.count(HOLE)))
        for folder in shape.split("/")
    ]
    if max(folders) > PART_BYTES or sum(folders) + len(folders) > PATH_BYTES:
        raise NotQuickError
    return list(parts)


def default_in_pieces(shot: str, values: Sequence[Varying], suffix: Part) -> list[Part]:
    """The parts of a default output; no part is empty, none would have to be cut."""
    parts: list[Part] = [part for value in values for part in ("-", value)][1:]
    if not all(text for value in values for text in value.texts):
        raise NotQuickError
    if len(shot) > PART_BYTES or sum(map(longest, [*parts, suffix])) > PART_BYTES:
        raise NotQuickError
    return [f"{shot}/", *parts, suffix]


def longest(part: Part) -> int:
    """The most bytes that a part has."""
    texts = part.texts if isinstance(part, Varying) else (part,)
    return max(len(text.encode()) for text in texts)


def escaped(text: str) -> str:
    """A text inside a JSON string: each character becomes what it becomes by itself."""
    return compact(text)[1:-1]


def with_holes(parts: Iterable[Part]) -> str:
    consts = [part for part in parts if isinstance(part, str)]
    if any(HOLE in const or not is_unicode(const) for const in consts):
        raise NotQuickError
    return "".join(part if isinstance(part, str) else HOLE for part in parts)


def filled(text: str, values: Sequence[Varying]) -> list[Part]:
    """The text with the values back in its holes."""
    consts = text.split(HOLE)
    pieces: list[Part] = [consts[0]]
    for value, const in zip(values, consts[1:], strict=True):
        pieces += [value, const]
    return pieces


def _is_in_line(text: str) -> bool:
    """Whether a value is a part of a line, and can be told from what stands for it."""
    return text.splitlines() in ([], [text]) and HOLE not in text and is_unicode(text)


def _is_held(text: str) -> bool:
    """Whether a value begins and ends with what is never stripped."""
    return text != "" and text == text.strip()


def _may_hold(needle: str, parts: Sequence[Part]) -> bool:
    """Whether some choice of values makes a text that holds the needle, perhaps in pieces.

    `begun` are the lengths of the needle's beginnings with which the text so far may end.
    """
    begun = {0}
    for part in parts:
        texts = part.texts if isinstance(part, Varying) else (part,)
        after: set[int] = set()
        for text in texts:
            if needle in text or any(text.startswith(needle[n:]) for n in begun if n):
                return True
            after.update(n + len(text) for n in begun if needle[n:].startswith(text))
            after.update(n for n in range(len(needle)) if text.endswith(needle[:n]))
        begun = after
    return False
