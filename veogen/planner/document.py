"""A plan as data: what `plan` prints and a lock keeps."""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from veogen.catalogue.models import Model
from veogen.document.compact import compact
from veogen.planner.plan import Plan, Request, Totals, total_credits

FORMAT = "veogen.plan/1"

StateOf: TypeAlias = Callable[[Request], str]


CENT = Decimal("0.01")


def plan_data(
    plan: Plan, totals: Totals, state_of: StateOf, to_buy: Decimal | None
) -> dict[str, Any]:
    """The plan as the contract's JSON."""
    return {
        "format": FORMAT,
        "name": plan.name,
        "spec": plan.spec,
        "profile": plan.profile,
        "totals": {**totals_data(totals), "to_buy": _amount(to_buy)},
        "requests": [request_data(request, state_of(request)) for request in plan.requests],
    }


def request_data(request: Request, state: str | None = None) -> dict[str, Any]:
    """One request; without a state as a lock keeps it."""
    data: dict[str, Any] = {
        "address": request.address,
        "hash": request.hash,
        "shot": request.shot,
        "take": request.take,
        "variables": dict(request.variables),
        "output": request.output,
        "credits": _amount(request.credits),
    }
    if state is not None:
        data["state"] = state
    data["request"] = dict(request.body)
    data["images"] = [
        {"path": image.path, "sha256": image.sha256, "bytes": image.bytes}
        for image in request.images
    ]
    return data


def request_line(request: Request, state: str) -> str:
    """One request as a line of JSON, without its line end."""
    return compact(request_data(request, state))


def totals_data(totals: Totals) -> dict[str, Any]:
    return {
        "requests": totals.requests,
        "videos": totals.videos,
        "seconds": totals.seconds,
        "credits": _amount(totals.credits),
        "usd": _amount(totals.usd),
    }


def totals_of(requests: Iterable[Request], models: Mapping[str, Model]) -> Totals:
    """Sums over requests; what is unknown of one is unknown of all."""
    found = tuple(requests)
    total = total_credits(found)
    return Totals(
        requests=len(found),
        videos=sum(request.videos for request in found),
        seconds=sum(request.seconds or 0 for request in found),
        credits=total,
        usd=None if total is None else _usd(found, models),
    )


def _usd(requests: Iterable[Request], models: Mapping[str, Model]) -> Decimal | None:
    amounts = ((str(one.body["model"]), one.credits or Decimal(0)) for one in requests)
    return dollars(amounts, models)


def dollars(amounts: Iterable[tuple[str, Decimal]], models: Mapping[str, Model]) -> Decimal | None:
    """What credits spent on models come to, each at its own rate; rounded once, at the end."""
    by_model: dict[str, Decimal] = {}
    for model, amount in amounts:
        by_model[model] = by_model.get(model, Decimal(0)) + amount
    total = Decimal(0)
    for name, amount in by_model.items():
        price = models[name].price
        if price is None:
            return None
        total += price.usd(amount)
    return total.quantize(CENT, ROUND_HALF_UP)


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
