"""What a store knows of a run, laid over what is known here; nothing is written to it."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veogen.executor.shared_facts import news_for, shared_facts
from veogen.models.parameters import Json
from veogen.planner.identity import default_output
from veogen.planner.plan import Request
from veogen.results.facts import account
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName
from veogen.store.history import History
from veogen.store.layout import AttemptId
from veogen.text import safe

if TYPE_CHECKING:
    from veogen.executor.joining import StoreChoice


def lay_store_over(
    ledger: Ledger, choice: "StoreChoice", gateway: GatewayName, now: float
) -> dict[str, str]:
    """Fold in what the store knows; the machine that claimed each request, by hash.

    A claim without an answer, of a machine that lives, is no purchase yet. Raises `StoreError`.
    """
    history = choice.store.read(choice.run, gateway)
    if history is None:
        return {}
    unknown = list(stored_requests(history, ledger))
    if unknown:
        planned = [state.request for state in ledger.planned]
        ledger.adopt(planned, [*(state.request for state in ledger.former), *unknown])
    machines: dict[str, str] = {}
    for hash_ in list(history.attempts):
        facts = shared_facts(history, hash_)
        current = account(facts).current
        owner = history.owner(AttemptId(hash_, current.attempt)) if current else None
        if owner is not None:
            machines[hash_] = history.processes[owner].machine
            is_open = current is not None and current.status == "indeterminate"
            moment, silence = max(now, history.newest), choice.store.patience.silence
            if is_open and not history.is_silent(history.heir(owner), moment, silence):
                continue
        event = news_for(facts, ledger.record(hash_), now)
        if event is not None:
            ledger.apply(event)
    return machines


def stored_requests(history: History, ledger: Ledger) -> Iterator[Request]:
    """The requests in a store that neither the plan nor the journal knows."""
    for hash_ in list(history.attempts):
        if ledger.request(hash_) is None and (address := history.address(hash_)) is not None:
            yield request_at(address, hash_)


_ADDRESS = re.compile(
    r"(?P<shot>[^\[#]+)(?:\[(?P<axes>.*)\])?(?:#(?P<take>[1-9][0-9]*))?", re.DOTALL
)
_AXIS = re.compile(r'(?P<name>[^=,"]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)')


def request_at(address: str, hash_: str) -> Request:
    """A request of which only a store tells: all that its address says."""
    match = _ADDRESS.fullmatch(address)
    shot = match["shot"] if match else address
    axes = _AXIS.finditer(match["axes"] or "") if match else iter(())
    variables: dict[str, Json] = {}
    for axis in axes:  # JSON but for plain words
        try:
            variables[axis["name"]] = json.loads(axis["value"])
        except ValueError:
            variables[axis["name"]] = axis["value"]
    take = int(match["take"] or 1) if match else 1
    return Request(
        address=address,
        hash=hash_,
        shot=shot,
        take=take,
        variables=variables,
        output=default_output(safe(shot).lstrip(".") or "shot", variables, take),
        body={},
        credits=None,
    )
