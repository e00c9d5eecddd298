"""The promises of a run under any mix of faults, crashes and restarts (a state machine)."""

import itertools
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.disks import IN_MEMORY
from support.virtual import PRICE, VirtualClock, VirtualWorkers, World, plan, request

from veogen.errors import UsageError
from veogen.executor.decisions import Kind, Resolution
from veogen.executor.directory import RunDirectory
from veogen.executor.downloads import DownloadFailed
from veogen.executor.journal import Journal
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Dependencies, Selection
from veogen.executor.scheduler import Interrupted, RunMessage
from veogen.executor.snapshot import read_snapshot
from veogen.executor.submitter import key_for
from veogen.executor.workers import Crashed
from veogen.gateway.api import NotAccepted, ReadError, Rejected, Submission, Task, Unknown
from veogen.results.events import Event
from veogen.results.ledger import Ledger
from veogen.results.manifest import render

CITIES = ("Tokyo", "Paris", "Oslo", "Lima")
BUDGET = PRICE * 6

SUBMITS = ("ok", "lost", "taken-lost", "busy", "down", "500", "400", "402")

LOST = Unknown(code="lost", message="the connection broke")
BUSY = NotAccepted(code="429", message="slow down", status=429)
DOWN = NotAccepted(code="refused", message="connection refused", reached=False)
BROKEN = NotAccepted(code="500", message="internal", status=500, once=True)
BAD = Rejected(code="400", message="no", status=400)
BROKE = Rejected(code="402", message="no credits", status=402, stops=True)


class Died(BaseException):
    """The process is gone, at this very instruction."""


class Leaving(VirtualWorkers[RunMessage]):
    """Somebody interrupts while the n-th answers come."""

    def __init__(self, clock: VirtualClock, at: int | None) -> None:
        super().__init__(clock)
        self._waits = itertools.count()
        self._at = at

    def wait(self, seconds: float | None) -> list[RunMessage | Crashed]:
        messages = super().wait(seconds)
        return [*messages, Interrupted()] if next(self._waits) == self._at else messages


class Machine(World):
    """One of the team's; `leaves_at`: when somebody interrupts its next run."""

    leaves_at: int | None = None

    def dependencies(self) -> Dependencies:
        return replace(super().dependencies(), workers=lambda: Leaving(self.clock, self.leaves_at))


