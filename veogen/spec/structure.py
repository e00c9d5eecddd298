"""Whether a file has the structure that `veogen.spec.file` describes, with each mistake's place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from veogen.document.problems import Problem, did_you_mean, nearest
from veogen.document.values import Map, Place, Seq, Step, Value, place_of
from veogen.spec.file import (
    BudgetKeys,
    Keys,
    LimitsKeys,
    OverrideKeys,
    ProfileKeys,
    SampleKeys,
    ShotKeys,
)
from veogen.spec.params import parameters

_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a path of a document, and the key that was probably meant there."""

    problem: Problem
    path: tuple[Step, ...]
    meant: str | None = None


def structural_mistakes(tree: Value, keys: type[Keys], start: Place) -> Iterator[Mistake]:
    """What is wrong in the structure of a document that is to have `keys`."""
    if not isinstance(tree, Map):
        message = f"{keys.noun} is a mapping, not {shown(tree)}"
        yield Mistake(Problem(start, "error", "type", message), ())
        return
    try:
        keys.model_validate(tree)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _mistake(tree, keys, detail)


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


def _mistake(tree: Map, keys: type[Keys], detail: ErrorDetails) -> Mistake:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    about_key = detail["type"] == "extra_forbidden" or _is_key(detail["input"], path)
    place = place_of(tree, path, key=about_key)
    if detail["type"] == "extra_forbidden":
        return _unknown_key(place, path, _keys_at(keys, path[:-1]))
    code, message = _said(path, keys, detail)
    return Mistake(Problem(place, "error", code, message), path)


def _is_key(complained_of: object, path: Sequence[Step]) -> bool:
    return bool(path) and isinstance(complained_of, str) and complained_of == path[-1]


def _said(path: Sequence[Step], keys: type[Keys], detail: ErrorDetails) -> tuple[str, str]:
    """The code and the message of a complaint of pydantic's."""
    kind, value, label = detail["type"], shown(detail["input"]), _label(path)
    match kind:
        case "missing":
            return "missing-key", f"{_keys_at(keys, path[:-1]).noun} needs {str(path[-1])!r}"
        case "version":
            return "version", f"{label} is 1, the version of this language, not {value}"
        case "greater_than_equal":
            return "value", f"{label} is at least {detail['ctx']['ge']}, not {value}"
        case "amount":
            return "type", f"{label} is a number of credits, not {value}"
        case "list_type" if path[-1] == "list":  # the tag of the form of rows
            return "type", f"'rows' is a path or a list, not {value}"
        case _ if kind in _TYPES:
            return "type", f"{label} is {_TYPES[kind]}, not {value}"
        case _:
            return kind, detail["msg"]


def _label(path: Sequence[Step]) -> str:
    name = next((repr(step) for step in reversed(path) if isinstance(step, str)), "it")
    return f"an item of {name}" if isinstance(path[-1], int) else name


def _unknown_key(place: Place, path: tuple[Step, ...], keys: type[Keys]) -> Mistake:
    key, known = str(path[-1]), list(keys.model_fields)
    hint, meant = did_you_mean(key, known), nearest(key, known)
    if "params" in known and key in parameters():
        hint, meant = "as a request parameter it stands below 'params'", None
    message = f"{key!r} is not a key of {keys.noun}"
    return Mistake(Problem(place, "error", "unknown-key", message, hint), path, meant)


def _keys_at(keys: type[Keys], path: Sequence[str | int]) -> type[Keys]:
    match path:
        case [*_, "overrides", int()]:
            return OverrideKeys
        case [*_, "shots", int()]:
            return ShotKeys
        case ["profiles", str()]:
            return ProfileKeys
        case [*_, "sample"]:
            return SampleKeys
        case [*_, "budget"]:
            return BudgetKeys
        case ["limits"]:
            return LimitsKeys
        case _:
            return keys
