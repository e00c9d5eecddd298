"""What a document may hold: checked with places, and told to editors as JSON Schema.

A shape is a value that knows both. It is ours, and no library's, because a mistake must name its
key, its line and what was meant, and because `veogen plan` may not take long to start.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, TypeAlias, TypeVar

from veogen.document.flaws import At, EnoughError, Flaw, Flaws, label, shown, wrong_type
from veogen.document.problems import Problem
from veogen.document.values import Map, Place, Seq, Value, place_of

Schema: TypeAlias = dict[str, Any]

_DIGITS = re.compile(r"[0-9]{1,100}(\.[0-9]{1,100})?")

_T = TypeVar("_T")


class Shape(Protocol):
    """What a value may be."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        """Add to `flaws` what is wrong with a value that stands at `at`."""
        ...

    def schema(self, definitions: Schema) -> Schema:
        """The shape as JSON Schema; named ones are put into `definitions`."""
        ...


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value; `told` is what editors are told of it."""

    told: Mapping[str, Any] = field(default_factory=dict)

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        """Nothing is wrong."""

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return dict(self.told)


Rule: TypeAlias = Callable[[str], tuple[str, str] | None]  # code and message of what is wrong


@dataclass(frozen=True, slots=True)
class Text:
    """A string that `rule` has nothing against; `pattern` is the rule as editors know it."""

    rule: Rule | None = None
    pattern: str | None = None

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, str):
            wrong_type(value, at, "a string", flaws)
        elif self.rule is not None and (wrong := self.rule(value)) is not None:
            flaws.add(at, *wrong)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "string"} | ({"pattern": self.pattern} if self.pattern else {})


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if value not in self.words:
            allowed = ", ".join(map(repr, self.words))
            flaws.add(at, "value", f"{label(at)} is one of {allowed}, not {shown(value)}")

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, bool):
            wrong_type(value, at, "true or false", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer, perhaps not below `least`."""

    least: int | None = None

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            wrong_type(value, at, "an integer", flaws)
        elif self.least is not None and value < self.least:
            message = f"{label(at)} is at least {self.least}, not {shown(value)}"
            flaws.add(at, "value", message)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "integer"} | ({} if self.least is None else {"minimum": self.least})


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of credits, exact also when it is written as text: digits, perhaps with a point."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if amount(value) is None:
            wrong_type(value, at, "a number of credits", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": ["number", "string"], "minimum": 0, "pattern": f"^{_DIGITS.pattern}$"}


@dataclass(frozen=True, slots=True)
class Rate(Amount):
    """An amount that something can be divided by."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        Amount.check(self, value, at, flaws)
        if amount(value) == 0:
            flaws.add(at, "rate", "a dollar is worth more than no credits")


def amount(value: Value) -> Decimal | None:
    """A value as a number of credits; None if it is none."""
    if isinstance(value, str):
        return Decimal(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = Decimal(str(value))
    return found if found.is_finite() and found >= 0 else None


@dataclass(frozen=True, slots=True)
class OrNull:
    """A value that must be written, though it may be null."""

    shape: Shape

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if value is not None:
            self.shape.check(value, at, flaws)

    def schema(self, definitions: Schema) -> Schema:
        return or_null(self.shape.schema(definitions))


def or_null(schema: Schema) -> Schema:
    """The schema, or null, which takes a key away."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return schema | {"type": [kind, "null"]}
    if not schema:
        return schema
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}


def problems_of(tree: Value, shape: Shape, start: Place) -> Iterator[Problem]:
    """What is wrong with a whole document, which begins at `start`."""
    for flaw in flaws_of(tree, shape):
        yield problem_of(flaw, tree, start)


def flaws_of(tree: Value, shape: Shape) -> list[Flaw]:
    flaws = Flaws()
    with suppress(EnoughError):
        shape.check(tree, None, flaws)
    return flaws.found


def problem_of(flaw: Flaw, tree: Value, start: Place) -> Problem:
    """A flaw with its place in the document."""
    place = place_of(tree, flaw.path, key=flaw.key) if isinstance(tree, Map | Seq) else start
    return Problem(place, "error", flaw.code, flaw.message, flaw.hint)


def value_of(tree: Map, key: str, kind: type[_T]) -> _T:
    """The value of a key in a document without flaws."""
    value = tree[key]
    if not isinstance(value, kind):
        raise TypeError(f"{key} is {value!r} in a document that was checked")
    return value
