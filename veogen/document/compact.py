"""JSON in one line without spaces, in UTF-8 as it is: for lines and pages."""

import json
import math
from collections.abc import Callable, Mapping
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
