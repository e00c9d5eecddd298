"""Locks: what was approved, kept in git beside its spec, and whether a spec still makes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from veogen.catalogue.models import Model
from veogen.document.writer import Block, lines
from veogen.planner.diff.compare import Difference, compare
from veogen.planner.document import FORMAT, request_data, totals_data, totals_of
from veogen.planner.plan import Plan, Request, total_credits
from veogen.planner.stored import Stored
from veogen.spec.model import PROMPTS, Limits

SUFFIX = ".lock.yaml"

_HEADER = """\
# Written by 'veogen lock': what was approved, to be reviewed and committed.
# Change the spec and lock again; what is edited here by hand is refused.
"""


def lock_path(spec: PurePosixPath, profile: str | None) -> PurePosixPath:
    """Where the lock of a spec is, with a profile that of the profile."""
    stem = spec.stem if profile is None else f"{spec.stem}.{profile}"
    return spec.with_name(stem + SUFFIX)


def lock_text(plan: Plan, models: Mapping[str, Model]) -> str:
    """The lock of a plan: the same bytes for the same plan and prices."""
    return _HEADER + "".join(f"{line}\n" for line in lines(_data(plan, models)))


def _data(plan: Plan, models: Mapping[str, Model]) -> dict[str, Any]:
    used = sorted({str(request.body["model"]) for request in plan.requests})
    return {
        "format": FORMAT,
        "name": plan.name,
        "spec": plan.spec,
        "profile": plan.profile,
        "set": list(plan.settings),
        "budget": {name: value for name, value in _budget(plan.budget) if value is not None},
        "prices": {name: _rate(models[name]) for name in used},
        "totals": totals_data(totals_of(plan.requests, models)),
        "requests": map(_request, plan.requests),
    }


def _request(request: Request) -> dict[str, Any]:
    """A request with its prompts as blocks, in which git shows a changed line alone."""
    data = request_data(request)
    texts = {name: Block(data["request"][name]) for name in PROMPTS if name in data["request"]}
    return {**data, "request": {**data["request"], **texts}}


def _budget(budget: Limits) -> Iterator[tuple[str, str | int | None]]:
    yield "max_credits", None if budget.max_credits is None else str(budget.max_credits)
    yield "max_requests", budget.max_requests


def _rate(model: Model) -> dict[str, str] | None:
    price = model.price
    if price is None:
        return None
    return {
        "date": price.date,
        "source": price.source,
        "credits_per_usd": str(price.credits_per_usd),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What a spec makes now that its lock does not hold; false when the lock is up to date."""

    difference: Difference
    facts: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.difference or self.facts)


def drift(lock: Plan, now: Plan) -> Drift:
    """How a plan differs from the locked one; prices may move."""
    return Drift(difference=compare(lock.requests, now.requests), facts=tuple(_facts(lock, now)))


def _facts(lock: Plan, now: Plan) -> Iterator[str]:
    pairs = {
        "name": (lock.name, now.name),
        "spec": (lock.spec, now.spec),
        "profile": (lock.profile, now.profile),
        "--set": (" ".join(lock.settings), " ".join(now.settings)),
        "budget.max_credits": (lock.budget.max_credits, now.budget.max_credits),
        "budget.max_requests": (lock.budget.max_requests, now.budget.max_requests),
    }
    for name, (old, new) in pairs.items():
        if old != new:
            yield f"{name}: {_shown(old)} → {_shown(new)}"
    kept = {request.hash for request in now.requests}
    known = {request.hash for request in lock.requests}
    before = [request.hash for request in lock.requests if request.hash in kept]
    if before != [request.hash for request in now.requests if request.hash in known]:
        yield "the order of the requests"


def _shown(value: object) -> str:
    return "nothing" if value in (None, "") else str(value)


def moved_price(lock: Stored, now: Plan) -> str | None:
    """A note where requests that stayed the same are estimated otherwise today."""
    today = {request.hash: request for request in now.requests}
    stayed = [(one, today[one.hash]) for one in lock.plan.requests if one.hash in today]
    if all(old.credits == new.credits for old, new in stayed):
        return None
    before, after = (total_credits(side) for side in zip(*stayed, strict=True))
    dates = ", ".join(sorted({rate.date for rate in lock.rates.values() if rate is not None}))
    since = f"since prices of {dates}" if dates else "since it was locked"
    return f"a price moved {since}: {_credits(before)} → {_credits(after)} for the same requests"


def _credits(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount} credits"
