"""A spec's plan: all its requests in order, or all its mistakes at once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Self, TypeAlias

from veogen.document.nodes import Location
from veogen.document.problems import Problems
from veogen.models.model import Model
from veogen.planner.checks import (
    RequestChecker,
    check_size,
    over_budget,
    over_limits,
    report_takes,
    request_limit,
)
from veogen.planner.duplicates import MOST_COMPARED, DuplicateCheck, RequestKey, request_key
from veogen.planner.images import Images
from veogen.planner.lint import column_problems, lint_warnings
from veogen.planner.matrix import Expansion, expand
from veogen.planner.plan import Plan, Request, Tally, request_line
from veogen.planner.requests import GroupedProblems, ShotPlanner
from veogen.spec.types import Spec
from veogen.templates.renderer import Renderer

BLOCK = 256

StateOf: TypeAlias = Callable[[Request], str]


class Planner:
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
        self._images, self._checker = Images(spec.files), RequestChecker(self.models)
        self._limit = request_limit(spec, max_requests)
        self._grouped = GroupedProblems()
        self._planned: list[ShotPlanner] = []
        self._grids: list[Expansion] = []
        for shot in spec.shots:  # each with its own mistakes, which make it one to leave out
            own = Problems()
            self._grids.append(expand(shot, spec.files, self.models, own))
            problems.extend(own.all)
        self.duplicates = DuplicateCheck(sum(grid.most for grid in self._grids))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._renderer.close()
        if kind is not None:
            return
        self._grouped.report(self.problems)
        spec = self.spec
        promotes = spec.promotion is not None and spec.promotion.picked is not None
        if not (self.problems.has_errors or promotes):  # what is not picked may use it
            bases = spec.sources.keys() - {spec.files.shown(spec.path)}
            self.problems.extend(lint_warnings(self._planned, self._renderer.load, bases))
        start = Location(spec.files.shown(spec.path), 1, 1)
        self.problems.extend(over_budget(self.tally, spec.budget, spec.profile, start))

    def shots(self) -> Iterator[ShotPlanner]:
        """The shots to plan, in order; none when the plan would be too large."""
        if not check_size(self.spec, self._grids, self._limit, self.problems):
            return
        for shot, grid in zip(self.spec.shots, self._grids, strict=True):
            planner = ShotPlanner(
                shot,
                grid,
                self.spec,
                renderer=self._renderer,
                images=self._images,
                checker=self._checker,
                grouped=self._grouped,
            )
            self.problems.extend(column_problems(planner, self._renderer.load))
            if not grid.mistaken:
                yield planner
                self._planned.append(planner)

    def requests(self) -> Iterator[Request]:
        """All requests, in order; those of large shots in the quick way if that can be."""
        for shot in self.shots():
            if is_large(shot):
                from veogen.planner.bulk import requests_of  # noqa: PLC0415 - others do without it

                yield from requests_of(self, shot)
            else:
                yield from self.requests_of(shot)

    def requests_of(self, shot: ShotPlanner) -> Iterator[Request]:
        """The requests of one shot, counted and watched."""
        for request in shot.requests(self.problems):
            if self.tally.requests == self._limit:
                report_takes(shot.shot, self._limit, self.problems)
                return
            self.tally.add(request)
            self.duplicates.add(request, self.problems)
            yield request


def is_large(shot: ShotPlanner) -> bool:
    """Whether it is not looked through for near-duplicates, so that its lines are made in bulk."""
    return shot.grid.most > MOST_COMPARED and shot.spec.promotion is None


def plan(
    spec: Spec,
    problems: Problems | None = None,
    *,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> Plan:
    """The plan of a spec, as far as it has no mistakes; those go to `problems`.

    Without `problems` they are raised: one `MistakesError` with every mistake and warning.
    """
    own = Problems()
    own.extend(spec.warnings)
    with Planner(spec, own, models=models, max_requests=max_requests) as planner:
        requests = tuple(planner.requests())
        planner.duplicates.report(map(request_key, requests), own)
    if problems is None:
        own.raise_errors()
    else:
        problems.extend(own.all)
    return Plan(
        name=spec.name,
        spec=str(spec.path),
        profile=spec.profile,
        settings=spec.settings,
        requests=requests,
        budget=spec.budget,
        warnings=own.warnings,
    )


def plan_specs(
    specs: Iterable[Spec],
    problems: Problems | None = None,
    *,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> tuple[Plan, ...]:
    """The plans of all specs of one command, within the team's limits together.

    What is wrong with any of them goes to `problems`; without, it is raised as `MistakesError`.
    """
    specs, own = tuple(specs), Problems() if problems is None else problems
    plans = tuple(plan(spec, own, models=models, max_requests=max_requests) for spec in specs)
    tallies = ((spec, plan_.tally) for spec, plan_ in zip(specs, plans, strict=True))
    own.extend(over_limits(tallies))
    if problems is None:
        own.raise_errors()
    return plans


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
    with Planner(spec, own, models=models, max_requests=max_requests) as planner:
        yield from _blocks(planner, state_of)
        planner.duplicates.report(_again(spec, models, max_requests), own)
    problems.extend(own.all)
    yield planner.tally


def _blocks(planner: Planner, state_of: StateOf | None) -> Iterator[str]:
    from veogen.planner.bulk import bulk_shot  # noqa: PLC0415 - for large shots alone

    for shot in planner.shots():
        bulk = bulk_shot(planner, shot) if state_of is None else None
        if bulk is not None:
            yield from bulk.blocks(planner.duplicates.seen, planner.tally)
        else:
            requests = planner.requests_of(shot)
            while chunk := list(islice(requests, BLOCK)):
                states = ["new" if state_of is None else state_of(request) for request in chunk]
                yield "".join(line + "\n" for line in map(request_line, chunk, states))


def _again(
    spec: Spec, models: Mapping[str, Model] | None, max_requests: int | None
) -> Iterator[RequestKey]:
    """All requests once more, as much as it takes to tell duplicates."""
    places = {shot.name: shot.place for shot in spec.shots}
    with Planner(spec, Problems(), models=models, max_requests=max_requests) as planner:
        for block in _blocks(planner, None):
            for line in block[:-1].split("\n"):
                data = json.loads(line)
                yield RequestKey(
                    data["address"], data["hash"], data["output"], places[data["shot"]]
                )
