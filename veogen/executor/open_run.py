"""Opening a run directory: locked, its journal opened, brought in step, and joined to a store."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from veogen.errors import VeogenError
from veogen.executor.directory import DirectoryError, RunDirectory, check_names
from veogen.executor.journal import Header, Journal
from veogen.executor.options import RunPolicy
from veogen.executor.reconcile import bring_in_step
from veogen.executor.results_file import ResultsFile
from veogen.executor.run import Dependencies, Run, Selection
from veogen.executor.scheduler import Scheduler
from veogen.executor.state import Listener, RunState
from veogen.planner.plan import Plan
from veogen.results.manifest import GatewayName, ManifestRenderer


@contextlib.contextmanager
def open_run(
    path: Path,
    *,
    plan: Plan | None,
    dependencies: Dependencies,
    policy: RunPolicy,
    listener: Listener,
    selection: Selection,
    follow: bool = True,
) -> Iterator[Run]:
    """Open a run directory, take in what other machines bought, and adopt the plan.

    Without a plan the directory's own requests stay as they are, and nothing is to be bought. With
    a store other machines carry the run out too; raises `StoreError` for one that is refused.
    """
    directory, gateway = RunDirectory(path), dependencies.gateway_name
    if plan is None and not directory.has_run:
        raise DirectoryError(f"{path}: this is not a run directory")
    manifest = None if directory.journal.exists() else directory.manifest()
    if manifest is not None:
        directory.refuse_other_kind(manifest.gateway, gateway)
    check_names(plan.requests if plan else ())
    directory.prepare(gateway)
    name = plan.name if plan else manifest.name if manifest else path.name
    results = ResultsFile(directory, ManifestRenderer(gateway))
    with directory.locked(), _journal(directory, name, gateway) as journal:
        ledger = bring_in_step(journal, directory, results, plan, manifest, dependencies.clock)
        del manifest  # as large as the ledger, which has all of it by now
        shared, downloader = None, dependencies.downloader(path)
        buys = selection.buy or not follow
        if dependencies.store is not None or (buys and journal.store()):
            from veogen.executor.joining import share  # noqa: PLC0415 - few runs have a store
            from veogen.executor.shared_clips import StoringDownloader  # noqa: PLC0415

            choice, clock = dependencies.store, dependencies.clock
            shared = share(choice, journal, ledger, directory, clock, gateway=gateway, buys=buys)
            if shared is not None:  # what comes is kept there too
                downloader = StoringDownloader(downloader, shared.clips, path)
        state = RunState(
            journal=journal,
            ledger=ledger,
            directory=directory,
            results=results,
            policy=policy,
            clock=dependencies.clock,
            listener=listener,
        )
        state.shared = shared
        scheduler = Scheduler(
            state,
            gateway=dependencies.gateway,
            uploads=dependencies.uploads(journal),
            downloader=downloader,
            workers=dependencies.workers(),
            random=dependencies.random,
            follow=follow,
        )
        yield Run(state, dependencies, selection, directory, scheduler)
        if shared is not None and (left := shared.leave()):
            listener.note(left)


def _journal(directory: RunDirectory, name: str, gateway: GatewayName) -> Journal:
    if not directory.has_journal:
        return Journal.create(directory.journal, Header(name, gateway))
    journal = Journal.open(directory.journal)
    try:
        directory.refuse_other_kind(journal.header.gateway, gateway)
    except VeogenError:
        journal.close()
        raise
    return journal
