"""A spec's plan: all its requests in order, or all its mistakes at once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from types import TracebackType
from typing import Self, TypeVar

from veogen.document.nodes import Place
from veogen.document.problems import Problems
from veogen.models.model import Model, parameter
from veogen.planner.checks import (
    Judge,
    check_size,
    most_allowed,
    over_limits,
    tally_over_budget,
    tell_takes,
)
from veogen.planner.duplicates import MOST_COMPARED, Met, Twins, met
from veogen.planner.identity import take_address
from veogen.planner.images import Images
from veogen.planner.lint import PlannedShot, doubts
from veogen.planner.matrix import Grid, grid
from veogen.planner.plan import Plan, Request, Tally, request_line
from veogen.planner.requests import Maker
from veogen.planner.variants import Draft, Form, form, variant
from veogen.spec.types import Shot, Spec
from veogen.templates.renderer import Renderer

CHUNK = 64  # combinations rendered together: one exchange with the guard for all of them

_T = TypeVar("_T")


class ShotPlanner:
    """Plans one shot on its grid; `maker` knows what becomes of one combination."""

    def __init__(
        self,
        shot: Shot,
        grid: Grid,
        maker: Maker,
        *,
        models: Mapping[str, Model],
        renderer: Renderer,
    ) -> None:
        self._shot, self._grid, self._maker = shot, grid, maker
        self._models, self._renderer = models, renderer
        self._forms: dict[tuple[int, ...], Form] = {}

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms that were needed so far."""
        return tuple(self._forms.values())

    def requests(self, problems: Problems) -> Iterator[Request]:
        """The requests without mistakes, in order; the mistakes go to `problems`."""
        for drafts in _chunks(self._drafts(problems), CHUNK):
            orders = [(text, d.form.scope, d.scope) for d in drafts for text in d.form.texts]
            texts = iter(self._renderer.render(orders))
            for draft in drafts:
                request = self._maker.request(draft, list(islice(texts, len(draft.form.texts))))
                if request is not None:
                    yield request
        self._maker.complaints.tell(problems)

    def _drafts(self, problems: Problems) -> Iterator[Draft]:
        for combination, matching in self._grid.walk(problems):
            chosen = self.form_for(matching)
            keys = self._grid.keys(combination)
            address = self._grid.address(combination)
            values = {one.name: one.value for one in combination}
            for take in range(1, chosen.takes + 1):
                yield Draft(
                    shot=self._shot,
                    form=chosen,
                    combination=combination,
                    keys=keys,
                    take=take,
                    address=take_address(address, take),
                    scope={**values, "take": take},
                )

    def form_for(self, matching: tuple[int, ...]) -> Form:
        """The form where these overrides fit; made once for each set of them."""
        if matching not in self._forms:
            found = variant(self._shot, matching)
            models = self._models.values()
            from_axes = frozenset(
                name
                for name in self._grid.names
                if name not in found.firm and parameter(name, models) is not None
            )
            self._forms[matching] = form(self._shot, found, from_axes, self._renderer)
        return self._forms[matching]


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


@dataclass(frozen=True, slots=True)
class Planable:
    """A shot whose matrix is in order."""

    shot: Shot
    grid: Grid
    planner: ShotPlanner

    @property
    def is_large(self) -> bool:
        """Whether it is not looked through for near-duplicates, so that its lines can be woven."""
        return self.grid.most > MOST_COMPARED


