"""The combinations of a shot: product, less excludes, sampled, plus includes."""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import prod
from operator import attrgetter

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Json
from veogen.document.files import Files
from veogen.document.problems import Problems
from veogen.document.values import Place, Seq
from veogen.planner.address import joined
from veogen.planner.axes import Dimension, axes_of, zipped
from veogen.planner.choices import Choice, Combination
from veogen.planner.conditions import rule, rules
from veogen.planner.includes import Include, includes
from veogen.planner.rows import rows_of
from veogen.planner.rules import Matcher
from veogen.spec.model import Sample, Shot

Fitting = tuple[Combination, tuple[int, ...]]

_NAME = attrgetter("name")

REPEATED = "this include repeats a combination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Everything that a matrix says, ready to be walked; `keyed` names make the address."""

    shot: str
    dimensions: tuple[Dimension, ...]
    keyed: frozenset[str]
    exclude: Matcher
    overrides: Matcher
    sample: Sample | None
    include: tuple[Include, ...]
    mistaken: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for dimension in self.dimensions for name in dimension.names)

    @property
    def product_size(self) -> int:
        return prod(len(dimension.points) for dimension in self.dimensions)

    @property
    def most(self) -> int:
        """There are no more combinations than these: known without walking."""
        sampled = self.sample.count if self.sample else self.product_size
        return min(self.product_size, sampled) + len(self.include)

    def keys(self, combination: Combination) -> dict[str, Json]:
        """What makes the address of a combination, names sorted."""
        return {one.name: one.key for one in self._keyed(combination)}

    def address(self, combination: Combination) -> str:
        return joined(self.shot, [f"{o.name}={o.text}" for o in self._keyed(combination)])

    def walk(self, problems: Problems) -> Iterator[Fitting]:
        """Every combination with the overrides that fit it, in order.

        Exclude comes first, then sample, then include. What never matched is a mistake, told
        at the end.
        """
        kept = self._remaining()
        yield from self._unrepeated(self._sampled(kept) if self.sample else kept, problems)
        for combination, _ in self.include:
            yield combination, self.overrides.matching(combination)
        self.tell_unused(problems)

    def tell_unused(self, problems: Problems) -> None:
        """Tell of what has matched nothing, once every combination was looked at."""
        for code, matcher in (("exclude", self.exclude), ("override", self.overrides)):
            for unused in matcher.unused():
                message = f"this {code} matches no combination"
                problems.error(unused.place, "matches-nothing", message)

    def _remaining(self) -> Iterator[Fitting]:
        """The product less what is excluded, the first dimension slowest."""
        for points in product(*(dimension.points for dimension in self.dimensions)):
            combination = tuple(chain.from_iterable(points))
            if not self.exclude.matching(combination):
                yield combination, self.overrides.matching(combination)

    def _sampled(self, fitting: Iterator[Fitting]) -> Iterator[Fitting]:
        """Those with the smallest SHA-256 of `<seed>:<address>`, still in order."""
        if self.sample is None:
            return
        seed, count = self.sample.seed, self.sample.count
        ranked = ((self._rank(seed, one[0]), index, one) for index, one in enumerate(fitting))
        chosen = heapq.nsmallest(count, ranked, key=lambda entry: entry[:2])
        yield from (one for _, _, one in sorted(chosen, key=lambda entry: entry[1]))

    def _rank(self, seed: int, combination: Combination) -> bytes:
        return hashlib.sha256(f"{seed}:{self.address(combination)}".encode()).digest()

    def _unrepeated(self, fitting: Iterator[Fitting], problems: Problems) -> Iterator[Fitting]:
        """`fitting`, looking out for what an include repeats."""
        if not self.include:
            yield from fitting
            return
        included: dict[frozenset[tuple[str, str]], Place] = {}
        for combination, place in self.include:
            if included.setdefault(self._signature(combination), place) != place:
                problems.error(place, "repeated-combination", REPEATED)
        for combination, matching in fitting:
            repeated = included.get(self._signature(combination))
            if repeated is not None:
                problems.error(repeated, "repeated-combination", REPEATED)
            yield combination, matching

    def _signature(self, combination: Combination) -> frozenset[tuple[str, str]]:
        """Equal for combinations with equal addresses."""
        return frozenset((one.name, one.text) for one in self._keyed(combination))

    def _keyed(self, combination: Combination) -> list[Choice]:
        return sorted([one for one in combination if one.name in self.keyed], key=_NAME)


def grid(shot: Shot, files: Files, models: Sequence[Model], problems: Problems) -> Grid:
    """The matrix of a shot, checked; its mistakes go to `problems`."""
    matrix = shot.matrix
    axes = axes_of(matrix, problems)
    dimensions = zipped(axes, matrix.zip, problems)
    rows = rows_of(matrix, files, models, problems)
    if rows is not None:
        before = list(matrix.axes)[: matrix.rows_after]
        position = sum(1 for dimension in dimensions if dimension.names[0] in before)
        dimensions.insert(position, rows)
        for name in set(rows.names).intersection(axes):
            message = f"{name!r} is an axis and a column of the rows"
            problems.error(matrix.axes.key_place(name), "repeated-name", message)
    for name in (name for dimension in dimensions for name in dimension.names):
        if name in shot.named:
            kind = "axis" if name in axes else "column"
            message = f"the {kind} {name!r} sets {name!r}; it is set here as well"
            problems.error(shot.named[name], "set-twice", message)
    return _grid(shot, tuple(dimensions), problems)


def _grid(shot: Shot, dimensions: tuple[Dimension, ...], problems: Problems) -> Grid:
    matrix, known = shot.matrix, _known(dimensions)
    keyed = frozenset(chain.from_iterable(dimension.keys for dimension in dimensions))
    excludes = list(rules(matrix.exclude or Seq(shot.place), known, problems))
    include = tuple(includes(matrix.include, dimensions, known, problems))
    for one in (one for combination, _ in include for one in combination):
        known[one.name].setdefault(one.token, one)
    when = Matcher([rule(o.when, o.place, known, problems) for o in shot.overrides])
    return Grid(
        shot=shot.name,
        dimensions=dimensions,
        keyed=keyed,
        exclude=Matcher(excludes),
        overrides=when,
        sample=matrix.sample,
        include=include,
        mistaken=problems.has_errors,
    )


def _known(dimensions: Sequence[Dimension]) -> dict[str, dict[str, Choice]]:
    """Every value there is, by name and token."""
    known: dict[str, dict[str, Choice]] = {}
    for dimension in dimensions:
        known.update({name: {} for name in dimension.names})
        for one in chain.from_iterable(dimension.points):
            known[one.name].setdefault(one.token, one)
    return known
