"""Levels of precedence as layers, and layers laid over one another."""

from collections.abc import Sequence
from dataclasses import replace

from veogen.document.nodes import Location, Map, Seq, Value, without_nulls
from veogen.spec.types import PROMPTS, Layer
from veogen.templates.template import Template

_ALTERNATIVES = {"prompt": "template", "template": "prompt"}


def merge(weak: Map, strong: Map) -> Map:
    """Both as one map, in the order of `weak`; a None in `strong` stays, until `without_nulls`."""
    if not weak or not strong:
        return strong or weak
    merged = Map.like(strong)
    for key in weak:
        if key not in strong:
            merged.take(weak, key, weak[key])
        elif strong[key] is not None:
            below, above = weak[key], strong[key]
            if isinstance(below, Map) and isinstance(above, Map):
                above = merge(below, above)
            merged.take(strong, key, above)
    for key in strong:
        if key not in merged:
            merged.take(strong, key, strong[key])
    return merged


def merge_documents(weak: Map, strong: Map) -> Map:
    """As `merge`, where shots, those of profiles too, merge by their names."""
    merged = merge(weak, strong)
    base, over = weak.get("shots"), strong.get("shots")
    if isinstance(base, Seq) and isinstance(over, Seq):
        merged.take(strong, "shots", _by_name(base, over))
    base, over = weak.get("profiles"), strong.get("profiles")
    if isinstance(base, Map) and isinstance(over, Map):
        profiles = merge(base, over)
        for name, profile in over.items():
            below = base.get(name)
            if isinstance(below, Map) and isinstance(profile, Map):
                profiles.take(over, name, merge_documents(below, profile))
        merged.take(strong, "profiles", profiles)
    return merged


def merge_shot(weak: Map, strong: Map) -> Map:
    """As `merge`, where a `prompt` replaces a `template` and the reverse."""
    kept = Map.like(weak)
    for key in weak:
        if strong.get(_ALTERNATIVES.get(key, "")) is None:
            kept.take(weak, key, weak[key])
    return merge(kept, strong)


def _by_name(weak: Seq, strong: Seq) -> Seq:
    """The shots of both; one that both have keeps its place in the order."""
    later = {_name(shot): shot for shot in strong}
    merged = Seq(strong.place)
    for index, shot in enumerate(weak):
        over = later.pop(_name(shot), None)
        if isinstance(shot, Map) and isinstance(over, Map):
            merged.add(merge_shot(shot, over), over.place)
        else:
            merged.add(shot, weak.value_place(index))
    for index, shot in enumerate(strong):
        if later.get(_name(shot)) is shot:
            merged.add(shot, strong.value_place(index))
    return merged


def _name(shot: Value) -> Value:
    name = shot.get("name") if isinstance(shot, Map) else None
    return name if isinstance(name, str) else None


_SILENT = Layer(params=Map(Location("", 1, 1)), vars=Map(Location("", 1, 1)))


def layer_of(level: Map) -> Layer:
    """The layer that a spec, shot, override, profile or setting writes; None takes away.

    The two texts are parameters that a shot writes beside `params`, or every shot's in `params`.
    """
    params, takes = mapping_at(level, "params"), level.get("takes")
    taken, has_texts = list[str](), False
    for name in PROMPTS:
        has_texts = has_texts or isinstance(params.get(name), str)
        if name in level and level[name] is None:
            taken.append(name)
    rest = params  # but the texts, which stay only as None where they are taken away
    if taken or has_texts:
        rest = Map.like(params)
        for name, value in params.items():
            if name not in PROMPTS or value is None:
                rest.take(params, name, value)
        for name in taken:
            rest.take(level, name, None)
    return Layer(
        prompt=_text(level, "prompt") or _text(level, "template") or _text(params, "prompt"),
        negative_prompt=_text(level, "negative_prompt") or _text(params, "negative_prompt"),
        params=rest,
        vars=mapping_at(level, "vars"),
        takes=(takes if isinstance(takes, int) else 1) if "takes" in level else None,
    )


def overlay(weak: Layer, strong: Layer) -> Layer:
    """Both as one; what `strong` takes away stays marked with None."""
    if strong == _SILENT:
        return weak
    return Layer(
        prompt=strong.prompt or (None if "prompt" in strong.params else weak.prompt),
        negative_prompt=strong.negative_prompt
        or (None if "negative_prompt" in strong.params else weak.negative_prompt),
        params=merge(weak.params, strong.params),
        vars=merge(weak.vars, strong.vars),
        takes=weak.takes if strong.takes is None else strong.takes,
    )


def without_removed(layer: Layer, below: Layer | None = None) -> Layer:
    """The layer as the last word: what is taken away is gone.

    What it has unchanged from `below`, which is settled, is not looked at again.
    """
    same_params = below is not None and layer.params is below.params
    same_vars = below is not None and layer.vars is below.vars
    return Layer(
        prompt=layer.prompt,
        negative_prompt=layer.negative_prompt,
        params=layer.params if same_params else without_nulls(layer.params),
        vars=layer.vars if same_vars else without_nulls(layer.vars),
        takes=layer.takes,
    )


def removed_params(layer: Layer) -> list[str]:
    """The parameters that a layer takes away, texts included."""
    return [name for name, value in layer.params.items() if value is None]


def without_params(layer: Layer, names: Sequence[str]) -> Layer:
    """The layer as if it said nothing of some parameters."""
    if not names:
        return layer
    params = Map.like(layer.params)
    for name, value in layer.params.items():
        if name not in names:
            params.take(layer.params, name, value)
    return replace(
        layer,
        params=params,
        prompt=None if "prompt" in names else layer.prompt,
        negative_prompt=None if "negative_prompt" in names else layer.negative_prompt,
    )


def mapping_at(tree: Map, key: str) -> Map:
    """The map at `key`, or an empty one at its place."""
    value = tree.get(key)
    return value if isinstance(value, Map) else Map.like(tree)


def entries_left(tree: Map) -> Map:
    """A map less the entries that are taken away; what is below its entries stays as it is."""
    left = Map.like(tree)
    for name, value in tree.items():
        if value is not None:
            left.take(tree, name, value)
    return left


def _text(tree: Map, key: str) -> Template | None:
    value: Value = tree.get(key)
    if not isinstance(value, str):
        return None
    if key == "template":
        return Template("", tree.value_place(key), name=value)
    return Template(value, tree.value_place(key), block=tree.is_block(key))
