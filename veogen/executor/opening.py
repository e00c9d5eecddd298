"""Opening a run directory: locked, of the right kind, in step with its plan and its results."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from veogen.errors import VeogenError
from veogen.executor.clock import Clock
from veogen.executor.desk import Desk, Listener
from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.executor.journal import Header, Journal, JournalError
from veogen.executor.policy import Policy
from veogen.executor.runner import Runner
from veogen.executor.session import Services, Session, Wanted
from veogen.executor.takein import purchases, stranger, strangers
from veogen.executor.upkeep import deleted, found, renamed
from veogen.planner.plan import Plan
from veogen.results.entries import Entry
from veogen.results.events import Event
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName, Manifest


@contextlib.contextmanager
def opened(
    path: Path,
    *,
    plan: Plan | None,
    services: Services,
    policy: Policy,
    listener: Listener,
    wanted: Wanted,
    follow: bool = True,
) -> Iterator[Session]:
    """Open a run directory, take in what other machines bought, and adopt the plan.

    Without a plan the directory's own requests stay as they are, and nothing is to be bought.
    """
    directory = RunDirectory(path)
    if plan is None and not directory.known:
        raise DirectoryError(f"{path}: this is not a run directory")
    manifest = directory.manifest()
    _refuse_other_kind(path, manifest.gateway if manifest else None, services.gateway_name)
    _refuse_names(plan)
    directory.prepare(services.gateway_name)
    name = plan.name if plan else manifest.name if manifest else path.name
    with directory.locked(), _journal(directory, name, services.gateway_name) as journal:
        ledger = _in_step(journal, directory, plan, manifest, services.clock)
        del manifest  # as large as the ledger, which has all of it by now
        desk = Desk(
            journal=journal,
            ledger=ledger,
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
            follow=follow,
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
    except VeogenError:
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


def _refuse_names(plan: Plan | None) -> None:
    """Before money: a clip whose name this system cannot write could not be brought home."""
    for request in plan.requests if plan else ():
        try:
            os.fsencode(request.output)
        except UnicodeEncodeError:
            raise DirectoryError(
                f"{request.address}: names of files are {sys.getfilesystemencoding()} here, which "
                f"cannot spell {request.output}; nothing was sent. Set PYTHONUTF8=1"
            ) from None


def _in_step(
    journal: Journal,
    directory: RunDirectory,
    plan: Plan | None,
    manifest: Manifest | None,
    clock: Clock,
) -> Ledger:
    """The journal's fold, read once; whatever is new to the journal is written there as well."""
    ledger = journal.fold() if plan else journal.ledger()
    if plan is not None:
        _adopt(plan.name, list(map(Entry.of, plan.requests)), journal, ledger)
    elif manifest is not None:
        _adopt(manifest.name, list(_requests_of(manifest, ledger)), journal, ledger)
    if manifest is not None:
        news = list(purchases(manifest, ledger, clock.now()))
        if unknown := list(strangers(manifest, ledger)):
            journal.remember(unknown)
            ledger.adopt([standing.entry for standing in ledger.planned], journal.former())
        _happened(news, journal, ledger, clock)
    for step in (renamed, found, deleted):
        _happened(list(step(ledger, directory.path)), journal, ledger, clock)
    return ledger


def _adopt(name: str, entries: Sequence[Entry], journal: Journal, ledger: Ledger) -> None:
    journal.adopt(name, entries)
    ledger.name = name
    ledger.adopt(entries, journal.former())


def _happened(events: Sequence[Event], journal: Journal, ledger: Ledger, clock: Clock) -> None:
    journal.append(events, clock.now())
    for event in events:
        ledger.apply(event)


def _requests_of(manifest: Manifest, ledger: Ledger) -> Iterator[Entry]:
    """The requests of a manifest in its order, as the journal knows them where it does."""
    for line in manifest.results:
        yield ledger.entry(line.hash) or stranger(line)
