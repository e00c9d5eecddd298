"""What holds for a combination once every level of precedence has had its say."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any, TypeAlias

from veogen.document.nodes import Location, Map, Seq, Value
from veogen.models.model import DEFAULT_MODEL, Model
from veogen.models.parameters import Json
from veogen.spec.layers import overlay, removed_params, without_params, without_removed
from veogen.spec.params import as_json
from veogen.spec.types import PROMPTS, Layer, Shot
from veogen.templates.template import Mode, Template

Models: TypeAlias = Mapping[str, Model]


@dataclass(frozen=True, slots=True)
class Variant:
    """A shot with some of its overrides applied.

    `values` are the parameters in force with a `Template` wherever a text belongs, less those
    of the names `from_axes`, which axes and columns set. `templates` are those of `values` in
    order, and last the one of the `output`, if the shot writes it. `scope` is what all of them
    see; `places` and `key_places` say where each parameter and its name were written.
    """

    takes: int
    values: Mapping[str, Any]
    places: Mapping[str, Location]
    key_places: Mapping[str, Location]
    from_axes: frozenset[str]
    templates: tuple[Template, ...]
    output: Template | None
    scope: Mapping[str, Json]


def layer_of_variant(shot: Shot, matching: Sequence[int]) -> Layer:
    """What all levels say together where the overrides at the positions `matching` fit.

    A parameter that an override takes away is not sent, whatever a profile says.
    """
    overrides = [shot.overrides[index].layer for index in matching]
    removed = removed_params(reduce(overlay, overrides)) if overrides else []
    *profile, settings = shot.tops
    stronger = [*overrides, *(without_params(layer, removed) for layer in profile), settings]
    return without_removed(reduce(overlay, stronger, shot.base))


def variant(
    shot: Shot,
    matching: Sequence[int],
    settable: Collection[str],
    prepare: Callable[[Template], Template] = lambda template: template,
    structured: Collection[str] = (),
) -> Variant:
    """The shot as it is where the overrides at the positions `matching` fit.

    `settable` are the parameters that have an axis or column. Those set them unless an override
    or, for a prompt, the shot itself or its profile does. `structured` are those that take
    lists or mappings, which a template may put out whole.
    """
    layer = layer_of_variant(shot, matching)
    from_axes = frozenset(settable) - shot.texts
    for index in matching:
        override = shot.overrides[index].layer
        prompts = [name for name in PROMPTS if getattr(override, name) is not None]
        from_axes = from_axes.difference(override.params, prompts)
    params = layer.params
    values, places, key_places = dict[str, Any](), dict[str, Location](), dict[str, Location]()
    for name in (name for name in params if name not in from_axes):
        places[name], key_places[name] = params.value_place(name), params.key_place(name)
        mode: Mode = "value" if name in structured else "text"
        values[name] = _with_templates(params[name], places[name], prepare, mode)
    for name in PROMPTS:
        template: Template | None = getattr(layer, name)
        if template is not None and name not in from_axes:
            values[name] = prepare(template)
            places[name] = key_places[name] = template.place
    if "model" not in from_axes:
        values.setdefault("model", DEFAULT_MODEL)
    output = None if shot.output is None else prepare(shot.output)
    variables = {name: as_json(value) for name, value in layer.vars.items()}
    return Variant(
        takes=layer.takes or 1,
        values=values,
        places=places,
        key_places=key_places,
        from_axes=from_axes,
        templates=(*templates_in(values), *(() if output is None else (output,))),
        output=output,
        scope={**variables, "vars": variables, "shot": shot.name},
    )


def models_of(shot: Shot, models: Mapping[str, Model], more: Iterable[str] = ()) -> Models:
    """The models that requests of a shot may be for, and those of the names `more`.

    All of them where one is not known: what is a name of the writer's own for one model is a
    parameter of another one.
    """
    layers = [shot.base, *(override.layer for override in shot.overrides), *shot.tops]
    names = {layer.params.get("model") for layer in layers} | set(more)
    axis = shot.matrix.axes.get("model")
    names.update(axis if isinstance(axis, Seq) else ())
    for combination in shot.matrix.include or ():
        if isinstance(combination, Map):
            names.add(combination.get("model"))
    names.discard(None)
    if "model" not in shot.base.params and axis is None:
        names.add(DEFAULT_MODEL)
    used = {str(name): models.get(str(name)) for name in names}
    described = {name: model for name, model in used.items() if model is not None and model.known}
    return described if described and len(described) == len(used) else models


def substitute(value: Any, texts: Iterator[str]) -> Any:
    """A value of a variant, the next of the texts in the place of each template in it."""
    match value:
        case Template():
            return next(texts)
        case list():
            return [substitute(item, texts) for item in value]
        case dict():
            return {key: substitute(item, texts) for key, item in value.items()}
        case _:
            return value


def _with_templates(
    value: Value, place: Location, prepare: Callable[[Template], Template], mode: Mode = "text"
) -> Any:
    """The value with a template for every string in it; the `mode` is that of a whole value."""
    match value:
        case str():
            return prepare(Template(value, place, mode=mode))
        case Seq():
            return [
                _with_templates(item, value.value_place(index), prepare)
                for index, item in enumerate(value)
            ]
        case Map():
            return {
                key: _with_templates(item, value.value_place(key), prepare)
                for key, item in value.items()
            }
        case _:
            return value


def templates_in(value: Any) -> Iterator[Template]:
    """The templates in a value, in the order in which `substitute` meets them."""
    if isinstance(value, Template):
        yield value
    elif isinstance(value, list | dict):
        items = value.values() if isinstance(value, dict) else value
        yield from chain.from_iterable(map(templates_in, items))
