"""How a stronger level is laid over a weaker one: maps by key, shots by name, the rest replaced."""

from veogen.document.values import Map, Seq, Value

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
            merged.take(strong, key, _merged(weak[key], strong[key]))
    for key in strong:
        if key not in merged:
            merged.take(strong, key, strong[key])
    return merged


def _merged(weak: Value, strong: Value) -> Value:
    return merge(weak, strong) if isinstance(weak, Map) and isinstance(strong, Map) else strong


def merge_documents(weak: Map, strong: Map) -> Map:
    """As `merge`, where shots, those of profiles too, merge by their names."""
    merged = merge(weak, strong)
    base, over = weak.get("shots"), strong.get("shots")
    if isinstance(base, Seq) and isinstance(over, Seq):
        merged.take(strong, "shots", _by_name(base, over))
    base, over = weak.get("profiles"), strong.get("profiles")
    if isinstance(base, Map) and isinstance(over, Map):
        merged.take(strong, "profiles", _merged_profiles(base, over))
    return merged


def _merged_profiles(weak: Map, strong: Map) -> Map:
    merged = merge(weak, strong)
    for name, over in strong.items():
        base = weak.get(name)
        if isinstance(base, Map) and isinstance(over, Map):
            merged.take(strong, name, merge_documents(base, over))
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
