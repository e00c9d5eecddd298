"""What a run's records say: claims, facts, decisions, and who was seen when."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from threading import RLock
from typing import NamedTuple, TypeVar

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
    CHECKPOINT_LIMIT,
    LIMIT,
    AttemptId,
    Batch,
    Checkpoint,
    Claim,
    Claimed,
    Closing,
    Fact,
    RunNames,
    StoredDecision,
)
from veogen.store.objects import ObjectInfo, Objects

T = TypeVar("T")
R = TypeVar("R")

_NOTHING: frozenset[int] = frozenset()
_AT_ONCE = 16
_FEW = 20
"""Records of a process that lives that are read at once; more wait for its checkpoint."""


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


@dataclass
class History:
    """All that was read so far; whoever changes it or walks over all of it holds its lock."""

    claims: dict[AttemptId, Claimed] = field(default_factory=dict)
    unanswered: dict[AttemptId, Claim] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    events: dict[AttemptId, list[Event]] = field(default_factory=lambda: defaultdict(list))
    addresses: dict[str, str] = field(default_factory=dict)
    decisions: dict[AttemptId, dict[int, StoredDecision]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    closings: dict[str, Closing] = field(default_factory=dict)
    processes: dict[str, ProcessSeen] = field(default_factory=lambda: defaultdict(ProcessSeen))
    attempts: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    noticed: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    newest: float = 0.0
    lock: RLock = field(default_factory=RLock)

    def take(self, process: str, fact: Fact, name: str) -> News | None:
        """Fold a fact in, if it is news; raises `UnreadableError` with the record's name."""
        try:
            event = fact.read()
        except ValueError as error:
            raise layout.unreadable(name, str(error)) from None
        of = AttemptId(event.hash, fact.attempt)
        with self.lock:
            if fact.claim is not None:
                self.claims.setdefault(of, fact.claim)
                self.addresses.setdefault(event.hash, fact.claim.address)
                self.unanswered.pop(of, None)
            if fact.address is not None:
                self.addresses.setdefault(event.hash, fact.address)
            self.attempts[event.hash].add(fact.attempt)
            if event in self.events[of]:
                return None
            self.facts[process].append(fact)
            self.events[of].append(event)
            return News(fact.attempt, event)

    def take_claim(self, of: AttemptId, claim: Claim) -> None:
        """Keep a claim of which nothing is known but that it was made."""
        with self.lock:
            if of not in self.claims:
                self.unanswered[of] = claim
                self.attempts[of.hash].add(of.attempt)
                self.addresses.setdefault(of.hash, claim.address)

    def notice(self, of: AttemptId) -> bool:
        """Take note that there is a claim, of which nothing was read; whether that is news."""
        with self.lock:
            is_read = of.attempt in self.attempts.get(of.hash, ())
            if is_read or of.attempt in self.noticed[of.hash]:
                return False
            self.noticed[of.hash].add(of.attempt)
            return True

    def take_own_claim(self, of: AttemptId) -> None:
        """This process has claimed an attempt; what becomes of it is recorded here."""
        with self.lock:
            self.attempts[of.hash].add(of.attempt)

    def lacks_closing(self, name: str) -> bool:
        """Whether this is the name of a closing that was not read."""
        process = layout.process_of(name)
        return process is not None and process not in self.closings

    def lacks_decision(self, name: str) -> bool:
        """Whether this is the name of a decision that was not read."""
        of_number = layout.decided(name)
        return of_number is not None and of_number[1] not in self.decisions[of_number[0]]

    def is_unread(self, hash_: str) -> bool:
        """Whether there is a claim of a request of which nothing was read."""
        return not self.noticed.get(hash_, _NOTHING) <= self.attempts.get(hash_, _NOTHING)

    def owner(self, of: AttemptId) -> str | None:
        """The process that claimed an attempt."""
        if of in self.claims:
            return self.claims[of].owner
        claim = self.unanswered.get(of)
        return claim.owner if claim else None

    def spent_by(self, process: str) -> Decimal:
        """What the claims of a process reserved, were charged, or may have cost."""
        with self.lock:
            claims: dict[AttemptId, Claim | Claimed] = {**self.claims, **self.unanswered}
            amounts = [
                counted(claim.credits, self.events.get(of, ()))
                for of, claim in claims.items()
                if claim.owner == process
            ]
        return sum(amounts, Decimal(0))

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


