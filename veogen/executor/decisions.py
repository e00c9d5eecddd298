"""What a person decides about requests that veogen may not decide about by itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from veogen.errors import UsageError
from veogen.gateway.api import Gateway, Task
from veogen.results.events import Event, RequestAbandoned, Status, TaskAdopted
from veogen.results.facts import ABANDONED
from veogen.results.ledger import SHORT_HASH, Ledger, RequestState
from veogen.results.record import Record
from veogen.text import counted

Kind: TypeAlias = Literal["adopt", "replay", "abandon", "rebuy"]

EVERY = "*"

_DIED = ("link-expired", "no-links")

_FITS: dict[Kind, frozenset[Status]] = {
    "adopt": frozenset({"indeterminate"}),
    "replay": frozenset({"indeterminate"}),
    "abandon": frozenset({"indeterminate", "submitted", "undelivered"}),
    "rebuy": frozenset({"indeterminate", "undelivered", "failed"}),
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """One decision as it was typed; `task_id` is what `adopt` names.

    `address` may be the first of the hash too: two requests may have had one address.
    """

    kind: Kind
    address: str
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about one request."""

    kind: Kind
    standing: RequestState
    task_id: str | None = None


def resolve_addresses(
    decisions: Iterable[Resolution], ledger: Ledger, now: float, *, has_store: bool
) -> list[Decided]:
    """The requests that are meant; raises `UsageError` for all that do not fit, at once."""
    standings = list(ledger.everything)
    by_star = [standing for standing in standings if not still_downloadable(standing.record, now)]
    by_name: dict[str, list[RequestState]] = {}
    for standing in standings:
        for name in (standing.request.address, standing.record.hash[:SHORT_HASH]):
            by_name.setdefault(name, []).append(standing)
    found: dict[str, Decided] = {}
    mistakes: list[str] = []
    for decision in decisions:
        name = decision.address
        named = by_star if name == EVERY else by_name.get(name) or [
            s for s in by_name.get(name[:SHORT_HASH], ()) if s.record.hash.startswith(name)
        ]  # fmt: skip
        for decided in _resolve(decision, named, ledger, mistakes, has_store=has_store):
            other = found.setdefault(decided.standing.record.hash, decided)
            if other is not decided:
                mistakes.append(f"{decision.address}: decide one thing only")
    owners: dict[str, str] = {}
    for decided in found.values():  # a task is of one request: who says two has mistaken one
        address = decided.standing.request.address
        if decided.task_id and (owner := owners.setdefault(decided.task_id, address)) != address:
            mistakes.append(f"{address}: {decided.task_id} is adopted for {owner} already")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return list(found.values())


def wildcard_notes(
    decisions: Iterable[Resolution], found: Sequence[Decided], ledger: Ledger, now: float
) -> Iterator[str]:
    """What '*' does not mean, in words."""
    for kind in [decision.kind for decision in decisions if decision.address == EVERY]:
        kept = [
            s.record
            for s in ledger.everything
            if s.record.status in _FITS[kind] and still_downloadable(s.record, now)
        ]
        if kept:
            left = counted(len(kept), "request")
            yield f"note: --{kind} '*' leaves alone {left} that can still be collected"
        elif all(decided.kind != kind for decided in found):
            yield f"note: --{kind} '*' fits no request"


def _resolve(
    decision: Resolution,
    named: Sequence[RequestState],
    ledger: Ledger,
    mistakes: list[str],
    *,
    has_store: bool,
) -> list[Decided]:
    """What a decision is about; what does not fit it is a mistake, unless '*' stands for all.

    An address is that of the plan's request. One that left the plan is meant by it where the plan
    has none of that address, or where nothing is sent and only that one fits.
    """
    fits, kind = _FITS[decision.kind], decision.kind
    fitting = [s for s in named if s.record.status in fits]
    if kind in ("replay", "rebuy"):
        fitting = [s for s in fitting if has_bytes(s, again=kind == "replay" and not has_store)]
    elif kind == "abandon":  # to buy it anew is a decision about the next attempt
        fitting = [s for s in fitting if not is_adopted(s.record)]
    if decision.address != EVERY:
        planned = [s for s in fitting if ledger.is_planned(s.record.hash)]
        is_of_plan = any(ledger.is_planned(s.record.hash) for s in named)
        if planned or (is_of_plan and kind in ("replay", "rebuy")):
            fitting = planned
        if len(fitting) > 1:
            hashes = ", ".join(sorted(s.record.hash[:SHORT_HASH] for s in fitting))
            mistakes.append(
                f"{decision.address}: several requests had this address; name one by its hash: "
                f"{hashes}"
            )
            return []
    if not fitting and decision.address != EVERY:
        mistakes.append(f"{decision.address}: {_why_not(decision, named)}")
    return [Decided(kind, standing, decision.task_id) for standing in fitting]


