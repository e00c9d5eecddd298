"""A run that other machines carry out too: what a store allows, and what it is told.

The owner's thread asks what may be bought and says what happened; claims, looks and reading what
others did are calls of other threads, as every call that waits for a network.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from veogen.errors import UsageError
from veogen.executor.options import utc_text
from veogen.executor.others import ClipMoved, Followed
from veogen.executor.shared_budget import SharedBudget
from veogen.executor.shared_clips import ClipTransfers
from veogen.executor.shared_facts import news_for, shared_facts
from veogen.executor.transitions import NotPermitted, Stop, SubmitAttempt
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    PurchaseImported,
    SubmitFailed,
    SubmitIntended,
    SubmitRejected,
    SubmitUnknown,
    TaskAdopted,
    TaskCreated,
    TaskProgressed,
    VideoMissing,
    VideoMoved,
)
from veogen.results.facts import account
from veogen.results.ledger import Ledger
from veogen.results.record import Record
from veogen.store.history import History
from veogen.store.layout import AttemptId, Claimed, DecisionKind, StoredDecision
from veogen.store.member import ClaimedByOther, ClosedError, Member, Permit
from veogen.store.objects import StoreError
from veogen.store.opening import Store
from veogen.store.signs import Look, StoreTime

LAST_WORDS = 10.0
"""Seconds that a process that ends waits for the store to take what it has to say."""

_IDLE_PARTS = 4
"""Who has nothing to do but wait for others looks so many times as often."""

_SENT = (TaskCreated, SubmitFailed, SubmitRejected, SubmitUnknown)
_BEGUN = (TaskCreated, TaskAdopted)
_NOT_SHARED = (SubmitIntended, PurchaseImported, TaskProgressed, VideoMissing, VideoMoved)

Whose: TypeAlias = Literal["free", "ours", "others", "nobody"]
"""Who is at work on a request: nobody has begun, we, a machine that lives, or one that is silent.

