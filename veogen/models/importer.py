"""Model files from the gateway's own documents: what those say, and what they cannot say.

An OpenAPI document describes the parameters of a model, the price document what it costs. Both
come from outside: they are bounded, nothing is followed out of them, and what cannot be read is
refused or listed, never guessed. Which keyword becomes what follows the documents of October 2026.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from veogen.document.nodes import is_unicode
from veogen.document.problems import MistakesError
from veogen.document.writer import write
from veogen.errors import UsageError
from veogen.jsontext import strict
from veogen.models.custom import read_model
from veogen.models.price_document import PriceDocument

MOST_BYTES = 4 << 20
_DEEPEST = 64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_MOST_PARAMETERS = 200
_MOST_WITHIN = 16
_LONGEST_TEXT = 300

_PATH = "/v1/videos/generations"
_REQUEST = ("post", "requestBody", "content", "application/json", "schema")
_ANSWER = ("post", "responses", "200", "content", "application/json", "schema")

_LIMITS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
}
_READ = frozenset(
    {"type", "description", "enum", "const", "default", "example", "format", "items", "title"}
    | {"properties", "required", "additionalProperties", "oneOf", *_LIMITS}
)
_MEDIA = {"image": "image", "video": "video", "audio": "audio"}
_SETTLE = "# To be settled by hand, as no document says it in figures:"
_SCALARS = ("string", "integer", "number", "boolean")
_RULE = re.compile(
    r"[0-9]|\b(must|only|required?|cannot|mutually|truncated|billed|billing|charged?|effective"
    r"|takes no|default)\b",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_MARKS = re.compile(r"[*`]+")


@dataclass(frozen=True, slots=True)
class Imported:
    """A model as its documents have it; `unknown` is what they cannot tell, or only in prose."""

    id: str
    data: Mapping[str, Any]
    unknown: tuple[str, ...]

    def text(self) -> str:
        """The model file, with what is to be settled by hand as its last lines."""
        listed = "".join(f"#   {line}\n" for line in self.unknown)
        return f"{write(self.data)}\n{_SETTLE}\n{listed}"


def import_models(
    raw: bytes, name: str, prices: PriceDocument | None = None, only: str | None = None
) -> list[Imported]:
    """The models that an OpenAPI document describes; `name` is what the document is called.

    Raises `UsageError` for a document that is damaged, hostile or describes none.
    """
    document = parse_json(raw, name)
    digest = hashlib.sha256(raw).hexdigest()[:12]
    reading = _Document(document, name, digest)
    models = [reading.model(pointer, schema, prices) for pointer, schema in reading.requests()]
    ids = [model.id for model in models]
    if only is not None:
        models = [model for model in models if model.id == only]
        if not models:
            raise UsageError(f"{name} describes no {only!r}; it describes {', '.join(ids)}")
    if len(set(ids)) < len(ids):
        raise UsageError(f"{name} describes a model twice")
    return models


def parse_json(raw: bytes, name: str) -> Mapping[str, Any]:
    """A JSON object of bounded size and depth; raises `UsageError`."""
    if len(raw) > MOST_BYTES:
        raise UsageError(f"{name} has more than {MOST_BYTES >> 20} MiB")
    try:
        value = strict(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is no JSON that can be used: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{name} is not a JSON object")
    if not is_unicode(json.dumps(value, ensure_ascii=False)):
        raise UsageError(f"{name} holds half of a character")
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise UsageError(f"{name} is nested more than {_DEEPEST} deep")
    return value


class _Document:
    """An OpenAPI document that is read; references are followed within it alone."""

    def __init__(self, document: Mapping[str, Any], name: str, digest: str) -> None:
        self._document, self._name, self._digest = document, name, digest
        self._unknown: list[str] = []
        self._parameters_read = 0

    def requests(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The schemas of requests with where they stand; several stand under `oneOf`."""
        pointer, schema = self._resolve(f"#/paths/{_PATH}", self._at(("paths", _PATH, *_REQUEST)))
        parts = schema.get("oneOf")
        if not isinstance(parts, list):
            yield pointer, schema
            return
        for index, part in enumerate(parts):
            yield self._resolve(f"{pointer}/oneOf/{index}", part)

    def model(
        self, pointer: str, schema: Mapping[str, Any], prices: PriceDocument | None
    ) -> Imported:
        """One model as a file has it."""
        self._unknown, self._parameters_read = [], 0
        id_ = self._id(schema)
        parameters = self._parameters(pointer, schema, "")
        info = self._document.get("info")
        title = info.get("title") if isinstance(info, Mapping) else None
        data: dict[str, Any] = {
            "id": id_,
            "title": _plain(title, 100) or id_,
            "checked": f"imported from {self._name} (SHA-256 {self._digest}...)",
        }
        seconds = self._example("task_info", "estimated_time")
        if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
            data["expected_seconds"] = seconds
            self._unknown.append("expected_seconds: it is an example of the document, no promise")
        data["parameters"] = parameters
        price = None if prices is None else prices.price(id_)
        if price is not None and price.data is not None:
            data["prices"] = price.data
        notes = ("price: no price document was given",) if price is None else price.unknown
        imported = Imported(id_, data, (*self._unknown, *notes, *_NEVER_SAID))
        try:
            read_model(imported.text().encode(), f"{id_}.yaml")
        except MistakesError as error:
            raise UsageError(f"{self._name} contradicts itself: {error.problems[0]}") from None
        return imported

    def _id(self, schema: Mapping[str, Any]) -> str:
        properties = schema.get("properties")
        model = properties.get("model") if isinstance(properties, Mapping) else None
        if not isinstance(model, Mapping):
            raise UsageError(f"{self._name} describes no request with a 'model'")
        ids = [model["const"]] if "const" in model else model.get("enum")
        if not isinstance(ids, list) or len(ids) != 1:
            raise UsageError(f"{self._name} names not one model, but {_short(ids)}")
        id_ = ids[0]
        if not isinstance(id_, str) or not _ID.fullmatch(id_) or ".." in id_:
            raise UsageError(f"{self._name} names a model {_short(id_)}, which is no id")
        return id_

    def _parameters(self, pointer: str, schema: Mapping[str, Any], above: str) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            raise UsageError(f"{self._name}: {pointer} has no properties that can be read")
        self._parameters_read += len(properties)
        if self._parameters_read > _MOST_PARAMETERS:
            raise UsageError(f"{self._name}: a request has more than {_MOST_PARAMETERS} parameters")
        parameters = {}
        for name, part in properties.items():
            if not _NAME.fullmatch(name):
                raise UsageError(f"{self._name}: {_short(name)} is no name of a parameter")
            where, whole = self._resolve(f"{pointer}/properties/{name}", part)
            fields = self._parameter(where, name, whole, f"{above}{name}")
            parameters[name] = fields | ({"required": True} if name in required else {})
        return parameters

    def _parameter(
        self, pointer: str, name: str, schema: Mapping[str, Any], path: str
    ) -> dict[str, Any]:
        """The fields of one parameter."""
        if path.count(".") + path.count("[]") > _MOST_WITHIN:
            raise UsageError(f"{self._name}: {_short(path)} is within too many others")
        fields = self._kind(pointer, name, schema, path)
        for keyword, field in _LIMITS.items():
            if keyword in schema and field not in fields:
                fields[field] = self._number(pointer, keyword, schema[keyword])
        if "max_length" in fields and fields["type"] == "string":
            fields["utf16"] = True
        if "enum" in schema:
            fields["enum"] = self._scalars(pointer, schema["enum"])
        if name == "model":
            fields["enum"] = [self._id({"properties": {"model": schema}})]
        elif schema.get("default") is not None:
            fields["default"] = self._scalars(pointer, [schema["default"]])[0]
        description = schema.get("description")
        fields["source"] = f"{self._name}{pointer}"
        fields["description"] = _plain(description, _LONGEST_TEXT)
        self._unknown += [f"{path}: {line}" for line in _rules_in(description)]
        self._unknown += [
            f"{path}: {keyword!r} is not read: {_short(schema[keyword])}"
            for keyword in schema
            if keyword not in _READ
        ]
        return fields

    def _kind(
        self, pointer: str, name: str, schema: Mapping[str, Any], path: str
    ) -> dict[str, Any]:
        """What its values are, and what follows of that."""
        if "oneOf" in schema:
            return self._number_or_word(pointer, schema)
        kind = schema.get("type")
        if name == "callback_url":
            return {"type": "callback"}
        if kind == "string" and schema.get("format") == "uri":
            return {"type": "uri", "media": self._media(name, path)}
        if kind == "array":
            where, item = self._resolve(f"{pointer}/items", schema.get("items", {}))
            if name.endswith("_urls") and item.get("type", "string") == "string":
                return {"type": "uris", "media": self._media(name, path)}
            return {"type": "list", "item": self._parameter(where, name, item, f"{path}[]")}
        if kind == "object":
            return {
                "type": "object",
                "properties": self._parameters(pointer, schema, f"{path}."),
            }
        if kind in _SCALARS:
            return {"type": kind}
        self._unknown.append(f"{path}: its type {_short(kind)} is not read; any value goes")
        return {"type": "any"}

    def _media(self, name: str, path: str) -> str:
        """What a link leads to, by the parameter's name."""
        media = next((media for word, media in _MEDIA.items() if word in name), None)
        if media is None:
            self._unknown.append(f"{path}: nothing says what its links lead to; images are taken")
        return media or "image"

    def _number_or_word(self, pointer: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """An integer or number with bounds, or one of some words."""
        parts = schema["oneOf"]
        if not isinstance(parts, list) or len(parts) != 2:  # noqa: PLR2004 - a number, and words
            raise UsageError(f"{self._name}: {pointer} has a 'oneOf' that is not read")
        sides = [self._resolve(f"{pointer}/oneOf/{i}", part)[1] for i, part in enumerate(parts)]
        numbers = [side for side in sides if side.get("type") in ("integer", "number")]
        words = [side for side in sides if "enum" in side and side not in numbers]
        if len(numbers) != 1 or len(words) != 1:
            raise UsageError(f"{self._name}: {pointer} has a 'oneOf' that is not read")
        number = numbers[0]
        bounds = {
            field: self._number(pointer, keyword, number[keyword])
            for keyword, field in _LIMITS.items()
            if keyword in number
        }
        return {
            "type": number["type"],
            **bounds,
            "words": self._scalars(pointer, words[0]["enum"]),
        }

    def _number(self, pointer: str, keyword: str, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"{self._name}: {pointer}/{keyword} is no number")
        return value

    def _scalars(self, pointer: str, values: Any) -> list[Any]:
        sound = isinstance(values, list) and all(
            isinstance(value, str | int | float | bool) for value in values
        )
        if not sound or not values:
            raise UsageError(f"{self._name}: {pointer} has values that are not read")
        return list(values)

    def _example(self, *names: str) -> Any:
        """An example of the answer that a document shows; None where there is none."""
        try:
            schema = self._resolve("", self._at(("paths", _PATH, *_ANSWER)))[1]
            for name in names:
                schema = self._resolve("", schema["properties"][name])[1]
        except (UsageError, KeyError, TypeError):
            return None
        return schema.get("example")

    def _at(self, steps: tuple[str, ...]) -> Any:
        value: Any = self._document
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            raise UsageError(f"{self._name} has no request schema for POST {_PATH}")
        return value

    def _resolve(self, pointer: str, schema: Any) -> tuple[str, Mapping[str, Any]]:
        """A schema, or the one it refers to; raises `UsageError` for one outside, or a circle."""
        seen: set[str] = set()
        while isinstance(schema, Mapping) and "$ref" in schema:
            reference = schema["$ref"]
            prefix = "#/components/schemas/"
            if not isinstance(reference, str) or not reference.startswith(prefix):
                raise UsageError(f"{self._name} refers outside of itself: {_short(reference)}")
            if reference in seen:
                raise UsageError(f"{self._name} refers in a circle: {_short(reference)}")
            seen.add(reference)
            pointer = reference
            schema = self._at(("components", "schemas", reference.removeprefix(prefix)))
        if not isinstance(schema, Mapping):
            raise UsageError(f"{self._name}: {pointer or 'a schema'} is no schema")
        return pointer, schema


_NEVER_SAID = (
    "rules: what does not go together stands in no document in a form that can be read",
    "audio, pixels: whether there is sound, and the size behind a quality, are not told",
    "defaults: whether a listed default is what the gateway applies is not told",
    "retired: whether and how long the model is served is not told",
)


def _rules_in(description: Any) -> Iterator[str]:
    """The sentences of a description that may be rules."""
    if not isinstance(description, str):
        return
    for line in re.split(r"\n+|(?<=[.;]) +", description[:_MOST_PROSE]):
        sentence = _plain(line.lstrip("-| "), _LONGEST_TEXT)
        if sentence and _RULE.search(sentence):
            yield sentence


_MOST_PROSE = 20_000


def _plain(text: Any, most: int) -> str:
    """The first paragraph of Markdown as one line of plain text."""
    if not isinstance(text, str):
        return ""
    first = text.strip().partition("\n\n")[0]
    line = " ".join(_MARKS.sub("", _UNSEEN.sub(" ", first)).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _short(value: Any) -> str:
    text = _UNSEEN.sub(" ", repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line
