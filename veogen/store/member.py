"""This process among those that carry one run out: what it claims, says, decides and hears."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from veogen.results.events import Event
from veogen.store import layout
from veogen.store.budget import Allowance, MoneyChain
from veogen.store.history import History, News
from veogen.store.layout import (
    LIMIT,
    AttemptId,
    Batch,
    Claim,
    Claimed,
    Closing,
    DecisionKind,
    Fact,
    RunNames,
    StoredDecision,
    encode,
)
from veogen.store.log import OwnLog
from veogen.store.objects import Objects, StoreAwayError, StoreError
from veogen.store.reading import HistoryReader
from veogen.store.signs import Look, Patience, SignOfLife, StoreTime

CHECKPOINT_EVERY = 1000
"""Facts after which a process leaves a checkpoint."""


class ClosedError(StoreError):
    """Somebody said that this machine is gone, or another process took its journal over."""


class DecidedError(StoreError):
    """Somebody else has decided about this attempt."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a process is; `process` is unlike any other, `machine` is for people."""

    process: str
    machine: str


class Permit(NamedTuple):
    """An attempt that this process may send, as of its last look."""

    of: AttemptId
    look: Look
    decisions: int = 0


class ClaimedByOther(NamedTuple):
    """Somebody else is about to buy it, or has."""

    claim: Claim