What has ended is `nobody`'s too.
"""


class SharedRun:
    """What one process knows of a run in a store, and says there.

    With `takes_up_all` tasks of machines that live are followed too: twice does no harm. `part`:
    this is one batch of many on a cluster.
    """

    def __init__(
        self,
        member: Member,
        store: Store,
        time: StoreTime,
        directory: Path,
        *,
        takes_up_all: bool = False,
        part: bool = False,
    ) -> None:
        self._member = member
        self._part = part
        self._time = time
        self._patience = store.patience
        self.clips = ClipTransfers(store.clips, directory)
        self._takes_up_all = takes_up_all
        self._permits: dict[AttemptId, Permit] = {}
        self._never_sent_told: set[AttemptId] = set()
        self._claims: dict[AttemptId, Claimed] = {}
        self._claims_seen = 0
        self._rebought: set[str] = set()
        self.skipped: set[str] = set()
        self.was_held: dict[str, int] = {}
        """Attempts that were held, as far as the journal knew, before the store said more."""
        self.budget: SharedBudget | None = None
        self._follow_at = time.monotonic() + store.patience.every
        self._following = False
        self._looks_begun = 0
        self.has_left = False
        self.looks = 0
        self.heard_at = time.monotonic()

    @property
    def history(self) -> History:
        return self._member.history

    @property
    def sign_every(self) -> float:
        """Seconds between two signs of life."""
        return self._patience.every

    @property
    def process(self) -> str:
        return self._member.identity.process

    def whose(self, hash_: str) -> Whose:
        """Who is at work on a request, as far as is known."""
        if self.history.is_unread(hash_):
            return "others"
        facts = shared_facts(self.history, hash_)
        current = account(facts).current
        if current is None:
            return "free"
        if current.status in ("completed", "failed"):
            return "nobody"
        owner = self.history.owner(AttemptId(hash_, current.attempt))
        if owner is None:
            return "nobody"
        heir = self.history.heir(owner)
        if heir == self.process:
            return "ours"
        if self._takes_up_all and current.task_id is not None:
            return "nobody"
        return "nobody" if self._member.is_silent(heir) else "others"

    def may_claim(self, hash_: str, record: Record) -> bool:
        """Whether the journal knows all that the store does of a request.

        Only who has seen the end of an attempt begins the next: what was read of others in the
        meantime comes first.
        """
        if hash_ in self._rebought:
            return True
        if self.history.is_unread(hash_):
            return False
        return news_for(shared_facts(self.history, hash_), record, self._time.now()) is None

    def machine(self, hash_: str) -> str | None:
        """The machine that claimed the last attempt of a request."""
        attempts = self.history.attempts.get(hash_)
        owner = self.history.owner(AttemptId(hash_, max(attempts))) if attempts else None
        return self.history.processes[owner].machine if owner else None

    def news(self, hash_: str, record: Record) -> Event | None:
        """What of the store is news to the journal."""
        if self.whose(hash_) == "others":
            return None  # it is being bought: what becomes of it is heard later
        facts = shared_facts(self.history, hash_)
        for attempt in facts.attempts:
            if attempt.in_doubt and self._never_sent(AttemptId(hash_, attempt.number), record):
                attempt.not_sent = attempt.sent
        return news_for(facts, record, self._time.now())

    def _never_sent(self, of: AttemptId, record: Record) -> bool:
        """Whether a claim is ours of which this journal knows that nothing was sent.

        The answer to its creation was lost for so long that the run stopped; the store is told now.
        """
        own = record.facts.attempt(of.attempt)
        owner = self.history.owner(of)
        if own is None or not own.sent or own.in_doubt:
            return False
        if owner is None or self.history.heir(owner) != self.process:
            return False
        if of not in self._never_sent_told:
            self._never_sent_told.add(of)
            event = SubmitFailed(
                of.hash, of.attempt, "store", "its claim was made, it was not sent"
            )
            claim = self.history.claim(of)
            claimed = None if claim is None else Claimed(claim.owner, claim.address, claim.credits)
            self._member.record([(of.attempt, event, claimed)], prompt=False)
        return True

    def next_attempt(self, hash_: str, attempts: int) -> int:
        """The number of the next attempt: after all that were ever claimed."""
        return max(attempts, *self.history.attempts.get(hash_, ()), 0) + 1

    def permit(self, attempt: SubmitAttempt, address: str) -> NotPermitted | None:
        """Claim an attempt, or look again whether it may still be sent; in any thread."""
        intent = attempt.intent
        of = AttemptId(intent.hash, intent.attempt)
        try:
            permit = self._permits.get(of)
            if permit is None:
                answer = self._member.claim(
                    of, key=intent.key, body=intent.body, address=address, credits_=intent.estimate
                )
                if isinstance(answer, ClaimedByOther):
                    self.history.notice(of)  # what became of it is read before it counts
                    return NotPermitted("claimed", f"{answer.claim.machine} is buying it")
                self._claims[of] = Claimed(self.process, address, intent.estimate)
                self.history.take_own_claim(of)
                permit = answer
            again = self._member.look_again(permit)
        except ClosedError as error:
            return NotPermitted("closed", str(error), Stop("store", str(error)))
        except StoreError as error:
            return NotPermitted(
                "store", str(error), Stop("store", f"{error}; nothing more is bought")
            )
        if isinstance(again, str):
            return NotPermitted("decided", again)
        self._permits[of] = again
        return None

    def own(self, wanted: Sequence[Request]) -> list[Request]:
        """What this machine begins with: what nobody is at, from a place of its own on."""
        free = [request for request in wanted if self.whose(request.hash) != "others"]
        start = int(self.process.rpartition(".")[2], 16) % len(free) if free else 0
        return free[start:] + free[:start]

    def place_apart(self, waiting: Sequence[str]) -> str:
        """Where this machine goes on that met another one, which comes from the beginning.

        It is the middle of the longest stretch that nobody has begun, so they part for long.
        """
        best, start = range(0), 0
        for at, hash_ in enumerate((*waiting, None)):
            if hash_ is None or hash_ in self.history.attempts or self.history.is_unread(hash_):
                best, start = max(best, range(start, at), key=len), at + 1
        return waiting[best[len(best) // 2] if best else 0]

    def last_seen(self, hash_: str, attempt: int) -> str | None:
        """Which other machine claimed an attempt, and when it was seen last."""
        of = AttemptId(hash_, attempt)
        owner = self.history.owner(of)
        if owner is None or self.history.heir(owner) == self.process:
            return None
        seen = self.history.processes[owner]
        return f"{seen.machine}, last seen at {utc_text(seen.seen)}"

    def close(self, machine: str) -> Iterator[str]:
        """Say that a machine is gone; what came of it, in lines."""
        closed = self._member.close(machine)
        if not closed:
            machines = sorted({seen.machine for seen in self.history.processes.values()})
            raise UsageError(f"no machine {machine!r} is in this store: {', '.join(machines)}")
        for process, amount in closed.items():
            if amount is None:
                yield f"{process}: it was seen a moment ago; it stops buying within a minute"
            else:
                yield f"{process}: closed; {amount} credits of the budget came back"

    def take_over(self, hash_: str, attempt: int) -> bool:
        """Have an attempt sent again that a process of this journal claimed; False for others'."""
        of = AttemptId(hash_, attempt)
        owner = self.history.owner(of)
        if owner is not None and self.history.heir(owner) != self.process:
            return False
        old = Look(float("-inf"), float("-inf"))
        self._permits[of] = Permit(of, old, len(self.history.decisions[of]))
        return True

    def decide(
        self, hash_: str, attempt: int, kind: DecisionKind, task_id: str | None = None
    ) -> str | None:
        """Write down what a person decided; why nothing may be sent, if so.

        Raises `DecidedError` if somebody else has decided.
        """
        of = AttemptId(hash_, attempt)
        answer = self._member.decide(of, kind, task_id)
        if isinstance(answer, str):
            return answer
        if kind == "replay":
            self._permits[of] = answer
        elif kind == "rebuy":
            self._rebought.add(hash_)
        return None

    def decided_meanwhile(self, hash_: str) -> StoredDecision | None:
        """What somebody has decided about the attempt that whoever sits here has seen held."""
        of = AttemptId(hash_, self.was_held.get(hash_, 0))
        decisions = self.history.decisions.get(of)
        return decisions[max(decisions)] if decisions else None

    def claimed_body(self, hash_: str, attempt: int) -> str | None:
        """The bytes that an attempt was claimed with; input from others."""
        return self._member.claimed_body(AttemptId(hash_, attempt))

    def decided(self, hash_: str, attempt: int) -> StoredDecision | None:
        """What was decided about an attempt on any machine, for good or to send it just now."""
        for each in self.history.decisions.get(AttemptId(hash_, attempt), {}).values():
            heir = self.history.heir(each.owner)
            is_over = heir == self.process or self._member.is_silent(heir)
            if each.decision != "replay" or not is_over:
                return each
        return None

    def record(self, events: Sequence[Event], ledger: Ledger) -> None:
        """Have what happened written into the store: task ids at once, all else within a second."""
        facts: list[tuple[int, Event, Claimed | None]] = []
        for event in events:
            if isinstance(event, _NOT_SHARED) or self.clips.is_held_back(event):
                continue
            if isinstance(event, SubmitFailed) and event.resend is True:
                continue  # it is sent again: nobody else may take its place
            attempt = self._attempt_of(event, ledger.record(event.hash))
            of = AttemptId(event.hash, attempt)
            if self.budget is not None:
                self.budget.count(of, event)
            claim = self._claims.get(of) if isinstance(event, _SENT) else None
            is_anothers = claim is None and isinstance(event, SubmitFailed | SubmitRejected)
            if not is_anothers:  # what became of our sending says nothing of another one's claim
                facts.append((attempt, event, claim))
        if facts:
            prompt = any(isinstance(event, TaskCreated) for _, event, _ in facts)
            self._member.record(facts, prompt=prompt)

    def _attempt_of(self, event: Event, record: Record) -> int:
        attempt = getattr(event, "attempt", None)
        if isinstance(attempt, int):
            return attempt
        named = getattr(event, "task_id", None)
        task_id = named if isinstance(named, str) else record.task_id
        for number in sorted(self.history.attempts.get(event.hash, ()), reverse=True):
            known = self.history.events(AttemptId(event.hash, number))
            if any(isinstance(e, _BEGUN) and e.task_id == task_id for e in known):
                return number
        return max(1, record.attempts)

    def limit(self, budget: Decimal, ledger: Ledger) -> None:
        """Let a budget hold over all machines; reads what pieces of it are taken."""
        self.budget = SharedBudget(self._member, self.history, budget, ledger)

    def follow(self, *, idle: bool, at_once: bool = False) -> Callable[[], Followed] | None:
        """The call that gives a sign of life and reads what others did, when it is time."""
        now = self._time.monotonic()
        if self._following or not (at_once or now >= self.next_due(idle=idle)):
            return None
        self._following = True
        self._looks_begun += 1
        if self.budget is not None and self.budget.must_know_all:
            return partial(self._follow, idle=True, lazily=True)
        waits = self.budget is not None and self.budget.waits
        glances = waits or len(self._claims) == self._claims_seen
        self._claims_seen = len(self._claims)
        return partial(self._follow, idle=idle, lazily=not at_once, glances=glances)

    @property
    def next_look(self) -> int:
        """The number of the first look that sees all that is in the store now."""
        return self._looks_begun + 1

    def next_due(self, *, idle: bool) -> float:
        """When others are looked at next."""
        if self._following:
            return float("inf")
        if self.budget is not None and self.budget.is_in_doubt:
            return float("-inf")
        waits = idle or (self.budget is not None and self.budget.waits)
        return self._follow_at - (self._patience.every * (1 - 1 / _IDLE_PARTS) if waits else 0.0)

    def glance(self) -> Callable[[], Followed] | None:
        """The call that sees what others have claimed, at once: one of them was quicker."""
        if self._following:
            return None
        self._following = True
        self._looks_begun += 1
        return partial(self._follow, idle=False, lazily=True, glances=True)

    def _follow(self, *, idle: bool, lazily: bool, glances: bool = False) -> Followed:
        """A sign, and what others did: all of it, their claims alone, or, while we buy, nothing."""
        before = {hash_: len(numbers) for hash_, numbers in list(self.history.attempts.items())}
        decided = {of: len(numbers) for of, numbers in list(self.history.decisions.items())}
        try:
            self._member.sign_if_due()
            self._member.checkpoint_if_due(waits=idle)
            if not idle:
                return Followed(self._member.glance() if glances else ())
            news = self._member.follow(lazily=lazily)
        except StoreError as error:
            return Followed(error=error)
        hashes = {item.event.hash for item in news}
        hashes.update(
            hash_
            for hash_, numbers in list(self.history.attempts.items())
            if len(numbers) != before.get(hash_)
        )
        hashes.update(
            of.hash
            for of, numbers in list(self.history.decisions.items())
            if len(numbers) != decided.get(of, 0)
        )
        return Followed(hashes)

    def look_now(self) -> Followed:
        """What others did, asked in the calling thread."""
        return Followed() if self._following else self._follow(idle=True, lazily=False)

    def followed(self, message: Followed) -> Stop | None:
        """Take note that others were looked at; why nothing more may be bought, if so."""
        self._following = False
        self.looks = self._looks_begun
        now = self._time.monotonic()
        self._follow_at = now + self._patience.every
        if message.hashes:
            self.heard_at = now
        if self.budget is not None:
            self.budget.heard()
        if self._member.closed is not None:
            return Stop("store", self._member.closed)
        if message.error is not None:
            return Stop("store", f"{message.error}; nothing more is bought")
        return self.trouble()

    def trouble(self) -> Stop | None:
        """Why nothing more may be bought: the store has taken no record for a minute."""
        if self._member.waits_for < self._patience.fresh or not self._member.is_refused:
            return None
        return Stop("store", "the store has taken no record for a minute; nothing more is bought")

    def leave(self) -> str | None:
        """End this process's part; what is to be said if the store does not know everything."""
        spent = None if self.budget is None else self.budget.spent
        try:
            done = self._member.leave(spent=spent, seconds=LAST_WORDS, is_one_of_many=self._part)
        except StoreError as error:
            return f"{error}; the journal has everything: the next run or collect puts it there"
        if done:
            self.has_left = True
            return None
        return "the store did not take everything; the next run or collect puts it there"

    def want_clips(self, ledger: Ledger, *, everything: bool) -> None:
        """Have clips brought home: all, or those that this machine bought and did not put away."""
        for state in ledger.everything:
            record = state.record
            if record.status != "completed":
                continue
            task = record.facts.task(record.task_id)
            is_put_away = task is not None and task.put_away
            owner = self.history.owner(AttemptId(record.hash, task.attempt if task else 1))
            is_own = owner is not None and self.history.heir(owner) == self.process
            if everything or (is_own and not is_put_away):
                self.clips.want(state)

    def clip_moved(self, message: ClipMoved, ledger: Ledger) -> None:
        """A clip that is in the store now: others are told."""
        if message.done and not message.fetched:
            event = message.event
            request = ledger.request(event.hash)
            attempt = self._attempt_of(event, ledger.record(event.hash))
            self.bring([(attempt, event, request.address if request else "")])

    def bring(self, purchases: Sequence[tuple[int, Event, str]]) -> None:
        """Put purchases into the store that were made without it."""
        self._member.bring(purchases)


def this_machine() -> str:
    """The name of this machine."""
    return socket.gethostname()
