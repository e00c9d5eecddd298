"""The values of axes and columns: what stands for them, and how they compare."""

import math
from typing import NamedTuple, TypeAlias

from veogen.catalogue.parameters import Json
from veogen.document.text import is_unicode
from veogen.document.values import Place, Value
from veogen.planner.address import address_text
from veogen.planner.canonical import canonical
from veogen.spec.params import as_json


class Choice(NamedTuple):
    """One value of an axis or column.

    `value` is what templates and parameters see; `key` stands for it in the address and in
    partial combinations: the value itself, or the `id` of a mapping. `token` is the key as
    canonical JSON, so that values compare with their types; `text` is the key in an address,
    where `1` and `"1"` look alike.
    """

    name: str
    value: Json
    key: Json
    token: str
    text: str
    place: Place


Combination: TypeAlias = tuple[Choice, ...]


class BadValueError(ValueError):
    """A value that cannot be one of an axis; the message says why."""


def choice(name: str, value: Value, place: Place) -> Choice:
    """The value as a choice of the axis or column `name`; raises `BadValueError`."""
    seen = as_json(value)
    key = _key(seen)
    _check(key)
    return Choice(name, seen, key, token(key), address_text(key), place)


def token(key: Json) -> str:
    """Equal for equal values of equal types: `1`, `1.0`, `"1"` and `true` all differ."""
    return canonical(key).decode()


def _key(value: Json) -> Json:
    if isinstance(value, dict):
        if "id" not in value:
            raise BadValueError("a mapping needs an 'id' that stands for it")
        key = value["id"]
        if not isinstance(key, str | int | float):
            raise BadValueError("an 'id' is a string or a number")
        return key
    return value


def _check(value: Json) -> None:
    match value:
        case None:
            raise BadValueError("null is not a value of an axis")
        case str() if not is_unicode(value):
            raise BadValueError("half of a surrogate pair is no text")
        case float() if not math.isfinite(value):
            raise BadValueError("a value of an axis is a finite number")
        case list():
            for item in value:
                _check(item)
        case dict():
            for item in value.values():
                _check(item)
        case _:
            pass