class HistoryReader:
    """Reads a run's records, at first from the newest checkpoint, then what has come since.

    The order matters: claims, then signs, then logs. So of a claim without an answer whose process
    is silent there was none when it was last seen.
    """

    def __init__(self, objects: Objects, names: RunNames, own: str | None = None) -> None:
        self._objects = objects
        self._names = names
        self._own = own  # its log needs not to be read: it is written from what is known here
        self._seen_checkpoints: set[str] = set()
        self.history = History()
        self._in_checkpoint = 0

    def open(self) -> History:
        """Read all that there is; raises `UnreadableError` with the name of what is not."""
        listed = self._objects.list(self._names.folder("checkpoints"))
        self._seen_checkpoints = {info.name for info in listed}
        if listed:
            self._take_checkpoint(max(listed, key=lambda info: info.modified).name)
        self._in_checkpoint = self._facts
        self.refresh()
        return self.history

    @property
    def _facts(self) -> int:
        with self.history.lock:
            return sum(map(len, self.history.facts.values()))

    @property
    def facts_since_checkpoint(self) -> int:
        """How many facts the checkpoint lacked that was read."""
        return self._facts - self._in_checkpoint

    def glance(self) -> set[str]:
        """See who lives and which requests are claimed, by listings alone; those that are news."""
        listed = self._objects.list(self._names.folder("claims"))
        self._see_signs()
        claimed = [of for info in listed if (of := layout.claimed(info.name)) is not None]
        return {of.hash for of in claimed if self.history.notice(of)}

    def refresh(self, is_silent: Callable[[str], bool] | None = None) -> list[News]:
        """Read what has come since; the events among it, in no order but that of each log.

        With `is_silent` a long log of a process that lives is left for later: before it waits for
        others it leaves a checkpoint, which is one object. Its claims are noticed until then.
        """
        claims = self._objects.list(self._names.folder("claims"))
        self._see_signs()
        for name, content in self._unread("closings", self.history.lacks_closing):
            closed = name.rpartition("/")[2]
            self.history.closings[closed] = layout.decode(content, Closing, name)
        news = [] if is_silent is None else self._read_new_checkpoints()
        later, read = self._read_logs(is_silent)
        news.extend(read)
        if later:
            for info in claims:
                if (of := layout.claimed(info.name)) is not None:
                    self.history.notice(of)
        else:
            self._take_claims(claims)
        for name, content in self._unread("decisions", self.history.lacks_decision):
            if (of_number := layout.decided(name)) is not None:
                decision = layout.decode(content, StoredDecision, name)
                self.history.decisions[of_number[0]][of_number[1]] = decision
        return news

    def _unread(self, folder: str, lacks: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
        """The records in a folder that were not read yet, by name."""
        listed = self._objects.list(self._names.folder(folder))
        return self._contents([info.name for info in listed if lacks(info.name)])

    def _read_new_checkpoints(self) -> list[News]:
        """Those of others that came since: facts that need not be read one by one."""
        listed = self._objects.list(self._names.folder("checkpoints"))
        new = [info for info in listed if info.name not in self._seen_checkpoints]
        self._seen_checkpoints.update(info.name for info in new)
        newest: dict[str, ObjectInfo] = {}
        for info in new:
            process = info.name.rpartition("/")[2].partition("-")[2]
            if process != self._own and info.modified >= newest.get(process, info).modified:
                newest[process] = info
        return [news for info in newest.values() for news in self._take_checkpoint(info.name)]

    def _take_checkpoint(self, name: str) -> list[News]:
        content = self._objects.read(name, CHECKPOINT_LIMIT)
        if content is None:
            raise layout.unreadable(name, "it was listed and is gone")
        checkpoint = layout.decode(content, Checkpoint, name)
        taken = [
            self.history.take(process, fact, name)
            for process, facts in checkpoint.facts.items()
            for fact in facts
        ]
        for process, number in checkpoint.read.items():
            seen = self.history.processes[process]
            seen.next = max(seen.next, number)
            seen.machine = seen.machine or checkpoint.machines.get(process, "")
            seen.ended = seen.ended or process in checkpoint.ended
        return [news for news in taken if news is not None]

    def _see_signs(self) -> None:
        for info in self._objects.list(self._names.folder("signs")):
            process = layout.process_of(info.name)
            if process is not None:
                self._saw(process, info)

    def _saw(self, process: str, info: ObjectInfo) -> None:
        with self.history.lock:
            seen = self.history.processes[process]
            seen.seen = max(seen.seen, info.modified)
            self.history.newest = max(self.history.newest, info.modified)

    def look_at(self, process: str) -> None:
        """See when one process last gave a sign or wrote a record."""
        sign = self._objects.info(self._names.sign(process))
        batches = self._batches(self._names.folder("log"), process)
        for info in (sign, *batches):
            if info is not None:
                self._saw(process, info)

    def _read_logs(self, is_silent: Callable[[str], bool] | None) -> tuple[bool, list[News]]:
        """Whether some are left for later, and what was read."""
        folder = self._names.folder("log")
        processes = [p for p in self._objects.folders(folder) if layout.process_of(p)]
        open_ = [p for p in processes if p != self._own and not self.history.processes[p].ended]
        listed = self._together(lambda p: self._batches(folder, p), open_)
        news: list[News] = []
        later = False
        for process, infos in listed:
            for info in infos:
                self._saw(process, info)
            if is_silent is not None and len(infos) > _FEW and not is_silent(process):
                later = True
            else:
                news.extend(self._read_log(process, infos))
        return later, news

    def _batches(self, folder: str, process: str) -> list[ObjectInfo]:
        following = self.history.processes[process].next
        after = f"{following - 1:08}" if following else ""
        infos = self._objects.list(f"{folder}/{process}", after)
        return [info for info in infos if layout.numbered(info.name) is not None]

    def _read_log(self, process: str, infos: Sequence[ObjectInfo]) -> Iterator[News]:
        """A log's records, each of which was written after the one before.

        The listing of a folder may miss one that is just made, so all up to the last are read.
        """
        seen = self.history.processes[process]
        last = max((layout.numbered(info.name) or 0 for info in infos), default=-1)
        if last - seen.next > len(infos) + _AT_ONCE:
            name = self._names.batch(process, seen.next)
            raise layout.unreadable(name, "it is missing, and later ones are there")
        names = [self._names.batch(process, number) for number in range(seen.next, last + 1)]
        for name, content in self._contents(names):
            batch = layout.decode(content, Batch, name)
            if batch.process != process:
                raise layout.unreadable(name, f"it is of {batch.process}")
            taken = [self.history.take(process, fact, name) for fact in batch.facts]
            yield from (news for news in taken if news is not None)
            seen.next += 1
            seen.machine = batch.machine
            seen.ended = batch.ends

    def _take_claims(self, listed: Sequence[ObjectInfo]) -> None:
        history = self.history
        new = {}
        newest: dict[str, ObjectInfo] = {}
        for info in listed:
            of = layout.claimed(info.name)
            if of is None:
                continue
            owner = history.owner(of)
            if owner is None:
                new[info.name] = (of, info)
            elif owner not in newest or info.modified > newest[owner].modified:
                newest[owner] = info
        for owner, info in newest.items():
            self._saw(owner, info)
        for name, content in self._contents(new):
            of, info = new[name]
            claim = layout.decode(content, Claim, name)
            history.take_claim(of, claim)
            self._saw(claim.owner, info)
            seen = history.processes[claim.owner]
            seen.machine = seen.machine or claim.machine

    def _contents(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """All of these objects, in their order; raises `UnreadableError` for one that is gone."""
        for name, content in self._together(lambda n: self._objects.read(n, LIMIT), names):
            if content is None:
                raise layout.unreadable(name, "it is gone, and something is known of it")
            yield name, content

    @staticmethod
    def _together(call: Callable[[str], R], names: Collection[str]) -> Iterator[tuple[str, R]]:
        if len(names) <= 1:
            yield from ((name, call(name)) for name in names)
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from zip(names, pool.map(call, names), strict=True)

    def checkpoint(self, process: str, at: float) -> Checkpoint:
        """What was read so far, as it can be left for those who come later."""
        with self.history.lock:
            processes: Mapping[str, ProcessSeen] = self.history.processes
            return Checkpoint(
                process=process,
                at=at,
                read={name: seen.next for name, seen in processes.items()},
                ended=frozenset(name for name, seen in processes.items() if seen.ended),
                machines={name: seen.machine for name, seen in processes.items()},
                facts={name: tuple(facts) for name, facts in self.history.facts.items()},
            )
