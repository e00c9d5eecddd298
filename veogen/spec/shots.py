"""The shots of a composed spec, each with everything that applies to it."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from veogen.document.problems import Problems, did_you_mean
from veogen.document.values import Map, Place, Seq, Value
from veogen.spec.layers import layer_of, settled, stacked, submap
from veogen.spec.merge import merge, merge_shot, without_nulls
from veogen.spec.model import Layer, Matrix, Override, Sample, Shot, Text

_MATRIX_WORDS = ("exclude", "include", "zip", "rows", "rows_key", "sample")


@dataclass(frozen=True, slots=True)
class Levels:
    """A spec's documents by strength: the composed file, the profile, the settings."""

    spec: Map
    profile: Map
    settings: Map
    sources: Mapping[str, PurePosixPath]


def read_shots(levels: Levels, broken: Container[str], problems: Problems) -> Iterator[Shot]:
    """The spec's shots in order, then those that only the profile has; not the broken ones."""
    own, late = _named(levels.spec), _named(levels.profile)
    for name in dict.fromkeys((*own, *late)):
        if name in broken:
            continue
        shot = _shot(name, own.get(name), late.get(name), levels)
        if _lacks_prompt(shot):
            hint = did_you_mean(name, own) if name not in own else None
            message = f"shot {name!r} needs a 'prompt' or a 'template'"
            problems.error(shot.place, "missing-prompt", message, hint)
        else:
            yield shot


def _named(tree: Map) -> dict[str, Map]:
    shots = tree.get("shots")
    maps = [shot for shot in shots if isinstance(shot, Map)] if isinstance(shots, Seq) else []
    return {str(shot["name"]): shot for shot in maps if isinstance(shot.get("name"), str)}


def _shot(name: str, own: Map | None, late: Map | None, levels: Levels) -> Shot:
    written = [shot for shot in (own, late) if shot is not None]
    whole = without_nulls(written[0] if len(written) == 1 else merge_shot(*written))
    own, late = own or Map(whole.place), late or Map(whole.place)
    top = (levels.profile, late, levels.settings)
    return Shot(
        name=name,
        place=whole.place,
        description=_string(whole, "description"),
        base=settled(stacked(layer_of(levels.spec), layer_of(own))),
        overrides=tuple(_overrides(whole)),
        top=_stack(*map(layer_of, top)),
        named=_named_values(own, *top),
        matrix=_matrix((levels.spec, own, levels.profile, late), levels.sources),
        output=_output(whole),
    )


def _stack(first: Layer, *stronger: Layer) -> Layer:
    for layer in stronger:
        first = stacked(first, layer)
    return first


def _lacks_prompt(shot: Shot) -> bool:
    maybe_later = "prompt" in shot.matrix.axes or shot.matrix.rows is not None
    return shot.base.prompt is None and shot.top.prompt is None and not maybe_later


def _string(tree: Map, key: str) -> str | None:
    value = tree.get(key)
    return value if isinstance(value, str) else None


def _output(shot: Map) -> Text | None:
    written = _string(shot, "output")
    if written is None:
        return None
    return Text(written, shot.value_place("output"), block=shot.is_block("output"))


def _overrides(shot: Map) -> Iterator[Override]:
    written = shot.get("overrides")
    if isinstance(written, Seq):
        for override in written:
            if isinstance(override, Map):
                yield Override(submap(override, "when"), layer_of(override), override.place)


def _named_values(own: Map, *top: Map) -> dict[str, Place]:
    """What an axis or column may not be named after, the weakest first."""
    named = _own_values(layer_of(own))
    for level in top:
        named |= _own_values(layer_of(level)) | _places(layer_of(level).vars)
    return named


def _own_values(layer: Layer) -> dict[str, Place]:
    texts = {"prompt": layer.prompt, "negative_prompt": layer.negative_prompt}
    places = {name: text.place for name, text in texts.items() if text is not None}
    return places | _places(layer.params)


def _places(tree: Map) -> dict[str, Place]:
    return {name: tree.key_place(name) for name, value in tree.items() if value is not None}


def _matrix(levels: tuple[Map, ...], sources: Mapping[str, PurePosixPath]) -> Matrix:
    merged = Map(levels[0].place)
    for level in levels:
        if "matrix" in level:
            merged = merge(merged, submap(level, "matrix"))
    matrix = without_nulls(merged)
    rows_place = matrix.value_place("rows")
    return Matrix(
        axes=_axes(matrix),
        exclude=_seq(matrix, "exclude"),
        include=_seq(matrix, "include"),
        zip=_seq(matrix, "zip"),
        rows=_rows(matrix),
        rows_folder=sources.get(rows_place.path, PurePosixPath()).parent,
        rows_place=rows_place if "rows" in matrix else None,
        rows_after=_axes_before_rows(matrix),
        rows_key=_rows_key(matrix),
        sample=_sample(matrix),
        place=matrix.place,
    )


def _axes_before_rows(matrix: Map) -> int:
    names = list(matrix)
    before = names[: names.index("rows")] if "rows" in matrix else []
    return sum(name not in _MATRIX_WORDS for name in before)


def _axes(matrix: Map) -> Map:
    axes = Map(matrix.place)
    for name, values in matrix.items():
        if name not in _MATRIX_WORDS:
            axes.take(matrix, name, values)
    return axes


def _seq(matrix: Map, key: str) -> Seq | None:
    value = matrix.get(key)
    return value if isinstance(value, Seq) else None


def _rows(matrix: Map) -> str | Seq | None:
    value: Value = matrix.get("rows")
    return value if isinstance(value, str | Seq) else None


def _rows_key(matrix: Map) -> tuple[str, ...] | None:
    match matrix.get("rows_key"):
        case str() as column:
            return (column,)
        case Seq() as columns:
            return tuple(map(str, columns))
        case _:
            return None


def _sample(matrix: Map) -> Sample | None:
    written = matrix.get("sample")
    if not isinstance(written, Map):
        return None
    count, seed = written.get("count"), written.get("seed", 0)
    if not isinstance(count, int) or not isinstance(seed, int):
        return None
    return Sample(count, seed, written.place)
