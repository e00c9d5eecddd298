"""A spec's plan: all its requests in order, or all its mistakes at once."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from veogen.catalogue.models import Model
from veogen.document.problems import Problems
from veogen.document.values import Place
from veogen.planner.budget import over_limits, tally_over_budget
from veogen.planner.plan import Plan, Request
from veogen.planner.planning import Planable, Planning
from veogen.planner.twins import met
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
    from veogen.planner.fast.requests import requests_of  # noqa: PLC0415 - others do without it

    return requests_of(planning, planable)


def _place(spec: Spec) -> Place:
    return Place(spec.files.shown(spec.path), 1, 1)
