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

from veogen.document.nodes import Location, Map, Seq, Step, Value, location_of
from veogen.document.problems import MOST, Problem, did_you_mean, nearest

At: TypeAlias = "tuple[At, Step] | None"  # a path, innermost step outside: cheap to extend

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong at a path; `key` says with the key, `meant` which key it was meant to be.

    A flaw that does not `break` its surroundings leaves the rest of them meaning what they say.
    """

    path: tuple[Step, ...]
    code: str
    message: str
    hint: str | None = None
    key: bool = False
    meant: str | None = None
    breaks: bool = True


class TooManyViolationsError(Exception):
    """So many flaws were found that looking for more is of no use."""


class Violations:
    """Collects flaws, up to one more than anybody is told."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def add(self, at: At, code: str, message: str, **more: Any) -> None:
        steps: list[Step] = []
        while at is not None:
            at, step = at
            steps.append(step)
        self.found.append(Violation(tuple(reversed(steps)), code, message, **more))
        if len(self.found) > MOST:
            raise TooManyViolationsError


def wrong_type(value: Value, at: At, noun: str, flaws: Violations, hint: str | None = None) -> None:
    flaws.add(at, "type", f"{label(at)} is {noun}, not {shown(value)}", hint=hint)


def label(at: At) -> str:
    """A path as a message names it: by its last key."""
    if at is None:
        return "it"
    above, step = at
    if isinstance(step, str):
        return repr(step)
    name = label(above)
    return name if name.startswith("an item") else f"an item of {name}"


def shown(value: object) -> str:
    """A value as a message names it."""
    match value:
        case Map() | Seq():
            return "a mapping" if isinstance(value, Map) else "a list"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str() if len(value) > _LONGEST:
            return repr(value[: _LONGEST - 3] + "...")
        case _:
            return repr(value)


Schema: TypeAlias = dict[str, Any]

_DIGITS = re.compile(r"[0-9]{1,100}(\.[0-9]{1,100})?")

_T = TypeVar("_T")


class Type(Protocol):
    """What a value may be."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        """Add to `flaws` what is wrong with a value that stands at `at`."""
        ...

    def schema(self, definitions: Schema) -> Schema:
        """The shape as JSON Schema; named ones are put into `definitions`."""
        ...


@dataclass(frozen=True, slots=True)
class AnyType:
    """Any value; `told` is what editors are told of it."""

    told: Mapping[str, Any] = field(default_factory=dict)

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        """Nothing is wrong."""

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return dict(self.told)


Rule: TypeAlias = Callable[[str], tuple[str, str] | None]  # code and message of what is wrong


@dataclass(frozen=True, slots=True)
class StringType:
    """A string that `rule` has nothing against; `pattern` is the rule as editors know it."""

    rule: Rule | None = None
    pattern: str | None = None

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, str):
            wrong_type(value, at, "a string", flaws)
        elif self.rule is not None and (wrong := self.rule(value)) is not None:
            flaws.add(at, *wrong)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "string"} | ({"pattern": self.pattern} if self.pattern else {})


@dataclass(frozen=True, slots=True)
class WordType:
    """One of some words."""

    words: tuple[str, ...]

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if value not in self.words:
            allowed = ", ".join(map(repr, self.words))
            flaws.add(at, "value", f"{label(at)} is one of {allowed}, not {shown(value)}")

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class BooleanType:
    """True or false."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, bool):
            wrong_type(value, at, "true or false", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class IntegerType:
    """An integer, perhaps not below `least`."""

    least: int | None = None

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            wrong_type(value, at, "an integer", flaws)
        elif self.least is not None and value < self.least:
            message = f"{label(at)} is at least {self.least}, not {shown(value)}"
            flaws.add(at, "value", message)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "integer"} | ({} if self.least is None else {"minimum": self.least})


