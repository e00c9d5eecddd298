"""The JSON Schema of spec files, made of the shapes that check them."""

from veogen.document.shape import Schema, or_null
from veogen.spec.file import SPEC
from veogen.spec.params import parameters, value_schema


def json_schema() -> Schema:
    """The JSON Schema (2020-12) of spec files, for editors that complete and check."""
    definitions: Schema = {}
    spec = SPEC.whole_schema(definitions)
    matrix = definitions["Matrix"]
    matrix["properties"] |= _axes_of_parameters()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A spec of veogen",
        **spec,
        "required": ["veogen"],
        "$defs": definitions,
    }


def _axes_of_parameters() -> Schema:
    axes = {
        name: {"type": "array", "minItems": 1, "items": value_schema(known)}
        for name, known in parameters().items()
    }
    return {name: or_null(axis) for name, axis in axes.items()}
