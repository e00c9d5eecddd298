"""Whether written request parameters fit the catalogue, where they are written."""

from collections.abc import Iterator, Mapping
from functools import cache

from veogen.catalogue.models import DEFAULT_MODEL, shipped
from veogen.catalogue.parameters import Json, Parameter
from veogen.document.problems import Problem, did_you_mean
from veogen.document.values import Map, Place, Seq, Value

_OPENINGS = ("{{", "{%", "{#")
_OLD_BOOLEANS = dict.fromkeys(("yes", "on", "y"), "true") | dict.fromkeys(
    ("no", "off", "n"), "false"
)


def is_template(value: Value) -> bool:
    """Whether a value is known only once its template is rendered."""
    if isinstance(value, list):
        return any(map(is_template, value))
    return isinstance(value, str) and any(opening in value for opening in _OPENINGS)


@cache
def parameters() -> Mapping[str, tuple[Parameter, ...]]:
    """What the models of the catalogue know under each name, the default model's first.

    A level does not know which model its shots will use: here a value is wrong only when no
    model takes it; the planner asks the request's own model.
    """
    known: dict[str, tuple[Parameter, ...]] = {}
    for model in sorted(shipped().values(), key=lambda model: model.id != DEFAULT_MODEL):
        for name, parameter in model.parameters.items():
            known[name] = (*known.get(name, ()), parameter)
    return known


def parameter_mistakes(params: Map) -> Iterator[Problem]:
    """Unknown names, and literal values that no model takes."""
    for name, value in params.items():
        if name not in parameters():
            yield _unknown(params.key_place(name), name)
        elif value is not None and not is_template(value):
            yield from value_mistakes(name, value, params.value_place(name))


def axis_mistakes(axes: Map) -> Iterator[Problem]:
    """Values of axes named after a parameter that no model takes; those are no templates."""
    for name, values in axes.items():
        if name in parameters() and isinstance(values, Seq):
            for index, value in enumerate(values):
                yield from value_mistakes(name, value, values.value_place(index))


def value_mistakes(name: str, value: Value, place: Place) -> Iterator[Problem]:
    """What is wrong with a literal value of a parameter."""
    known = parameters()[name]
    mistakes = [parameter.check(_json(value)) for parameter in known]
    if None not in mistakes:
        hint = _old_boolean(known[0], value)
        yield Problem(place, "error", "value", f"{name} {mistakes[0]}", hint)


def _unknown(place: Place, name: str) -> Problem:
    hint = did_you_mean(name, sorted(parameters()))
    return Problem(place, "error", "unknown-key", f"{name!r} is not a request parameter", hint)


def _old_boolean(parameter: Parameter, value: Value) -> str | None:
    word = _OLD_BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    return f"write {word}" if word and parameter.kind == "boolean" else None


def _json(value: Value) -> Json:
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list) else value
