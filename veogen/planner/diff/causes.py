"""Why requests changed: the line, row, template or image in which their specs differ."""

from collections.abc import Iterator, Mapping

from veogen.planner.diff.compare import Change
from veogen.planner.diff.fields import IMAGES
from veogen.planner.diff.groups import CausesOf
from veogen.planner.diff.origins import WRITTEN, Input, Origins
from veogen.spec.model import Spec


def causes_of(old: Spec | None, new: Spec | None) -> CausesOf:
    """What tells the causes of a change between two specs.

    Where the old side is no spec nothing can be compared: it tells where the new value is from.
    """
    before, after = Origins(old) if old else None, Origins(new) if new else None

    def causes(change: Change) -> Iterator[str]:
        images = list(_other_bytes(change))
        yield from images
        for field in change.fields:
            if after is None or (field == IMAGES and images):
                continue
            made_of = after.inputs(change.new, field)
            if before is None:
                yield from (f"see {_shown(one)}" for one in _first(made_of))
            else:
                yield from _differing(before.inputs(change.old, field), made_of)

    return causes


def _other_bytes(change: Change) -> Iterator[str]:
    """The images that changed under one name, which no side needs a spec for."""
    before = {image.path: image.sha256 for image in change.old.images}
    for image in change.new.images:
        if before.get(image.path, image.sha256) != image.sha256:
            yield f"because of the bytes of {image.path}"


def _differing(old: Mapping[str, Input], new: Mapping[str, Input]) -> Iterator[str]:
    """What both sides are made of and differs; else what only one of them has."""
    both = [name for name in new if name in old and old[name].content != new[name].content]
    for name in both:
        yield f"because of {_shown(new[name], old[name])}"
    if not both:
        only_new = {name: one for name, one in new.items() if name not in old}
        only_old = {name: one for name, one in old.items() if name not in new}
        for one in _first(only_new or only_old):
            yield f"because of {_shown(one)}"


def _first(inputs: Mapping[str, Input]) -> Iterator[Input]:
    """What was written, or whatever there is instead."""
    if WRITTEN in inputs:
        yield inputs[WRITTEN]
    else:
        yield from list(inputs.values())[:1]


def _shown(one: Input, other: Input | None = None) -> str:
    """The place where an input begins to differ from the other."""
    if not one.lines:
        return str(one.place)
    line = one.place.line + (_first_difference(one, other) if other else 0)
    return f"{one.place.path}:{line}"


def _first_difference(one: Input, other: Input) -> int:
    lines, others = one.content.splitlines(), other.content.splitlines()
    pairs = enumerate(zip(lines, others, strict=False))
    shorter = min(len(lines), len(others), max(len(lines) - 1, 0))
    return next((index for index, (left, right) in pairs if left != right), shorter)