@dataclass(frozen=True, slots=True)
class NumberType:
    """An integer, or a number with a point."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            wrong_type(value, at, "a number", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": "number"}


@dataclass(frozen=True, slots=True)
class AmountType:
    """A number of credits, exact also when it is written as text: digits, perhaps with a point."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if amount(value) is None:
            wrong_type(value, at, "a number of credits", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": ["number", "string"], "minimum": 0, "pattern": f"^{_DIGITS.pattern}$"}


@dataclass(frozen=True, slots=True)
class RateType(AmountType):
    """An amount that something can be divided by."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        AmountType.check(self, value, at, flaws)
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

    shape: Type

    def check(self, value: Value, at: At, flaws: Violations) -> None:
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


def problems_of(tree: Value, shape: Type, start: Location) -> Iterator[Problem]:
    """What is wrong with a whole document, which begins at `start`."""
    for flaw in flaws_of(tree, shape):
        yield problem_of(flaw, tree, start)


def flaws_of(tree: Value, shape: Type) -> list[Violation]:
    flaws = Violations()
    with suppress(TooManyViolationsError):
        shape.check(tree, None, flaws)
    return flaws.found


def problem_of(flaw: Violation, tree: Value, start: Location) -> Problem:
    """A flaw with its place in the document."""
    place = location_of(tree, flaw.path, key=flaw.key) if isinstance(tree, Map | Seq) else start
    return Problem(place, "error", flaw.code, flaw.message, flaw.hint)


def value_of(tree: Map, key: str, kind: type[_T]) -> _T:
    """The value of a key in a document without flaws."""
    value = tree[key]
    if not isinstance(value, kind):
        raise TypeError(f"{key} is {value!r} in a document that was checked")
    return value


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; with `alone` one item may stand without a list around it.

    An `example` shows whoever wrote none how it is written.
    """

    item: Type
    alone: bool = False
    called: str = "a list"
    example: str | None = None

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if isinstance(value, Seq):
            for index, item in enumerate(value):
                self.item.check(item, (at, index), flaws)
        elif self.alone and not isinstance(value, Map):
            self.item.check(value, at, flaws)
        else:
            hint = None if self.example is None else f"write {self.example}"
            wrong_type(value, at, self.called, flaws, hint)

    def schema(self, definitions: Schema) -> Schema:
        item = self.item.schema(definitions)
        listed = {"type": "array", "items": item}
        return {"anyOf": [item, listed]} if self.alone else listed


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys are names of the writer's choice."""

    item: Type
    names: StringType = field(default_factory=StringType)

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, Map):
            wrong_type(value, at, "a mapping", flaws)
            return
        for name, item in value.items():
            self.check_item(name, item, (at, name), flaws)

    def check_item(self, name: str, value: Value, at: At, flaws: Violations) -> None:
        """Check one item; null takes it away."""
        if self.names.rule is not None and (wrong := self.names.rule(name)) is not None:
            flaws.add(at, *wrong, key=True)
        if value is not None:
            self.item.check(value, at, flaws)

    def schema(self, definitions: Schema) -> Schema:
        item = or_null(self.item.schema(definitions))
        if self.names.pattern is None:
            return {"type": "object", "additionalProperties": item}
        patterns = {self.names.pattern: item}
        return {"type": "object", "patternProperties": patterns, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a section; one that is not `required` may be null, which takes it away."""

    shape: Type
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A mapping with known keys; `noun` names it in messages, `title` in the schema.

    `others` are the keys that its writer may name, if any; `elsewhere` says of an unknown key
    where it belongs, and `told` is what else editors are told.
    """

    noun: str
    title: str
    about: str
    keys: Mapping[str, Field]
    others: MapOf | None = None
    elsewhere: Callable[[str], str | None] | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, Map):
            name = self.noun if at is None else label(at)
            flaws.add(at, "type", f"{name} is a mapping, not {shown(value)}")
            return
        for name, item in value.items():
            key = self.keys.get(name)
            if key is not None:
                if item is not None or key.required:
                    key.shape.check(item, (at, name), flaws)
            elif self.others is not None:
                self.others.check_item(name, item, (at, name), flaws)
            else:
                elsewhere = self.elsewhere(name) if self.elsewhere else None
                flaws.add(
                    (at, name),
                    "unknown-key",
                    f"{name!r} is not a key of {self.noun}",
                    hint=elsewhere or did_you_mean(name, self.keys),
                    key=True,
                    meant=None if elsewhere else nearest(name, self.keys),
                    breaks=False,
                )
        for name, key in self.keys.items():
            if key.required and name not in value:
                flaws.add(at, "missing-key", f"{self.noun} needs {name!r}")

    def schema(self, definitions: Schema) -> Schema:
        if self.title not in definitions:
            definitions[self.title] = {}  # a section may hold itself
            definitions[self.title] = self.whole_schema(definitions)
        return {"$ref": f"#/$defs/{self.title}"}

    def whole_schema(self, definitions: Schema) -> Schema:
        """The schema itself, not a reference to it."""
        properties = {}
        for name, key in self.keys.items():
            shape = key.shape.schema(definitions)
            whole = shape if key.required else or_null(shape)
            properties[name] = whole | {"description": key.about}
        required = [name for name, key in self.keys.items() if key.required]
        others = self.others.schema(definitions) if self.others else {"additionalProperties": False}
        return {
            "description": self.about,
            **others,
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            **self.told,
        }
