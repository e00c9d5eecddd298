"""JSON in indented lines, as `json.dumps(value, indent=2, ensure_ascii=False)` writes it.

That one is written in Python; here a mapping is a form, made once for all that have its keys.
"""

from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any

from veogen.document.compact import SCALARS, compact

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
