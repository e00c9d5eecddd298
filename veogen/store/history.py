"""What a run's records say: claims, facts, decisions, and who was seen when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import RLock
from typing import NamedTuple

from msgspec import Raw

from veogen.results.events import (
    Event,
    SubmitFailed,
    SubmitRejected,
    TaskAdopted,
    TaskCompleted,
    TaskCreated,
)
from veogen.store import layout
from veogen.store.layout import (
    AttemptId,
    Checkpoint,
    Claim,
    Claimed,
    Closing,
    Fact,
    Facts,
    StoredDecision,
)

_NOTHING: frozenset[int] = frozenset()
_FIRST = frozenset({1})


class News(NamedTuple):
    """An event of an attempt that was not known before."""

    attempt: int
    event: Event


@dataclass(slots=True)
class ProcessSeen:
    """A process, as its records show it; `next` is the number of the next record of its log."""

    machine: str = ""
    next: int = 0
    ended: bool = False
    seen: float = 0.0


class History:
    """All that was read so far; whoever changes it or walks over all of it holds its lock.

    What a checkpoint holds of an attempt stays folded, as its JSON, until it is asked for: most of
    a long run is never asked for again, but left in the next checkpoint as it came.
    """

    def __init__(self) -> None:
        self.unanswered: dict[AttemptId, Claim] = {}
        self.decisions: dict[AttemptId, dict[int, StoredDecision]] = defaultdict(dict)
        self.closings: dict[str, Closing] = {}
        self.processes: dict[str, ProcessSeen] = defaultdict(ProcessSeen)
        self.attempts: dict[str, frozenset[int]] = {}
        self.newest = 0.0
        self.count = 0
        self.lock = RLock()
        self._noticed: dict[str, set[int]] = defaultdict(set)
        self._claims: dict[AttemptId, Claimed] = {}
        self._owners: dict[str, str] = {}  # by the name of a claim, as all that follows but events
        self._events: dict[AttemptId, list[Event]] = defaultdict(list)
        self._addresses: dict[str, str] = {}
        self._facts: dict[str, list[Fact]] = defaultdict(list)
        self._unchanged: dict[str, Raw] = {}
        self._folded: dict[str, str] = {}

    def take(self, fact: Fact, name: str) -> News | None:
        """Fold a fact in, if it is news; raises `UnreadableError` with the record's name."""
        try:
            event = fact.read()
        except ValueError as error:
            raise layout.unreadable(name, str(error)) from None
        of = AttemptId(event.hash, fact.attempt)
        with self.lock:
            self._unfold(of)
            if event in self._events[of]:
                self._take_claim_of(of, fact)
                return None
            self._take(of, fact, event)
            self.count += 1
            self._unchanged.pop(of.name, None)
            return News(fact.attempt, event)

    def _take(self, of: AttemptId, fact: Fact, event: Event) -> None:
        self._take_claim_of(of, fact)
        self._note(of)
        self._facts[of.name].append(fact)
        self._events[of].append(event)

    def _take_claim_of(self, of: AttemptId, fact: Fact) -> None:
        if fact.claim is not None:
            self._claims.setdefault(of, fact.claim)
            self._owners.setdefault(of.name, fact.claim.owner)
            self._addresses.setdefault(of.hash, fact.claim.address)
            self.unanswered.pop(of, None)
        if fact.address is not None:
            self._addresses.setdefault(of.hash, fact.address)

    def _note(self, of: AttemptId) -> None:
        self.attempts[of.hash] = self.attempts.get(of.hash, _NOTHING) | {of.attempt}

    def take_checkpoint(self, checkpoint: Checkpoint, name: str) -> list[News]:
        """Take in what a checkpoint holds; what of it is news, if anything was read before."""
        with self.lock:
            if not self.attempts and not checkpoint.facts:
                self._take_folded(checkpoint, name)
                return []
            facts = [fact for facts in checkpoint.facts.values() for fact in facts]
            for purchases in checkpoint.purchases.values():
                for claim, folded in purchases.items():
                    if self._unchanged.get(claim) != folded:
                        facts.extend(layout.decode(folded, Facts, name))
            taken = [self.take(fact, name) for fact in facts]
        return [news for news in taken if news is not None]

    def _take_folded(self, checkpoint: Checkpoint, name: str) -> None:
        for owner, purchases in checkpoint.purchases.items():
            self._unchanged.update(purchases)
            self._folded.update(dict.fromkeys(purchases, name))
            if owner != layout.UNCLAIMED:
                self._owners.update(dict.fromkeys(purchases, owner))
            # nearly all are first attempts: 25,000 of them are taken at once
            first = {claim[:64]: _FIRST for claim in purchases if claim[64:] == ".0001"}
            bought_again = first.keys() & self.attempts.keys()
            self.attempts = {**first, **self.attempts}
            for hash_ in bought_again:
                self._note(AttemptId(hash_, 1))
            for claim in purchases if len(first) < len(purchases) else ():
                of = layout.claimed(claim)
                if of is None:
                    raise layout.unreadable(name, f"{claim} is no name of a claim")
                self._note(of)
        self.count = checkpoint.count

    def _unfold(self, of: AttemptId) -> None:
        """Read what a checkpoint holds of an attempt, if that was not read yet."""
        claim = of.name
        if claim not in self._folded:
            return
        with self.lock:
            name = self._folded.pop(claim, None)
            for fact in layout.decode(self._unchanged[claim], Facts, name) if name else ():
                try:
                    event = fact.read()
                except ValueError as error:
                    raise layout.unreadable(str(name), str(error)) from None
                if (event.hash, fact.attempt) != of:
                    raise layout.unreadable(str(name), f"a fact of {claim} is of another attempt")
                self._take(of, fact, event)

    def checkpoint(self, process: str, at: float) -> Checkpoint:
        """What was read so far, as it can be left for those who come later."""
        with self.lock:
            purchases: dict[str, dict[str, Raw]] = defaultdict(dict)
            for claim, folded in self._unchanged.items():
                purchases[self._owners.get(claim, layout.UNCLAIMED)][claim] = folded
            for claim, facts in self._facts.items():
                if claim not in self._unchanged:
                    raw = Raw(layout.encode(facts))
                    self._unchanged[claim] = raw
                    purchases[self._owners.get(claim, layout.UNCLAIMED)][claim] = raw
            processes = self.processes.items()
            return Checkpoint(
                process=process,
                at=at,
                read={name: seen.next for name, seen in processes},
                ended=frozenset(name for name, seen in processes if seen.ended),
                machines={name: seen.machine for name, seen in processes},
                purchases=purchases,
                count=self.count,
            )

    def events(self, of: AttemptId) -> Sequence[Event]:
        """All that happened to an attempt."""
        self._unfold(of)
        return self._events.get(of, ())

    def claim(self, of: AttemptId) -> Claimed | Claim | None:
        """The claim of an attempt, if it has one."""
        self._unfold(of)
        return self._claims.get(of) or self.unanswered.get(of)

    def address(self, hash_: str) -> str | None:
        """The address that a request had when it was bought."""
        for attempt in self.attempts.get(hash_, ()):
            self._unfold(AttemptId(hash_, attempt))
        return self._addresses.get(hash_)

    def take_claim(self, of: AttemptId, claim: Claim) -> None:
        """Keep a claim of which nothing is known but that it was made."""
        with self.lock:
            if of.name not in self._owners:
                self.unanswered[of] = claim
                self._owners[of.name] = claim.owner
                self._note(of)
                self._addresses.setdefault(of.hash, claim.address)

    def notice(self, of: AttemptId) -> bool:
        """Take note that there is a claim, of which nothing was read; whether that is news."""
        with self.lock:
            is_read = of.attempt in self.attempts.get(of.hash, _NOTHING)
            if is_read or of.attempt in self._noticed[of.hash]:
                return False
            self._noticed[of.hash].add(of.attempt)
            return True

    def take_own_claim(self, of: AttemptId) -> None:
        """This process has claimed an attempt; what becomes of it is recorded here."""
        with self.lock:
            self._note(of)

    def take_decision(self, of: AttemptId, number: int, decision: StoredDecision) -> None:
        """A person has decided about an attempt: so there is one, whatever else was read of it."""
        with self.lock:
            self.decisions[of][number] = decision
            self._note(of)

    def is_unread(self, hash_: str) -> bool:
        """Whether there is a claim of a request of which nothing was read."""
        return not self._noticed.get(hash_, set()) <= self.attempts.get(hash_, _NOTHING)

    def owner(self, of: AttemptId) -> str | None:
        """The process that claimed an attempt."""
        return self._owners.get(of.name)

    @property
    def owners(self) -> Mapping[str, str]:
        """The process of each claim that was read, by the claim's name."""
        return self._owners

    def spent_by(self, process: str) -> Decimal:
        """What the claims of a process reserved, were charged, or may have cost."""
        total = Decimal(0)
        with self.lock:
            for name, owner in self._owners.items():
                of = layout.claimed(name) if owner == process else None
                if of is not None and (claim := self.claim(of)) is not None:
                    total += counted(claim.credits, self.events(of))
        return total

    def is_silent(self, process: str, now: float, silence: float) -> bool:
        """Whether a process has ended, was taken over, or gave no sign for so long."""
        seen = self.processes.get(process)
        if seen is None:
            return True
        return seen.ended or now - seen.seen > silence

    def heir(self, process: str) -> str:
        """Who owns what this process claimed: itself, or the last of those that took it over."""
        passed: set[str] = set()
        while process not in passed:
            passed.add(process)
            closing = self.closings.get(process)
            if closing is None or closing.kind != "next":
                return process
            process = closing.owner
        return process


def counted(estimate: Decimal | None, events: Iterable[Event]) -> Decimal:
    """What an attempt has reserved, was charged or may have cost."""
    amount = estimate or Decimal(0)
    for event in events:
        match event:
            case TaskCreated(credits=credits_) | TaskAdopted(credits=credits_):
                amount = (estimate or Decimal(0)) if credits_ is None else credits_
            case TaskCompleted(credits=credits_) if credits_ is not None:
                amount = credits_
            case SubmitFailed() | SubmitRejected():
                amount = Decimal(0)
            case _:
                continue
    return amount
