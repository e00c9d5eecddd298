"""What is wrong in one document, and which parts of it can be trusted nevertheless.

A user sees all mistakes in one go. So that one does not hide the others, a misspelt key counts
as the key that was meant, and whatever else is wrong breaks only the shot or the profile that it
is in: the planner looks at the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from veogen.document.nodes import Location, Map, Seq, Step, Value, value_at
from veogen.document.problems import Problem, Problems, did_you_mean
from veogen.document.schema import ObjectType, flaws_of, problem_of
from veogen.models.model import Catalog
from veogen.spec.layers import entries_left, mapping_at
from veogen.spec.params import axis_mistakes, parameter_mistakes
from veogen.spec.types import PROMPTS

_MOST_NAMED = 12  # profiles in a hint


def content_problems(tree: Map, models: Catalog) -> Iterator[Problem]:
    """The mistakes of a spec, base or set of settings whose structure may be wrong as well."""
    profiles = mapping_at(tree, "profiles").values()
    for level in (tree, *(profile for profile in profiles if isinstance(profile, Map))):
        yield from _layer_mistakes(level, models)
        shots, first = list(_maps(level.get("shots"))), dict[str, Map]()
        for shot in shots:
            name = shot.get("name")
            if isinstance(name, str) and name in first:
                other = first[name].value_place("name")
                message = f"{name!r} is the name of another shot ({other})"
                yield Problem(shot.value_place("name"), "error", "duplicate-name", message)
            first.setdefault(str(name), shot)
        for shot in shots:
            for layer in (shot, *_maps(shot.get("overrides"))):
                yield from _layer_mistakes(layer, models)


def _layer_mistakes(level: Map, models: Catalog) -> Iterator[Problem]:
    params = mapping_at(level, "params")
    yield from parameter_mistakes(params, models)
    yield from axis_mistakes(mapping_at(level, "matrix"), models)
    if level.get("prompt") is not None and level.get("template") is not None:
        message = "'prompt' and 'template' exclude each other"
        yield Problem(level.key_place("template"), "error", "conflict", message)
    for tree in (level, params):  # a comment behind a text without quotes: perhaps the rest of it
        for name in PROMPTS:
            comment = tree.comment_after(name) if name in tree else None
            if comment is not None:
                message = f"the {name} ends here: what follows is a comment"
                hint = "quote the text, or give the comment a line of its own"
                yield Problem(comment, "warning", "comment", message, hint)
    for text in PROMPTS:
        if level.get(text) is not None and params.get(text) is not None:
            message = f"{text!r} stands beside 'params' as well"
            yield Problem(params.key_place(text), "error", "conflict", message)


def _maps(value: Value) -> Iterator[Map]:
    for item in value if isinstance(value, Seq) else ():
        if isinstance(item, Map):
            yield item


def unknown_profile(tree: Map, profile: str) -> Problem:
    profiles = entries_left(mapping_at(tree, "profiles"))
    names = f"there is {', '.join(list(profiles)[:_MOST_NAMED])}" if profiles else "it has none"
    hint = did_you_mean(profile, profiles) or names
    message = f"{profile!r} is not a profile of this spec"
    return Problem(tree.key_place("profiles"), "error", "unknown-profile", message, hint)


_MOST_MENDED = 20  # who misspells more has another problem
_HARMLESS = ("veogen", "name", "description", "budget")


@dataclass(slots=True)
class Unusable:
    """What cannot be planned: some shots, some profiles, or nothing can."""

    shots: set[str] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    all: bool = False

    def add(self, tree: Map, path: tuple[Step, ...]) -> None:
        """Count a mistake at `path`."""
        match path:
            case ("shots", int() as index, *_):
                shots = tree.get("shots")
                shot = shots[index] if isinstance(shots, Seq) else None
                name = shot.get("name") if isinstance(shot, Map) else None
                if isinstance(name, str):
                    self.shots.add(name)
            case ("profiles", str() as profile, *_):
                self.profiles.add(profile)
            case (str() as key, *_) if key in _HARMLESS:
                pass
            case _:
                self.all = True


def validate(
    tree: Value,
    shape: ObjectType,
    start: Location,
    problems: Problems,
    broken: Unusable,
    models: Catalog,
    passes: int = 3,
) -> Map | None:
    """Tell what is wrong in a document, and mend the keys that were meant; None if it is none."""
    flaws = flaws_of(tree, shape)
    for flaw in flaws:
        problems.extend([problem_of(flaw, tree, start)])
    if not isinstance(tree, Map):
        broken.all = True
        return None
    for flaw in flaws:
        if flaw.breaks:
            broken.add(tree, flaw.path)
    mended = False
    for flaw in flaws[:_MOST_MENDED]:  # a misspelt key, unless the one that was meant is there
        if flaw.meant is not None:
            *above, key = flaw.path
            parent = value_at(tree, above)
            if isinstance(parent, Map) and key in parent and flaw.meant not in parent:
                parent.rename(str(key), flaw.meant)
                mended = True
    problems.extend(content_problems(tree, models))
    if not mended or not passes:
        return tree
    return validate(tree, shape, start, problems, broken, models, passes - 1)