class Planning:
    """A context in which a spec is planned, once. `problems` is complete when it is left.

    Nothing is expanded when the plan would be too large, nor a shot with a mistaken matrix.
    """

    def __init__(
        self,
        spec: Spec,
        problems: Problems,
        *,
        models: Mapping[str, Model] | None = None,
        max_requests: int | None = None,
    ) -> None:
        self.spec, self.problems = spec, problems
        self.models = spec.policy.models if models is None else models
        self.tally = Tally()
        self._renderer = Renderer(spec.files)
        self._images = Images(spec.files)
        self._judge = Judge(self.models)
        self._limit = most_allowed(spec, max_requests)
        self._planned: list[PlannedShot] = []
        self._grids = [self._grid(shot) for shot in spec.shots]
        self.twins = Twins(sum(one.most for one in self._grids))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._renderer.close()
        if kind is None and not self.problems.has_errors:
            bases = self.spec.sources.keys() - {self.spec.files.shown(self.spec.path)}
            self.problems.extend(doubts(self._planned, self._renderer.load, bases))

    def shots(self) -> Iterator[Planable]:
        """The shots to plan, in order; none when the plan would be too large."""
        if not check_size(self.spec, self._grids, self._limit, self.problems):
            return
        for shot, one in zip(self.spec.shots, self._grids, strict=True):
            if not one.mistaken:
                maker = Maker(self.spec, self.models, self._images, self._judge)
                planner = ShotPlanner(shot, one, maker, models=self.models, renderer=self._renderer)
                yield Planable(shot, one, planner)
                self._planned.append(PlannedShot(shot, one, planner.forms))

    def requests_of(self, planable: Planable) -> Iterator[Request]:
        """The requests of one shot, counted and watched."""
        for request in planable.planner.requests(self.problems):
            if self.tally.requests == self._limit:
                tell_takes(planable.shot, self._limit, self.problems)
                return
            self.tally.add(request)
            self.twins.meet(request, self.problems)
            yield request

    def _grid(self, shot: Shot) -> Grid:
        own = Problems()
        found = grid(shot, self.spec.files, tuple(self.models.values()), own)
        self.problems.extend(own.all)
        return found


def plan(
    spec: Spec, *, models: Mapping[str, Model] | None = None, max_requests: int | None = None
) -> Plan:
    """The plan of a spec; raises `MistakesError` with every mistake and warning there is."""
    problems = Problems()
    found = plan_as_far(spec, problems, models=models, max_requests=max_requests)
    problems.raise_errors()
    return found


def plan_all(
    specs: Iterable[Spec],
    *,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> tuple[Plan, ...]:
    """The plans of all specs of one command, within the team's limits together.

    Raises `MistakesError` with the mistakes of all of them.
    """
    problems = Problems()
    found = check_all(specs, problems, models=models, max_requests=max_requests)
    problems.raise_errors()
    return found


def check_all(
    specs: Iterable[Spec],
    problems: Problems,
    *,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> tuple[Plan, ...]:
    """As `plan_all`, with everything that is wrong added to `problems` instead of raised."""
    specs = tuple(specs)
    plans = tuple(
        plan_as_far(spec, problems, models=models, max_requests=max_requests) for spec in specs
    )
    problems.extend(over_limits(zip(specs, plans, strict=True)))
    return plans


def plan_as_far(
    spec: Spec,
    problems: Problems,
    *,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> Plan:
    """The plan of a spec as far as it has no mistakes; those go to `problems`."""
    own = Problems()
    own.extend(spec.warnings)
    with Planning(spec, own, models=models, max_requests=max_requests) as planning:
        requests = tuple(chain.from_iterable(_requests_of(planning, o) for o in planning.shots()))
        planning.twins.tell(map(met, requests), own)
    plan_ = Plan(
        name=spec.name,
        spec=str(spec.path),
        profile=spec.profile,
        settings=spec.settings,
        requests=requests,
        budget=spec.budget,
        warnings=own.warnings,
    )
    own.extend(tally_over_budget(planning.tally, spec.budget, spec.profile, _place(spec)))
    problems.extend(own.all)
    return plan_


def _requests_of(planning: Planning, planable: Planable) -> Iterator[Request]:
    if not planable.is_large:
        return planning.requests_of(planable)
    from veogen.planner.bulk import requests_of  # noqa: PLC0415 - others do without it

    return requests_of(planning, planable)


def _place(spec: Spec) -> Place:
    return Place(spec.files.shown(spec.path), 1, 1)


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
    from veogen.planner.bulk import woven  # noqa: PLC0415 - for large shots alone

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
