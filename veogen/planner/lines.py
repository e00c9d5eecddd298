"""A plan as lines of JSON, written as its requests come: no plan is too large to hold."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from veogen.catalogue.models import Model
from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.budget import tally_over_budget
from veogen.planner.document import request_line
from veogen.planner.fast.quick import woven
from veogen.planner.plan import Request
from veogen.planner.planning import Planning
from veogen.planner.tally import Tally
from veogen.planner.twins import Met
from veogen.spec.model import Spec

BLOCK = 256

StateOf = Callable[[Request], str]


def stream(
    spec: Spec,
    problems: Problems,
    *,
    state_of: StateOf | None = None,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> Iterator[str | Tally]:
    """Blocks of lines, one line a request, and last what they come to.

    Without `state_of` nothing is held yet: every request is new. What is wrong goes to
    `problems`, complete when the tally has come.
    """
    own = Problems()
    own.extend(spec.warnings)
    with Planning(spec, own, models=models, max_requests=max_requests) as planning:
        yield from _blocks(planning, state_of)
        planning.twins.tell(_again(spec, models, max_requests), own)
    place = Place(spec.files.shown(spec.path), 1, 1)
    own.extend(tally_over_budget(planning.tally, spec.budget, spec.profile, place))
    problems.extend(own.all)
    yield planning.tally


def _blocks(planning: Planning, state_of: StateOf | None) -> Iterator[str]:
    for planable in planning.shots():
        found = woven(planning, planable) if state_of is None else None
        if found is not None:
            yield from found.blocks(planning.twins.seen, planning.tally)
        else:
            requests = planning.requests_of(planable)
            while lines := [_line(request, state_of) for request in islice(requests, BLOCK)]:
                yield "".join(lines)


def _line(request: Request, state_of: StateOf | None) -> str:
    state = "new" if state_of is None else state_of(request)
    return request_line(request, state) + "\n"


def _again(
    spec: Spec, models: Mapping[str, Model] | None, max_requests: int | None
) -> Iterator[Met]:
    """All requests once more, as much as it takes to tell twins."""
    places = {shot.name: shot.place for shot in spec.shots}
    with Planning(spec, Problems(), models=models, max_requests=max_requests) as planning:
        for block in _blocks(planning, None):
            for line in block[:-1].split("\n"):
                data = json.loads(line)
                yield Met(data["address"], data["hash"], data["output"], places[data["shot"]])
