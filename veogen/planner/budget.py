"""Estimates against ceilings: a plan that may not be bought is a mistake."""

from collections.abc import Iterator, Sequence

from veogen.document.problems import Problem
from veogen.document.values import Place
from veogen.planner.plan import Plan, Request, total_credits
from veogen.spec.model import Limits


def over_budget(plan: Plan, place: Place) -> Iterator[Problem]:
    """What a plan has against the budget of its own spec; `place` is the spec's."""
    name = "budget" if plan.profile is None else f"budget with profile {plan.profile!r}"
    yield from _over(plan.requests, plan.budget, f"{name} allows", plan.budget.place or place)


def over_limits(plans: Sequence[Plan], limits: Limits, place: Place) -> Iterator[Problem]:
    """What all plans of a command together have against the team's limits."""
    requests = [request for plan in plans for request in plan.requests]
    where = limits.place or place
    yield from _over(requests, limits, "limits allow", where)
    used = dict.fromkeys(str(request.body["model"]) for request in requests)
    for model in used if limits.models else ():
        if model not in limits.models:
            allowed = ", ".join(limits.models)
            message = f"the limits allow no {model!r}; they allow {allowed}"
            yield Problem(where, "error", "model-not-allowed", message)


def _over(
    requests: Sequence[Request], limits: Limits, name: str, place: Place
) -> Iterator[Problem]:
    most = limits.max_requests
    if most is not None and len(requests) > most:
        message = f"{len(requests):,} requests are more than the {name}: {most:,}"
        yield Problem(place, "error", "over-budget", message)
    if limits.max_credits is None:
        return
    total = total_credits(requests)
    if total is None:
        unknown = next(request.address for request in requests if request.credits is None)
        message = f"the price of {unknown} is unknown where a 'max_credits' holds"
        yield Problem(place, "error", "unknown-price", message)
    elif total > limits.max_credits:
        message = f"{total} credits are more than the {name}: {limits.max_credits}"
        yield Problem(place, "error", "over-budget", message)
