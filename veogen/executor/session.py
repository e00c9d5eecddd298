"""One use of a run directory: opened and locked, brought in step, then run."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from veogen.errors import ExitCode, UsageError
from veogen.executor import backoff
from veogen.executor.buying import Uploads, key_for
from veogen.executor.clock import Clock
from veogen.executor.courier import Courier
from veogen.executor.crew import Crew
from veogen.executor.desk import Desk, Listener
from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.executor.journal import Header, Journal, JournalError
from veogen.executor.life import Stop
from veogen.executor.policy import Only, Policy
from veogen.executor.runner import Message, Runner
from veogen.executor.takein import purchases, stranger, strangers
from veogen.executor.upkeep import upkeep
from veogen.gateway.answers import Gateway
from veogen.planner.canonical import canonical
from veogen.planner.plan import Plan
from veogen.results.entries import Entry
from veogen.results.events import Intended
from veogen.results.ledger import Ledger, Standing, exit_code
from veogen.results.manifest import GatewayName, Manifest
from veogen.results.records import Record
from veogen.results.states import Holdings, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything outside that a run touches, so that a test can bring its own."""

    gateway: Gateway
    gateway_name: GatewayName
    courier: Callable[[Path], Courier]
    uploads: Callable[[Journal], Uploads]
    clock: Clock
    crew: Callable[[], Crew[Message]]
    chance: backoff.Chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may be bought: None selects every request; `only` empty takes every state."""

    buy: bool = True
    selected: Collection[str] | None = None
    only: Collection[Only] = ()

    def takes(self, hash_: str, state: State) -> bool:
        chosen = self.selected is None or hash_ in self.selected
        return self.buy and chosen and (not self.only or state in self.only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `ledger` holds where every request stands."""

    code: ExitCode
    stop: Stop | None
    interrupted: bool
    ledger: Ledger
    spent: Decimal


class Session:
    """An open run directory, in step with its plan; `to_buy` is what `run` would submit."""

    def __init__(
        self,
        desk: Desk,
        services: Services,
        wanted: Wanted,
        directory: RunDirectory,
        runner: Runner,
    ) -> None:
        self._desk = desk
        self._services = services
        self._wanted = wanted
        self.directory = directory
        self.runner = runner
        self.ledger = desk.ledger
        self.holdings = Holdings.of_ledger(desk.ledger)
        self.to_buy: tuple[Entry, ...] = tuple(s.entry for s in self._purchases())
        self.to_collect: tuple[Entry, ...] = tuple(
            s.entry
            for s in self.ledger.everything
            if s.record.status in ("submitted", "undelivered")
        )

    @property
    def policy(self) -> Policy:
        return self._desk.policy

    def check_money(self) -> None:
        """Refuse an estimate over the budget, and unknown prices where money has a limit."""
        policy = self._desk.policy
        unknown = next((entry for entry in self.to_buy if entry.credits is None), None)
        if unknown is not None and (policy.budget is not None or policy.max_credits is not None):
            raise UsageError(
                f"{unknown.address}: the price of {unknown.model} is unknown, and a budget or "
                "--max-credits applies; give a price in veogen.yaml (prices: FILE)"
            )
        planned = sum((entry.credits or Decimal(0) for entry in self.to_buy), Decimal(0))
        if policy.budget is not None and self.ledger.spent + planned > policy.budget:
            raise UsageError(
                f"{self.directory.path}: {planned} credits to buy and {self.ledger.spent} already "
                f"counted pass the budget of {policy.budget}; nothing was sent"
            )

    def run(self, stop: Stop | None = None, *, max_credits: Decimal | None = None) -> Outcome:
        """Buy, for `max_credits` at most, and bring home; with `stop` nothing is bought."""
        self._desk.policy = replace(self._desk.policy, max_credits=max_credits)
        self.directory.load_ballast()
        counted = {standing.record.hash for standing in self._chosen()}
        self._desk.listener.start(counted, self.runner.view())
        if stop is not None:
            self._desk.halt(stop)
        if self._desk.policy.replay:
            for standing in self._chosen():
                if standing.record.status == "indeterminate":
                    self.runner.replay(self._with_intent(standing))
        self.runner.buy(entry.hash for entry in self.to_buy)
        self.runner.collect(entry.hash for entry in self.to_collect)
        final = self.runner.run()
        self.directory.drop_ballast()
        return self._outcome(final)

    def _outcome(self, stop: Stop | None) -> Outcome:
        code = exit_code(standing.record for standing in self._chosen())
        if stop is not None:
            code = ExitCode.STOPPED
        if self.runner.interrupted:
            code = ExitCode.INTERRUPTED
        return Outcome(
            code=code,
            stop=stop,
            interrupted=self.runner.interrupted,
            ledger=self.ledger,
            spent=self.ledger.spent - self._desk.spent_before,
        )

    def _chosen(self) -> Iterator[Standing]:
        """The requests that the exit code speaks of."""
        selected = self._wanted.selected
        for standing in self.ledger.planned:
            counts = self._wanted.buy or standing.record.bought
            if counts and (selected is None or standing.record.hash in selected):
                yield standing

    def _purchases(self) -> Iterator[Standing]:
        policy = self._desk.policy
        for standing in self.ledger.planned:
            record = standing.record
            failed_again = record.status == "failed" and policy.retry_failed
            if not (failed_again or self.holdings.would_buy(record.hash, policy.task_retries)):
                continue
            state = self.holdings.state(standing.entry.address, record.hash)
            if self._wanted.takes(record.hash, state):
                yield standing

    def _with_intent(self, standing: Standing) -> Record:
        """A held request that another machine sent has no recorded bytes: they are made again."""
        record, entry = standing.record, standing.entry
        if record.sent is None:
            attempt = max(record.attempts, 1)
            intent = Intended(
                hash=record.hash,
                attempt=attempt,
                key=key_for(record.hash, attempt),
                body=canonical(dict(entry.body)).decode(),
                estimate=entry.credits,
                at=self._services.clock.now(),
            )
            self._desk.intend([intent])
        return self.ledger.record(record.hash)


