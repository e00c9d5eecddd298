"""What axes, columns and vars may be called."""

import re
from collections.abc import Iterable

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Parameter
from veogen.document.problems import Problems
from veogen.document.values import Place

RESERVED = ("vars", "shot", "take")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_name(name: str, place: Place, problems: Problems) -> None:
    if name in RESERVED:
        problems.error(place, "reserved-name", f"{name!r} has a meaning of its own in templates")
    elif not _NAME.fullmatch(name):
        message = f"{name!r} is not a name; names are letters, digits and `_`, no digit first"
        problems.error(place, "bad-name", message)


def parameter(name: str, models: Iterable[Model]) -> Parameter | None:
    """The request parameter of that name, as the first model that has it knows it."""
    return next((m.parameters[name] for m in models if name in m.parameters), None)
