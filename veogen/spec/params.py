"""Whether written request parameters fit the catalogue, where they are written."""

from collections.abc import Iterator, Mapping

from veogen.catalogue.known import Catalogue, default_catalogue
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


def parameters() -> Mapping[str, tuple[Parameter, ...]]:
    """What the models that veogen comes with know under each name."""
    return default_catalogue().parameters


def parameter_mistakes(params: Map, known: Catalogue) -> Iterator[Problem]:
    """Unknown names, and literal values that no model takes."""
    for name, value in params.items():
        if name in known.parameters:
            if value is not None and not is_template(value):
                yield from value_mistakes(name, value, params.value_place(name), known)
        elif not known.lenient:
            yield _unknown(params.key_place(name), name, known)


def axis_mistakes(axes: Map, known: Catalogue) -> Iterator[Problem]:
    """Values of axes named after a parameter that no model takes; those are no templates."""
    for name, values in axes.items():
        if name in known.parameters and isinstance(values, Seq):
            for index, value in enumerate(values):
                yield from value_mistakes(name, value, values.value_place(index), known)


def value_mistakes(name: str, value: Value, place: Place, known: Catalogue) -> Iterator[Problem]:
    """What is wrong with a literal value of a parameter; a lenient catalogue takes any."""
    meanings = known.parameters[name]
    mistakes = [parameter.check(_json(value)) for parameter in meanings]
    if None not in mistakes and not known.lenient:
        hint = _old_boolean(meanings[0], value)
        yield Problem(place, "error", "value", f"{name} {mistakes[0]}", hint)


def _unknown(place: Place, name: str, known: Catalogue) -> Problem:
    hint = did_you_mean(name, sorted(known.parameters))
    return Problem(place, "error", "unknown-key", f"{name!r} is not a request parameter", hint)


def _old_boolean(parameter: Parameter, value: Value) -> str | None:
    word = _OLD_BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    return f"write {word}" if word and parameter.kind == "boolean" else None


def _json(value: Value) -> Json:
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list) else value
