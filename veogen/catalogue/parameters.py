"""One request parameter of a model: its type and limits, and what fits them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from veogen.hosts import public_host

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Kind: TypeAlias = Literal["string", "integer", "boolean", "uris", "callback", "any"]

_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,300}\s*")  # as YAML has them: `1_000` is a text

_NOUN: Mapping[Kind, str] = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "true or false",
    "uris": "a list of paths or https URLs",
    "callback": "an https URL",
    "any": "a value",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A request parameter as the catalogue knows it; a limit that is None is not stated."""

    name: str
    kind: Kind
    description: str
    source: str
    required: bool = False
    enum: tuple[Json, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    max_bytes: int | None = None
    default: Json = None
    unit: str | None = None

    def check(self, value: Json) -> str | None:
        """What is wrong with `value`, as the end of the sentence "NAME …"; None if it fits."""
        if not self._has_type(value):
            return f"is {_NOUN[self.kind]}, not {shown(value)}"
        if self.enum is not None and not any(_same(value, allowed) for allowed in self.enum):
            return f"is one of {', '.join(map(shown, self.enum))}, not {shown(value)}"
        if isinstance(value, int):
            return self._check_range(value)
        if isinstance(value, str):
            return self._check_text(value)
        if isinstance(value, list) and self.max_items is not None and len(value) > self.max_items:
            return f"takes at most {self.max_items}, not {len(value)}"
        return None

    def parse(self, text: str) -> Json:
        """`text` read as this parameter's type; a text that is none stays text, for `check`."""
        if self.kind == "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        if self.kind == "integer" and _INTEGER.fullmatch(text):
            return int(text)
        return text

    def _has_type(self, value: Json) -> bool:
        match self.kind:
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "boolean":
                return isinstance(value, bool)
            case "uris":
                return isinstance(value, list) and all(isinstance(item, str) for item in value)
            case "string" | "callback":
                return isinstance(value, str)
            case "any":
                return True

    def _check_range(self, value: int) -> str | None:
        if self.minimum is not None and value < self.minimum:
            return f"is at least {self.minimum}, not {value}"
        if self.maximum is not None and value > self.maximum:
            return f"is at most {self.maximum}, not {value}"
        return None

    def _check_text(self, value: str) -> str | None:
        if self.max_length is not None and len(value) > self.max_length:
            return f"is at most {self.max_length} characters long, not {len(value)}"
        return check_callback(value) if self.kind == "callback" else None


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
    return "null" if value is None else repr(value)


def shown_size(number: int) -> str:
    """Bytes as people read them: whole MiB where they are."""
    return f"{number:,} bytes" if number % (1 << 20) else f"{number >> 20} MiB"


def _same(left: Json, right: Json) -> bool:
    return type(left) is type(right) and left == right
