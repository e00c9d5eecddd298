"""Columns of rows that nothing uses, or that are spelt unlike what they were meant for."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from veogen.document.nodes import Location, Map
from veogen.document.problems import Problem
from veogen.planner.requests import ShotPlanner
from veogen.spec.grammar import RESERVED, identifier_rule
from veogen.templates.names import UsedNames, used_names
from veogen.text import counted

_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_MOST_NAMED = 12  # in a message
_NO_LETTER = re.compile(r"\W+")


def column_problems(shot: ShotPlanner, load: Callable[[str], str | None]) -> Iterator[Problem]:
    """What to say of the columns of a shot's rows; `load` reads a file below `templates/`."""
    columns = next((each.places for each in shot.grid.dimensions if each.places), None)
    if columns is None:
        return
    used, meant = _used(shot, load), _meant(shot)
    nearest = {_folded(name): name for name in (*used.names, *meant)}
    unused = dict[str, Location]()
    for name, place in columns.items():
        is_used = used.uses(name) or name in meant
        near = nearest.get(_folded(name), name)
        wrong = identifier_rule(name)
        by_address = near == "id" and not shot.shot.matrix.rows_key  # else all columns make it
        if near != name and (by_address or not is_used):
            does_not = "does not make the address" if by_address else "is used by nothing"
            message = f"the column {name!r} {does_not}"
            yield Problem(place, "error", "column", message, f"did you mean {near!r}?")
        elif wrong is not None and name not in RESERVED:
            hint = f"write {_NO_LETTER.sub('_', name.strip())!r}"
            yield Problem(place, "error", *wrong, hint)
        elif not is_used:
            unused[name] = place
    if unused:
        names = ", ".join(map(repr, list(unused)[:_MOST_NAMED]))
        more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
        message = f"nothing uses {counted(len(unused), 'column')}: {names}{more}"
        yield Problem(next(iter(unused.values())), "warning", "unused-column", message)


def _used(shot: ShotPlanner, load: Callable[[str], str | None]) -> UsedNames:
    """The names that templates see, and those that choose combinations or make the address."""
    matchings = [(), *((index,) for index in range(len(shot.shot.overrides)))]
    variants = [shot.preview(matching) for matching in matchings]
    matrix = shot.shot.matrix
    chosen = [override.when for override in shot.shot.overrides]
    chosen += [each for each in matrix.exclude or () if isinstance(each, Map)]
    names = {*chain.from_iterable(chosen), *(matrix.rows_key or ())}
    templates = list(chain.from_iterable(variant.templates for variant in variants))
    return used_names(templates, load) | UsedNames(frozenset(names))


def _meant(shot: ShotPlanner) -> Mapping[str, None]:
    """The names that a column has a meaning by."""
    levels = (shot.shot.base, *(each.layer for each in shot.shot.overrides), *shot.shot.tops)
    parameters = chain.from_iterable(model.parameters for model in shot.used_models.values())
    variables = chain.from_iterable(level.vars for level in levels)
    return dict.fromkeys(("id", *parameters, *variables, *shot.shot.matrix.axes))


def _folded(name: str) -> str:
    """Equal for names that differ only in case and in what stands between their words."""
    return _BETWEEN_WORDS.sub("", name).casefold()
