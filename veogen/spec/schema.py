"""The JSON Schema (2020-12) of spec files, made of the models that check them."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from veogen.catalogue.models import shipped
from veogen.catalogue.parameters import Kind, Parameter
from veogen.spec.file import RESERVED, MatrixKeys, SpecKeys, name_pattern
from veogen.spec.params import parameters

Schema: TypeAlias = dict[str, Any]

_TEMPLATE: Schema = {"type": "string", "pattern": r"\{[{%#]"}
_TEXT: Schema = {"type": "string"}
_NULL: Schema = {"type": "null"}
_TYPES: Mapping[Kind, Schema] = {
    "string": _TEXT,
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "uris": {"type": "array", "items": _TEXT},
    "callback": {"type": "string", "format": "uri"},
    "any": {},
}


def json_schema() -> Schema:
    """What editors need to complete and to check a spec."""
    schema: Schema = _simplified(SpecKeys.model_json_schema(ref_template="#/$defs/{model}"))
    definitions = schema["$defs"]
    definitions["Params"] = _params()
    _name_axes(definitions["Matrix"])
    for level in ("Shot", "Override"):
        definitions[level] |= _one_prompt()
    for level in (schema, *(definitions[name] for name in ("Profile", "Shot", "Override"))):
        level["properties"]["params"] = _or_null({"$ref": "#/$defs/Params"})
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A spec of veogen",
    }
    return {**head, **schema, "required": ["veogen"]}


def _simplified(value: Any) -> Any:
    """Less what says nothing: titles made of names, nulls as defaults, `Keys` in names."""
    if isinstance(value, list):
        return [_simplified(item) for item in value]
    if not isinstance(value, dict):
        return value.replace("Keys", "") if isinstance(value, str) else value
    kept = {
        key.removesuffix("Keys"): _simplified(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str))
        and not (key == "default" and item is None)
    }
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


def _params() -> Schema:
    return {
        "description": "Request parameters; a string may be a template.",
        "type": "object",
        "properties": {
            name: _or_null(_any_of([*_forms(known), _TEMPLATE]))
            | {"description": known[0].description}
            for name, known in parameters().items()
        },
        "additionalProperties": False,
    }


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


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [*schema.get("anyOf", [schema]), _NULL]}


def _name_axes(matrix: Schema) -> None:
    """Every other key of a matrix is an axis; one named after a parameter has its values."""
    words = tuple(MatrixKeys.model_fields)
    axis = matrix["additionalProperties"]
    matrix["patternProperties"] = {name_pattern((*words, *RESERVED)): axis}
    matrix["additionalProperties"] = False
    for name, known in parameters().items():
        values = {"type": "array", "minItems": 1, "items": _any_of(_forms(known))}
        matrix["properties"][name] = _or_null(values) | {"description": known[0].description}


def _one_prompt() -> Schema:
    both = {"prompt": _TEXT, "template": _TEXT}
    return {"not": {"required": list(both), "properties": both}}
