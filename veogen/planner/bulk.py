"""Large plans written as lines without making a request for each.

What does not vary is serialized once, what varies with one axis once for each of its values;
a line is then a few texts put together. It is the very text that the straight way gives: where
that is not certain, `bulk_plan` says None. It can be deleted without changing a byte.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain, compress, product, repeat
from math import prod
from typing import Any, TypeAlias

from veogen.jsontext import compact
from veogen.models.model import Model, parameter
from veogen.models.parameters import Json
from veogen.planner.axes import AxisValue
from veogen.planner.checks import RequestChecker
from veogen.planner.duplicates import HashTable64
from veogen.planner.identity import (
    BadPathError,
    default_output,
    output_path,
    safe_key,
)
from veogen.planner.line_template import (
    LineTemplate,
    NotBulkableError,
    Part,
    PerValue,
    default_in_pieces,
    ensure_clean,
    escaped,
    escaped_part,
    longest,
    path_in_pieces,
    read,
    text_in_pieces,
)
from veogen.planner.matrix import Expansion
from veogen.planner.plan import Request, Tally
from veogen.planner.planner import Planner, is_large
from veogen.planner.requests import ShotPlanner
from veogen.planner.variants import Variant
from veogen.spec.types import PROMPTS
from veogen.templates.inline import InlineTemplate, NeedsJinjaError, Piece, expressions_of
from veogen.templates.template import Template


class ValueSpace:
    """Every combination and take of a shot; a row with empty cells is not quick."""

    def __init__(self, grid: Expansion, variant: Variant) -> None:
        self.shot, self.variant, self._grid = grid.shot, variant, grid
        self.points: list[list[Mapping[str, AxisValue]]] = []
        self.dimension_of: dict[str, int] = {}
        for index, dimension in enumerate(grid.dimensions):
            if any(len(point) < len(dimension.names) for point in dimension.points):
                raise NotBulkableError
            self.points.append(
                [{value.name: value for value in point} for point in dimension.points]
            )
            self.dimension_of.update(dict.fromkeys(dimension.names, index))
        self.keys = sorted(grid.keyed)
        self.takes = len(self.points) if variant.takes > 1 else None
        takes = () if self.takes is None else (variant.takes,)
        self.sizes = (*map(len, self.points), *takes)

    def kept(self) -> bytes | None:
        """A 1 for each line in order, a 0 for what is excluded; None when nothing is."""
        if not self._grid.exclude.conditions:
            return None
        matching, takes = self._grid.exclude.matching, self.variant.takes
        every = product(*(dimension.points for dimension in self._grid.dimensions))
        flags = (not matching(tuple(chain.from_iterable(points))) for points in every)
        return bytes(chain.from_iterable(repeat(flag, takes) for flag in flags))

    def dimension(self, name: str) -> int | None:
        """Along which dimension a name of the templates varies; None for a constant."""
        return self.takes if name == "take" else self.dimension_of.get(name)

    def along(self, dimension: int | None, make: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
        """What `make` makes of what templates see at each point of a dimension."""
        if dimension is None:
            return [make({**self.variant.scope, "take": 1})]
        if dimension == self.takes:
            takes = range(1, self.variant.takes + 1)
            return [make({**self.variant.scope, "take": take}) for take in takes]
        scope = {**self.variant.scope, "take": 1}  # at each point the same names have other values
        return [
            make(scope | {name: value.value for name, value in point.items()})
            for point in self.points[dimension]
        ]

    def by_key(self, name: str, make: Callable[[AxisValue], str]) -> PerValue:
        dimension = self.dimension_of[name]
        return PerValue(dimension, tuple(make(point[name]) for point in self.points[dimension]))

    def by_take(self, make: Callable[[int], str]) -> Part:
        if self.takes is None:
            return make(1)
        return PerValue(self.takes, tuple(map(make, range(1, self.variant.takes + 1))))

    def address(self) -> Iterator[Part]:
        """The address inside a JSON string."""
        yield self.shot
        for index, name in enumerate(self.keys):
            yield f"{',' if index else '['}{name}="
            yield self.by_key(name, lambda one: escaped(one.text))
        yield "]" if self.keys else ""
        yield self.by_take(lambda take: "" if take == 1 else f"#{take}")

    def variables(self) -> Iterator[Part]:
        """The entries of the object `variables`."""
        for index, name in enumerate(self.keys):
            yield f'{"," if index else ""}"{name}":'
            yield self.by_key(name, lambda one: compact(one.key))


@dataclass(frozen=True, slots=True)
class Value:
    """Depends on one dimension at most."""

    dimension: int | None
    values: tuple[Json, ...]

    def at(self, point: Mapping[int, int]) -> Json:
        return self.values[0 if self.dimension is None else point.get(self.dimension, 0)]

    def parts(self) -> list[Part]:
        texts = tuple(map(compact, self.values))
        return [texts[0] if self.dimension is None else PerValue(self.dimension, texts)]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text that depends on several dimensions."""

    pieces: tuple[Part, ...]

    def at(self, _: Mapping[int, int]) -> Json:
        return "some text"

    def parts(self) -> list[Part]:
        return ['"', *map(escaped_part, self.pieces), '"']


