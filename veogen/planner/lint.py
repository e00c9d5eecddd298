"""What is allowed but likely a mistake that costs money."""

import re
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import chain, islice

from veogen.document.nodes import Location
from veogen.document.problems import Problem, did_you_mean
from veogen.planner.axes import AxisValue
from veogen.planner.duplicates import folded
from veogen.planner.matrix import Expansion
from veogen.planner.requests import ShotPlanner
from veogen.planner.variants import Variant
from veogen.spec.grammar import MATRIX_WORDS
from veogen.spec.types import PROMPTS
from veogen.templates.names import UsedNames, used_names
from veogen.templates.template import Template

_BLANK_LINE = re.compile(r"^[ \t]+$", re.MULTILINE)


def lint_warnings(
    planned: Sequence[ShotPlanner], load: Callable[[str], str | None], bases: Container[str]
) -> Iterator[Problem]:
    """Warnings about the shots of a spec; `bases` are the files that other specs may share."""
    for shot in planned:
        exclude = shot.shot.matrix.exclude
        if exclude and not shot.variants:
            message = f"the excludes of {shot.shot.name!r} leave none of its combinations"
            yield _warning(exclude.place, "no-requests", message)
    planned = [shot for shot in planned if shot.variants]
    uses = [_uses(shot, load) for shot in planned]
    for shot, used in zip(planned, uses, strict=True):
        yield from _unused_axes(shot, used)
        yield from _alike_values(shot.grid)
        for variant in shot.variants:
            for template in map(variant.values.get, PROMPTS):
                if isinstance(template, Template) and _BLANK_LINE.search(template.text):
                    message = "a line of the text is only white space"
                    yield _warning(template.place, "white-space", message)
            if variant.takes > 1:
                yield from _takes_doubts(variant, shot, load)
    yield from _unused_vars(planned, uses, bases)


def _uses(shot: ShotPlanner, load: Callable[[str], str | None]) -> UsedNames:
    names, templates = set[str](), list[Template]()
    for override in shot.shot.overrides:
        names.update(override.when)
    for variant in shot.variants:
        names.update(variant.from_axes)
        templates += variant.templates
    return used_names(templates, load) | UsedNames(frozenset(names))


def _unused_axes(one: ShotPlanner, used: UsedNames) -> Iterator[Problem]:
    axes = one.shot.matrix.axes
    for name in axes:
        if not used.uses(name):
            message = f"no template or parameter of {one.shot.name!r} uses the axis {name!r}"
            hint = did_you_mean(name, MATRIX_WORDS)
            yield _warning(axes.key_place(name), "unused-axis", message, hint)


def _unused_vars(
    planned: Sequence[ShotPlanner], uses: Sequence[UsedNames], bases: Container[str]
) -> Iterator[Problem]:
    """Vars that no shot which has them uses; those of a base may be meant for other specs."""
    used_at: dict[tuple[Location, str], bool] = {}
    for one, used in zip(planned, uses, strict=True):
        for layer in (one.shot.base, *(o.layer for o in one.shot.overrides), *one.shot.tops):
            for name in layer.vars:
                key = (layer.vars.key_place(name), name)
                used_at[key] = used_at.get(key, False) or used.uses_var(name)
    for (place, name), is_used in used_at.items():
        if not is_used and place.path not in bases:
            yield _warning(place, "unused-var", f"no template uses the var {name!r}")


def _alike_values(grid: Expansion) -> Iterator[Problem]:
    """Values of one axis that differ only in case and white space."""
    for dimension in grid.dimensions:
        seen: dict[tuple[str, str], AxisValue] = {}
        for one in chain.from_iterable(dimension.points):
            if one.name not in dimension.keys or not isinstance(one.key, str):
                continue
            first = seen.setdefault((one.name, folded(one.key)), one)
            if first.key != one.key:
                message = f"{one.token} and {first.token} differ only in case and white space"
                yield _warning(one.place, "near-duplicate", message)


def _takes_doubts(
    variant: Variant, shot: ShotPlanner, load: Callable[[str], str | None]
) -> Iterator[Problem]:
    """What is odd beside several takes, be it written there or on an axis."""
    values, places, takes = variant.values, variant.places, variant.takes
    message = "all takes have one seed: they may come out alike"
    seed = values.get("seed")
    of_take = isinstance(seed, Template) and used_names([seed], load).uses("take")
    if "seed" in variant.from_axes:
        for chosen in islice(_chosen("seed", shot.grid), 1):
            yield _warning(chosen.place, "takes-with-seed", message)
    elif "seed" in values and not of_take:
        yield _warning(places["seed"], "takes-with-seed", message)
    numbers = [(values["n"], places["n"])] if "n" in values else []
    if "n" in variant.from_axes:
        numbers = [(one.value, one.place) for one in _chosen("n", shot.grid)]
    for number, place in numbers:
        if isinstance(number, int) and number > 1:
            message = f"{takes} takes of {number} videos each: {takes * number} videos"
            yield _warning(place, "takes-with-n", message)


def _chosen(name: str, grid: Expansion) -> Iterator[AxisValue]:
    """Every value that an axis or column has."""
    for dimension in grid.dimensions:
        if name in dimension.names:
            for point in dimension.points:
                yield from (one for one in point if one.name == name)


def _warning(place: Location, code: str, message: str, hint: str | None = None) -> Problem:
    return Problem(place, "warning", code, message, hint)
