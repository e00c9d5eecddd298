"""All requests of a run directory, the fold of what happened to them, and what was charged."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, Self

from veogen.errors import ExitCode
from veogen.planner.plan import Request, known_credits
from veogen.results.events import STATUSES, Event, Status
from veogen.results.record import Record, after, estimated, in_doubt, spent
from veogen.text import counted, credits_text

SHORT_HASH = 10
"""Digits of a hash by which a request is named at least, as in the names of its clips."""


class RequestState(NamedTuple):
    """One request and where it stands."""

    request: Request
    record: Record

    def __repr__(self) -> str:
        return f"<RequestState {self.request.address}: {self.record.status}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts over the requests of the plan; credits are what they reserved or were charged."""

    requests: int
    counts: Mapping[Status, int]
    videos: int
    credits: Decimal


class Ledger:
    """Folds events as they come; requests in plan order, former purchases after them.

    `changes` is another number whenever something has moved.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._records: dict[str, Record] = {}
        self._states: dict[str, RequestState] = {}
        self._planned: dict[str, None] = {}
        self._counts: Counter[Status] = Counter()
        self._owners: dict[str, tuple[str, int]] | None = None
        self.changes = 0
        self.spent = Decimal(0)
        self.in_doubt = Decimal(0)
        self.estimated = Decimal(0)

    def __repr__(self) -> str:
        return f"<Ledger {self.title}>"

    def _repr_html_(self) -> str:
        """A table of where every request stands, for a notebook."""
        from veogen.notebook import html_table  # noqa: PLC0415 - for notebooks alone

        rows = (
            (s.request.address, s.record.status, s.record.credits, *map(attrgetter("path"), videos))
            for s in self.everything
            for videos in [s.record.videos.values()]
        )
        return html_table(self.title, ("address", "status", "credits", "videos"), rows)

    @property
    def title(self) -> str:
        """Its name, how many of its requests stand where, and what they cost, in one line."""
        summary = self.summary()
        counts = [f"{number} {status}" for status, number in summary.counts.items() if number]
        return f"{self.name}: {', '.join(counts) or 'no request'}, {summary.credits:.3f} credits"

    @classmethod
    def of(cls, name: str, records: Iterable[Record]) -> Self:
        """A ledger of requests that stand so already; none of them is adopted yet."""
        new = cls(name)
        new._records = {record.hash: record for record in records}
        purchases = [p for record in new._records.values() for p in record.purchases]
        new.spent, new.in_doubt = spent(purchases), in_doubt(purchases)
        new.estimated = estimated(purchases)
        return new

    def adopt(self, planned: Iterable[Request], former: Iterable[Request] = ()) -> None:
        """Take the plan's entries, in order; `former` are those of earlier plans, in theirs."""
        plan = {request.hash: request for request in planned}
        self._states = {}
        for request in (*former, *plan.values()):
            self._states[request.hash] = RequestState(request, self.record(request.hash))
        self._planned = dict.fromkeys(plan)
        self.changes += 1
        self._counts = Counter([self.record(hash_).status for hash_ in self._planned])

    def apply(self, event: Event) -> Record:
        """Fold one event in and return where its request now stands."""
        before = self.record(event.hash)
        record = after(before, event)
        if record is not before:
            self._records[event.hash] = record
            self.changes += 1
            if event.hash in self._states:
                request = self._states[event.hash].request
                self._states[event.hash] = RequestState(request, record)
        if record.purchases != before.purchases:
            self._own(record)
            self.spent += record.spent - before.spent
            self.in_doubt += record.in_doubt - before.in_doubt
            self.estimated += record.estimated - before.estimated
        if event.hash in self._planned and before.status != record.status:
            self._counts[before.status] -= 1
            self._counts[record.status] += 1
        return record

    def owner(self, task_id: str) -> tuple[str, int] | None:
        """The hash and the attempt of which a task is known to be."""
        if self._owners is None:
            self._owners = {}
            for record in self._records.values():
                self._own(record)
        return self._owners.get(task_id)

    def _own(self, record: Record) -> None:
        if self._owners is not None:
            for task in record.facts.tasks:
                self._owners[task.id] = (record.hash, task.attempt)

    def record(self, hash_: str) -> Record:
        """Where a request stands: the same object until something happens to it."""
        record = self._records.get(hash_)
        if record is None:
            record = self._records[hash_] = Record(hash=hash_)
        return record

    def request(self, hash_: str) -> Request | None:
        state = self._states.get(hash_)
        return None if state is None else state.request

    @property
    def requests(self) -> Collection[Request]:
        """All requests that are known, bought or not."""
        return [state.request for state in self._states.values()]

    @property
    def reserved(self) -> Decimal:
        """What tasks have reserved or were charged, those that failed since included.

        It is as the gateway names it: what we estimate where it does not is no part of it.
        """
        return self.spent - self.in_doubt - self.estimated

    def is_planned(self, hash_: str) -> bool:
        """Whether the request is in the plan."""
        return hash_ in self._planned

    def knows(self, hash_: str) -> bool:
        """Whether the request is in the plan, or was bought for an earlier one."""
        return hash_ in self._planned or self.record(hash_).bought

    def name_of(self, state: RequestState) -> str:
        """What a person types for a request: its address, which after an edit is another one's.

        What left the plan has the first ten of its hash, as in the names of its clips.
        """
        hash_ = state.record.hash
        return state.request.address if self.is_planned(hash_) else hash_[:SHORT_HASH]

    @property
    def planned(self) -> Iterator[RequestState]:
        """The requests of the plan, in its order."""
        return map(self._states.__getitem__, self._planned)

    @property
    def former(self) -> Iterator[RequestState]:
        """Purchases that left the plan, in the order in which they were first known."""
        for hash_, state in self._states.items():
            if hash_ not in self._planned and state.record.bought:
                yield state

    @property
    def everything(self) -> Iterator[RequestState]:
        """The plan's requests, then the former purchases."""
        return chain(self.planned, self.former)

    def count(self, status: Status) -> int:
        """How many requests of the plan have this status."""
        return self._counts[status]

    def summary(self) -> Summary:
        planned = [state.record for state in self.planned]
        return Summary(
            requests=len(planned),
            counts={status: self._counts[status] for status in STATUSES},
            videos=sum(len(record.videos) for record in planned),
            credits=known_credits(record.credits for record in planned),
        )


