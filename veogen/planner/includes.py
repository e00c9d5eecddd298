"""Whole combinations that `include` appends."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from veogen.document.problems import Problems
from veogen.document.values import Map, Place, Seq, Value
from veogen.planner.axes import Dimension
from veogen.planner.choices import BadValueError, Choice, Combination, choice
from veogen.planner.conditions import unknown_axis, unknown_value

Include: TypeAlias = tuple[Combination, Place]
Choices: TypeAlias = Mapping[str, Mapping[str, Choice]]  # name -> token -> choice


def includes(
    written: Seq | None, dimensions: Sequence[Dimension], known: Choices, problems: Problems
) -> Iterator[Include]:
    """The combinations of `include`, in order; mistaken ones are left out."""
    for index, given in enumerate(written or ()):
        if isinstance(given, Map):
            place = written.value_place(index) if written else given.place
            found = _include(given, place, dimensions, known, problems)
            if found is not None:
                yield found, place


def _include(
    given: Map, place: Place, dimensions: Sequence[Dimension], known: Choices, problems: Problems
) -> Combination | None:
    for name in given:
        if name not in known:
            told = unknown_axis(name, known, search=problems.few)
            problems.error(given.key_place(name), "unknown-axis", *told)
    missing = [name for d in dimensions for name in d.needed if given.get(name) is None]
    if missing:
        message = f"an include gives a value to every axis; missing: {', '.join(missing)}"
        problems.error(place, "incomplete-include", message)
        return None
    chosen = {
        name: _chosen(name, value, given.value_place(name), known[name], problems)
        for name, value in given.items()
        if name in known and value is not None
    }
    sure = {name: one for name, one in chosen.items() if one is not None}
    combination = tuple(one for d in dimensions for one in _point(d, sure))
    return combination if len(sure) == len(given) else None


def _point(dimension: Dimension, chosen: Mapping[str, Choice]) -> Iterator[Choice]:
    """What is given, and for a row that exists also what is not."""
    row = dimension.at({name: one.token for name, one in chosen.items()})
    filled = {one.name: one for one in row or ()} | dict(chosen)
    return (filled[name] for name in dimension.names if name in filled)


def _chosen(
    name: str, value: Value, place: Place, known: Mapping[str, Choice], problems: Problems
) -> Choice | None:
    """A value of the axis, or a new one; an unknown id is a mistake."""
    try:
        one = choice(name, value, place)
    except BadValueError as error:
        problems.error(place, "axis-value", str(error))
        return None
    same = known.get(one.token)
    if isinstance(one.value, dict):
        if same is not None and same.value != one.value:
            message = f"the id {one.token} stands for another mapping of {name!r} already"
            problems.error(place, "repeated-value", message)
        return one
    if same is not None:
        return same
    if known and all(isinstance(other.value, dict) for other in known.values()):
        told = unknown_value(name, one.token, known, search=problems.few)
        problems.error(place, "unknown-value", *told)
        return None
    return one
