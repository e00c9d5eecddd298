"""The shots of a composed spec, each with everything that applies to it."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from pathlib import PurePosixPath

from veogen.document.nodes import Location, Map, Seq, without_nulls
from veogen.document.problems import MOST, Problem, Problems, did_you_mean
from veogen.models.model import Model
from veogen.spec.grammar import MATRIX_WORDS
from veogen.spec.layers import layer_of, mapping_at, merge, merge_shot, overlay, without_removed
from veogen.spec.types import PROMPTS, Matrix, Override, Sample, Shot
from veogen.templates.template import Template

_PROMPT = attrgetter("prompt")

MOST_SHARED = 2_000_000  # names, counted in every shot, that the spec and the profile give it


class Levels:
    """What a spec writes by strength: the composed file, the profile, the settings.

    Reads shots of it; what all of them share is read once. `promoted` is the profile whose
    combinations are meant where the profile promotes another one's clips.
    """

    def __init__(
        self,
        spec: Map,
        profile: Map,
        settings: Map,
        sources: Mapping[str, PurePosixPath],
        promoted: Map | None = None,
    ) -> None:
        self.spec, self.profile, self._settings, self._sources = spec, profile, settings, sources
        self.promoted = promoted
        self._spec_layer = without_removed(layer_of(spec))
        self._profile_layer, self._settings_layer = layer_of(profile), layer_of(settings)

    def shot(self, name: str, own: Map | None, late: Map | None, meant: Map | None) -> Shot:
        """The shot that the spec, the profile or both write.

        `meant` is that of the profile whose combinations are meant.
        """
        if self.promoted is not None:  # once each, however many takes there were to pick from
            own = None if own is None and meant is None else _once(own or meant)
        whole = merge_shot(own, late) if own and late else own or late or Map.like(self.spec)
        nothing = Map.like(whole)
        own, late = own or nothing, late or nothing
        base, late_layer = layer_of(own), layer_of(late)
        params = [mapping_at(level, "params") for level in (self.profile, late, self._settings)]
        named = _set_or_removed(mapping_at(own, "params"), params)
        for level in (self.profile, late, self._settings):
            named |= _places(mapping_at(level, "vars"))
        combinations = [self.profile if self.promoted is None else self.promoted]
        if meant is not None:
            combinations.append(meant)
        overrides = written if isinstance(written := whole.get("overrides"), Seq) else ()
        description, path, output = whole.get("description"), whole.get("output"), None
        if isinstance(path, str):
            place, block = whole.value_place("output"), whole.is_block("output")
            output = Template(path, place, block=block, mode="path")
        return Shot(
            name=name,
            place=whole.place,
            description=description if isinstance(description, str) else None,
            base=without_removed(overlay(self._spec_layer, base), self._spec_layer),
            overrides=tuple(
                Override(mapping_at(override, "when"), layer_of(override), override.place)
                for override in overrides
                if isinstance(override, Map)
            ),
            tops=(self._profile_layer, late_layer, self._settings_layer),
            named=named,
            texts=frozenset(
                text for text in PROMPTS if getattr(base, text) or getattr(late_layer, text)
            ),
            matrix=_matrix((self.spec, own, *combinations), self._sources),
            output=output,
        )


def read_shots(
    levels: Levels, broken: Container[str], problems: Problems, models: Mapping[str, Model]
) -> Iterator[Shot]:
    """The spec's shots in order, then those that only the profile has; not the broken ones."""
    own, late = _named(levels.spec), _named(levels.profile)
    meant = late if levels.promoted is None else _named(levels.promoted)
    names = dict.fromkeys((*own, *meant))
    for name, shot in late.items():
        if name not in names:  # of which there can be no picks
            message = f"shot {name!r} has no combination to promote"
            belongs = "it belongs to the spec, or to the profile that is promoted"
            problems.error(shot.place, "promotes", message, belongs)
    shared = 0
    for key in ("vars", "params", "matrix"):
        shared += len(mapping_at(levels.spec, key)) + len(mapping_at(levels.profile, key))
    if shared * len(names) > MOST_SHARED:
        message = f"{len(names):,} shots cannot take over {shared:,} vars, parameters and axes each"
        problems.error(levels.spec.place, "too-large", message, "write them where they are used")
        return
    for name in names:
        if problems.full:
            return
        if name in broken:
            continue
        read = levels.shot(name, own.get(name), late.get(name), meant.get(name))
        maybe_later = "prompt" in read.matrix.axes or read.matrix.rows is not None
        is_there = any(map(_PROMPT, (read.base, *read.tops)))
        if maybe_later or is_there or _may_go_without(read, models):
            yield read
        else:
            hint = did_you_mean(name, list(own)[:MOST]) if name not in own else None
            message = f"shot {name!r} needs a 'prompt' or a 'template'"
            problems.error(read.place, "missing-prompt", message, hint)


