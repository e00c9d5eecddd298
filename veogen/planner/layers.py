"""What holds for a combination once every level of precedence has had its say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from veogen.catalogue.parameters import Json
from veogen.document.values import Place, Value
from veogen.planner.choices import plain
from veogen.spec.model import Layer, Shot, Text

PROMPTS = ("prompt", "negative_prompt")


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
    stronger = [*(shot.overrides[index].layer for index in matching), shot.top]
    layers = [shot.base, *stronger]
    settings: dict[str, Setting | None] = {}
    for layer in layers:
        settings.update(_settings(layer))
    in_force = {name: setting for name, setting in settings.items() if setting is not None}
    firm = {name for layer in stronger for name, _ in _settings(layer)}
    firm.update(name for name in PROMPTS if getattr(shot.base, name) is not None)
    takes = [layer.takes for layer in layers if layer.takes is not None]
    return Variant(in_force, frozenset(firm), _vars(layers), takes[-1] if takes else 1)


def _settings(layer: Layer) -> Iterator[tuple[str, Setting | None]]:
    params = layer.params
    for name, value in params.items():
        setting = Setting(value, params.value_place(name), params.key_place(name))
        yield name, None if value is None else setting
    for name in PROMPTS:
        text: Text | None = getattr(layer, name)
        if text is not None:
            yield name, Setting(text.source, text.place, text.place, text)


def _vars(layers: Sequence[Layer]) -> dict[str, Json]:
    merged: dict[str, Value] = {}
    for layer in layers:
        merged.update(layer.vars)
    return {name: plain(value) for name, value in merged.items() if value is not None}
