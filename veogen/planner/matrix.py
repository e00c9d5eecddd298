"""The combinations of a shot: product, less excludes, sampled, plus includes."""

import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import prod
from operator import attrgetter
from typing import TypeAlias

from veogen.document.files import Files
from veogen.document.nodes import Location, Map, Seq, Value
from veogen.document.problems import Problems, did_you_mean, nearest
from veogen.models.model import Model
from veogen.models.parameters import Json
from veogen.planner.axes import (
    AxisValue,
    Combination,
    Dimension,
    axes_of,
    choice,
    typed_key,
    zipped,
)
from veogen.planner.identity import joined
from veogen.planner.rows import rows_of
from veogen.planner.variants import models_of
from veogen.spec.params import as_json
from veogen.spec.types import Sample, Shot

MOST_EXPANSIONS = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    """Fits a combination whose values are among those of `tokens`, name by name.

    A token is the text that stands for an axis value: two values are one if their tokens are.
    """

    tokens: Mapping[str, frozenset[str]]
    place: Location

    def fits(self, tokens: Mapping[str, str]) -> bool:
        return all(tokens.get(name) in allowed for name, allowed in self.tokens.items())


class ConditionIndex:
    """Finds the conditions that fit, and remembers those that ever did.

    Conditions over the same names are kept in one table, so that a combination costs one look-up
    for each set of names, not one for each condition.
    """

    def __init__(self, conditions: Sequence[Condition | None]) -> None:
        self.conditions = tuple(conditions)
        self._used: set[int] = set()
        self._tables: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
        self._wide: dict[int, Condition] = {}  # those with too many alternatives for a table
        for index, condition in enumerate(conditions):
            if condition is None:  # a mistaken one never fits, and has been told about
                continue
            if prod(map(len, condition.tokens.values())) > MOST_EXPANSIONS:
                self._wide[index] = condition
                continue
            names = tuple(sorted(condition.tokens))
            table = self._tables.setdefault(names, {})
            for key in product(*(sorted(condition.tokens[name]) for name in names)):
                table.setdefault(key, []).append(index)

    def matching(self, combination: Combination) -> tuple[int, ...]:
        """The positions of the conditions that fit, in order."""
        if not self.conditions:
            return ()
        tokens = {choice.name: choice.token for choice in combination}
        fitting = [index for index, wide in self._wide.items() if wide.fits(tokens)]
        for names, table in self._tables.items():
            fitting += table.get(tuple([tokens.get(name, "") for name in names]), ())
        self._used.update(fitting)
        return tuple(sorted(fitting))

    def unused(self) -> Iterator[Condition]:
        """Conditions that have never fitted anything."""
        for index, condition in enumerate(self.conditions):
            if condition is not None and index not in self._used:
                yield condition


Known: TypeAlias = Mapping[str, Mapping[str, object]]  # name -> token -> choice

_MOST_LISTED = 12  # more would hide the message


def conditions(partial: Seq, values: Known, problems: Problems) -> Iterator[Condition]:
    """The conditions of a list of partial combinations; mistaken ones are left out."""
    for index, when in enumerate(partial):
        if isinstance(when, Map):
            fits = condition(when, partial.value_place(index), values, problems)
            if fits is not None:
                yield fits


def condition(when: Map, place: Location, values: Known, problems: Problems) -> Condition | None:
    """A partial combination as a condition, a list meaning any of these; None for a mistake."""
    tokens: dict[str, frozenset[str]] = {}
    for name, value in when.items():
        if name not in values:
            key_place = when.key_place(name)
            mistake = unknown_axis(name, values, search=problems.few)
            problems.error(key_place, "unknown-axis", *mistake)
            continue
        alternatives = [(value, when.value_place(name))]
        if isinstance(value, Seq) and typed_key(as_json(value)) not in values[name]:
            alternatives = [(item, value.value_place(index)) for index, item in enumerate(value)]
        if not alternatives:
            message = "an empty list matches nothing"
            problems.error(when.value_place(name), "matches-nothing", message)
        allowed: set[str] = set()
        for item, here in alternatives:
            axis_value = choice(name, item, here, problems)
            if axis_value is not None and axis_value.token in values[name]:
                allowed.add(axis_value.token)
            elif axis_value is not None:
                mistake = unknown_value(name, axis_value.token, values[name], search=problems.few)
                problems.error(here, "matches-nothing", *mistake)
        if allowed:
            tokens[name] = frozenset(allowed)
    return Condition(tokens, place) if len(tokens) == len(when) else None


