"""Runs of small plans in the virtual world, with a real journal and a real directory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from support.virtual import (
    Memory,
    NoUploads,
    VirtualClock,
    VirtualCourier,
    VirtualCrew,
    VirtualGateway,
)
from veogen.document.nodes import Place
from veogen.executor.decisions import Decision
from veogen.executor.options import Policy
from veogen.executor.run import Outcome, Services, Wanted, opened
from veogen.executor.transitions import Stop
from veogen.planner.identity import request_hash
from veogen.planner.plan import Plan, Request
from veogen.results.manifest import GatewayName
from veogen.results.record import Record
from veogen.spec.types import Limits

PRICE = Decimal("38.016")


def request(city: str, *, prompt: str | None = None, credits_: Decimal | None = PRICE) -> Request:
    """One request of a shot named `city` with one axis."""
    body = {"model": "veo-3.1-fast-generate-preview", "prompt": prompt or f"{city} at dusk"}
    return Request(
        address=f"city[name={city}]",
        hash=request_hash(body, 1),
        shot="city",
        take=1,
        variables={"name": city},
        output=f"city/{city}",
        body=body,
        credits=credits_,
        seconds=4,
        place=Place("spec.yaml", 1, 1),
    )


def plan(*requests: Request, budget: Limits | None = None) -> Plan:
    return Plan(
        name="trip",
        spec="specs/trip.yaml",
        profile=None,
        requests=requests,
        budget=budget or Limits(),
    )


def cities(*names: str) -> Plan:
    return plan(*map(request, names))


@dataclass
class World:
    """A run directory, a gateway and a clock that outlive one run."""

    path: Path
    clock: VirtualClock = field(default_factory=VirtualClock)
    memory: Memory = field(default_factory=Memory)
    gateway_name: GatewayName = "evolink"

    def __post_init__(self) -> None:
        self.gateway = VirtualGateway(self.clock)
        self.courier = VirtualCourier(self.path)

    def services(self) -> Services:
        return Services(
            gateway=self.gateway,
            gateway_name=self.gateway_name,
            courier=lambda _: self.courier,
            uploads=lambda _: NoUploads(),
            clock=self.clock,
            crew=lambda: VirtualCrew(self.clock),
            chance=lambda: 1.0,
        )

    def run(
        self,
        plan_: Plan | None,
        policy: Policy | None = None,
        wanted: Wanted | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """One run, opened and closed, as a process would."""
        with opened(
            self.path,
            plan=plan_,
            services=self.services(),
            policy=policy or Policy(),
            listener=self.memory,
            wanted=wanted or Wanted(buy=plan_ is not None),
        ) as session:
            session.check_places()
            session.check_money()
            return session.run(stop, max_credits=session.policy.max_credits)

    def decide(self, *decisions: Decision, say: Callable[[str], None] = lambda _: None) -> Outcome:
        """What a person decides, carried out."""
        with opened(
            self.path,
            plan=None,
            services=self.services(),
            policy=Policy(),
            listener=self.memory,
            wanted=Wanted(buy=False),
            follow=False,
        ) as session:
            return session.decide(decisions, say)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all submits, in order."""
        return [key for key, _ in self.gateway.submits]


def statuses(outcome: Outcome) -> Mapping[str, str]:
    """Status by address, in plan order."""
    return {s.request.address: s.record.status for s in outcome.ledger.planned}


def records(outcome: Outcome) -> Sequence[Record]:
    return [s.record for s in outcome.ledger.planned]
