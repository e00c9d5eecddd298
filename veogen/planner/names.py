"""Which request parameter an axis or a column means by its name."""

from collections.abc import Iterable

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Parameter


def parameter(name: str, models: Iterable[Model]) -> Parameter | None:
    """The request parameter of that name, as the first model that has it knows it."""
    return next((m.parameters[name] for m in models if name in m.parameters), None)