def unknown_axis(name: str, names: Known, *, search: bool) -> tuple[str, str | None]:
    """Message and hint for a name that no axis or column has; to `search` a near one takes long."""
    if not names:
        return f"{name!r} is not an axis: this shot has none", None
    hint = did_you_mean(name, names) if search else None
    if hint is None and len(names) <= _MOST_LISTED:
        hint = f"there is {', '.join(names)}"
    return f"{name!r} is neither an axis nor a column", hint


def unknown_value(
    name: str, token: str, values: Mapping[str, object], *, search: bool
) -> tuple[str, str | None]:
    """Message and hint for a value that an axis does not have; a column may have thousands."""
    near = nearest(token, values) if search else None
    hint = f"did you mean {near}?" if near else None
    if hint is None and len(values) <= _MOST_LISTED:
        hint = f"there is {', '.join(values)}"
    return f"matches nothing: no {name!r} is {token}", hint


Include: TypeAlias = tuple[Combination, Location]
Choices: TypeAlias = Mapping[str, Mapping[str, AxisValue]]  # name -> token -> choice


def includes(
    listed: Seq | None, dimensions: Sequence[Dimension], values: Choices, problems: Problems
) -> Iterator[Include]:
    """The combinations of `include`, in order; mistaken ones are left out."""
    for index, given in enumerate(listed or ()):
        if listed is None or not isinstance(given, Map):
            continue
        place = listed.value_place(index)
        for name in (name for name in given if name not in values):
            mistake = unknown_axis(name, values, search=problems.few)
            problems.error(given.key_place(name), "unknown-axis", *mistake)
        missing = [name for d in dimensions for name in d.needed if given.get(name) is None]
        if missing:
            message = f"an include gives a value to every axis; missing: {', '.join(missing)}"
            problems.error(place, "incomplete-include", message)
            continue
        chosen: dict[str, AxisValue] = {}
        for name, value in given.items():
            if name in values and value is not None:
                axis_value = _included(name, value, given.value_place(name), values[name], problems)
                chosen.update({} if axis_value is None else {name: axis_value})
        combination: list[AxisValue] = []
        for dimension in dimensions:  # what is given, and for a row that exists also what is not
            keys = frozenset((n, v.token) for n, v in chosen.items() if n in dimension.keys)
            filled = {v.name: v for v in dimension.by_keys.get(keys, ())} | chosen
            combination += [filled[name] for name in dimension.names if name in filled]
        if len(chosen) == len(given):
            yield tuple(combination), place


def _included(
    name: str, value: Value, place: Location, values: Mapping[str, AxisValue], problems: Problems
) -> AxisValue | None:
    """A value of the axis, or a new one; an unknown id is a mistake."""
    axis_value = choice(name, value, place, problems)
    if axis_value is None:
        return None
    same = values.get(axis_value.token)
    if isinstance(axis_value.value, dict):
        if same is not None and same.value != axis_value.value:
            message = f"the id {axis_value.token} stands for another mapping of {name!r} already"
            problems.error(place, "repeated-value", message)
        return axis_value
    if same is not None:
        return same
    if values and all(isinstance(other.value, dict) for other in values.values()):
        mistake = unknown_value(name, axis_value.token, values, search=problems.few)
        problems.error(place, "unknown-value", *mistake)
        return None
    return axis_value


Fitting = tuple[Combination, tuple[int, ...]]

_NAME = attrgetter("name")

