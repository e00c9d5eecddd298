"""The dimensions of a shot: axes, groups of axes that advance together, and rows."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeAlias

from veogen.document.nodes import Location, Seq, Value, is_unicode
from veogen.document.problems import Problems, did_you_mean
from veogen.models.parameters import Json
from veogen.planner.identity import TAKES_HINT, address_text, canonical
from veogen.spec.params import as_json
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


def choice(name: str, value: Value, place: Location, problems: Problems) -> AxisValue | None:
    """The value as one of the axis or column `name`; None if it cannot be, which is told."""
    seen = key = as_json(value)
    wrong = None
    if isinstance(seen, dict):
        key = seen.get("id")
        if "id" not in seen:
            wrong = "a mapping needs an 'id' that stands for it"
        elif not isinstance(key, str | int | float):
            wrong = "an 'id' is a string or a number"
    wrong = wrong or _flaw(key)
    if wrong is not None:
        problems.error(place, "axis-value", wrong)
        return None
    return AxisValue(name, seen, key, typed_key(key), address_text(key), place)


def typed_key(key: Json) -> str:
    """Equal for equal values of equal types: `1`, `1.0`, `"1"` and `true` all differ."""
    return canonical(key).decode()


def _flaw(value: Json) -> str | None:
    """Why something cannot stand in an address, or None."""
    match value:
        case None:
            return "null is not a value of an axis"
        case str() if not is_unicode(value):
            return "half of a surrogate pair is no text"
        case float() if not math.isfinite(value):
            return "a value of an axis is a finite number"
        case list() | dict():
            items = value.values() if isinstance(value, dict) else value
            return next(filter(None, map(_flaw, items)), None)
        case _:
            return None


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

    @cached_property
    def by_keys(self) -> Mapping[frozenset[tuple[str, str]], Point]:
        """The points by the names and tokens of their keys; of equal ones the first."""
        points: dict[frozenset[tuple[str, str]], Point] = {}
        for point in self.points:
            keys = frozenset((v.name, v.token) for v in point if v.name in self.keys)
            points.setdefault(keys, point)
        return points


def axes_of(matrix: Matrix, problems: Problems) -> dict[str, Dimension]:
    """Every axis as a dimension of its own, in the order written."""
    axes: dict[str, Dimension] = {}
    for name, axis in matrix.axes.items():
        values = axis if isinstance(axis, Seq) else Seq(matrix.place)
        seen: dict[str, AxisValue] = {}
        points: list[Point] = []
        for index, value in enumerate(values):
            here = values.value_place(index)
            axis_value = choice(name, value, here, problems)
            if axis_value is None:
                continue
            first = seen.setdefault(axis_value.text, axis_value)
            if first.token == axis_value.token and first is not axis_value:
                message = (
                    f"the axis {name!r} has {axis_value.token} already, on line {first.place.line}"
                )
                problems.error(here, "repeated-value", message)
            elif first is not axis_value:
                both = f"{first.token} and {axis_value.token} of {name!r}"
                hint = f"both are {name}={axis_value.text} there; {TAKES_HINT}"
                message = f"two requests with one address: {both}"
                problems.error(here, "same-address", message, hint)
            points.append((axis_value,))
        label = f"{len(points)} {name}"
        axes[name] = Dimension((name,), frozenset((name,)), tuple(points), label)
    return axes


def zipped(
    axes: Mapping[str, Dimension], groups: Seq | None, problems: Problems
) -> list[Dimension]:
    """The axes, those of a group of `zip` as one dimension where the first of them stands."""
    group_of: dict[str, frozenset[str]] = {}
    for index, group in enumerate(groups or ()):
        if groups is None or not isinstance(group, Seq):
            continue
        members = _members(axes, group, group_of, problems)
        lengths = {name: len(axes[name].points) for name in members}
        if len(set(lengths.values())) > 1:
            sizes = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            message = f"zipped axes are of equal length: {sizes}"
            problems.error(groups.value_place(index), "zip", message)
        else:
            group_of.update(dict.fromkeys(members, frozenset(members)))
    dimensions = []
    for name, axis in axes.items():
        if name not in group_of:
            dimensions.append(axis)
            continue
        names = tuple(member for member in axes if member in group_of[name])
        if name == names[0]:
            every = zip(*(axes[member].points for member in names), strict=True)
            points = tuple(tuple(chain.from_iterable(each)) for each in every)
            label = f"{len(points)} {'+'.join(names)}"
            dimensions.append(Dimension(names, frozenset(names), points, label))
    return dimensions


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
