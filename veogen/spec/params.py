"""The request parameters that a spec may write, as all models know them together.

What is wrong with a name or a literal value, and how an editor completes them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from veogen.document.nodes import Location, Map, Seq, Value
from veogen.document.problems import Problem, did_you_mean
from veogen.document.schema import At, Schema, Violations, or_null, wrong_type
from veogen.models.model import DEFAULT_MODEL, Catalog, default_catalog, shipped
from veogen.models.parameters import Json, Kind, Parameter

_CALLED_OTHERWISE = {
    "resolution": "quality",
    "ratio": "aspect_ratio",
    "aspect": "aspect_ratio",
    "size": "aspect_ratio",
    "length": "duration",
    "seconds": "duration",
    "audio": "generate_audio",
    "sound": "generate_audio",
    "image": "image_urls",
    "images": "image_urls",
    "count": "n",
}
"""What other services call a parameter, and what the default model's gateway calls it."""

_OPENINGS = ("{{", "{%", "{#")
_BOOLEANS = dict.fromkeys(("yes", "on", "y", "true"), "true") | dict.fromkeys(
    ("no", "off", "n", "false"), "false"
)
_LONG_NUMBER = 20  # digits
_TEXT: Schema = {"type": "string"}
_TEMPLATE: Schema = {"type": "string", "pattern": r"\{[{%#]"}
_TYPES: Mapping[Kind, Schema] = {
    "string": _TEXT,
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "uri": _TEXT,
    "object": {"type": "object"},
    "list": {"type": "array"},
    "uris": {"type": "array", "items": _TEXT},
    "callback": {"type": "string", "format": "uri"},
    "any": {},
}


@dataclass(frozen=True, slots=True)
class Params:
    """The `params` of a level; `parameter_mistakes` looks at what is in them."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, Map):
            wrong_type(value, at, "a mapping", flaws)

    def schema(self, definitions: Schema) -> Schema:
        definitions["Params"] = {
            "description": "Request parameters; a string may be a template.",
            "type": "object",
            "properties": {
                name: or_null(_any_of([*_forms(meanings), _TEMPLATE]))
                | {"description": meanings[0].description}
                for name, meanings in parameters().items()
            },
            "additionalProperties": False,
        }
        return {"$ref": "#/$defs/Params"}


def is_template(value: Value) -> bool:
    """Whether a value is known only once its template is rendered."""
    if isinstance(value, list | dict):
        items = value.values() if isinstance(value, dict) else value
        return any(map(is_template, items))
    return isinstance(value, str) and any(opening in value for opening in _OPENINGS)


def parameters() -> Mapping[str, tuple[Parameter, ...]]:
    """What the models that veogen comes with know under each name."""
    return default_catalog().parameters


def parameter_mistakes(params: Map, models: Catalog) -> Iterator[Problem]:
    """Unknown names, and literal values that no model takes."""
    model = models.get(str(params.get("model")))
    for name, value in params.items():
        if any(models.meanings(name)):
            if value is not None and not is_template(value):
                told_by = model.parameters.get(name) if model else None
                yield from value_mistakes(name, value, params.value_place(name), models, told_by)
        elif not models.lenient:
            message = f"{name!r} is not a request parameter"
            hint = did_you_mean(_CALLED_OTHERWISE.get(name, name), sorted(models.parameters))
            yield Problem(params.key_place(name), "error", "unknown-key", message, hint)


def axis_mistakes(axes: Map, models: Catalog) -> Iterator[Problem]:
    """Values of axes named after a parameter that no model takes; those are no templates.

    What is a parameter of some other model only may be an axis of the writer's own.
    """
    usual = default_catalog()[DEFAULT_MODEL].parameters
    for name, values in axes.items():
        if name in usual and any(models.meanings(name)) and isinstance(values, Seq):
            for index, value in enumerate(values):
                if not _fits(value, models.meanings(name)):  # a place takes long to find
                    yield from value_mistakes(name, value, values.value_place(index), models)


def value_mistakes(
    name: str,
    value: Value,
    place: Location,
    models: Catalog,
    told_by: Parameter | None = None,
) -> Iterator[Problem]:
    """What is wrong with a literal value of a parameter; a lenient catalogue takes any.

    It is said as the parameter `told_by` has it, else as the usual model's.
    """
    if not (models.lenient or _fits(value, models.meanings(name))):
        meaning = told_by or next(models.meanings(name))
        mistake = meaning.check(as_json(value))
        hint = None if isinstance(value, bool | list | dict) else _hint(value, meaning)
        yield Problem(place, "error", "value", f"{name} {mistake}", hint)


def _hint(value: str | float | None, meaning: Parameter) -> str | None:
    """What to write for what looks like a value of the parameter, if it does."""
    word = str(value).strip().casefold()
    if meaning.kind == "boolean":
        return f"write {_BOOLEANS[word]}" if word in _BOOLEANS else None
    if meaning.kind == "integer" and isinstance(value, str):
        is_number = word.isascii() and word.isdigit() and len(word) < _LONG_NUMBER
        return f"write {int(word)}" if is_number else None
    words = [each for each in (*(meaning.enum or ()), *meaning.words) if isinstance(each, str)]
    return did_you_mean(word, words)


def _fits(value: Value, meanings: Iterable[Parameter]) -> bool:
    """Whether a model takes the value."""
    plain = as_json(value)
    return any(parameter.check(plain) is None for parameter in meanings)


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
        "minItems": parameter.min_items,
        "maxItems": parameter.max_items,
        "items": None if parameter.item is None else _with_template(parameter.item),
    }
    typed = _TYPES[parameter.kind] | {k: v for k, v in limits.items() if v is not None}
    if parameter.properties:
        properties = {name: _with_template(each) for name, each in parameter.properties.items()}
        typed |= {"properties": properties, "additionalProperties": False}
    return {"anyOf": [typed, {"enum": list(parameter.words)}]} if parameter.words else typed


def _with_template(parameter: Parameter) -> Schema:
    """A parameter within another one, for editors."""
    return _any_of([_typed(parameter), _TEMPLATE])


def _any_of(forms: list[Schema]) -> Schema:
    """One of the forms; any text includes templates."""
    if _TEXT in forms:
        forms = [form for form in forms if form is not _TEMPLATE]
    return forms[0] if len(forms) == 1 else {"anyOf": forms}
