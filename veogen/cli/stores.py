"""The store of a command: which one is meant, and whether it answers."""

import os
from pathlib import Path

import click

from veogen.cli.output import echo
from veogen.cli.store_names import StoreURL, policy_store, store_url
from veogen.errors import ExitCode, UsageError
from veogen.executor.directory import SIMULATED, RunDirectory
from veogen.executor.joining import StoreChoice, run_in_store
from veogen.executor.options import SystemClock
from veogen.executor.store_view import lay_store_over
from veogen.jsontext import indented
from veogen.planner.planner import plan
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName, ManifestRenderer
from veogen.spec.load import load_spec
from veogen.spec.project import project_root
from veogen.store.objects import StoreAwayError, StoreError
from veogen.store.opening import open_store
from veogen.store.promises import check, refuse_broken
from veogen.text import counted

LOOK = 5.0
"""Seconds for which a command that can do without a store waits for it."""

_PATIENCE = 20.0
"""Seconds for which `veogen store` waits for an answer: nothing is lost if it gives up."""


def choose_store(meant: StoreURL, run: str, *, make: bool = False) -> StoreChoice:
    """The store of a run; raises `UsageError` for the URL, `StoreError` for what cannot be one.

    With `make` a folder that is not there is made: for who buys, not for who looks.
    """
    store = open_store(meant.url, os.environ, SystemClock(), make=make)
    return StoreChoice(store=store, run=run, from_policy=meant.from_policy)


def bring_run_of_spec(
    meant: StoreURL, spec_path: Path, profile: str | None, directory: Path, *, simulated: bool
) -> None:
    """Write the results of a spec's run that only its store knows, as a clone would have them."""
    made = plan(load_spec(spec_path, profile=profile, lenient=True))
    ledger = Ledger(made.name)
    ledger.adopt(made.requests)
    choice = choose_store(meant, run_in_store(made.name, made.profile, simulated=simulated))
    _bring_run(ledger, choice, directory)


def bring_run(meant: StoreURL, directory: Path) -> bool:
    """The same where there is no spec: whether the store has a run of this directory's name.

    All that was bought is of its plan then, by address: nobody here knows what has left it.
    """
    choice = choose_store(meant, directory.absolute().name)
    return _bring_run(Ledger(directory.name.removesuffix(SIMULATED)), choice, directory)


def real_runs_of(meant: StoreURL) -> list[str]:
    """The names of the runs in a store that were paid for; none where it does not answer."""
    choice = if_it_answers(choose_store(meant, ""))
    runs = [] if choice is None else choice.store.summary().runs
    return [run.name for run in runs if run.gateway == "evolink"]


def _bring_run(ledger: Ledger, choice: StoreChoice, directory: Path) -> bool:
    has_plan = any(True for _ in ledger.planned)
    now = SystemClock().now()
    gateway: GatewayName = "simulated" if choice.run.endswith(SIMULATED) else "evolink"
    if if_it_answers(choice) is None or not lay_store_over(ledger, choice, gateway, now):
        return False
    if not has_plan:
        ledger.adopt(sorted((s.request for s in ledger.former), key=lambda r: r.address))
    run = RunDirectory(directory)
    run.prepare(gateway)
    with run.locked():
        run.write_results(ledger, ManifestRenderer(gateway))
    return True


def if_it_answers(choice: StoreChoice | None) -> StoreChoice | None:
    """The store, unless it does not answer within 5 s, or is none for us: that is said."""
    if choice is None:
        return None
    near = open_store(choice.store.url, os.environ, SystemClock(), patience=LOOK)
    try:
        near.check_version()
    except StoreError as error:
        echo(f"note: {error}; this goes on with what is here")
        return None
    return choice


def show_store(url: str | None, format_: str, *, checks: bool) -> ExitCode:
    """Print what a store holds, or try whether it keeps its promises."""
    if url is None:
        meant = store_url(None, policy_store(project_root(Path("_"))), simulated=False)
        if meant is None:
            raise UsageError("name a store: as an argument, store: in veogen.yaml, or VEOGEN_STORE")
        url = meant.url
    store = open_store(url, os.environ, SystemClock(), patience=_PATIENCE, make=checks)
    try:
        store.check_version()
    except StoreAwayError as error:  # at the start
        raise StoreError(str(error)) from None
    if checks:
        promises = check(store.objects)
        if format_ == "json":
            tried = [{"promise": p.name, "kept": not p.broken, "why": p.broken} for p in promises]
            click.echo(indented(tried))
        else:
            for promise in promises:
                click.echo(f"{promise.name}: {promise.broken or 'yes'}")
        refuse_broken(promises)
        return ExitCode.DONE
    summary = store.summary()
    if format_ == "json":
        runs = [{**run._asdict(), "machines": list(run.machines)} for run in summary.runs]
        clips = {"count": summary.clips, "bytes": summary.bytes}
        click.echo(indented({"url": store.url, "clips": clips, "runs": runs}))
        return ExitCode.DONE
    click.echo(f"{store.url}: {counted(summary.clips, 'clip')}, {summary.bytes:,} bytes")
    for run in summary.runs:
        machines = ", ".join(run.machines) or "no machine"
        click.echo(
            f"  {run.name} ({run.gateway}): {counted(run.claims, 'claim')}, "
            f"{run.bytes:,} bytes of records; {machines}"
        )
    return ExitCode.DONE