Found: TypeAlias = Value | Pieces


class Parameters:
    """What is known of every parameter; each value fits the model by itself."""

    def __init__(self, space: ValueSpace, models: Mapping[str, Model]) -> None:
        self._space, self._models = space, models
        names = sorted({*space.variant.values, *space.variant.from_axes})
        images = {n for model in models.values() for n, p in model.parameters.items() if p.local}
        if not images.union(("callback_url", "image_urls")).isdisjoint(names):
            raise NotBulkableError  # the hash looks at them more closely
        self.found: dict[str, Found] = {name: self._parameter(name) for name in names}
        match self.found.get("model"):
            case Value(None, (str(name),)) if name in models:
                self.model = models[name]
            case _:
                raise NotBulkableError
        for name, setting in self.found.items():
            of_model = self.model.parameters.get(name)
            examples: Sequence[Json]
            if isinstance(setting, Value):
                examples = setting.values
            else:
                examples = ["x" * sum(map(longest, setting.pieces))]
            if of_model is None or any(of_model.check(value) is not None for value in examples):
                raise NotBulkableError

    def parts(self) -> Iterator[Part]:
        """The request's JSON."""
        for index, (name, setting) in enumerate(self.found.items()):
            yield f'{"," if index else "{"}"{name}":'
            yield from setting.parts()
        yield "}"

    def relevant(self) -> list[int]:
        """The dimensions of parameters whose values rules and prices look at."""
        found = (self.found[name] for name in sorted(self.model.weighed) if name in self.found)
        values = [one for one in found if isinstance(one, Value) and one.dimension is not None]
        return sorted({one.dimension for one in values if one.dimension is not None})

    def body(self, point: Mapping[int, int]) -> dict[str, Json]:
        """A body at a point of some dimensions, at the first point of the others."""
        return {name: found.at(point) for name, found in self.found.items()}

    def _parameter(self, name: str) -> Found:
        space = self._space
        if name in space.variant.from_axes:
            dimension = space.dimension_of[name]
            values = space.along(dimension, lambda scope: scope[name])
            if any(isinstance(value, list | dict) for value in values):
                raise NotBulkableError
            if name in PROMPTS:
                values = [ensure_clean(v) if isinstance(v, str) else v for v in values]
            return Value(dimension, tuple(values))
        setting = space.variant.values[name]
        if isinstance(setting, list | dict):
            raise NotBulkableError
        if not isinstance(setting, Template):
            return Value(None, (setting,))
        template = setting.inline
        if template is None:
            raise NotBulkableError
        kind = None if setting.is_constant else parameter(name, self._models.values())
        dimensions = dimensions_of(template.pieces, space)
        if len(dimensions) > 1:
            if kind is None or kind.kind != "string":
                raise NotBulkableError
            return Pieces(tuple(text_in_pieces(pieces_of(template, space))))
        along = next(iter(dimensions), None)
        texts = space.along(along, lambda scope: ensure_clean(template.render(scope)))
        return Value(along, tuple(text if kind is None else kind.parse(text) for text in texts))


def dimensions_of(pieces: Iterable[Piece], space: ValueSpace) -> set[int]:
    """The dimensions along which the text of a template's pieces varies."""
    dimensions = (space.dimension(expression.name) for expression in expressions_of(pieces))
    return {dimension for dimension in dimensions if dimension is not None}


def pieces_of(template: InlineTemplate, space: ValueSpace) -> Sequence[Part]:
    """A template's text in parts: constants, and a text for each point of a dimension."""
    parts: list[Part] = []
    for piece in template.pieces:
        if isinstance(piece, str):
            parts.append(piece)
            continue
        dimensions = dimensions_of((piece,), space)
        if len(dimensions) > 1:
            raise NotBulkableError
        dimension = next(iter(dimensions), None)
        texts = space.along(dimension, partial(template.text_of, piece))
        parts.append(texts[0] if dimension is None else PerValue(dimension, tuple(texts)))
    return parts


MOST_LOOKED_AT = 4096  # combinations of parameters, each of which all rules look at


@dataclass(frozen=True, slots=True)
class PriceSum:
    """What a request makes and costs."""

    videos: int
    seconds: int
    credits: Decimal


Point: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """The lines of a shot, and how many of its requests have which cost."""

    model: Model
    fabric: LineTemplate
    costs: tuple[tuple[PriceSum, int], ...]

    def blocks(self, seen: HashTable64, tally: Tally) -> Iterator[str]:
        """The lines in order, many at a time; hashes are seen, costs counted."""
        for cost, count in self.costs:
            tally.add_alike(
                count,
                model=self.model.id,
                videos=cost.videos,
                seconds=cost.seconds,
                credits_=cost.credits,
            )
        return self.fabric.blocks(seen)