def exit_code(records: Iterable[Record]) -> ExitCode:
    """What a run says of the requests it was about: 0, 1 or 4."""
    statuses = {record.status for record in records}
    if "indeterminate" in statuses:
        return ExitCode.INDETERMINATE
    return ExitCode.DONE if statuses <= {"completed"} else ExitCode.INCOMPLETE


def over_what_is_counted(price: Decimal, spent: Decimal, budget: Decimal) -> str:
    """That what is to be bought passes a budget, with all that a run directory ever spent."""
    return (
        f"{credits_text(price)} credits to buy and {credits_text(spent)} already counted pass the "
        f"budget of {budget}"
    )


_PLACES = Decimal("0.01")


class Charge(NamedTuple):
    """One request's money, of the attempt that counts; None where it is not known."""

    estimate: Decimal | None
    reserved: Decimal | None
    charged: Decimal | None

    @property
    def differs(self) -> bool:
        """Whether the gateway names another amount than was estimated, if anything was."""
        named = () if self.estimate is None else (self.reserved, self.charged)
        return any(amount not in (None, self.estimate) for amount in named)


def charge_of(state: RequestState) -> Charge:
    """What is known of one request's money; a task that failed is not charged."""
    record = state.record
    task = record.facts.task(record.task_id)
    if task is None:
        return Charge(state.request.credits, None, None)
    charged = None if record.status == "failed" else task.charged
    return Charge(state.request.credits, task.reserved, charged)


class ChargeTotals(NamedTuple):
    """Sums over requests; each amount beside the estimates of those that have it."""

    requests: int
    estimate: Decimal
    reserved: Decimal
    reserved_estimate: Decimal
    charged: Decimal
    charged_estimate: Decimal

    @classmethod
    def of(cls, charges: Iterable[Charge]) -> "ChargeTotals":
        """What an unknown amount belongs to is left out of its sum, and so is its estimate."""
        estimated = [charge for charge in charges if charge.estimate is not None]
        reserved = [charge for charge in estimated if charge.reserved is not None]
        charged = [charge for charge in estimated if charge.charged is not None]
        return cls(
            requests=len(estimated),
            estimate=_sum(charge.estimate for charge in estimated),
            reserved=_sum(charge.reserved for charge in reserved),
            reserved_estimate=_sum(charge.estimate for charge in reserved),
            charged=_sum(charge.charged for charge in charged),
            charged_estimate=_sum(charge.estimate for charge in charged),
        )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def difference_notes(states: Iterable[RequestState]) -> Iterator[str]:
    """Where what the gateway names is not what was estimated, a sentence each; without a stop."""
    named = map(charge_of, states)
    charges = [charge for charge in named if charge.estimate is not None]
    if not any(charge.differs for charge in charges):
        return
    totals = ChargeTotals.of(charges)
    if totals.reserved != totals.reserved_estimate:
        yield _difference("reserved", totals.reserved, totals.reserved_estimate)
    if totals.charged != totals.charged_estimate:
        yield _difference("charged", totals.charged, totals.charged_estimate)
    unlike = sum(charge.differs for charge in charges)
    if totals.reserved == totals.reserved_estimate and totals.charged == totals.charged_estimate:
        whose = counted(unlike, "request")
        yield f"{whose} at another amount than was estimated, the same in all"


def _difference(verb: str, amount: Decimal, estimate: Decimal) -> str:
    times = f", {(amount / estimate).quantize(_PLACES)} times as much" if estimate else ""
    return f"{verb} {credits_text(amount)} where {credits_text(estimate)} were estimated{times}"