@contextlib.contextmanager
def opened(
    path: Path,
    *,
    plan: Plan | None,
    services: Services,
    policy: Policy,
    listener: Listener,
    wanted: Wanted,
) -> Iterator[Session]:
    """Open a run directory, take in what other machines bought, and adopt the plan.

    Without a plan the directory's own requests stay as they are, and nothing is to be bought.
    """
    directory = RunDirectory(path)
    if plan is None and not directory.known:
        raise DirectoryError(f"{path}: this is not a run directory")
    manifest = directory.manifest()
    _refuse_other_kind(path, manifest.gateway if manifest else None, services.gateway_name)
    directory.prepare(services.gateway_name)
    name = plan.name if plan else manifest.name if manifest else path.name
    with directory.locked(), _journal(directory, name, services.gateway_name) as journal:
        _bring_in_step(journal, directory, plan, manifest, services.clock)
        desk = Desk(
            journal=journal,
            directory=directory,
            gateway_name=services.gateway_name,
            policy=policy,
            clock=services.clock,
            listener=listener,
        )
        runner = Runner(
            desk,
            gateway=services.gateway,
            uploads=services.uploads(journal),
            courier=services.courier(path),
            crew=services.crew(),
            chance=services.chance,
        )
        yield Session(desk, services, wanted, directory, runner)


def _journal(directory: RunDirectory, name: str, gateway: GatewayName) -> Journal:
    if not directory.journal.exists():
        log = directory.journal.with_name(directory.journal.name + "-wal")
        if log.exists():
            raise JournalError(
                f"{directory.journal}: it is gone, but {log.name} is there; restore both"
            )
        return Journal.create(directory.journal, Header(name, gateway))
    journal = Journal.open(directory.journal)
    try:
        _refuse_other_kind(directory.path, journal.header.gateway, gateway)
    except DirectoryError:
        journal.close()
        raise
    return journal


def _refuse_other_kind(path: Path, found: GatewayName | None, wanted: GatewayName) -> None:
    if found is not None and found != wanted:
        kinds = {"evolink": "a real", "simulated": "a simulated"}
        raise DirectoryError(
            f"{path}: this is the directory of {kinds[found]} run, and this is {kinds[wanted]} "
            "one; choose another with --dir"
        )


def _bring_in_step(
    journal: Journal,
    directory: RunDirectory,
    plan: Plan | None,
    manifest: Manifest | None,
    clock: Clock,
) -> None:
    ledger = journal.ledger()
    if plan is not None:
        journal.adopt(plan.name, map(Entry.of, plan.requests))
    elif manifest is not None:
        journal.adopt(manifest.name, _requests_of(manifest, ledger))
    if manifest is not None:
        ledger = journal.ledger()
        journal.remember(strangers(manifest, ledger))
        journal.append(list(purchases(manifest, ledger, clock.now())), clock.now())
    journal.append(list(upkeep(journal.ledger(), directory.path)), clock.now())


def _requests_of(manifest: Manifest, ledger: Ledger) -> Iterator[Entry]:
    """The requests of a manifest in its order, as the journal knows them where it does."""
    for line in manifest.results:
        yield ledger.entry(line.hash) or stranger(line)
