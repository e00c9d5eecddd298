"""What specs, shots, vars and axes may be called."""

import re
from collections.abc import Iterable

from veogen.document.shape import Text

RESERVED = ("vars", "shot", "take")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_name(text: str) -> bool:
    """Whether a spec, shot or profile can have this name."""
    return _NAME.fullmatch(text) is not None


def _name_rule(text: str) -> tuple[str, str] | None:
    if is_name(text):
        return None
    form = "a-z, 0-9, '.', '_' and '-', not first a mark"
    return "bad-name", f"{text!r} is not a name: {form}"


def identifier_rule(text: str) -> tuple[str, str] | None:
    """What keeps a var, an axis or a column from having this name, as code and message."""
    if text in RESERVED:
        return "reserved-name", f"{text!r} means something else in templates; choose another name"
    if _IDENTIFIER.fullmatch(text) is None:
        form = "letters, digits and '_', not first a digit"
        return "bad-name", f"{text!r} is not a name: {form}"
    return None


def identifiers(taken: Iterable[str] = RESERVED) -> Text:
    """Names that templates see, less those that are taken."""
    return Text(identifier_rule, f"^(?!({'|'.join(taken)})$){_IDENTIFIER.pattern}$")


NAME = Text(_name_rule, f"^{_NAME.pattern}$")