class Member:
    """A process that buys. Claims and looks may be made in any thread, all else in one."""

    def __init__(
        self,
        objects: Objects,
        run: str,
        identity: Identity,
        time: StoreTime,
        patience: Patience,
    ) -> None:
        self._objects = objects
        self._names = RunNames(run)
        self._time = time
        self._patience = patience
        self._log = OwnLog(objects, self._names, identity.process, identity.machine, time)
        self._sign = SignOfLife(objects, self._names, identity.process, identity.machine, time)
        self._looking = threading.Lock()
        self._reader = HistoryReader(objects, self._names, identity.process)
        self._checkpointed = 0
        self._closed: str | None = None
        self.identity = identity
        self.chain = MoneyChain(objects, self._names, identity.process, time)

    @property
    def history(self) -> History:
        """What was read so far."""
        return self._reader.history

    def read(self) -> History:
        """Read all records; nothing is written yet."""
        return self._reader.open()

    def join(self) -> None:
        """Write the first record and a sign; raises `StoreError` for a store that is refused."""
        process, machine = self.identity.process, self.identity.machine
        self._log.open(Batch(process=process, machine=machine, at=self._time.now(), opens=1))
        self._sign.write()
        self.history.processes[process].machine = machine

    def succeed(self, process: str, *, is_surely_over: bool) -> bool:
        """Take over what the journal's process before claimed; False if it is another machine's.

        `is_surely_over` says that the process cannot live, as nobody else holds the directory.
        Else it has to be silent. Of a journal and its copy the first one takes over.
        """
        if not (is_surely_over or self.is_silent(process)):
            return False
        closing = Closing(
            owner=self.identity.process,
            machine=self.identity.machine,
            kind="next",
            at=self._time.now(),
        )
        if self._close(process, closing).owner != self.identity.process:
            return False
        return is_surely_over or self.is_silent(process, again=True)

    def claim(self, of: AttemptId, *, key: str, body: str, address: str, credits_: Decimal | None
              ) -> Permit | ClaimedByOther:  # fmt: skip
        """Claim an attempt, or hear who did; raises `ClosedError`, `StoreAwayError`.

        Nothing new is claimed by a process that others take for silent, or may not hear.
        """
        waits_long = self._log.waits_for >= self._patience.fresh
        if waits_long and (self.is_refused or not self._log.flush(self._patience.fresh)):
            raise self._log.trouble or StoreAwayError("the store has taken no record for a minute")
        if self._sign.age > self._patience.fresh:
            self._signed()
        if self._closed is not None:
            raise ClosedError(self._closed)
        look = Look.begin(self._time)
        claim = Claim(
            owner=self.identity.process,
            key=key,
            body=body,
            address=address,
            credits=credits_,
            machine=self.identity.machine,
            at=look.wall,
        )
        name = self._names.claim(of)
        there = self._objects.create(name, encode(claim))
        made = claim if there is None else layout.decode(there, Claim, name)
        return Permit(of, look) if made.owner == claim.owner else ClaimedByOther(made)

    def claimed_body(self, of: AttemptId) -> str | None:
        """The body that the claim of an attempt has, if there is one; input from others."""
        name = self._names.claim(of)
        content = self._objects.read(name, LIMIT)
        return None if content is None else layout.decode(content, Claim, name).body

    def look_again(self, permit: Permit) -> Permit | str:
        """The permit if its look is young, else a new one; or why nothing may be sent any more."""
        if permit.look.age(self._time) <= self._patience.fresh:
            return permit
        look = self._signed()
        if self._closed is not None:
            return self._closed
        name = self._names.decision(permit.of, permit.decisions)
        decision = self._objects.read(name, LIMIT)
        if decision is not None:
            decided = layout.decode(decision, StoredDecision, name)
            return f"{decided.machine} decided about it meanwhile ({decided.decision})"
        after = self._names.claim(AttemptId(permit.of.hash, permit.of.attempt + 1))
        if self._objects.read(after, LIMIT) is not None:
            return "a later attempt was claimed meanwhile"
        return permit._replace(look=look)

    def _signed(self) -> Look:
        """Give a sign of life, then read whether this process was closed."""
        with self._looking:
            look = Look.begin(self._time)
            self._sign.write()
            name = self._names.closing(self.identity.process)
            content = self._objects.read(name, LIMIT)
            if content is not None:
                closing = layout.decode(content, Closing, name)
                self._closed = (
                    f"{closing.machine} took this run's journal over"
                    if closing.kind == "next"
                    else f"this machine was closed by {closing.machine}: it buys no more"
                )
            return look

    def sign_if_due(self) -> bool:
        """Give a sign of life every minute; whether this process may still buy."""
        if self._sign.age >= self._patience.every:
            self._signed()
        return self._closed is None

    @property
    def closed(self) -> str | None:
        """Why this process buys no more, if somebody said so."""
        return self._closed

    def record(self, facts: Sequence[tuple[int, Event, Claimed | None]], *, prompt: bool) -> None:
        """Have events written down, each with its attempt, and with its claim if we sent it."""
        new = [Fact.of(event, attempt, claim=claim) for attempt, event, claim in facts]
        self._add(new, prompt=prompt)

    def bring(self, purchases: Sequence[tuple[int, Event, str]]) -> None:
        """Put purchases into the store that were made without it, each with its address."""
        facts = [Fact.of(event, attempt, address=at) for attempt, event, at in purchases]
        self._add(facts, prompt=False)

    def _add(self, facts: Sequence[Fact], *, prompt: bool) -> None:
        news = [fact for fact in facts if self.history.take(fact, "own") is not None]
        self._log.add(news, prompt=prompt)

    @property
    def waits_for(self) -> float:
        """Seconds for which the oldest fact waits to be in the store."""
        return self._log.waits_for

    @property
    def is_refused(self) -> bool:
        """Whether the store did not take what was last to be written."""
        return self._log.trouble is not None

    def flush(self, seconds: float) -> bool:
        """Have all facts written; whether they are, after so many seconds at most."""
        return self._log.flush(seconds)

    def follow(self, *, lazily: bool = False) -> list[News]:
        """Read what others wrote meanwhile; raises `UnreadableError`, `StoreAwayError`.

        With `lazily` long logs of processes that live are left to their checkpoints.
        """
        return self._reader.refresh(self.is_silent if lazily else None)

    def glance(self) -> set[str]:
        """See who lives and what is claimed; the requests of which that is news."""
        return self._reader.glance()

    def is_silent(self, process: str, *, again: bool = False) -> bool:
        """Whether a process has ended or is silent, by what was read, or by a look now."""
        if again:
            self._sign.write()  # and with it the store's time
            self._reader.look_at(process)
        now = self._sign.store_now()
        return self.history.is_silent(process, now, self._patience.silence)

    def decide(self, of: AttemptId, kind: DecisionKind, task_id: str | None = None) -> Permit | str:
        """Write down what a person decided; then why nothing may be sent, or a permit to.

        Raises `DecidedError` if somebody else has decided.
        """
        number = len(self.history.decisions[of])
        look = Look.begin(self._time)
        decision = StoredDecision(
            decision=kind,
            owner=self.identity.process,
            machine=self.identity.machine,
            at=look.wall,
            task_id=task_id,
        )
        name = self._names.decision(of, number)
        there = self._objects.create(name, encode(decision))
        if there is not None:
            other = layout.decode(there, StoredDecision, name)
            raise DecidedError(f"{other.machine} has decided about it already: {other.decision}")
        self.history.take_decision(of, number, decision)
        history, own = self.history, self.identity.process
        owner = history.owner(of) or own
        is_ours = history.heir(owner) == own
        if not (is_ours or owner in history.closings or self.is_silent(owner, again=True)):
            return f"{history.processes[owner].machine} lives and may still send it"
        return Permit(of, look, number + 1)

    def close(self, machine: str) -> dict[str, Decimal | None]:
        """Say that a machine is gone; what came back of each process's piece, None if it lives."""
        self._reader.refresh()
        self.chain.open()
        came_back: dict[str, Decimal | None] = {}
        for process, seen in sorted(self.history.processes.items()):
            is_meant = machine in (process, seen.machine)
            if not is_meant or process == self.identity.process:
                continue
            closing = Closing(
                owner=self.identity.process,
                machine=self.identity.machine,
                kind="closed",
                at=self._time.now(),
            )
            self._close(process, closing)
            came_back[process] = None
            if self.is_silent(process, again=True):
                self._reader.refresh()
                spent = self.history.spent_by(process)
                came_back[process] = self.chain.give_back(process, spent)
        return came_back

    def _close(self, process: str, closing: Closing) -> Closing:
        """Write a closing down; the one that stands."""
        name = self._names.closing(process)
        content = encode(closing)
        there = self._objects.create(name, content)
        actual = closing if there is None else layout.decode(there, Closing, name)
        self.history.closings[process] = actual
        return actual

    def allowance(self, budget: Decimal) -> Allowance:
        """What this process may claim of a budget; reads the pieces of all.

        What the processes before it of its journal have left over comes back.
        """
        self.chain.open()
        process = self.identity.process
        for earlier in list(self.history.closings):
            if self.history.heir(earlier) == process:
                self.chain.give_back(earlier, self.history.spent_by(earlier))
        return Allowance(self.chain, self.identity.process, budget)

    def checkpoint_if_due(self, *, waits: bool = False) -> None:
        """Leave a checkpoint every thousand facts, so that whoever opens reads little.

        One that `waits` for others leaves one before, if it has written anything since.
        """
        new = self._log.written - self._checkpointed
        if new >= CHECKPOINT_EVERY or (waits and new and self._log.flush(self._patience.fresh)):
            self._checkpoint()

    def _checkpoint(self) -> None:
        process = self.identity.process
        self._checkpointed = self._log.written
        self.history.processes[process].next = self._log.next
        now = self._time.now()
        checkpoint = self.history.checkpoint(process, now)
        self._objects.create(self._names.checkpoint(process, now), encode(checkpoint))

    def leave(self, *, spent: Decimal | None, seconds: float, is_one_of_many: bool = False) -> bool:
        """Write all down, give back what is left of the budget, and say that nothing follows.

        One of many, as a batch of a cluster is, leaves a checkpoint only if a thousand facts are in
        none: each holds all that is known of the run.
        `spent` is what this process's claims have cost or may cost, None without a budget. False
        if the store did not take everything in so many seconds; then nothing is given back.
        """
        if not self._log.close(seconds):
            return False
        if spent is not None:
            self._signed()  # who closes this process sees that it lives
            self.chain.give_back(self.identity.process, spent)
        self._log.end(self._time.now())
        self.history.processes[self.identity.process].ended = True
        if not is_one_of_many or self._reader.facts_since_checkpoint >= CHECKPOINT_EVERY:
            self._checkpoint()
        return True
