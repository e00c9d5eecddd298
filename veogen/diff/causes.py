"""Why requests changed: the line, row, template or image in which their specs differ."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from veogen.diff.compare import Change, changed_images
from veogen.diff.report import Cause, CausesOf, common_start
from veogen.document.files import OutsideRootError
from veogen.document.nodes import Location
from veogen.document.problems import Problems
from veogen.planner.axes import Combination
from veogen.planner.identity import canonical, combination_address
from veogen.planner.matrix import expand
from veogen.planner.plan import Request
from veogen.planner.requests import settable
from veogen.planner.variants import layer_of_variant, models_of, substitute, templates_in, variant
from veogen.spec.params import as_json
from veogen.spec.types import PROMPTS, Shot, Spec
from veogen.templates.names import UsedNames, used_names
from veogen.templates.renderer import template_path
from veogen.templates.template import Template

WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class SourceInput:
    """Something that a field is made of: its content, and where it is found.

    With `lines` the lines of the content are those of the file from the place on.
    """

    content: str
    place: Location
    lines: bool = False


@dataclass(frozen=True, slots=True)
class _Combination:
    """What a combination was made of."""

    shot: Shot
    combination: Combination
    overrides: tuple[int, ...]
    settable: frozenset[str]


class SourceMap:
    """Knows what the requests of a spec were made of; looks only when asked, and at a file once."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._templates: dict[str, SourceInput | None] = {}
        self._uses: dict[tuple[str, ...], UsedNames] = {}

    def inputs(self, request: Request, field: str) -> dict[str, SourceInput]:
        """What a field is made of: first what was written, then values and templates."""
        made = self._made.get(combination_address(request.shot, request.variables))
        if made is None:
            return {}
        source = variant(made.shot, made.overrides, made.settable)
        chosen = {axis.name: axis for axis in made.combination}
        if field in chosen and field in source.from_axes:
            return {WRITTEN: _value(chosen[field].value, chosen[field].place)}
        if field == "output" and source.output is not None:
            return dict(self._text(made, source.output))
        if field not in source.places:
            return {}
        value, place = source.values[field], source.places[field]
        if field in PROMPTS and isinstance(value, Template):
            return dict(self._text(made, value))
        texts = tuple(template.text for template in templates_in(value))
        written = _value(substitute(value, iter(texts)), place)
        return {WRITTEN: written, **dict(self._used(made, *texts))}

    @cached_property
    def _made(self) -> dict[str, _Combination]:
        """Every combination by its address."""
        found = {}
        for shot in self._spec.shots:
            models = self._spec.policy.models
            one = expand(shot, self._spec.files, models, Problems())
            names = settable(one, models_of(shot, models, one.values_of("model")))
            for combination, overrides in one.walk(Problems()):
                address = combination_address(shot.name, one.keys(combination))
                found[address] = _Combination(shot, combination, overrides, names)
        return found

    def _text(self, made: _Combination, text: Template) -> Iterator[tuple[str, SourceInput]]:
        if text.name is not None:
            written = self._template(text.name)
        elif text.block:
            line = text.place.line + 1
            written = SourceInput(text.text, text.place._replace(line=line), lines=True)
        else:
            written = SourceInput(text.text, text.place)
        if written is not None:
            yield WRITTEN, written
            yield from self._used(made, written.content)

    def _used(self, made: _Combination, *texts: str) -> Iterator[tuple[str, SourceInput]]:
        """The templates and values that some templates use: axes and columns hide vars."""
        if texts not in self._uses:
            templates = [Template(text, Location("", 1, 1)) for text in texts]
            self._uses[texts] = used_names(templates, self._content)
        uses = self._uses[texts]
        written = layer_of_variant(made.shot, made.overrides).vars
        chosen = {axis.name: (axis.value, axis.place) for axis in made.combination}
        for name, value in written.items():
            if name not in chosen and uses.uses_var(name):
                yield f"value {name}", _value(as_json(value), written.value_place(name))
        for name, (chosen_value, place) in chosen.items():
            if uses.uses_var(name):
                yield f"value {name}", _value(chosen_value, place)
        for name in uses.files:
            template = self._template(name)
            if template is not None:
                yield f"template {name}", template

    def _content(self, name: str) -> str | None:
        template = self._template(name)
        return None if template is None else template.content

    def _template(self, name: str) -> SourceInput | None:
        path, files = template_path(name), self._spec.files
        if name not in self._templates:
            self._templates[name] = None
            with suppress(OSError, UnicodeDecodeError, OutsideRootError):
                if path is not None:
                    content = files.read(path).decode("utf-8-sig")
                    start = Location(files.shown(path), 1, 1)
                    self._templates[name] = SourceInput(content, start, lines=True)
        return self._templates[name]


def _value(value: object, place: Location) -> SourceInput:
    return SourceInput(canonical(value).decode(), place)


def causes_of(old: Spec | None, new: Spec | None) -> CausesOf:
    """What tells the causes of a change between two specs.

    Where the old side is no spec nothing can be compared: it tells where the new value is from.
    """
    before, after = SourceMap(old) if old else None, SourceMap(new) if new else None

    def causes(change: Change) -> Iterator[Cause]:
        # An image that changed under one name needs no spec of either side.
        hashes = {image.path: image.sha256 for image in change.old.images}
        for image in change.new.images:
            if hashes.get(image.path, image.sha256) != image.sha256:
                yield Cause("because of the bytes of", image.path, f"{image.path}:1:1")
        images = changed_images(change.old, change.new)
        for name in change.fields:
            if after is None or name in images:
                continue
            made_of = after.inputs(change.new, name)
            if before is None:
                yield from (Cause("see", *_shown(one)) for one in _first(made_of))
            else:
                yield from _differing(before.inputs(change.old, name), made_of)

    return causes


def _differing(old: Mapping[str, SourceInput], new: Mapping[str, SourceInput]) -> Iterator[Cause]:
    """What both sides are made of and differs; else what only one of them has."""
    both = [name for name in new if name in old and old[name].content != new[name].content]
    for name in both:
        yield Cause("because of", *_shown(new[name], old[name]))
    if not both:
        only_new = {name: one for name, one in new.items() if name not in old}
        only_old = {name: one for name, one in old.items() if name not in new}
        for one in _first(only_new or only_old):
            yield Cause("because of", *_shown(one))


def _first(inputs: Mapping[str, SourceInput]) -> Iterator[SourceInput]:
    """What was written, or whatever there is instead."""
    if WRITTEN in inputs:
        yield inputs[WRITTEN]
    else:
        yield from list(inputs.values())[:1]


def _shown(one: SourceInput, other: SourceInput | None = None) -> tuple[str, str]:
    """The place where an input begins to differ from the other, for people and for programs."""
    if not one.lines:
        return str(one.place), str(one.place)
    line = one.place.line
    if other is not None:
        lines = one.content.splitlines()
        line += min(common_start(lines, other.content.splitlines()), max(len(lines) - 1, 0))
    return f"{one.place.path}:{line}", f"{one.place.path}:{line}:1"
