"""What is allowed but likely a mistake that costs money."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from veogen.document.nodes import Place
from veogen.document.problems import Problem, did_you_mean
from veogen.planner.axes import Choice
from veogen.planner.matrix import Grid
from veogen.planner.variants import Blank, Form
from veogen.spec.grammar import MATRIX_WORDS
from veogen.spec.types import PROMPTS, Shot
from veogen.templates.names import Uses, uses_of

_BLANK_LINE = re.compile(r"^[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PlannedShot:
    """A shot that was planned, with a form for each set of overrides that fitted."""

    shot: Shot
    grid: Grid
    forms: tuple[Form, ...]


def doubts(
    planned: Sequence[PlannedShot], load: Callable[[str], str | None], bases: Container[str]
) -> Iterator[Problem]:
    """Warnings about the shots of a spec; `bases` are the files that other specs may share."""
    yield from _without_requests(planned)
    planned = [one for one in planned if one.forms]
    uses = [_uses(one, load) for one in planned]
    for one, used in zip(planned, uses, strict=True):
        yield from _unused_axes(one, used)
        yield from _alike_values(one.grid)
        for form in one.forms:
            yield from _white_lines(form)
            if form.takes > 1:
                yield from _takes_doubts(form, one, load)
    yield from _unused_vars(planned, uses, bases)


def _without_requests(planned: Iterable[PlannedShot]) -> Iterator[Problem]:
    for one in planned:
        exclude = one.shot.matrix.exclude
        if exclude and not one.forms:
            message = f"the excludes of {one.shot.name!r} leave none of its combinations"
            yield _warning(exclude.place, "no-requests", message)


def _uses(one: PlannedShot, load: Callable[[str], str | None]) -> Uses:
    used = uses_of(chain.from_iterable(form.texts for form in one.forms), load)
    chosen_by = chain.from_iterable(override.when for override in one.shot.overrides)
    set_by = chain.from_iterable(form.from_axes for form in one.forms)
    return used | Uses(frozenset((*chosen_by, *set_by)))


def _unused_axes(one: PlannedShot, used: Uses) -> Iterator[Problem]:
    axes = one.shot.matrix.axes
    for name in axes:
        if not used.uses(name):
            message = f"no template or parameter of {one.shot.name!r} uses the axis {name!r}"
            hint = did_you_mean(name, MATRIX_WORDS)
            yield _warning(axes.key_place(name), "unused-axis", message, hint)


def _unused_vars(
    planned: Sequence[PlannedShot], uses: Sequence[Uses], bases: Container[str]
) -> Iterator[Problem]:
    """Vars that no shot which has them uses; those of a base may be meant for other specs."""
    used_at: dict[tuple[Place, str], bool] = {}
    for one, used in zip(planned, uses, strict=True):
        for layer in (one.shot.base, *(o.layer for o in one.shot.overrides), *one.shot.tops):
            for name in layer.vars:
                key = (layer.vars.key_place(name), name)
                used_at[key] = used_at.get(key, False) or used.uses_var(name)
    for (place, name), is_used in used_at.items():
        if not is_used and place.path not in bases:
            yield _warning(place, "unused-var", f"no template uses the var {name!r}")


def _alike_values(grid: Grid) -> Iterator[Problem]:
    """Values of one axis that differ only in case and white space."""
    for dimension in grid.dimensions:
        seen: dict[tuple[str, str], Choice] = {}
        for one in chain.from_iterable(dimension.points):
            if one.name not in dimension.keys or not isinstance(one.key, str):
                continue
            first = seen.setdefault((one.name, folded(one.key)), one)
            if first.key != one.key:
                message = f"{one.token} and {first.token} differ only in case and white space"
                yield _warning(one.place, "near-duplicate", message)


def _white_lines(form: Form) -> Iterator[Problem]:
    for name in PROMPTS:
        blank = form.values.get(name)
        if isinstance(blank, Blank):
            source = form.texts[blank.index].source
            if _BLANK_LINE.search(source.text):
                message = "a line of the text is only white space"
                yield _warning(source.place, "white-space", message)


def _takes_doubts(
    form: Form, one: PlannedShot, load: Callable[[str], str | None]
) -> Iterator[Problem]:
    """What is odd beside several takes, be it written there or on an axis."""
    message = "all takes have one seed: they may come out alike"
    if "seed" in form.from_axes:
        for seed in islice(_chosen("seed", one.grid), 1):
            yield _warning(seed.place, "takes-with-seed", message)
    elif "seed" in form.values and not _tells_takes_apart(form.values["seed"], form, load):
        yield _warning(form.places["seed"], "takes-with-seed", message)
    for number, place in _numbers(form, one.grid):
        if isinstance(number, int) and number > 1:
            message = f"{form.takes} takes of {number} videos each: {form.takes * number} videos"
            yield _warning(place, "takes-with-n", message)


def _tells_takes_apart(seed: Any, form: Form, load: Callable[[str], str | None]) -> bool:
    """Whether a seed is a template that may be another one in each take."""
    if not isinstance(seed, Blank):
        return False
    return uses_of([form.texts[seed.index]], load).uses("take")


def _numbers(form: Form, grid: Grid) -> Iterator[tuple[object, Place]]:
    if "n" in form.from_axes:
        yield from ((one.value, one.place) for one in _chosen("n", grid))
    elif "n" in form.values:
        yield form.values["n"], form.places["n"]


def _chosen(name: str, grid: Grid) -> Iterator[Choice]:
    """Every value that an axis or column has."""
    for dimension in grid.dimensions:
        if name in dimension.names:
            for point in dimension.points:
                yield from (one for one in point if one.name == name)


def folded(text: str) -> str:
    """Equal for texts that differ only in case and white space."""
    return " ".join(text.casefold().split())


def _warning(place: Place, code: str, message: str, hint: str | None = None) -> Problem:
    return Problem(place, "warning", code, message, hint)
