"""JSON in indented lines, as `json.dumps(value, indent=2, ensure_ascii=False)` writes it.

That one is written in Python; here a mapping is a form, made once for all that have its keys.
"""

import json
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any

from veogen.document.compact import SCALARS

_flat = json.JSONEncoder(ensure_ascii=False).encode


def indented(value: Any, margin: str = "\n") -> str:
    """The value's text; each line after its first begins as `margin` does."""
    if not (value and isinstance(value, dict | list | tuple)):
        return _flat(value)
    deeper = f"{margin}  "
    texts = [
        SCALARS[item.__class__](item) if item.__class__ in SCALARS else indented(item, deeper)
        for item in (value.values() if isinstance(value, dict) else value)
    ]
    if isinstance(value, dict):
        return _form(tuple(value), margin) % tuple(texts)
    return f"[{deeper}{f',{deeper}'.join(texts)}{margin}]"


@lru_cache(maxsize=256)
def _form(names: tuple[str, ...], margin: str) -> str:
    """A mapping of these names with a place for the text of each value."""
    fields = (f"{margin}  {quoted(name).replace('%', '%%')}: %s" for name in names)
    return f"{{{','.join(fields)}{margin}}}"
