"""A plan as the `plan` command shows it: what is selected, what it costs, what is owned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from veogen.catalogue.models import Model
from veogen.planner.document import totals_of
from veogen.planner.plan import Plan, Request, Totals, total_credits
from veogen.planner.selection import selected

if TYPE_CHECKING:  # most plans are made where nothing is held
    from veogen.results.states import Holdings


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One plan, narrowed to what is selected; `to_buy` are the requests a run would submit.

    `holdings` is None where nothing is held.
    """

    root: Path | None
    models: Mapping[str, Model]
    plan: Plan
    totals: Totals
    holdings: "Holdings | None"
    to_buy: tuple[Request, ...]

    @property
    def price_to_buy(self) -> Decimal | None:
        return total_credits(self.to_buy)

    def state(self, request: Request) -> str:
        if self.holdings is None:
            return "new"
        return self.holdings.state(request.address, request.hash)


def narrowed(
    plans: Sequence[Plan], select: Sequence[str], deselect: Sequence[str]
) -> tuple[Plan, ...]:
    """The plans with only the requests that are selected; a glob may be meant for any of them."""
    addresses = [request.address for plan in plans for request in plan.requests]
    if not select and not deselect:
        return tuple(plans)
    chosen = selected(addresses, select, deselect)
    return tuple(
        replace(plan, requests=tuple(r for r in plan.requests if r.address in chosen))
        for plan in plans
    )


def view(
    plan: Plan, holdings: "Holdings | None", root: Path | None, models: Mapping[str, Model]
) -> View:
    return View(
        root=root,
        models=models,
        plan=plan,
        totals=totals_of(plan.requests, models),
        holdings=holdings,
        to_buy=tuple(r for r in plan.requests if not holdings or holdings.would_buy(r.hash)),
    )
