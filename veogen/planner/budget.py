"""Estimates against ceilings: a plan that may not be bought is a mistake."""

from collections.abc import Iterator, Sequence

from veogen.document.problems import Problem
from veogen.document.values import Place
from veogen.planner.plan import Plan
from veogen.planner.tally import Tally
from veogen.spec.model import Limits


def over_budget(plan: Plan, place: Place) -> Iterator[Problem]:
    """What a plan has against the budget of its own spec; `place` is the spec's."""
    yield from tally_over_budget(Tally.of(plan.requests), plan.budget, plan.profile, place)


def tally_over_budget(
    tally: Tally, budget: Limits, profile: str | None, place: Place
) -> Iterator[Problem]:
    """As `over_budget`, of what was counted."""
    name = "budget" if profile is None else f"budget with profile {profile!r}"
    yield from _over(tally, budget, f"{name} allows", budget.place or place)


def over_limits(plans: Sequence[Plan], limits: Limits, place: Place) -> Iterator[Problem]:
    """What all plans of a command together have against the team's limits."""
    yield from tally_over_limits(
        Tally.of(request for plan in plans for request in plan.requests), limits, place
    )


def tally_over_limits(tally: Tally, limits: Limits, place: Place) -> Iterator[Problem]:
    """As `over_limits`, of what was counted."""
    where = limits.place or place
    yield from _over(tally, limits, "limits allow", where)
    for model in tally.credits if limits.models else ():
        if model not in limits.models:
            allowed = ", ".join(limits.models)
            message = f"the limits allow no {model!r}; they allow {allowed}"
            yield Problem(where, "error", "model-not-allowed", message)


def _over(tally: Tally, limits: Limits, name: str, place: Place) -> Iterator[Problem]:
    most = limits.max_requests
    if most is not None and tally.requests > most:
        message = f"{tally.requests:,} requests are more than the {name}: {most:,}"
        yield Problem(place, "error", "over-budget", message)
    if limits.max_credits is None:
        return
    total = tally.total
    if total is None:
        message = f"the price of {tally.unpriced} is unknown where a 'max_credits' holds"
        yield Problem(place, "error", "unknown-price", message)
    elif total > limits.max_credits:
        message = f"{total} credits are more than the {name}: {limits.max_credits}"
        yield Problem(place, "error", "over-budget", message)
