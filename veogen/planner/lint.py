"""What is likely a mistake that costs money: allowed, but unused, alike or spelt otherwise."""

import re
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import chain, islice

from veogen.document.nodes import Location, Map
from veogen.document.problems import Problem, did_you_mean
from veogen.planner.axes import AxisValue
from veogen.planner.duplicates import folded
from veogen.planner.matrix import Expansion
from veogen.planner.requests import ShotPlanner
from veogen.planner.variants import Variant
from veogen.spec.grammar import MATRIX_WORDS, RESERVED, identifier_rule
from veogen.spec.types import PROMPTS
from veogen.templates.names import UsedNames, used_names
from veogen.templates.template import Template
from veogen.text import counted

_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_MOST_NAMED = 12  # columns in a message
_NO_LETTER = re.compile(r"\W+")
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
    uses: list[UsedNames] = []
    for shot in planned:
        names = set(chain.from_iterable(override.when for override in shot.shot.overrides))
        templates: list[Template] = []
        for variant in shot.variants:
            names.update(variant.from_axes)
            templates += variant.templates
        uses.append(used_names(templates, load) | UsedNames(frozenset(names)))
    for shot, used in zip(planned, uses, strict=True):
        yield from _axis_warnings(shot, used)
        for variant in shot.variants:
            yield from _variant_warnings(variant, shot, load)
    yield from _unused_vars(planned, uses, bases)


def _axis_warnings(shot: ShotPlanner, used: UsedNames) -> Iterator[Problem]:
    """Axes that nothing uses, and values of one that differ only in case and white space."""
    axes = shot.shot.matrix.axes
    for name in axes:
        if not used.uses(name):
            message = f"no template or parameter of {shot.shot.name!r} uses the axis {name!r}"
            hint = did_you_mean(name, MATRIX_WORDS)
            yield _warning(axes.key_place(name), "unused-axis", message, hint)
    for dimension in shot.grid.dimensions:
        seen: dict[tuple[str, str], AxisValue] = {}
        for value in chain.from_iterable(dimension.points):
            if value.name not in dimension.keys or not isinstance(value.key, str):
                continue
            first = seen.setdefault((value.name, folded(value.key)), value)
            if first.key != value.key:
                message = f"{value.token} and {first.token} differ only in case and white space"
                yield _warning(value.place, "near-duplicate", message)


def _unused_vars(
    planned: Sequence[ShotPlanner], uses: Sequence[UsedNames], bases: Container[str]
) -> Iterator[Problem]:
    """Vars that no shot which has them uses; those of a base may be meant for other specs."""
    used_at: dict[tuple[Location, str], bool] = {}
    for shot, used in zip(planned, uses, strict=True):
        for layer in (shot.shot.base, *(o.layer for o in shot.shot.overrides), *shot.shot.tops):
            for name in layer.vars:
                key = (layer.vars.key_place(name), name)
                used_at[key] = used_at.get(key, False) or used.uses_var(name)
    for (place, name), is_used in used_at.items():
        if not is_used and place.path not in bases:
            yield _warning(place, "unused-var", f"no template uses the var {name!r}")


def _variant_warnings(
    variant: Variant, shot: ShotPlanner, load: Callable[[str], str | None]
) -> Iterator[Problem]:
    """Blank lines that look like text, and what is odd beside several takes."""
    values, places, takes = variant.values, variant.places, variant.takes
    for template in map(values.get, PROMPTS):
        if isinstance(template, Template) and _BLANK_LINE.search(template.text):
            message = "a line of the text is only white space"
            yield _warning(template.place, "white-space", message)
    if takes == 1:
        return
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
        numbers = [(each.value, each.place) for each in _chosen("n", shot.grid)]
    for number, place in numbers:
        if isinstance(number, int) and number > 1:
            message = f"{takes} takes of {number} videos each: {takes * number} videos"
            yield _warning(place, "takes-with-n", message)


def _chosen(name: str, grid: Expansion) -> Iterator[AxisValue]:
    """Every value that an axis or column has."""
    for dimension in grid.dimensions:
        if name in dimension.names:
            for point in dimension.points:
                yield from (value for value in point if value.name == name)


def _warning(place: Location, code: str, message: str, hint: str | None = None) -> Problem:
    return Problem(place, "warning", code, message, hint)


def column_problems(shot: ShotPlanner, load: Callable[[str], str | None]) -> Iterator[Problem]:
    """Columns of rows that nothing uses, or that are spelt unlike what they were meant for.

    `load` reads a file below `templates/`.
    """
    columns = next((each.places for each in shot.grid.dimensions if each.places), None)
    if columns is None:
        return
    overrides, matrix = shot.shot.overrides, shot.shot.matrix
    previews = [shot.preview(()), *(shot.preview((index,)) for index in range(len(overrides)))]
    templates = chain.from_iterable(variant.templates for variant in previews)
    excludes = [each for each in matrix.exclude or () if isinstance(each, Map)]
    chosen = chain(matrix.rows_key or (), *(override.when for override in overrides), *excludes)
    used = used_names(templates, load) | UsedNames(frozenset(chosen))
    levels = (shot.shot.base, *(override.layer for override in overrides), *shot.shot.tops)
    variables = chain.from_iterable(level.vars for level in levels)
    parameters = chain.from_iterable(model.parameters for model in shot.used_models.values())
    meant = dict.fromkeys(("id", *parameters, *variables, *matrix.axes))
    nearest = {_without_gaps(name): name for name in (*used.names, *meant)}
    unused = dict[str, Location]()
    for name, place in columns.items():
        is_used = used.uses(name) or (name in meant and name not in shot.shot.texts)
        near = nearest.get(_without_gaps(name), name)
        wrong = identifier_rule(name)
        by_address = near == "id" and not matrix.rows_key  # else all columns make it
        if near != name and (by_address or not is_used):
            does_not = "does not make the address" if by_address else "is used by nothing"
            message = f"the column {name!r} {does_not}"
            yield Problem(place, "error", "column", message, f"did you mean {near!r}?")
        elif wrong is not None and name not in RESERVED:
            hint = f"write {_NO_LETTER.sub('_', name.strip())!r}"
            yield Problem(place, "error", *wrong, hint)
        elif not is_used and name not in RESERVED:
            unused[name] = place
    if unused:
        names = ", ".join(map(repr, list(unused)[:_MOST_NAMED]))
        more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
        message = f"nothing uses {counted(len(unused), 'column')}: {names}{more}"
        yield Problem(next(iter(unused.values())), "warning", "unused-column", message)


def _without_gaps(name: str) -> str:
    """Equal for names that differ only in case and in what stands between their words."""
    return _BETWEEN_WORDS.sub("", name).casefold()
