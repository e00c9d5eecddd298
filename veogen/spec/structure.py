"""Whether a file has the structure that `veogen.spec.file` describes, with each mistake's place."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from veogen.document.problems import Problem, did_you_mean
from veogen.document.values import Map, Place, Seq, Value, place_of
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


def structural_mistakes(tree: Value, keys: type[Keys], start: Place) -> Iterator[Problem]:
    """What is wrong in the structure of a document that is to have `keys`."""
    if not isinstance(tree, Map):
        yield Problem(start, "error", "type", f"{keys.noun} is a mapping, not {shown(tree)}")
        return
    try:
        keys.model_validate(tree)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _problem(tree, keys, detail)


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


def _problem(tree: Map, keys: type[Keys], detail: ErrorDetails) -> Problem:
    path = [step for step in detail["loc"] if step != "[key]"]
    kind, value = detail["type"], detail["input"]
    at_key = kind == "extra_forbidden" or "[key]" in detail["loc"]
    place = place_of(tree, path, key=at_key or kind in ("reserved-name", "name"))
    label = next((repr(step) for step in reversed(path) if isinstance(step, str)), "it")
    label = f"an item of {label}" if isinstance(path[-1], int) else label
    match kind:
        case "extra_forbidden":
            return _unknown_key(place, str(path[-1]), _keys_at(keys, path[:-1]))
        case "missing":
            message = f"{_keys_at(keys, path[:-1]).noun} needs {str(path[-1])!r}"
            return Problem(place, "error", "missing-key", message)
        case "literal_error":
            message = f"{label} is 1, the version of this language, not {shown(value)}"
            return Problem(place, "error", "version", message)
        case "greater_than_equal":
            message = f"{label} is at least {detail['ctx']['ge']}, not {shown(value)}"
            return Problem(place, "error", "value", message)
        case "amount":
            message = f"{label} is a number of credits, not {shown(value)}"
            return Problem(place, "error", "type", message)
        case _ if kind in _TYPES:
            message = f"{label} is {_TYPES[kind]}, not {shown(value)}"
            return Problem(place, "error", "type", message)
        case _:
            return Problem(place, "error", kind, detail["msg"])


def _unknown_key(place: Place, key: str, keys: type[Keys]) -> Problem:
    known = list(keys.model_fields)
    hint = did_you_mean(key, known)
    if "params" in known and key in parameters():
        hint = "as a request parameter it stands below 'params'"
    return Problem(place, "error", "unknown-key", f"{key!r} is not a key of {keys.noun}", hint)


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
