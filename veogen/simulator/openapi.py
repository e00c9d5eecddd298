"""The OpenAPI document of what is served: `openapi.yaml`, filled in from models and tables."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeAlias

from veogen import __version__
from veogen.document.reader import read
from veogen.models.model import Model
from veogen.models.parameters import Parameter
from veogen.simulator.file_store import CODES as FILE_CODES
from veogen.simulator.refusals import STATUSES, TASK_ERRORS

Schema: TypeAlias = dict[str, Any]

_URI: Schema = {"type": "string", "format": "uri", "pattern": "^https?://[a-z0-9.-]+/"}
_KINDS: Mapping[str, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "uri": _URI,
    "uris": {"type": "array", "items": _URI},
    "object": {"type": "object"},
    "list": {"type": "array"},
    "callback": {
        "type": "string",
        "format": "uri",
        "pattern": "^https://[a-z]+\\.example\\.org/",
    },
    "any": {},
}


def document(models: Mapping[str, Model]) -> dict[str, Any]:
    """The document for an account that may use `models`."""
    name = "openapi.yaml"
    whole: Any = read((files("veogen.simulator") / name).read_bytes(), name)
    paths: dict[str, dict[str, Schema]] = {}
    for path, operations in whole["paths"].items():
        paths[path] = {}
        for method, operation in operations.items():
            responses = {
                status: response
                if "description" in response
                else {"description": STATUSES[int(status)].meaning, **response}
                for status, response in operation["responses"].items()
            }
            paths[path][method] = {**operation, "responses": responses}
    requests = []
    for model in models.values():
        schema = _object(model.parameters)
        schema["properties"]["model"] = {"const": model.id}
        requests.append(schema)
    schemas = {"Request": {"oneOf": requests}, **whole["components"]["schemas"]}
    components = {**whole["components"], "schemas": schemas}
    info = {**whole["info"], "version": __version__, "description": _tables()}
    return {**whole, "info": info, "paths": paths, "components": components}


def _object(parameters: Mapping[str, Parameter]) -> Schema:
    return {
        "type": "object",
        "required": [name for name, parameter in parameters.items() if parameter.required],
        "properties": {name: _parameter(parameter) for name, parameter in parameters.items()},
        "additionalProperties": False,
    }


def _parameter(parameter: Parameter) -> Schema:
    is_not_blank = parameter.required and parameter.kind == "string" and not parameter.enum
    limits = {
        "enum": list(parameter.enum) if parameter.enum else None,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "maxLength": parameter.max_length,
        "minItems": parameter.min_items,
        "maxItems": parameter.max_items,
        "pattern": "\\S" if is_not_blank else None,
        "items": None if parameter.item is None else _parameter(parameter.item),
    }
    shape = {**_KINDS[parameter.kind], **{k: v for k, v in limits.items() if v is not None}}
    if parameter.kind == "object":
        shape = _object(parameter.properties)
    if parameter.words:
        shape = {"anyOf": [shape, {"enum": list(parameter.words)}]}
    about = {"description": parameter.description, "default": parameter.default}
    return {**shape, **{k: v for k, v in about.items() if v is not None}}


def _tables() -> str:
    """All statuses and codes, for people."""
    statuses = [
        (str(row.number), row.type, row.meaning, ", ".join(row.codes)) for row in STATUSES.values()
    ]
    files_ = [(str(code), meaning) for meaning, code in FILE_CODES.items()]
    return "\n\n".join(
        [
            "Every refusal is one of these:",
            _table(("status", "type", "means", "codes"), statuses),
            "A task that failed has one of these codes, or one that a faults file made up:",
            _table(("code", "means"), TASK_ERRORS.items()),
            "The file API refuses in an envelope of its own, with an HTTP status or one of these:",
            _table(("code", "about"), files_),
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
