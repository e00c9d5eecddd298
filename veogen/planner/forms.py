"""A variant of a shot made ready: constants taken apart from templates, everything prepared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veogen.catalogue.models import DEFAULT_MODEL
from veogen.catalogue.parameters import Json
from veogen.document.values import Map, Place, Seq, Value
from veogen.planner.layers import Setting, Variant
from veogen.planner.templates.renderer import Prepared, Renderer
from veogen.planner.templates.source import Source
from veogen.spec.model import Shot, Text


@dataclass(frozen=True, slots=True)
class Blank:
    """Stands in a parameter's value where a rendered text belongs."""

    index: int
    template: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters of a variant with blanks for `texts`, and what all its templates see."""

    takes: int
    values: Mapping[str, Any]
    places: Mapping[str, Place]
    key_places: Mapping[str, Place]
    from_axes: frozenset[str]
    texts: tuple[Prepared, ...]
    output: int | None
    scope: Mapping[str, Json]


@dataclass(slots=True)
class _Blanks:
    renderer: Renderer
    texts: list[Prepared] = field(default_factory=list)

    def add(self, prepared: Prepared) -> Blank:
        self.texts.append(prepared)
        return Blank(len(self.texts) - 1, template=not prepared.source.is_constant)

    def fill_in(self, value: Value, place: Place) -> Any:
        """The value with a blank for every string in it."""
        match value:
            case str():
                return self.add(self.renderer.prepare(Source(value, place)))
            case Seq():
                return [self.fill_in(v, value.value_place(i)) for i, v in enumerate(value)]
            case Map():
                return {key: self.fill_in(v, value.value_place(key)) for key, v in value.items()}
            case _:
                return value


def form(shot: Shot, variant: Variant, from_axes: frozenset[str], renderer: Renderer) -> Form:
    """The form of a variant; what `from_axes` names is set by axes and columns instead."""
    settings = {n: s for n, s in variant.settings.items() if n not in from_axes}
    blanks = _Blanks(renderer)
    values = {name: _value(setting, blanks) for name, setting in settings.items()}
    if "model" not in from_axes:
        values.setdefault("model", DEFAULT_MODEL)
    output = shot.output
    return Form(
        takes=variant.takes,
        values=values,
        places={name: setting.place for name, setting in settings.items()},
        key_places={name: setting.key_place for name, setting in settings.items()},
        from_axes=from_axes,
        output=None if output is None else blanks.add(renderer.prepare(_path_source(output))).index,
        texts=tuple(blanks.texts),
        scope={**variant.vars, "vars": dict(variant.vars), "shot": shot.name},
    )


def filled(value: Any, texts: Sequence[str]) -> Any:
    """The value with its blanks filled."""
    match value:
        case Blank():
            return texts[value.index]
        case list():
            return [filled(item, texts) for item in value]
        case dict():
            return {key: filled(item, texts) for key, item in value.items()}
        case _:
            return value


def _value(setting: Setting, blanks: _Blanks) -> Any:
    if setting.text is not None:
        return blanks.add(blanks.renderer.prepare_text(setting.text))
    return blanks.fill_in(setting.value, setting.place)


def _path_source(output: Text) -> Source:
    return Source(output.source, output.place, block=output.block, mode="path")
