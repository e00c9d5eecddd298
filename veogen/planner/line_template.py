"""A line of a plan as a template: texts that stay, and a text for each point of a dimension.

What does not vary is serialized once, what varies with one axis once for each of its values;
a line is then a few texts put together.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from hashlib import sha256
from itertools import compress, islice, product
from math import prod
from operator import itemgetter
from typing import Any, TypeAlias

from msgspec import Struct, json

from veogen.document.nodes import is_unicode
from veogen.jsontext import compact
from veogen.models.model import Model
from veogen.planner.duplicates import HashTable64
from veogen.planner.identity import (
    PART_BYTES,
    PATH_BYTES,
    BadPathError,
    output_path,
)
from veogen.planner.plan import Request
from veogen.spec.types import Shot
from veogen.templates.template import (
    CONTROL,
    INSIDES,
    NEEDLES,
    rendered_text,
    tidy,
)
from veogen.text import safe

INNER = 512  # so many lines at least have their outer values in common
BLOCK = 1024

_HASHED = '{"request":'
_END = ',"images":[]}\n'


@dataclass(frozen=True, slots=True)
class PerValue:
    """A text for each point of a dimension; dimensions count from 0, the slowest first."""

    dimension: int
    texts: tuple[str, ...]


Part: TypeAlias = str | PerValue
Parts: TypeAlias = Sequence[Part]
Args: TypeAlias = tuple[str, ...]
Rows: TypeAlias = Iterator[tuple[Args, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTemplate:
    """The lines of one shot: what is before the hash, between it and the request, the request.

    `tail` is what is hashed after the request, `kept` has a 0 for each line that is left out.
    """

    sizes: tuple[int, ...]
    before: Parts
    between: Parts
    request: Parts
    tail: Parts
    kept: bytes | None

    def blocks(self, seen: HashTable64) -> Iterator[str]:
        """All lines in order, many at a time; their hashes are seen."""
        split = len(self.sizes)
        while split and prod(self.sizes[split:]) < INNER:
            split -= 1
        inner = list(product(*map(range, self.sizes[split:])))
        fields = [
            _Field(parts, split, inner)
            for parts in (self.before, self.between, self.request, self.tail)
        ]
        for index, outer in enumerate(product(*map(range, self.sizes[:split]))):
            before, between, request, tail = (field.form(outer) for field in fields)
            rows: Rows = zip(*(field.args for field in fields), strict=True)
            if self.kept is not None:
                rows = compress(rows, self.kept[index * len(inner) : (index + 1) * len(inner)])
            while chunk := list(islice(rows, BLOCK)):
                lines, hashes = [], []
                for of_before, of_between, of_request, of_tail in chunk:
                    body = request % of_request
                    hash_ = sha256((_HASHED + body + tail % of_tail).encode()).hexdigest()
                    hashes.append(hash_)
                    lines.append(before % of_before + hash_ + between % of_between + body + _END)
                seen.add_all(hashes)
                yield "".join(lines)


class _Field:
    """One field of a line: a form for outer values, with blanks for the inner ones."""

    def __init__(self, parts: Parts, split: int, inner: Sequence[tuple[int, ...]]) -> None:
        self._parts, self._split = parts, split
        blanks = [p for p in parts if isinstance(p, PerValue) and p.dimension >= split]
        columns = [
            [blank.texts[index] for index in map(itemgetter(blank.dimension - split), inner)]
            for blank in blanks
        ]
        self.args: list[Args] = list(zip(*columns, strict=True)) if blanks else [()] * len(inner)

    def form(self, outer: tuple[int, ...]) -> str:
        texts = []
        for part in self._parts:
            if isinstance(part, str):
                texts.append(part.replace("%", "%%"))
            elif part.dimension >= self._split:
                texts.append("%s")
            else:
                texts.append(part.texts[outer[part.dimension]].replace("%", "%%"))
        return "".join(texts)


class NotBulkableError(Exception):
    """The straight way has to be taken."""


PLACEHOLDER = "\ue000"
"""Stands for a value while the text around it is tidied."""

_FORBIDDEN = (*INSIDES, *NEEDLES)
_STRIPPED = (" \n", "\n ", "\n\n")
"""What tidying takes away where the only white space is spaces and line feeds."""

_FIRST_COMBINING = "\u0300"


def ensure_clean(text: str) -> str:
    """A text, tidied, that nobody would say anything about."""
    rendered = rendered_text(text)
    if rendered.flaws or rendered.oddities:
        raise NotBulkableError
    return rendered.text


def text_in_pieces(parts: Sequence[Part]) -> list[Part]:
    """The parts of a text, tidied as the whole would be; nothing may be said of any whole."""
    values = [part for part in parts if isinstance(part, PerValue)]
    every = [text for value in values for text in value.texts]
    whole = with_placeholders(parts)
    if any(map(CONTROL.search, (whole, *every))):
        raise NotBulkableError
    for text in every:  # a part of a line, which can be told from what stands for it
        if text.splitlines() not in ([], [text]) or PLACEHOLDER in text or not is_unicode(text):
            raise NotBulkableError
    tidied = tidy(whole)
    pieces = filled(tidied, values)
    if any(_may_hold(needle, pieces) for needle in _FORBIDDEN):
        raise NotBulkableError
    if any(text == "" or text != text.strip() for text in every):  # else nothing around is stripped
        spaces = {char for text in (tidied, *every) for char in text if char.isspace()}
        if spaces - {" ", "\n"} or any(_may_hold(e, ["\n", *pieces, "\n"]) for e in _STRIPPED):
            raise NotBulkableError
    return pieces


def path_in_pieces(parts: Sequence[Part]) -> list[Part]:
    """The parts of a path; nothing in any of them would have to be changed."""
    values = [part for part in parts if isinstance(part, PerValue)]
    shape = with_placeholders(parts)
    example = shape.replace(PLACEHOLDER, "a")
    try:
        if output_path(example) != example:
            raise NotBulkableError
    except BadPathError:
        raise NotBulkableError from None
    every = [text for value in values for text in value.texts]
    if not all(any(map(str.isalnum, text)) and max(text) < _FIRST_COMBINING for text in every):
        raise NotBulkableError
    if any(safe(text) != text for text in every):  # what a choice writes is no value
        raise NotBulkableError
    lengths = iter(longest(value) for value in values)
    folders = [
        len(folder.encode()) + sum(next(lengths) for _ in range(folder.count(PLACEHOLDER)))
        for folder in shape.split("/")
    ]
    if max(folders) > PART_BYTES or sum(folders) + len(folders) > PATH_BYTES:
        raise NotBulkableError
    return list(parts)


def default_in_pieces(shot: str, values: Sequence[PerValue], suffix: Part) -> list[Part]:
    """The parts of a default output; no part is empty, none would have to be cut."""
    parts: list[Part] = [part for value in values for part in ("-", value)][1:]
    if not all(text for value in values for text in value.texts):
        raise NotBulkableError
    if len(shot) > PART_BYTES or sum(map(longest, [*parts, suffix])) > PART_BYTES:
        raise NotBulkableError
    return [f"{shot}/", *parts, suffix]


def longest(part: Part) -> int:
    """The most bytes that a part has."""
    texts = part.texts if isinstance(part, PerValue) else (part,)
    return max(len(text.encode()) for text in texts)


def escaped(text: str) -> str:
    """A text inside a JSON string: each character becomes what it becomes by itself."""
    return compact(text)[1:-1]


def with_placeholders(parts: Iterable[Part]) -> str:
    consts = [part for part in parts if isinstance(part, str)]
    if any(PLACEHOLDER in const or not is_unicode(const) for const in consts):
        raise NotBulkableError
    return "".join(part if isinstance(part, str) else PLACEHOLDER for part in parts)


def filled(text: str, values: Sequence[PerValue]) -> list[Part]:
    """The text with the values back in its holes."""
    consts = text.split(PLACEHOLDER)
    pieces: list[Part] = [consts[0]]
    for value, const in zip(values, consts[1:], strict=True):
        pieces += [value, const]
    return pieces


def _may_hold(needle: str, parts: Sequence[Part]) -> bool:
    """Whether some choice of values makes a text that holds the needle, perhaps in pieces.

    `begun` are the lengths of the needle's beginnings with which the text so far may end.
    """
    begun = {0}
    for part in parts:
        texts = part.texts if isinstance(part, PerValue) else (part,)
        after: set[int] = set()
        for text in texts:
            if needle in text or any(text.startswith(needle[n:]) for n in begun if n):
                return True
            after.update(n + len(text) for n in begun if needle[n:].startswith(text))
            after.update(n for n in range(len(needle)) if text.endswith(needle[:n]))
        begun = after
    return False


def escaped_part(part: Part) -> Part:
    """A part inside a JSON string."""
    if isinstance(part, str):
        return escaped(part)
    return PerValue(part.dimension, tuple(map(escaped, part.texts)))


class _Line(Struct):
    """A line, as far as it tells of its request."""

    address: str
    hash: str
    take: int
    variables: dict[str, Any]
    output: str
    credits: str
    request: dict[str, Any]


_lines = json.Decoder(_Line).decode_lines


def read(blocks: Iterable[str], shot: Shot, model: Model) -> Iterator[Request]:
    """The requests that the lines of a shot tell of, equal to those of the straight way."""
    amount, weighed = cache(Decimal), sorted(model.weighed)
    seconds: dict[Hashable, int | None] = {}  # the model looks at few parameters, and longer
    for block in blocks:
        for line in _lines(block):
            key = tuple(map(line.request.get, weighed))
            if key not in seconds:
                seconds[key] = model.seconds(line.request)
            yield Request(
                address=line.address,
                hash=line.hash,
                shot=shot.name,
                take=line.take,
                variables=line.variables,
                output=line.output,
                body=line.request,
                credits=amount(line.credits),
                seconds=seconds[key],
                place=shot.place,
            )
