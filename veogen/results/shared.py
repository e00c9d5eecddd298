"""Values that thousands of requests have alike, kept once: JSON brings each of them anew."""

import functools
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from sys import intern
from typing import Any

_SHORT = 64
"""Characters of a word like a model or a ratio; a longer text, a prompt, has no equal."""


@functools.lru_cache(maxsize=1024)
def amount(text: str | None) -> Decimal | None:
    """Credits as a journal has them; raises `ArithmeticError` for what is no number."""
    found = None if text is None else Decimal(text)
    if found is not None and not found.is_finite():
        raise InvalidOperation
    return found


def members(data: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an object, names and short texts kept once."""
    return {intern(name): _kept_once(value) for name, value in data.items()}


def _kept_once(value: Any) -> Any:
    return intern(value) if type(value) is str and len(value) <= _SHORT else value
