"""The dimensions of a shot, its takes as the last, and texts that vary along one of them."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, product, repeat
from typing import Any

from veogen.document.compact import compact
from veogen.planner.choices import Choice
from veogen.planner.fast.texts import NotQuickError, escaped
from veogen.planner.fast.weave import Part, Varying
from veogen.planner.forms import Form
from veogen.planner.matrix import Grid


class Space:
    """Every combination and take of a shot; a row with empty cells is not quick."""

    def __init__(self, grid: Grid, form: Form) -> None:
        self.shot, self.form, self._grid = grid.shot, form, grid
        self.points: list[list[Mapping[str, Choice]]] = []
        self.dimension_of: dict[str, int] = {}
        for index, dimension in enumerate(grid.dimensions):
            if any(len(point) < len(dimension.names) for point in dimension.points):
                raise NotQuickError
            self.points.append([{one.name: one for one in point} for point in dimension.points])
            self.dimension_of.update(dict.fromkeys(dimension.names, index))
        self.keys = sorted(grid.keyed)
        self.takes = len(self.points) if form.takes > 1 else None
        takes = () if self.takes is None else (form.takes,)
        self.sizes = (*map(len, self.points), *takes)

    def kept(self) -> bytes | None:
        """A 1 for each line in order, a 0 for what is excluded; None when nothing is."""
        if not self._grid.exclude.rules:
            return None
        matching, takes = self._grid.exclude.matching, self.form.takes
        every = product(*(dimension.points for dimension in self._grid.dimensions))
        flags = (not matching(tuple(chain.from_iterable(points))) for points in every)
        return bytes(chain.from_iterable(repeat(flag, takes) for flag in flags))

    def dimension(self, name: str) -> int | None:
        """Along which dimension a name of the templates varies; None for a constant."""
        return self.takes if name == "take" else self.dimension_of.get(name)

    def along(self, dimension: int | None, make: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
        """What `make` makes of what templates see at each point of a dimension."""
        if dimension is None:
            return [make({**self.form.scope, "take": 1})]
        if dimension == self.takes:
            takes = range(1, self.form.takes + 1)
            return [make({**self.form.scope, "take": take}) for take in takes]
        scope = {**self.form.scope, "take": 1}  # at each point the same names have other values
        return [
            make(scope | {name: one.value for name, one in point.items()})
            for point in self.points[dimension]
        ]

    def by_key(self, name: str, make: Callable[[Choice], str]) -> Varying:
        dimension = self.dimension_of[name]
        return Varying(dimension, tuple(make(point[name]) for point in self.points[dimension]))

    def by_take(self, make: Callable[[int], str]) -> Part:
        if self.takes is None:
            return make(1)
        return Varying(self.takes, tuple(map(make, range(1, self.form.takes + 1))))

    def address(self) -> Iterator[Part]:
        """The address inside a JSON string."""
        yield self.shot
        for index, name in enumerate(self.keys):
            yield f"{',' if index else '['}{name}="
            yield self.by_key(name, lambda one: escaped(one.text))
        yield "]" if self.keys else ""
        yield self.by_take(lambda take: "" if take == 1 else f"#{take}")

    def variables(self) -> Iterator[Part]:
        """The entries of the object `variables`."""
        for index, name in enumerate(self.keys):
            yield f'{"," if index else ""}"{name}":'
            yield self.by_key(name, lambda one: compact(one.key))
