"""What a request may say: the parameters of a model, each with its kind and its limits."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from veogen.hosts import public_host

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Kind: TypeAlias = Literal[
    "string",
    "integer",
    "number",
    "boolean",
    "uri",
    "uris",
    "object",
    "list",
    "callback",
    "any",
]
Media: TypeAlias = Literal["image", "video", "audio"]

_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,300}\s*")  # as YAML has them: `1_000` is a text
_NUMBER = re.compile(r"\s*[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\s*")
_MOST_DIGITS = 300

_NOUN: Mapping[Kind, str] = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "uri": "a path or an https URL",
    "uris": "a list of paths or https URLs",
    "object": "a mapping",
    "list": "a list",
    "callback": "an https URL",
    "any": "a value",
}


_TYPES: Mapping[Kind, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "uri": str,
    "uris": list,
    "object": dict,
    "list": list,
    "callback": str,
    "any": object,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A request parameter as the catalogue knows it; a limit that is None is not stated.

    `words` are values beside those of its type and bounds, like `auto`, by which the gateway
    chooses. An image has one of `types`, sides of so many pixels, and one of them is at most
    `max_ratio` times the other. A default that is `moving` was another one before, or is with its
    relatives. Lengths of `utf16` texts count letters beyond the first 65,536 twice, as the
    gateway's client does.
    """

    name: str
    kind: Kind
    description: str
    source: str
    required: bool = False
    enum: tuple[Json, ...] | None = None
    words: tuple[Json, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_length: int | None = None
    utf16: bool = False
    min_items: int | None = None
    max_items: int | None = None
    max_bytes: int | None = None
    media: Media = "image"
    types: tuple[str, ...] = ()
    min_side: int | None = None
    max_side: int | None = None
    max_ratio: float | None = None
    properties: Mapping[str, "Parameter"] = field(default_factory=dict)
    item: "Parameter | None" = None
    default: Json = None
    moving: bool = False
    unit: str | None = None

    def check(self, value: Json) -> str | None:
        """What is wrong with `value`, as the end of the sentence "NAME …"; None if it fits."""
        if self.words and is_among(value, self.words):
            return None
        if not self._has_type(value):
            return f"is {self._noun()}, not {shown(value)}"
        if self.enum is not None and not is_among(value, self.enum):
            return f"is one of {', '.join(map(shown, self.enum))}, not {shown(value)}"
        if isinstance(value, int | float):
            if self.minimum is not None and value < self.minimum:
                return f"is at least {self.minimum}, not {value}"
            if self.maximum is not None and value > self.maximum:
                return f"is at most {self.maximum}, not {value}"
        if isinstance(value, str):
            return self._check_text(value)
        return self._check_items(value) if isinstance(value, list | dict) else None

    def parse(self, text: str) -> Json:
        """`text` read as this parameter's type; a text that is none stays text, for `check`."""
        if text in self.words:
            return text
        if self.kind == "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        if self.kind in ("integer", "number") and _INTEGER.fullmatch(text):
            return int(text)
        if self.kind == "number" and len(text) < _MOST_DIGITS and _NUMBER.fullmatch(text):
            return float(text) if isfinite(float(text)) else text
        with suppress(ValueError, RecursionError):
            return json.loads(text) if self.kind in ("object", "list") else text
        return text

    def check_image(self, kind: str, width: int, height: int) -> str | None:
        """What is wrong with an image, as the end of the sentence "FILE …"; None if it fits."""
        short, long = min(width, height), max(width, height)
        if self.types and kind not in self.types:
            return f"is a {kind.upper()}; {self.name} takes {', '.join(self.types).upper()}"
        low, high = self.min_side or 0, self.max_side or long
        if short < low or long > high:
            bounds = f"{low} to {high}" if self.max_side else f"at least {low}"
            return f"has {width}x{height} pixels; each side has {bounds} for {self.name}"
        if self.max_ratio is not None and long > self.max_ratio * short:
            return f"has {width}x{height} pixels; {self.name} takes up to 1:{self.max_ratio}"
        return None

    @property
    def local(self) -> bool:
        """Whether it takes files of the project, which are uploaded."""
        return self.kind in ("uri", "uris") and self.media == "image"

    def _noun(self) -> str:
        if self.kind in ("uri", "uris") and not self.local:
            return "an https URL" if self.kind == "uri" else "a list of https URLs"
        words = " or ".join(map(shown, self.words))
        return f"{_NOUN[self.kind]} or {words}" if words else _NOUN[self.kind]

    def _has_type(self, value: Json) -> bool:
        if isinstance(value, bool):
            return self.kind in ("boolean", "any")
        if isinstance(value, float) and not isfinite(value):
            return self.kind == "any"
        if self.kind == "uris":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        return isinstance(value, _TYPES[self.kind])

    def _check_text(self, value: str) -> str | None:
        length = len(value.encode("utf-16-le", "surrogatepass")) // 2 if self.utf16 else len(value)
        if self.max_length is not None and length > self.max_length:
            return f"is at most {self.max_length} characters long, not {length}"
        if self.kind == "uri" and (not value or not self.local):
            return check_link(value, self._noun())
        return check_callback(value) if self.kind == "callback" else None

    def _check_items(self, value: list[Json] | dict[str, Json]) -> str | None:
        """As `check`, of what a list or an object holds."""
        if isinstance(value, dict):
            for name, item in value.items():
                if name not in self.properties:
                    return f"takes no {name!r}; it takes {', '.join(self.properties)}"
                wrong = self.properties[name].check(item)
                if wrong is not None:
                    return f"holds a {name} that {wrong}"
            needed = (name for name, each in self.properties.items() if each.required)
            return next((f"needs {name!r}" for name in needed if name not in value), None)
        if self.min_items is not None and len(value) < self.min_items:
            return f"takes at least {self.min_items}, not {len(value)}"
        if self.max_items is not None and len(value) > self.max_items:
            return f"takes at most {self.max_items}, not {len(value)}"
        for number, item in enumerate(value, 1):
            wrong = None if self.item is None else self.item.check(item)
            if self.kind == "uris" and not self.local:
                wrong = check_link(str(item), "an https URL")
            if wrong is not None:
                return f"holds an item {number} that {wrong}"
        return None


def value_at(body: Mapping[str, Json], name: str) -> Json:
    """The value of a parameter, of an inner one by `outer.inner`; None where it is not there.

    Of a list of objects it is the list of what they have there.
    """
    value: Json = body.get(name)
    if value is not None or "." not in name:
        return value
    outer, _, inner = name.partition(".")
    held = body.get(outer)
    if isinstance(held, dict):
        return value_at(held, inner)
    if isinstance(held, list):
        return [value_at(item, inner) for item in held if isinstance(item, dict)]
    return None


def check_link(url: str, noun: str) -> str | None:
    """What is wrong with the address of a video or sound, which is `noun`; None if it fits."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme.lower() == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if whole and not any(char <= " " or char in "\\\x7f" for char in url):
        return None
    return f"is {noun}, not {shown(url)}"


def check_callback(url: str) -> str | None:
    """What is wrong with a callback address (the gateway's own rules), or None."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return f"is an https URL, not {shown(url)}"
    odd = port == 0 or any(char <= " " or char in "\\\x7f" for char in url)
    if parts.scheme != "https" or not host or odd:
        return f"is an https URL, not {shown(url)}"
    if "@" in parts.netloc:
        return "holds no user name or password"
    try:
        public_host(host)
    except ValueError as error:
        return f"names a public host, not {str(error)!r}"
    return None


def shown(value: Json) -> str:
    """A value as it stands in a message: strings quoted, the rest as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "null" if value is None else repr(value)


def shown_size(number: int) -> str:
    """Bytes as people read them: whole MiB where they are."""
    return f"{number:,} bytes" if number % (1 << 20) else f"{number >> 20} MiB"


def is_among(value: Json, allowed: Iterable[Json]) -> bool:
    """Whether it is one of the values; `1`, `1.0` and `true` are three."""
    return any(type(value) is type(other) and value == other for other in allowed)


def parse_parameter(name: str, fields: Mapping[str, Any]) -> Parameter:
    """A parameter as a model file has it."""
    rest = {key: value for key, value in fields.items() if key not in _BUILT}
    item = fields.get("item")
    return Parameter(
        name=name,
        kind=fields["type"],
        enum=tuple(fields["enum"]) if "enum" in fields else None,
        words=tuple(fields.get("words", ())),
        types=tuple(fields.get("types", ())),
        properties={
            inner: parse_parameter(inner, each)
            for inner, each in (fields.get("properties") or {}).items()
        },
        item=None if item is None else parse_parameter(name, item),
        description=fields.get("description", ""),
        source=fields.get("source", ""),
        **rest,
    )


_BUILT = frozenset(
    {"type", "enum", "words", "types", "properties", "item", "description", "source"}
)
