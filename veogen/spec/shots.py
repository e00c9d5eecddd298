"""The shots of a composed spec, each with everything that applies to it."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import PurePosixPath

from veogen.document.nodes import Map, Place, Seq, Value, without_nulls
from veogen.document.problems import MOST, Problems, did_you_mean
from veogen.spec.grammar import MATRIX_WORDS
from veogen.spec.layers import layer_of, merge, merge_shot, settled, stacked, submap
from veogen.spec.types import Layer, Matrix, Override, Sample, Shot
from veogen.templates.template import Template

MOST_SHARED = 2_000_000  # names, counted in every shot, that the spec and the profile give it


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
    names = dict.fromkeys((*own, *late))
    shared = _shared(levels)
    if shared * len(names) > MOST_SHARED:
        message = f"{len(names):,} shots cannot take over {shared:,} vars, parameters and axes each"
        problems.error(levels.spec.place, "too-large", message, "write them where they are used")
        return
    reader = _Reader(levels)
    for name in names:
        if problems.full:
            return
        if name in broken:
            continue
        shot = reader.shot(name, own.get(name), late.get(name))
        if _lacks_prompt(shot):
            hint = did_you_mean(name, list(own)[:MOST]) if name not in own else None
            message = f"shot {name!r} needs a 'prompt' or a 'template'"
            problems.error(shot.place, "missing-prompt", message, hint)
        else:
            yield shot


def _shared(levels: Levels) -> int:
    """How many names every shot takes over from the spec and the profile."""
    rooms = ("vars", "params", "matrix")
    return sum(
        len(submap(level, room)) for level in (levels.spec, levels.profile) for room in rooms
    )


def _named(tree: Map) -> dict[str, Map]:
    shots = tree.get("shots")
    maps = [shot for shot in shots if isinstance(shot, Map)] if isinstance(shots, Seq) else []
    return {str(shot["name"]): shot for shot in maps if isinstance(shot.get("name"), str)}


class _Reader:
    """Reads shots; what all of them share is read once."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._spec = settled(layer_of(levels.spec))
        self._profile, self._settings = layer_of(levels.profile), layer_of(levels.settings)

    def shot(self, name: str, own: Map | None, late: Map | None) -> Shot:
        """The shot that the spec, the profile or both write."""
        written = [shot for shot in (own, late) if shot is not None]
        whole = written[0] if len(written) == 1 else merge_shot(*written)
        nothing = Map.like(whole)
        base, late_layer = layer_of(own or nothing), layer_of(late or nothing)
        levels = (own or nothing, self._levels.profile, late or nothing, self._levels.settings)
        matrices = (self._levels.spec, own or nothing, self._levels.profile, late or nothing)
        return Shot(
            name=name,
            place=whole.place,
            description=_string(whole, "description"),
            base=settled(stacked(self._spec, base), self._spec),
            overrides=tuple(_overrides(whole)),
            tops=(self._profile, late_layer, self._settings),
            named=_named_values(*levels),
            texts=frozenset(name for one in (base, late_layer) for name in _texts(one)),
            matrix=_matrix(matrices, self._levels.sources),
            output=_output(whole),
        )


def _lacks_prompt(shot: Shot) -> bool:
    maybe_later = "prompt" in shot.matrix.axes or shot.matrix.rows is not None
    prompts = (layer.prompt for layer in (shot.base, *shot.tops))
    return not any(prompts) and not maybe_later


def _string(tree: Map, key: str) -> str | None:
    value = tree.get(key)
    return value if isinstance(value, str) else None


def _output(shot: Map) -> Template | None:
    written = _string(shot, "output")
    if written is None:
        return None
    place, block = shot.value_place("output"), shot.is_block("output")
    return Template(written, place, block=block, mode="path")


def _overrides(shot: Map) -> Iterator[Override]:
    written = shot.get("overrides")
    if isinstance(written, Seq):
        for override in written:
            if isinstance(override, Map):
                yield Override(submap(override, "when"), layer_of(override), override.place)


def _named_values(own: Map, *top: Map) -> dict[str, Place]:
    """What an axis or column may not be named after, the weakest first."""
    named = _places(submap(own, "params"))
    for level in top:
        named |= _places(submap(level, "params")) | _places(submap(level, "vars"))
    return named


def _texts(layer: Layer) -> Iterator[str]:
    if layer.prompt is not None:
        yield "prompt"
    if layer.negative_prompt is not None:
        yield "negative_prompt"


def _places(tree: Map) -> dict[str, Place]:
    return {name: tree.key_place(name) for name, value in tree.items() if value is not None}


def _matrix(levels: tuple[Map, ...], sources: Mapping[str, PurePosixPath]) -> Matrix:
    written = [submap(level, "matrix") for level in levels if "matrix" in level]
    matrix = without_nulls(reduce(merge, written, Map.like(levels[0])))
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
    return sum(name not in MATRIX_WORDS for name in before)


def _axes(matrix: Map) -> Map:
    axes = Map(matrix.place)
    for name, values in matrix.items():
        if name not in MATRIX_WORDS:
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
