"""A spec's plan: all its requests in order, or all its mistakes at once."""

from collections.abc import Iterable, Iterator, Mapping

from veogen.catalogue.models import Model
from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.budget import over_budget, over_limits
from veogen.planner.images import Images
from veogen.planner.lint import PlannedShot, doubts
from veogen.planner.maker import Maker
from veogen.planner.matrix import Grid, grid
from veogen.planner.plan import Plan, Request
from veogen.planner.shots import ShotPlanner
from veogen.planner.size import check_size, most_allowed, tell_takes
from veogen.planner.templates.renderer import Renderer
from veogen.planner.twins import Twins
from veogen.spec.model import Spec


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
    for spec in specs[:1]:  # the specs of one command share their project
        problems.extend(over_limits(plans, spec.policy.limits, _place(spec)))
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
    requests = tuple(stream(spec, own, models=models, max_requests=max_requests))
    plan_ = Plan(
        name=spec.name,
        spec=str(spec.path),
        profile=spec.profile,
        settings=spec.settings,
        requests=requests,
        budget=spec.budget,
        warnings=own.warnings,
    )
    own.extend(over_budget(plan_, _place(spec)))
    problems.extend(own.all)
    return plan_


def stream(
    spec: Spec,
    problems: Problems,
    *,
    models: Mapping[str, Model] | None = None,
    max_requests: int | None = None,
) -> Iterator[Request]:
    """The requests of a spec one by one; `problems` is complete when the last has come.

    Nothing is expanded when the plan would be too large, nor a shot with a mistaken matrix.
    """
    known = spec.policy.models if models is None else models
    grids = []
    for shot in spec.shots:
        own = Problems()
        grids.append(grid(shot, spec.files, tuple(known.values()), own))
        problems.extend(own.all)
    limit = most_allowed(spec, max_requests)
    if check_size(spec, grids, limit, problems):
        yield from _requests(spec, grids, known, limit, problems)


def _requests(
    spec: Spec, grids: list[Grid], models: Mapping[str, Model], limit: int, problems: Problems
) -> Iterator[Request]:
    images = Images(spec.files)
    planned: list[PlannedShot] = []
    twins = Twins()
    with Renderer(spec.files) as renderer:
        for shot, one in zip(spec.shots, grids, strict=True):
            if one.mistaken:
                continue
            maker = Maker(spec, models, images)
            planner = ShotPlanner(shot, one, maker, models=models, renderer=renderer)
            for request in planner.requests(problems):
                if twins.met == limit:
                    return tell_takes(shot, limit, problems)
                twins.meet(request, problems)
                yield request
            planned.append(PlannedShot(shot, one, planner.forms))
        if not problems.has_errors:
            problems.extend(doubts(planned, renderer.load, spec.files.shown(spec.path)))


def _place(spec: Spec) -> Place:
    return Place(spec.files.shown(spec.path), 1, 1)
