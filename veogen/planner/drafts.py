"""A request before its texts are rendered."""

from collections.abc import Mapping
from typing import NamedTuple

from veogen.catalogue.parameters import Json
from veogen.document.values import Place
from veogen.planner.choices import Combination
from veogen.planner.forms import Form
from veogen.spec.model import Shot


class Draft(NamedTuple):
    """One take of one combination: its templates see `scope` besides what their form has."""

    shot: Shot
    form: Form
    combination: Combination
    keys: Mapping[str, Json]
    take: int
    address: str
    scope: Mapping[str, Json]

    def place(self, name: str, *, key: bool = False) -> Place:
        """Where the value of a parameter, or with `key` its name, was written."""
        places = self.form.key_places if key else self.form.places
        if name in places:
            return places[name]
        chosen = (one.place for one in self.combination if one.name == name)
        return next(chosen, self.shot.place)