def bulk_shot(planner: Planner, shot: ShotPlanner) -> BulkPlan | None:
    """As `bulk_plan`, for a large shot alone; what its grid has to tell is told."""
    bulk = bulk_plan(shot, shot.used_models) if is_large(shot) else None
    if bulk is not None:
        shot.variant(())  # it fits something
        shot.grid.tell_unused(planner.problems)
    return bulk


def bulk_plan(shot: ShotPlanner, models: Mapping[str, Model]) -> BulkPlan | None:
    """The lines of a shot, all new, or None when they have to go the straight way."""
    grid = shot.grid
    if grid.overrides.conditions or grid.sample or grid.include:
        return None
    try:
        return _bulk_plan(ValueSpace(grid, shot.preview(())), models)
    except (NotBulkableError, NeedsJinjaError, BadPathError):
        return None


def _bulk_plan(space: ValueSpace, models: Mapping[str, Model]) -> BulkPlan:
    parameters = Parameters(space, models)
    relevant = parameters.relevant()
    kept, take = space.kept(), space.by_take(str)
    costs = _costs(space, parameters, relevant, models, kept)
    amounts = [str(cost.credits) for cost, _ in costs.values()]
    if len({*amounts}) > 1 and len(relevant) > 1:
        raise NotBulkableError  # the text of the credits may vary along one dimension
    fabric = LineTemplate(
        sizes=space.sizes,
        before=('{"address":"', *space.address(), '","hash":"'),
        between=(
            f'","shot":"{space.shot}","take":',
            take,
            ',"variables":{',
            *space.variables(),
            '},"output":"',
            *map(escaped_part, _output(space)),
            '","credits":"',
            amounts[0] if len({*amounts}) == 1 else PerValue(relevant[0], tuple(amounts)),
            '","state":"new","request":',
        ),
        request=tuple(parameters.parts()),
        tail=(',"take":', take, "}"),
        kept=kept,
    )
    return BulkPlan(parameters.model, fabric, tuple(cost for cost in costs.values() if cost[1]))


def _costs(
    space: ValueSpace,
    parameters: Parameters,
    relevant: list[int],
    models: Mapping[str, Model],
    kept: bytes | None,
) -> dict[Point, tuple[PriceSum, int]]:
    """The cost at every point of the relevant dimensions, where no rule objects, and its lines."""
    sizes = [space.sizes[dimension] for dimension in relevant]
    if prod(sizes) > MOST_LOOKED_AT or not (kept is None or any(kept)):
        raise NotBulkableError
    points = [*product(*map(range, sizes))]
    counts = Counter(dict.fromkeys(points, prod(space.sizes) // len(points)))
    if kept is not None:
        lines = compress(product(*map(range, space.sizes)), kept)
        counts = Counter(tuple([line[dimension] for dimension in relevant]) for line in lines)
    costs, checker = {}, RequestChecker(models)
    for point in points:
        body = parameters.body(dict(zip(relevant, point, strict=True)))
        checked, number = checker.check(body), body.get("n", 1)
        if checked.findings or checked.credits is None or not isinstance(number, int):
            raise NotBulkableError
        cost = PriceSum(number, checked.seconds or 0, checked.credits)
        costs[point] = cost, counts[point]
    return costs


def _output(space: ValueSpace) -> list[Part]:
    if space.variant.output is None:
        suffix = space.by_take(lambda take: "" if take == 1 else f"-take{take}")
        if not space.keys:
            return [default_output(space.shot, {}, 1), suffix]
        values = [space.by_key(name, lambda one: safe_key(one.key)) for name in space.keys]
        return default_in_pieces(space.shot, values, suffix)
    template = space.variant.output.inline
    if template is None:
        raise NotBulkableError
    dimensions = dimensions_of(template.pieces, space)
    if len(dimensions) > 1:
        return path_in_pieces(pieces_of(template, space))
    dimension = next(iter(dimensions), None)
    texts = space.along(dimension, template.render)
    if list(map(ensure_clean, texts)) != texts:  # of which something has to be taken away
        raise NotBulkableError
    paths = tuple(map(output_path, texts))
    return [paths[0] if dimension is None else PerValue(dimension, paths)]


def requests_of(planner: Planner, shot: ShotPlanner) -> Iterator[Request]:
    """The requests of one shot, counted and watched, in the quick way if that can be."""
    bulk = bulk_shot(planner, shot)
    if bulk is None:
        return planner.requests_of(shot)
    blocks = bulk.blocks(planner.duplicates.seen, planner.tally)
    return read(blocks, shot.shot, bulk.model)