class Promises(RuleBasedStateMachine):
    """Runs, crashes and resolves two clones of one directory at one gateway, in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="veogen-test-", dir=IN_MEMORY))
        self.world, self.other = (Machine(self.folder / name / "trip") for name in "ab")
        self.other.clock, self.other.gateway = self.world.clock, self.world.gateway
        self.given_up: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(
        cities=st.lists(st.sampled_from(CITIES), min_size=1, unique=True),
        submits=st.lists(st.sampled_from(SUBMITS), max_size=6),
        reads=st.lists(st.sampled_from(["404", "failed", "refused", "odd"]), max_size=3),
        downloads=st.lists(st.sampled_from(["ok", "broken"]), max_size=4),
        dies_at=st.none() | st.integers(0, 12),
        committed=st.booleans(),
        leaves_at=st.none() | st.integers(0, 12),
        replay=st.booleans(),
        retry_failed=st.booleans(),
        renamed=st.booleans(),
    )
    def run(
        self,
        cities: Sequence[str],
        submits: Sequence[str],
        reads: Sequence[str],
        downloads: Sequence[str],
        dies_at: int | None,
        committed: bool,
        leaves_at: int | None,
        replay: bool,
        retry_failed: bool,
        renamed: bool,
    ) -> None:
        self.world.gateway.answers = deque(self._submit(word) for word in submits)
        self._script_reads(reads)
        self.world.downloader.answers = deque(
            DownloadFailed("truncated", "half") for word in downloads if word == "broken"
        )
        policy = RunPolicy(budget=BUDGET, replay=replay, retry_failed=retry_failed)
        self.world.leaves_at = leaves_at
        wanted = (replace(request(c), output=f"{c}/new" if renamed else c) for c in cities)
        with dying(dies_at, committed=committed):
            try:
                self.world.run(plan(*wanted), policy)
            except (UsageError, Died):
                return
        assert self._in_step()

    @rule(dies_at=st.none() | st.integers(0, 6), committed=st.booleans())
    def collect(self, dies_at: int | None, committed: bool) -> None:
        self.world.gateway.answers.clear()
        if not (self.world.path / "journal.db").exists():
            return
        with dying(dies_at, committed=committed):
            try:
                self.world.run(None)
            except Died:
                return
        assert self._in_step()

    @rule(
        kind=st.sampled_from(["replay", "abandon", "adopt"]),
        city=st.sampled_from(CITIES),
        submits=st.lists(st.sampled_from(SUBMITS), max_size=2),
        dies_at=st.none() | st.integers(0, 3),
        committed=st.booleans(),
    )
    def resolve(
        self, kind: Kind, city: str, submits: Sequence[str], dies_at: int | None, committed: bool
    ) -> None:
        ledger, one = self._known(), request(city)
        if ledger is None or ledger.record(one.hash).status != "indeterminate":
            return
        record = ledger.record(one.hash)
        task = self.world.gateway.tasks_by_key.get(key_for(one.hash, record.attempts))
        if kind == "adopt" and task is None:
            return
        self.world.gateway.answers = deque(self._submit(word) for word in submits)
        decision = Resolution(kind, one.address, task if kind == "adopt" else None)
        if kind == "abandon":
            self.given_up.add(one.hash)
        with dying(dies_at, committed=committed):
            try:
                self._decide(decision)
            except (UsageError, Died):
                return
        assert self._in_step()

    @rule(seconds=st.sampled_from([-86_400.0, -60.0, 3600.0, 90_000.0]))
    def jump(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.world.clock.jump += seconds

    @rule()
    def delete_the_clips(self) -> None:
        shutil.rmtree(self.world.path / "videos", ignore_errors=True)

    @rule()
    def hand_over(self) -> None:
        """A colleague pulls what was committed and goes on."""
        results = self.world.path / "results.json"
        if results.exists() and self._in_step():
            self.other.path.mkdir(parents=True, exist_ok=True)
            shutil.copy(results, self.other.path / "results.json")
            self.world, self.other = self.other, self.world

    @rule()
    def lose_the_journal(self) -> None:
        """A fresh clone: only the committed results are left."""
        results = self.world.path / "results.json"
        if results.exists() and self._in_step():
            for path in self.world.path.iterdir():
                if path.name.startswith("journal.db"):
                    path.unlink()

    @invariant()
    def nothing_is_bought_twice(self) -> None:
        """At most one task of a request may live or have ended well, whatever happened."""
        if not hasattr(self, "world"):
            return
        alive = Counter(
            hash_
            for key, task in self.world.gateway.tasks_by_key.items()
            if (hash_ := key.split("-")[2]) not in self.given_up
            and task not in self.world.gateway.doomed
        )
        assert {hash_: n for hash_, n in alive.items() if n > 1} == {}

    @invariant()
    def nothing_bought_is_lost(self) -> None:
        """Every task is on record, or its request is known to be in doubt."""
        ledger = self._known()
        if ledger is None:
            return
        for key, task in self.world.gateway.tasks_by_key.items():
            record = ledger.record(key.split("-")[2])
            known = {purchase.task_id for purchase in record.purchases}
            failed = task in self.world.gateway.doomed  # the gateway gave its credits back
            given_up = record.hash in self.given_up
            assert task in known or failed or given_up or record.status == "indeterminate"

    @invariant()
    def the_budget_is_never_passed(self) -> None:
        ledger = self._known()
        assert ledger is None or ledger.spent <= BUDGET

    def _decide(self, decision: Resolution) -> None:
        with open_run(
            self.world.path,
            plan=None,
            dependencies=self.world.dependencies(),
            policy=RunPolicy(task_retries=0),
            listener=self.world.memory,
            selection=Selection(buy=False),
            follow=False,
        ) as session:
            session.decide([decision], lambda _: None)

    def _known(self) -> Ledger | None:
        """What journal and committed results tell together: a run takes that in first."""
        if not hasattr(self, "world") or not RunDirectory(self.world.path).has_run:
            return None
        return read_snapshot(self.world.path, self.world.clock.now()).ledger

    def _in_step(self) -> bool:
        """Whether the results are the fold of the journal: they are after every orderly end."""
        path = self.world.path / "journal.db"
        if not path.exists():
            return False
        with Journal.read(path) as journal:
            ledger = journal.ledger()
        return (self.world.path / "results.json").read_bytes() == render(ledger, "evolink")

    def _submit(self, word: str) -> Submission | Callable[[], Submission]:
        def take_next() -> Submission:
            return self.world.gateway.take(self.world.gateway.submits[-1][0])

        def take_and_lose() -> Submission:
            take_next()
            return LOST

        answers: dict[str, Submission | Callable[[], Submission]] = {
            "ok": take_next,
            "lost": LOST,
            "taken-lost": take_and_lose,
            "busy": BUSY,
            "down": DOWN,
            "500": BROKEN,
            "400": BAD,
            "402": BROKE,
        }
        return answers[word]

    def _script_reads(self, words: Sequence[str]) -> None:
        """Decide what becomes of the next tasks."""
        first = len(self.world.gateway.tasks_by_key) + 1
        for number, word in enumerate(words, first):
            task = f"task-{number}"
            match word:
                case "404":
                    unread = ReadError(code="404", message="unknown", status=404)
                    self.world.gateway.reads[task] = deque([unread])
                case "odd":
                    self.world.gateway.reads[task] = deque([Task(id=task, state="dreaming")])
                case "failed":
                    self.world.gateway.doomed[task] = "service_error"
                case _:
                    self.world.gateway.doomed[task] = "content_policy_violation"


@contextmanager
def dying(at: int | None, *, committed: bool) -> Iterator[None]:
    """Let the process die at the n-th journal write, before or after it is durable."""
    if at is None:
        yield
        return
    writes = itertools.count()
    append = Journal.append

    def fatal(self: Journal, events: Sequence[Event], at_: float) -> None:
        dies = bool(events) and next(writes) == at
        if not dies or committed:
            append(self, events, at_)
        if dies:
            raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "append", fatal)
        yield


TestPromises = Promises.TestCase
TestPromises.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
