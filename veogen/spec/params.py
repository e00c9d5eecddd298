"""Request parameters where they are written: their names, and values that are no templates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from veogen.catalogue.known import Catalogue, default_catalogue
from veogen.catalogue.models import shipped
from veogen.catalogue.parameters import Json, Kind, Parameter
from veogen.document.flaws import At, Flaws, wrong_type
from veogen.document.problems import Problem, did_you_mean
from veogen.document.shape import Schema, or_null
from veogen.document.values import Map, Place, Seq, Value

_OPENINGS = ("{{", "{%", "{#")
_OLD_BOOLEANS = dict.fromkeys(("yes", "on", "y"), "true") | dict.fromkeys(
    ("no", "off", "n"), "false"
)
_TEXT: Schema = {"type": "string"}
_TEMPLATE: Schema = {"type": "string", "pattern": r"\{[{%#]"}
_TYPES: Mapping[Kind, Schema] = {
    "string": _TEXT,
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "uris": {"type": "array", "items": _TEXT},
    "callback": {"type": "string", "format": "uri"},
    "any": {},
}


@dataclass(frozen=True, slots=True)
class Params:
    """The `params` of a level; `parameter_mistakes` looks at what is in them."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, Map):
            wrong_type(value, at, "a mapping", flaws)

    def schema(self, definitions: Schema) -> Schema:
        definitions["Params"] = {
            "description": "Request parameters; a string may be a template.",
            "type": "object",
            "properties": {
                name: or_null(_any_of([*_forms(known), _TEMPLATE]))
                | {"description": known[0].description}
                for name, known in parameters().items()
            },
            "additionalProperties": False,
        }
        return {"$ref": "#/$defs/Params"}


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
                if not _fits(value, known.parameters[name]):  # a place takes long to find
                    yield from value_mistakes(name, value, values.value_place(index), known)


def value_mistakes(name: str, value: Value, place: Place, known: Catalogue) -> Iterator[Problem]:
    """What is wrong with a literal value of a parameter; a lenient catalogue takes any."""
    meanings = known.parameters[name]
    if not (known.lenient or _fits(value, meanings)):
        mistake, hint = meanings[0].check(as_json(value)), _old_boolean(meanings[0], value)
        yield Problem(place, "error", "value", f"{name} {mistake}", hint)


def _fits(value: Value, meanings: Sequence[Parameter]) -> bool:
    """Whether a model takes the value."""
    plain = as_json(value)
    return any(parameter.check(plain) is None for parameter in meanings)


def _unknown(place: Place, name: str, known: Catalogue) -> Problem:
    hint = did_you_mean(name, sorted(known.parameters))
    return Problem(place, "error", "unknown-key", f"{name!r} is not a request parameter", hint)


def _old_boolean(parameter: Parameter, value: Value) -> str | None:
    word = _OLD_BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    return f"write {word}" if word and parameter.kind == "boolean" else None


def as_json(value: Value) -> Json:
    """A value without its places."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def value_schema(known: tuple[Parameter, ...]) -> Schema:
    """A literal value of a parameter, for editors."""
    return _any_of(_forms(known))


def _forms(known: tuple[Parameter, ...]) -> list[Schema]:
    """What the models take as a parameter."""
    forms = [_typed(parameter) for parameter in known]
    return [form for index, form in enumerate(forms) if form not in forms[:index]]


def _typed(parameter: Parameter) -> Schema:
    if parameter.name == "model":
        return {"enum": list(shipped())}
    if parameter.enum is not None:
        return {"enum": list(parameter.enum)}
    limits = {
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "maxItems": parameter.max_items,
    }
    return _TYPES[parameter.kind] | {k: v for k, v in limits.items() if v is not None}


def _any_of(forms: list[Schema]) -> Schema:
    """One of the forms; any text includes templates."""
    if _TEXT in forms:
        forms = [form for form in forms if form is not _TEMPLATE]
    return forms[0] if len(forms) == 1 else {"anyOf": forms}
