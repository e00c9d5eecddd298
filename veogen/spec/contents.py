"""What the shape of a document does not say: parameters, and keys that exclude others."""

from collections.abc import Iterator

from veogen.catalogue.known import Catalogue
from veogen.document.problems import Problem, did_you_mean
from veogen.document.values import Map, Seq, Value
from veogen.spec.layers import submap
from veogen.spec.model import PROMPTS
from veogen.spec.params import axis_mistakes, parameter_mistakes

_MOST_NAMED = 12  # profiles in a hint


def content_mistakes(tree: Map, known: Catalogue) -> Iterator[Problem]:
    """The mistakes of a spec, base or set of settings whose structure may be wrong as well."""
    yield from _level_mistakes(tree, known)
    for profile in submap(tree, "profiles").values():
        if isinstance(profile, Map):
            yield from _level_mistakes(profile, known)


def _level_mistakes(level: Map, known: Catalogue) -> Iterator[Problem]:
    yield from _layer_mistakes(level, known)
    shots = list(_maps(level.get("shots")))
    yield from _repeated_names(shots)
    for shot in shots:
        yield from _layer_mistakes(shot, known)
        for override in _maps(shot.get("overrides")):
            yield from _layer_mistakes(override, known)


def _layer_mistakes(level: Map, known: Catalogue) -> Iterator[Problem]:
    params = submap(level, "params")
    yield from parameter_mistakes(params, known)
    yield from axis_mistakes(submap(level, "matrix"), known)
    if level.get("prompt") is not None and level.get("template") is not None:
        message = "'prompt' and 'template' exclude each other"
        yield Problem(level.key_place("template"), "error", "conflict", message)
    for text in PROMPTS:
        if level.get(text) is not None and params.get(text) is not None:
            message = f"{text!r} stands beside 'params' as well"
            yield Problem(params.key_place(text), "error", "conflict", message)


def _maps(value: Value) -> Iterator[Map]:
    if isinstance(value, Seq):
        yield from (item for item in value if isinstance(item, Map))


def _repeated_names(shots: list[Map]) -> Iterator[Problem]:
    first: dict[str, Map] = {}
    for shot in shots:
        name = shot.get("name")
        if not isinstance(name, str):
            continue
        if name in first:
            other = first[name].value_place("name")
            message = f"{name!r} is the name of another shot ({other})"
            yield Problem(shot.value_place("name"), "error", "duplicate-name", message)
        first.setdefault(name, shot)


def unknown_profile(tree: Map, profile: str) -> Problem:
    profiles = submap(tree, "profiles")
    known = f"there is {', '.join(list(profiles)[:_MOST_NAMED])}" if profiles else "it has none"
    hint = did_you_mean(profile, profiles) or known
    message = f"{profile!r} is not a profile of this spec"
    return Problem(tree.key_place("profiles"), "error", "unknown-profile", message, hint)
