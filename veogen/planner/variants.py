"""What holds for a combination once every level of precedence has had its say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

from veogen.document.nodes import Map, Place, Seq, Value
from veogen.models.model import DEFAULT_MODEL, Json
from veogen.planner.axes import Combination
from veogen.spec.grammar import as_json
from veogen.spec.layers import settled, stacked
from veogen.spec.types import PROMPTS, Layer, Shot, Text
from veogen.templates.renderer import Prepared, Renderer
from veogen.templates.template import Source


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter as some level wrote it; `text` is set for the prompts of a shot."""

    value: Value
    place: Place
    key_place: Place
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A shot with some of its overrides applied.

    `settings` are the parameters in force, `firm` the names that an axis or column does not
    set: an override, the profile, `--set` or, for a prompt, the shot itself wrote them.
    """

    settings: Mapping[str, Setting]
    firm: frozenset[str]
    vars: Mapping[str, Json]
    takes: int


def variant(shot: Shot, matching: Sequence[int]) -> Variant:
    """The shot as it is where the overrides at the positions `matching` fit."""
    stronger = [*(shot.overrides[index].layer for index in matching), *shot.tops]
    layer = settled(reduce(stacked, stronger, shot.base))
    firm = {name for stronger_one in stronger for name in _written(stronger_one)}
    firm.update(shot.texts)
    variables = {name: as_json(value) for name, value in layer.vars.items()}
    return Variant(dict(_settings(layer)), frozenset(firm), variables, layer.takes or 1)


def _written(layer: Layer) -> Iterator[str]:
    yield from layer.params
    yield from (name for name in PROMPTS if getattr(layer, name) is not None)


def _settings(layer: Layer) -> Iterator[tuple[str, Setting]]:
    params = layer.params
    for name, value in params.items():
        yield name, Setting(value, params.value_place(name), params.key_place(name))
    for name in PROMPTS:
        text: Text | None = getattr(layer, name)
        if text is not None:
            yield name, Setting(text.source, text.place, text.place, text)


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


class Draft(NamedTuple):
    """One take of one combination: its templates see `scope` besides what their form has."""

    shot: Shot
    form: Form
    combination: Combination
    keys: Mapping[str, Json]
    take: int
    address: str
    scope: Mapping[str, Json]

    def place(self, name: str, *, key: bool = False) -> Place:
        """Where the value of a parameter, or with `key` its name, was written."""
        places = self.form.key_places if key else self.form.places
        if name in places:
            return places[name]
        chosen = (one.place for one in self.combination if one.name == name)
        return next(chosen, self.shot.place)
