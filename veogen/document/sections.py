"""Shapes of mappings and lists: what keys there are, and what they hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from veogen.document.flaws import At, Flaws, label, shown, wrong_type
from veogen.document.problems import did_you_mean, nearest
from veogen.document.shape import Schema, Shape, Text, or_null
from veogen.document.values import Map, Seq, Value


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; with `alone` one item may stand without a list around it."""

    item: Shape
    alone: bool = False
    called: str = "a list"

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if isinstance(value, Seq):
            for index, item in enumerate(value):
                self.item.check(item, (at, index), flaws)
        elif self.alone and not isinstance(value, Map):
            self.item.check(value, at, flaws)
        else:
            wrong_type(value, at, self.called, flaws)

    def schema(self, definitions: Schema) -> Schema:
        item = self.item.schema(definitions)
        listed = {"type": "array", "items": item}
        return {"anyOf": [item, listed]} if self.alone else listed


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys are names of the writer's choice."""

    item: Shape
    names: Text = field(default_factory=Text)

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, Map):
            wrong_type(value, at, "a mapping", flaws)
            return
        for name, item in value.items():
            self.check_item(name, item, (at, name), flaws)

    def check_item(self, name: str, value: Value, at: At, flaws: Flaws) -> None:
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
class Key:
    """A key of a section; one that is not `required` may be null, which takes it away."""

    shape: Shape
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with known keys; `noun` names it in messages, `title` in the schema.

    `others` are the keys that its writer may name, if any; `elsewhere` says of an unknown key
    where it belongs, and `told` is what else editors are told.
    """

    noun: str
    title: str
    about: str
    keys: Mapping[str, Key]
    others: MapOf | None = None
    elsewhere: Callable[[str], str | None] | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, Map):
            name = self.noun if at is None else label(at)
            flaws.add(at, "type", f"{name} is a mapping, not {shown(value)}")
            return
        for name, item in value.items():
            self._check_key(name, item, (at, name), flaws)
        for name, key in self.keys.items():
            if key.required and name not in value:
                flaws.add(at, "missing-key", f"{self.noun} needs {name!r}")

    def _check_key(self, name: str, value: Value, at: At, flaws: Flaws) -> None:
        key = self.keys.get(name)
        if key is not None:
            if value is not None or key.required:
                key.shape.check(value, at, flaws)
        elif self.others is not None:
            self.others.check_item(name, value, at, flaws)
        else:
            self._refuse(name, at, flaws)

    def _refuse(self, name: str, at: At, flaws: Flaws) -> None:
        elsewhere = self.elsewhere(name) if self.elsewhere else None
        flaws.add(
            at,
            "unknown-key",
            f"{name!r} is not a key of {self.noun}",
            hint=elsewhere or did_you_mean(name, self.keys),
            key=True,
            meant=None if elsewhere else nearest(name, self.keys),
            breaks=False,
        )

    def schema(self, definitions: Schema) -> Schema:
        if self.title not in definitions:
            definitions[self.title] = {}  # a section may hold itself
            definitions[self.title] = self.whole_schema(definitions)
        return {"$ref": f"#/$defs/{self.title}"}

    def whole_schema(self, definitions: Schema) -> Schema:
        """The schema itself, not a reference to it."""
        properties = {name: _told(key, definitions) for name, key in self.keys.items()}
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


def _told(key: Key, definitions: Schema) -> Schema:
    shape = key.shape.schema(definitions)
    return (shape if key.required else or_null(shape)) | {"description": key.about}
