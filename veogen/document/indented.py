"""JSON in indented lines, as `json.dumps(value, indent=2, ensure_ascii=False)` writes it.

That one is written in Python; here a mapping is a form, made once for all that have its keys.
"""

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any

_flat = json.JSONEncoder(ensure_ascii=False).encode


def indented(value: Any, margin: str = "\n") -> str:
    """The value's text; each line after its first begins as `margin` does."""
    if not (value and isinstance(value, dict | list | tuple)):
        return _flat(value)
    deeper = f"{margin}  "
    texts = [
        _SCALARS[item.__class__](item) if item.__class__ in _SCALARS else indented(item, deeper)
        for item in (value.values() if isinstance(value, dict) else value)
    ]
    if isinstance(value, dict):
        return _form(tuple(value), margin) % tuple(texts)
    return f"[{deeper}{f',{deeper}'.join(texts)}{margin}]"


def _float(number: float) -> str:
    return float.__repr__(number) if math.isfinite(number) else _flat(number)


_SCALARS: Mapping[type, Callable[[Any], str]] = {
    str: quoted,
    int: int.__repr__,
    float: _float,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
}


@lru_cache(maxsize=256)
def _form(names: tuple[str, ...], margin: str) -> str:
    """A mapping of these names with a place for the text of each value."""
    fields = (f"{margin}  {quoted(name).replace('%', '%%')}: %s" for name in names)
    return f"{{{','.join(fields)}{margin}}}"
