"""Values that a user writes as JSON: JSON as its standard has it, and each key once."""

import json
from typing import Any

from veogen.document.reader import MAX_DEPTH


class NotJsonError(ValueError):
    """A text is no JSON; `column` counts from 1 in the text."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


def read_json(text: str) -> Any:
    """The value that a text is; raises `NotJsonError`."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"this is not JSON: {error.msg}", error.colno) from None
    except NotJsonError:
        raise
    except (RecursionError, ValueError) as error:
        raise NotJsonError(f"this is not JSON that can be read: {error}") from None
    if _is_deeper(value, MAX_DEPTH):
        raise NotJsonError(f"values are nested at most {MAX_DEPTH} deep")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise NotJsonError("a key stands in this object twice")
    return values


def _refuse(name: str) -> Any:
    raise NotJsonError(f"{name} is not JSON")


def _is_deeper(value: Any, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(_is_deeper(item, most - 1) for item in inner)
