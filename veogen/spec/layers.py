"""Levels of precedence as layers, and layers laid over one another."""

from veogen.document.values import Map, Value
from veogen.spec.merge import merge, without_nulls
from veogen.spec.model import Layer, Text

_TEXTS = ("prompt", "negative_prompt")


def layer_of(level: Map) -> Layer:
    """The layer that a spec, shot, override, profile or setting writes; None takes away."""
    params = _parameters(level)
    return Layer(
        prompt=_text(params, "prompt") or _text(level, "template", template=True),
        negative_prompt=_text(params, "negative_prompt"),
        params=_without_texts(params),
        vars=submap(level, "vars"),
        takes=_takes(level),
    )


def stacked(weak: Layer, strong: Layer) -> Layer:
    """Both as one; what `strong` takes away stays marked with None."""
    return Layer(
        prompt=strong.prompt or (None if "prompt" in strong.params else weak.prompt),
        negative_prompt=strong.negative_prompt
        or (None if "negative_prompt" in strong.params else weak.negative_prompt),
        params=merge(weak.params, strong.params),
        vars=merge(weak.vars, strong.vars),
        takes=weak.takes if strong.takes is None else strong.takes,
    )


def settled(layer: Layer) -> Layer:
    """The layer as the last word: what is taken away is gone."""
    return Layer(
        prompt=layer.prompt,
        negative_prompt=layer.negative_prompt,
        params=without_nulls(layer.params),
        vars=without_nulls(layer.vars),
        takes=layer.takes,
    )


def submap(tree: Map, key: str) -> Map:
    """The map at `key`, or an empty one at its place."""
    value = tree.get(key)
    return value if isinstance(value, Map) else Map(tree.value_place(key))


def _parameters(level: Map) -> Map:
    """The params of a level with the two texts that a shot writes beside them."""
    params = submap(level, "params")
    texts = Map(params.place)
    for name in _TEXTS:
        if name in level:
            texts.take(level, name, level[name])
    return merge(params, texts) if texts else params


def _text(tree: Map, key: str, *, template: bool = False) -> Text | None:
    value: Value = tree.get(key)
    if not isinstance(value, str):
        return None
    return Text(value, tree.value_place(key), template, block=tree.is_block(key))


def _without_texts(params: Map) -> Map:
    rest = Map(params.place)
    for name, value in params.items():
        if name not in _TEXTS or value is None:
            rest.take(params, name, value)
    return rest


def _takes(level: Map) -> int | None:
    if "takes" not in level:
        return None
    takes = level["takes"]
    return takes if isinstance(takes, int) else 1
