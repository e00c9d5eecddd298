"""Runs of small plans in the virtual world, with a real journal and a real directory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from support.virtual import (
    Memory,
    NoUploads,
    VirtualClock,
    VirtualDownloader,
    VirtualGateway,
    VirtualWorkers,
)
from veogen.document.nodes import Location
from veogen.executor.decisions import Resolution
from veogen.executor.joining import StoreChoice
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Dependencies, Outcome, Selection
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
        place=Location("spec.yaml", 1, 1),
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
    store: StoreChoice | None = None

    def __post_init__(self) -> None:
        self.gateway = VirtualGateway(self.clock)
        self.downloader = VirtualDownloader(self.path)

    def dependencies(self) -> Dependencies:
        return Dependencies(
            gateway=self.gateway,
            gateway_name=self.gateway_name,
            downloader=lambda _: self.downloader,
            uploads=lambda _: NoUploads(),
            clock=self.clock,
            workers=lambda: VirtualWorkers(self.clock),
            random=lambda: 1.0,
            store=self.store,
        )

    def run(
        self,
        plan_: Plan | None,
        policy: RunPolicy | None = None,
        selection: Selection | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """One run, opened and closed, as a process would."""
        with open_run(
            self.path,
            plan=plan_,
            dependencies=self.dependencies(),
            policy=policy or RunPolicy(),
            listener=self.memory,
            selection=selection or Selection(buy=plan_ is not None),
        ) as session:
            session.check_places()
            session.check_money()
            return session.run(stop, max_credits=session.policy.max_credits)

    def decide(
        self, *decisions: Resolution, say: Callable[[str], None] = lambda _: None
    ) -> Outcome:
        """What a person decides, carried out."""
        with open_run(
            self.path,
            plan=None,
            dependencies=self.dependencies(),
            policy=RunPolicy(),
            listener=self.memory,
            selection=Selection(buy=False),
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