REPEATED = "this include repeats a combination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """Everything that a matrix says, ready to be walked; `keyed` names make the address."""

    shot: str
    dimensions: tuple[Dimension, ...]
    keyed: frozenset[str]
    exclude: ConditionIndex
    overrides: ConditionIndex
    sample: Sample | None
    include: tuple[Include, ...]
    mistaken: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for dimension in self.dimensions for name in dimension.names)

    def values_of(self, name: str) -> set[str]:
        """The texts of all values that an axis or column of that name has."""
        points = chain.from_iterable(each.points for each in self.dimensions if name in each.names)
        included = (combination for combination, _ in self.include)
        return {one.text for point in chain(points, included) for one in point if one.name == name}

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
        every = product(*(dimension.points for dimension in self.dimensions))
        combinations = (tuple(chain.from_iterable(points)) for points in every)
        excluded, overrides = self.exclude.matching, self.overrides.matching
        kept: Iterator[Fitting] = (
            (each, overrides(each)) for each in combinations if not excluded(each)
        )
        if self.sample is not None:  # the smallest SHA-256 of `<seed>:<address>`, still in order
            seed, count = self.sample.seed, self.sample.count
            ranked = (
                (hashlib.sha256(f"{seed}:{self.address(each[0])}".encode()).digest(), index, each)
                for index, each in enumerate(kept)
            )
            chosen = heapq.nsmallest(count, ranked, key=lambda entry: entry[:2])
            kept = (each for _, _, each in sorted(chosen, key=lambda entry: entry[1]))
        included: dict[frozenset[tuple[str, str]], Location] = {}
        for combination, place in self.include:
            if included.setdefault(self._signature(combination), place) != place:
                problems.error(place, "repeated-combination", REPEATED)
        for combination, matching in kept:
            repeated = included.get(self._signature(combination)) if included else None
            if repeated is not None:
                problems.error(repeated, "repeated-combination", REPEATED)
            yield combination, matching
        for combination, _ in self.include:
            yield combination, self.overrides.matching(combination)
        self.tell_unused(problems)

    def tell_unused(self, problems: Problems) -> None:
        """Tell of what has matched nothing, once every combination was looked at."""
        for code, matcher in (("exclude", self.exclude), ("override", self.overrides)):
            for unused in matcher.unused():
                message = f"this {code} matches no combination"
                problems.error(unused.place, "matches-nothing", message)

    def _signature(self, combination: Combination) -> frozenset[tuple[str, str]]:
        """Equal for combinations with equal addresses."""
        return frozenset((one.name, one.text) for one in self._keyed(combination))

    def _keyed(self, combination: Combination) -> list[AxisValue]:
        return sorted([one for one in combination if one.name in self.keyed], key=_NAME)


def expand(shot: Shot, files: Files, models: Mapping[str, Model], problems: Problems) -> Expansion:
    """The matrix of a shot, checked; its mistakes go to `problems`."""
    matrix = shot.matrix
    axes = axes_of(matrix, problems)
    dimensions = zipped(axes, matrix.zip, problems)
    rows = rows_of(matrix, files, lambda names: models_of(shot, models, names).values(), problems)
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
    return _expanded(shot, tuple(dimensions), problems)


def _expanded(shot: Shot, dimensions: tuple[Dimension, ...], problems: Problems) -> Expansion:
    matrix, values = shot.matrix, dict[str, dict[str, AxisValue]]()  # by name and token
    for dimension in dimensions:
        values.update({name: {} for name in dimension.names})
        for value in chain.from_iterable(dimension.points):
            values[value.name].setdefault(value.token, value)
    keyed = frozenset(chain.from_iterable(dimension.keys for dimension in dimensions))
    excludes = list(conditions(matrix.exclude or Seq(shot.place), values, problems))
    include = tuple(includes(matrix.include, dimensions, values, problems))
    for value in chain.from_iterable(combination for combination, _ in include):
        values[value.name].setdefault(value.token, value)
    when = ConditionIndex([condition(o.when, o.place, values, problems) for o in shot.overrides])
    return Expansion(
        shot=shot.name,
        dimensions=dimensions,
        keyed=keyed,
        exclude=ConditionIndex(excludes),
        overrides=when,
        sample=matrix.sample,
        include=include,
        mistaken=problems.has_errors,
    )
