"""What holds for a combination once every level of precedence has had its say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from veogen.catalogue.parameters import Json
from veogen.document.values import Place, Value
from veogen.spec.layers import settled, stacked
from veogen.spec.model import PROMPTS, Layer, Shot, Text
from veogen.spec.params import as_json


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
