"""The dimensions of a shot: axes, groups of axes that advance together, and rows."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

from veogen.document.nodes import Location, Seq, Value, is_unicode
from veogen.document.problems import Problems, did_you_mean
from veogen.models.parameters import Json
from veogen.planner.identity import address_text, canonical
from veogen.spec.grammar import as_json
from veogen.spec.types import Matrix


class AxisValue(NamedTuple):
    """One value of an axis or column.

    `value` is what templates and parameters see; `key` stands for it in the address and in
    partial combinations: the value itself, or the `id` of a mapping. `typed_key` is the key as
    canonical JSON, so that values compare with their types; `text` is the key in an address,
    where `1` and `"1"` look alike.
    """

    name: str
    value: Json
    key: Json
    token: str
    text: str
    place: Location


Combination: TypeAlias = tuple[AxisValue, ...]


class BadValueError(ValueError):
    """A value that cannot be one of an axis; the message says why."""


def choice(name: str, value: Value, place: Location) -> AxisValue:
    """The value as a choice of the axis or column `name`; raises `BadValueError`."""
    seen = as_json(value)
    key = _key(seen)
    _check(key)
    return AxisValue(name, seen, key, typed_key(key), address_text(key), place)


def typed_key(key: Json) -> str:
    """Equal for equal values of equal types: `1`, `1.0`, `"1"` and `true` all differ."""
    return canonical(key).decode()


def _key(value: Json) -> Json:
    if isinstance(value, dict):
        if "id" not in value:
            raise BadValueError("a mapping needs an 'id' that stands for it")
        key = value["id"]
        if not isinstance(key, str | int | float):
            raise BadValueError("an 'id' is a string or a number")
        return key
    return value


def _check(value: Json) -> None:
    match value:
        case None:
            raise BadValueError("null is not a value of an axis")
        case str() if not is_unicode(value):
            raise BadValueError("half of a surrogate pair is no text")
        case float() if not math.isfinite(value):
            raise BadValueError("a value of an axis is a finite number")
        case list():
            for item in value:
                _check(item)
        case dict():
            for item in value.values():
                _check(item)
        case _:
            pass


Point: TypeAlias = Combination


@dataclass(frozen=True)
class Dimension:
    """One factor of the product: an axis, several zipped ones, or rows.

    `names` are all names it gives, `keys` those that make the address; a row may leave out
    some of its names; `places` are where the columns of rows are named. What all points have to be
    looked at for is made once.
    """

    names: tuple[str, ...]
    keys: frozenset[str]
    points: tuple[Point, ...]
    label: str
    places: Mapping[str, Location] = field(default_factory=dict)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The names without which no address can be made: rows may leave out the others."""
        always = set(self.keys).intersection(*({one.name for one in p} for p in self.points))
        return tuple(name for name in self.names if name in always)

    def at(self, tokens: Mapping[str, str]) -> Point | None:
        """The point whose keys are those of `tokens`."""
        return self._by_keys.get(frozenset(pair for pair in tokens.items() if pair[0] in self.keys))

    @cached_property
    def _by_keys(self) -> Mapping[frozenset[tuple[str, str]], Point]:
        """The points by the names and tokens of their keys; of equal ones the first."""
        found: dict[frozenset[tuple[str, str]], Point] = {}
        for point in self.points:
            keys = frozenset((one.name, one.token) for one in point if one.name in self.keys)
            found.setdefault(keys, point)
        return found


def axes_of(matrix: Matrix, problems: Problems) -> dict[str, Dimension]:
    """Every axis as a dimension of its own, in the order written."""
    found = {}
    for name, values in matrix.axes.items():
        choices = tuple(_choices(name, values, problems) if isinstance(values, Seq) else ())
        points = tuple((one,) for one in choices)
        found[name] = Dimension((name,), frozenset((name,)), points, f"{len(points)} {name}")
    return found


def zipped(
    axes: Mapping[str, Dimension], groups: Seq | None, problems: Problems
) -> list[Dimension]:
    """The axes, those of a group of `zip` as one dimension where the first of them stands."""
    group_of = _groups(axes, groups, problems)
    dimensions = []
    for name, axis in axes.items():
        group = group_of.get(name)
        if group is None:
            dimensions.append(axis)
        elif name == next(n for n in axes if n in group):
            dimensions.append(_zip([axes[member] for member in axes if member in group]))
    return dimensions


def _choices(name: str, values: Seq, problems: Problems) -> Iterator[AxisValue]:
    seen: dict[str, AxisValue] = {}
    for index, value in enumerate(values):
        here = values.value_place(index)
        try:
            one = choice(name, value, here)
        except BadValueError as error:
            problems.error(here, "axis-value", str(error))
            continue
        first = seen.setdefault(one.text, one)
        if first.token == one.token and first is not one:
            message = f"the axis {name!r} has {one.token} already, on line {first.place.line}"
            problems.error(here, "repeated-value", message)
        elif first is not one:
            message = f"two requests with one address: {first.token} and {one.token} of {name!r}"
            problems.error(here, "same-address", message, f"both are {name}={one.text} there")
        yield one


def _groups(
    axes: Mapping[str, Dimension], groups: Seq | None, problems: Problems
) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for index, group in enumerate(groups or ()):
        place = groups.value_place(index) if groups is not None else None
        if place is None or not isinstance(group, Seq):
            continue
        members = _members(axes, group, found, problems)
        lengths = {name: len(axes[name].points) for name in members}
        if len(set(lengths.values())) > 1:
            sizes = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            problems.error(place, "zip", f"zipped axes are of equal length: {sizes}")
            continue
        found.update(dict.fromkeys(members, frozenset(members)))
    return found


def _members(
    axes: Mapping[str, Dimension], group: Seq, taken: Iterable[str], problems: Problems
) -> list[str]:
    members: list[str] = []
    for index, name in enumerate(group):
        place = group.value_place(index)
        if not isinstance(name, str) or name not in axes:
            hint = did_you_mean(str(name), axes) if problems.few else None
            problems.error(place, "unknown-axis", f"{name!r} is not an axis", hint)
        elif name in taken or name in members:
            problems.error(place, "zip", f"{name!r} is zipped already")
        else:
            members.append(name)
    return members


def _zip(axes: list[Dimension]) -> Dimension:
    names = tuple(name for axis in axes for name in axis.names)
    points = tuple(
        tuple(one for point in points for one in point)
        for points in zip(*(axis.points for axis in axes), strict=True)
    )
    return Dimension(names, frozenset(names), points, f"{len(points)} {'+'.join(names)}")