def row_keys_without_rows(shots: Iterable[Shot], label: str) -> Iterator[Problem]:
    """Each `rows_key` of the file `label` that no shot has rows for; a base is for other specs."""
    has_rows = dict[Location, bool]()
    for shot in shots:
        place = shot.matrix.rows_key_place
        if place is not None and place.path == label:
            has_rows[place] = has_rows.get(place, False) or shot.matrix.rows is not None
    for place in (place for place, has in has_rows.items() if not has):
        message = "'rows_key' names columns of 'rows', and there are none"
        yield Problem(place, "error", "rows", message)


def _may_go_without(shot: Shot, models: Mapping[str, Model]) -> bool:
    """Whether a model of it takes a request without a prompt; of which one, the planner says."""
    names = [layer.params.get("model") for layer in (shot.base, *shot.tops)]
    axis = shot.matrix.axes.get("model")
    names += axis if isinstance(axis, Seq) else ()
    prompts = [
        models[name].parameters.get("prompt")
        for name in names
        if isinstance(name, str) and name in models
    ]
    return any(prompt is not None and not prompt.required for prompt in prompts)


def _once(shot: Map | None) -> Map | None:
    """The shot without what it says of takes."""
    if shot is None:
        return None
    once = Map.like(shot)
    for key, value in shot.items():
        if key == "overrides" and isinstance(value, Seq):
            kept = Seq(value.place)
            for index, override in enumerate(value):
                item = _once(override) if isinstance(override, Map) else override
                kept.add(item, value.value_place(index))
            once.take(shot, key, kept)
        elif key != "takes":
            once.take(shot, key, value)
    return once


def _named(tree: Map) -> dict[str, Map]:
    shots, named = tree.get("shots"), dict[str, Map]()
    for shot in shots if isinstance(shots, Seq) else ():
        if isinstance(shot, Map) and isinstance(shot.get("name"), str):
            named[str(shot["name"])] = shot
    return named


def _places(tree: Map) -> dict[str, Location]:
    return {name: tree.key_place(name) for name, value in tree.items() if value is not None}


def _set_or_removed(own: Map, stronger: Sequence[Map]) -> dict[str, Location]:
    """Where each parameter was written last, those that stronger levels take away included.

    What such a level takes away only of what a weaker one wrote is as if nobody had written it.
    """
    named, removed = _places(own), set[str]()
    for level in stronger:
        for name, value in level.items():
            if value is None and name in named and name not in removed:
                del named[name]
                continue
            named[name] = level.key_place(name)
            removed.discard(name)
            if value is None:
                removed.add(name)
    return named


def _matrix(levels: tuple[Map, ...], sources: Mapping[str, PurePosixPath]) -> Matrix:
    matrices = [mapping_at(level, "matrix") for level in levels if "matrix" in level]
    matrix = without_nulls(reduce(merge, matrices, Map.like(levels[0])))
    rows, rows_place = matrix.get("rows"), matrix.value_place("rows")
    names = list(matrix)
    before = names[: names.index("rows")] if "rows" in matrix else []
    axes = Map(matrix.place)
    for name, values in matrix.items():
        if name not in MATRIX_WORDS:
            axes.take(matrix, name, values)
    key, sample = matrix.get("rows_key"), mapping_at(matrix, "sample")
    columns = key if isinstance(key, Seq) else [key] if isinstance(key, str) else None
    count, seed = sample.get("count"), sample.get("seed", 0)
    return Matrix(
        axes=axes,
        exclude=_seq(matrix, "exclude"),
        include=_seq(matrix, "include"),
        zip=_seq(matrix, "zip"),
        rows=rows if isinstance(rows, str | Seq) else None,
        rows_folder=sources.get(rows_place.path, PurePosixPath()).parent,
        rows_place=rows_place if "rows" in matrix else None,
        rows_after=sum(name not in MATRIX_WORDS for name in before),
        rows_key=None if columns is None else tuple(map(str, columns)),
        rows_key_place=None if columns is None else matrix.key_place("rows_key"),
        sample=Sample(count, seed, sample.place)
        if isinstance(count, int) and isinstance(seed, int)
        else None,
        place=matrix.place,
    )


def _seq(matrix: Map, key: str) -> Seq | None:
    value = matrix.get(key)
    return value if isinstance(value, Seq) else None
