"""The promises of a run under any mix of faults, crashes and restarts (a state machine)."""

import itertools
import os
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.sessions import PRICE, World, plan, request

from veogen.errors import UsageError
from veogen.executor.courier import Broken
from veogen.executor.journal import Journal
from veogen.executor.policy import Policy
from veogen.gateway.answers import NotTaken, Refused, Submission, Task, Unknown, Unread
from veogen.results.events import Event
from veogen.results.ledger import Ledger
from veogen.results.manifest import parse
from veogen.results.rendering import render

CITIES = ("Tokyo", "Paris", "Oslo", "Lima")
BUDGET = PRICE * 6

SHARED_MEMORY = Path("/dev/shm")
IN_MEMORY = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
"""Where thousands of durable writes do not wait for a busy disk; what is written is the same."""

SUBMITS = ("ok", "lost", "taken-lost", "busy", "down", "500", "400", "402")

LOST = Unknown(code="lost", message="the connection broke")
BUSY = NotTaken(code="429", message="slow down", status=429)
DOWN = NotTaken(code="refused", message="connection refused", reached=False)
BROKEN = NotTaken(code="500", message="internal", status=500, once=True)
BAD = Refused(code="400", message="no", status=400)
BROKE = Refused(code="402", message="no credits", status=402, stops=True)


class Died(BaseException):
    """The process is gone, at this very instruction."""


class Promises(RuleBasedStateMachine):
    """Runs, crashes and resolves one directory against one gateway, in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="veogen-test-", dir=IN_MEMORY))
        self.world = World(self.folder / "trip")

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(
        cities=st.lists(st.sampled_from(CITIES), min_size=1, unique=True),
        submits=st.lists(st.sampled_from(SUBMITS), max_size=6),
        reads=st.lists(st.sampled_from(["404", "failed", "refused", "odd"]), max_size=3),
        downloads=st.lists(st.sampled_from(["ok", "broken"]), max_size=4),
        dies_at=st.none() | st.integers(0, 12),
        committed=st.booleans(),
        replay=st.booleans(),
        retry_failed=st.booleans(),
    )
    def run(
        self,
        cities: Sequence[str],
        submits: Sequence[str],
        reads: Sequence[str],
        downloads: Sequence[str],
        dies_at: int | None,
        committed: bool,
        replay: bool,
        retry_failed: bool,
    ) -> None:
        self.world.gateway.answers = deque(self._submit(word) for word in submits)
        self._script_reads(reads)
        self.world.courier.answers = deque(
            Broken("truncated", "half") for word in downloads if word == "broken"
        )
        policy = Policy(budget=BUDGET, replay=replay, retry_failed=retry_failed)
        with dying(dies_at, committed=committed):
            try:
                self.world.run(plan(*map(request, cities)), policy)
            except (UsageError, Died):
                return

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
            key.split("-")[1]
            for key, task in self.world.gateway.tasks_by_key.items()
            if task not in self.world.gateway.doomed
        )
        assert {hash_: n for hash_, n in alive.items() if n > 1} == {}

    @invariant()
    def nothing_bought_is_lost(self) -> None:
        """Every task is on record, or its request is known to be in doubt."""
        ledger = self._ledger()
        if ledger is None:
            return
        committed = self._committed()
        for key, task in self.world.gateway.tasks_by_key.items():
            record = ledger.record(key.split("-")[1])
            known = {purchase.task_id for purchase in record.purchases.values()} | committed
            failed = task in self.world.gateway.doomed  # the gateway gave its credits back
            assert task in known or failed or record.status == "indeterminate"

    @invariant()
    def the_budget_is_never_passed(self) -> None:
        ledger = self._ledger()
        assert ledger is None or ledger.spent <= BUDGET

    def _ledger(self) -> Ledger | None:
        path = getattr(self, "world", None) and self.world.path / "journal.db"
        if not path or not path.exists():
            return None
        with Journal.read(path) as journal:
            return journal.ledger()

    def _committed(self) -> set[str | None]:
        """The tasks that the results tell of: a journal takes them in before it buys."""
        path = self.world.path / "results.json"
        manifest = parse(path.read_bytes(), str(path))
        return {line.task_id for line in (*manifest.results, *manifest.former)}

    def _in_step(self) -> bool:
        """Whether the results are the fold of the journal: they are after every orderly end."""
        ledger = self._ledger()
        results = (self.world.path / "results.json").read_bytes()
        return ledger is not None and results == render(ledger, "evolink")

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
                    unread = Unread(code="404", message="unknown", status=404)
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
TestPromises.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
