"""Opening a run directory: locked, of the right kind, in step with its plan and its results."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from veogen.errors import VeogenError
from veogen.executor.desk import Desk, Listener
from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.executor.in_step import bring_in_step, known, unlike
from veogen.executor.journal import Header, Journal
from veogen.executor.journal_file import JournalError
from veogen.executor.policy import Policy
from veogen.executor.runner import Runner
from veogen.executor.session import Services, Session, Wanted
from veogen.planner.plan import Plan
from veogen.results.manifest import GatewayName
from veogen.results.rendering import Renderer


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
    manifest = None if directory.journal.exists() else directory.manifest()
    _refuse_other_kind(path, manifest.gateway if manifest else None, services.gateway_name)
    _refuse_names(plan)
    directory.prepare(services.gateway_name)
    name = plan.name if plan else manifest.name if manifest else path.name
    renderer = Renderer(services.gateway_name)
    with directory.locked(), _journal(directory, name, services.gateway_name) as journal:
        ledger = known(journal, plan)
        manifest = manifest or unlike(ledger, directory, renderer)
        _refuse_other_kind(path, manifest.gateway if manifest else None, services.gateway_name)
        bring_in_step(ledger, journal, directory, plan, manifest, services.clock)
        del manifest  # as large as the ledger, which has all of it by now
        desk = Desk(
            journal=journal,
            ledger=ledger,
            directory=directory,
            renderer=renderer,
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
