"""Estimates against ceilings: a plan that may not be bought is a mistake."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from veogen.document.problems import Problem
from veogen.document.values import Place
from veogen.planner.plan import Plan
from veogen.planner.tally import Tally
from veogen.spec.model import Limits, Spec


def over_budget(plan: Plan, place: Place) -> Iterator[Problem]:
    """What a plan has against the budget of its own spec; `place` is the spec's."""
    yield from tally_over_budget(Tally.of(plan.requests), plan.budget, plan.profile, place)


def tally_over_budget(
    tally: Tally, budget: Limits, profile: str | None, place: Place
) -> Iterator[Problem]:
    """As `over_budget`, of what was counted."""
    name = "budget" if profile is None else f"budget with profile {profile!r}"
    yield from _over(tally, budget, f"{name} allows", budget.place or place)


def over_limits(found: Iterable[tuple[Spec, Plan]]) -> Iterator[Problem]:
    """What the plans of a command have against limits: all of a project together."""
    yield from tallies_over_limits((spec, Tally.of(plan.requests)) for spec, plan in found)


def tallies_over_limits(found: Iterable[tuple[Spec, Tally]]) -> Iterator[Problem]:
    """As `over_limits`, of what was counted."""
    projects: dict[Path, tuple[Spec, Tally]] = {}
    for spec, tally in found:
        _, together = projects.setdefault(spec.files.root, (spec, Tally()))
        together.take_in(tally)
    for spec, together in projects.values():
        limits = spec.policy.limits
        where = limits.place or Place(spec.files.shown(spec.path), 1, 1)
        yield from _over_limits(together, limits, where)


def _over_limits(tally: Tally, limits: Limits, where: Place) -> Iterator[Problem]:
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