def _why_not(decision: Resolution, named: Sequence[RequestState]) -> str:
    """Why a decision fits none of the requests that have a name."""
    fits = _FITS[decision.kind]
    if not named:
        return "there is no such request in this run"
    record = named[0].record
    if record.status in fits and not is_adopted(record):
        return (
            "another machine sent it, and only that one can send the same again; decide there, or "
            "--adopt its task"
        )
    stands, error = str(record.status), record.error
    if is_adopted(record):
        stands = f"{stands}, as {record.task_id} was adopted"
        fits -= {record.status}  # a decision about an attempt is made once
    if error is not None and error.code == ABANDONED:
        stands = f"failed, as it was abandoned ({error.message})"
    former = [s.record for s in named[1:] if s.record.status in fits]
    left = ", ".join(f"{r.hash[:SHORT_HASH]} ({r.status})" for r in former)
    also = f"; what left the plan under this address is {left}" if left else ""
    return f"it is {stands}; --{decision.kind} takes what is {' or '.join(sorted(fits))}{also}"


def is_adopted(record: Record) -> bool:
    """Whether a person has said of the task that counts that it is the attempt's."""
    task = record.facts.task(record.task_id)
    return task is not None and task.adopted


def still_downloadable(record: Record, now: float) -> bool:
    """Whether it was bought and can still be had: '*' must not give that up, nor pay it twice."""
    if record.status != "undelivered":
        return record.status == "submitted"
    died = record.error is not None and record.error.code in _DIED
    return not died and (record.expires_at is None or now < record.expires_at)


def has_bytes(standing: RequestState, *, again: bool) -> bool:
    """Whether there is a body that could be sent, or with `again` the very one that was.

    What was bought elsewhere and is in no plan here has none. Of a request with local images only
    the machine that sent it knows the addresses of its uploads, and a store, in its claim.
    """
    if standing.record.intent is not None:
        return True
    return bool(standing.request.body) and not (again and standing.request.images)


def abandoned(standing: RequestState) -> Event:
    record, why = standing.record, "given up by hand; what it may have cost stays counted"
    if record.task_id is not None:
        return RequestAbandoned(record.hash, why, task_id=record.task_id)
    attempt = record.attempts if record.current is None else record.current.attempt
    return RequestAbandoned(record.hash, why, attempt=attempt)


def adopted(
    decided: Decided,
    gateway: Gateway,
    owned: Mapping[str, RequestState],
    now: float,
    read_amount: Callable[[str, Decimal | None], Decimal | None],
) -> Event:
    """The task becomes the request's, if it exists, fits and is nobody else's.

    `read_amount` gives what the gateway names for a request in credits.
    """
    address, task_id = decided.standing.request.address, decided.task_id or ""
    owner = owned.get(task_id)
    if owner is not None:
        raise UsageError(f"{address}: {task_id} is the task of {owner.request.address}")
    answer = gateway.tasks([task_id])[task_id]
    if not isinstance(answer, Task):
        raise UsageError(f"{address}: {task_id} cannot be read: {answer.message} ({answer.code})")
    if answer.type not in (None, "video"):
        raise UsageError(f"{address}: {task_id} makes no video but {answer.type}")
    model = decided.standing.request.model
    if model and answer.model not in (None, model):
        raise UsageError(f"{address}: {task_id} is of {answer.model}, the request of {model}")
    record = decided.standing.record
    attempt = record.attempts if record.current is None else record.current.attempt
    amount = read_amount(record.hash, answer.credits)
    return TaskAdopted(record.hash, task_id, amount, now, attempt)


def task_owners(ledger: Ledger) -> dict[str, RequestState]:
    """Every task that is known to be of a request, and that request."""
    found: dict[str, RequestState] = {}
    for standing in ledger.everything:
        for purchase in standing.record.purchases:
            if purchase.task_id is not None:
                found.setdefault(purchase.task_id, standing)
    return found


WINDOW = 15 * 60.0
"""Seconds around a lost POST in which its task must have been made, clocks being what they are."""


def unowned_tasks(tasks: Iterable[Task], ledger: Ledger) -> list[Task]:
    """Tasks of the account that are of no request that is known."""
    owned = task_owners(ledger)
    return [task for task in tasks if task.id not in owned]


def candidate_tasks(record: Record, tasks: Iterable[Task]) -> Iterator[Task]:
    """Of tasks that nobody owns those that may be a held request's: they are of its time."""
    sent_at = record.intent.at if record.intent else None
    for task in tasks:
        near = sent_at is None or task.created is None or abs(task.created - sent_at) <= WINDOW
        if near:
            yield task


def paid_so_far(record: Record) -> str:
    """What was paid, or may have been, for a request that is bought anew."""
    amounts = [p.counted for p in record.purchases]
    unknown = " and an unknown amount" if None in amounts else ""
    return f"{record.spent} credits{unknown}"
