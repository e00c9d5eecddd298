"""JSON as it is written here, in UTF-8 as it is, and as it is read: what has one meaning alone."""

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any

_encode = json.JSONEncoder(
    ensure_ascii=False,
    separators=(",", ":"),
    check_circular=False,  # it is of trees alone
).encode


def compact(value: Any) -> str:
    """The value's text; the encoder is made once, which `json.dumps` does for every call."""
    scalar = SCALARS.get(value.__class__)
    return _encode(value) if scalar is None else scalar(value)


def _float(number: float) -> str:
    return float.__repr__(number) if math.isfinite(number) else _encode(number)


SCALARS: Mapping[type, Callable[[Any], str]] = {
    str: quoted,
    int: int.__repr__,
    float: _float,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
}
"""How the values that hold no others are written, as the encoder does it."""


def strict(text: str | bytes) -> Any:
    """The value that a JSON text is, if it is one and the same to every reader.

    Raises `ValueError` for a key that stands twice in an object, for a number that is not finite
    and for what is no JSON, and `RecursionError`.
    """
    return json.loads(
        text, object_pairs_hook=_unique_keys, parse_float=_finite, parse_constant=_finite
    )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{max(names, key=names.count)!r} stands twice in one object")
    return values


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON has")
    return number


_CONTAINERS = (dict, list, tuple)


def indented(value: Any, margin: str = "\n") -> str:
    """The value's text; each line after its first begins as `margin` does."""
    if value.__class__ in SCALARS or not (value and isinstance(value, _CONTAINERS)):
        return compact(value)
    deeper = f"{margin}  "
    if isinstance(value, dict):
        return _form(tuple(value), margin) % tuple([indented(v, deeper) for v in value.values()])
    texts = [indented(item, deeper) for item in value]
    return f"[{deeper}{f',{deeper}'.join(texts)}{margin}]"


@lru_cache(maxsize=256)
def _form(names: tuple[str, ...], margin: str) -> str:
    """A mapping of these names with a place for the text of each value."""
    fields = (f"{margin}  {quoted(name).replace('%', '%%')}: %s" for name in names)
    return f"{{{','.join(fields)}{margin}}}"
