"""Whether a shot's lines can be woven, and of what."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import compress, product
from math import prod
from typing import TypeAlias

from veogen.catalogue.models import Model
from veogen.planner.checks import Judge
from veogen.planner.fast.parameters import Parameters, dimensions_of, escaped_part, pieces_of
from veogen.planner.fast.space import Space
from veogen.planner.fast.texts import NotQuickError, default_in_pieces, path_in_pieces, sound
from veogen.planner.fast.weave import Fabric, Part, Varying
from veogen.planner.output import BadPathError, default_output, output_path, safe_key
from veogen.planner.planning import Planable, Planning
from veogen.planner.seen import Seen
from veogen.planner.tally import Tally
from veogen.planner.templates.expressions import NotSimpleError

MOST_LOOKED_AT = 4096  # combinations of parameters, each of which all rules look at


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request makes and costs."""

    videos: int
    seconds: int
    credits: Decimal


Point: TypeAlias = tuple[int, ...]
Costs: TypeAlias = dict[Point, Cost]


@dataclass(frozen=True, slots=True)
class Quick:
    """The lines of a shot, and how many of its requests have which cost."""

    model: Model
    fabric: Fabric
    costs: tuple[tuple[Cost, int], ...]

    def blocks(self, seen: Seen, tally: Tally) -> Iterator[str]:
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


def woven(planning: Planning, planable: Planable) -> Quick | None:
    """As `quick`, for a large shot alone; what its grid has to tell is told."""
    found = quick(planable, planning.models) if planable.is_large else None
    if found is not None:
        planable.grid.tell_unused(planning.problems)
    return found


def quick(planable: Planable, models: Mapping[str, Model]) -> Quick | None:
    """The lines of a shot, all new, or None when they have to go the straight way."""
    grid = planable.grid
    if grid.overrides.rules or grid.sample or grid.include:
        return None
    try:
        return _quick(Space(grid, planable.planner.form_for(())), models)
    except (NotQuickError, NotSimpleError, BadPathError):
        return None


def _quick(space: Space, models: Mapping[str, Model]) -> Quick:
    parameters = Parameters(space, models)
    relevant = parameters.relevant()
    costs = _costs(space, parameters, relevant, models)
    kept, take = space.kept(), space.by_take(str)
    counts = _counts(space.sizes, relevant, kept)
    fabric = Fabric(
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
            _credits(relevant, costs),
            '","state":"new","request":',
        ),
        request=tuple(parameters.parts()),
        tail=(',"take":', take, "}"),
        kept=kept,
    )
    counted = tuple((cost, counts[point]) for point, cost in costs.items() if counts[point])
    return Quick(parameters.model, fabric, counted)


def _counts(sizes: Point, relevant: list[int], kept: bytes | None) -> Mapping[Point, int]:
    """How many lines there are at each point of the relevant dimensions."""
    if kept is None:
        points = [*product(*(range(sizes[dimension]) for dimension in relevant))]
        return dict.fromkeys(points, prod(sizes) // len(points))
    if not any(kept):
        raise NotQuickError
    lines = compress(product(*map(range, sizes)), kept)
    return Counter(tuple([line[dimension] for dimension in relevant]) for line in lines)


def _costs(
    space: Space, parameters: Parameters, relevant: list[int], models: Mapping[str, Model]
) -> Costs:
    """The cost at every point of the relevant dimensions, where no rule objects."""
    sizes = [space.sizes[dimension] for dimension in relevant]
    if prod(sizes) > MOST_LOOKED_AT:
        raise NotQuickError
    costs, judge = {}, Judge(models)
    for point in product(*map(range, sizes)):
        body = parameters.body(dict(zip(relevant, point, strict=True)))
        judgement, number = judge.judge(body), body.get("n", 1)
        if judgement.objections or judgement.credits is None or not isinstance(number, int):
            raise NotQuickError
        costs[point] = Cost(number, judgement.seconds or 0, judgement.credits)
    return costs


def _credits(relevant: list[int], costs: Costs) -> Part:
    """The text of the credits, which may vary along one dimension."""
    amounts = {point: str(cost.credits) for point, cost in costs.items()}
    if len(set(amounts.values())) == 1:
        return next(iter(amounts.values()))
    if len(relevant) > 1:
        raise NotQuickError
    return Varying(relevant[0], tuple(amounts.values()))


def _output(space: Space) -> list[Part]:
    index = space.form.output
    if index is None:
        return _default_output(space)
    template = space.form.texts[index].simple
    if template is None:
        raise NotQuickError
    dimensions = dimensions_of(template, space)
    if len(dimensions) > 1:
        return path_in_pieces(pieces_of(template, space))
    dimension = next(iter(dimensions), None)
    paths = space.along(dimension, lambda scope: output_path(sound(template.render(scope))))
    return [paths[0] if dimension is None else Varying(dimension, tuple(paths))]


def _default_output(space: Space) -> list[Part]:
    suffix = space.by_take(lambda take: "" if take == 1 else f"-take{take}")
    if not space.keys:
        return [default_output(space.shot, {}, 1), suffix]
    values = [space.by_key(name, lambda one: safe_key(one.key)) for name in space.keys]
    return default_in_pieces(space.shot, values, suffix)
