"""The requests of a large shot, read from its lines where those can be woven."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from msgspec import Struct, json

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Json
from veogen.planner.fast.quick import woven
from veogen.planner.plan import Request
from veogen.planner.planning import Planable, Planning
from veogen.spec.model import Shot


def requests_of(planning: Planning, planable: Planable) -> Iterator[Request]:
    """The requests of one shot, counted and watched, in the quick way if that can be."""
    found = woven(planning, planable)
    if found is None:
        return planning.requests_of(planable)
    blocks = found.blocks(planning.twins.seen, planning.tally)
    return read(blocks, planable.shot, found.model)


class _Line(Struct):
    """A line, as far as it tells of its request."""

    address: str
    hash: str
    take: int
    variables: dict[str, Any]
    output: str
    credits: str
    request: dict[str, Any]


_lines = json.Decoder(_Line).decode_lines


def read(blocks: Iterable[str], shot: Shot, model: Model) -> Iterator[Request]:
    """The requests that the lines of a shot tell of, equal to those of the straight way."""
    amount, seconds = cache(Decimal), _seconds(model)
    for block in blocks:
        for line in _lines(block):
            yield Request(
                address=line.address,
                hash=line.hash,
                shot=shot.name,
                take=line.take,
                variables=line.variables,
                output=line.output,
                body=line.request,
                credits=amount(line.credits),
                seconds=seconds(line.request),
                place=shot.place,
            )


def _seconds(model: Model) -> Callable[[Mapping[str, Json]], int | None]:
    """As the model's own, which looks at few parameters, and longer."""
    names = sorted(model.weighed)
    known: dict[Hashable, int | None] = {}

    def seconds(body: Mapping[str, Json]) -> int | None:
        key = tuple(map(body.get, names))
        if key not in known:
            known[key] = model.seconds(body)
        return known[key]

    return seconds
