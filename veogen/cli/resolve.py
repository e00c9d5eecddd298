"""`veogen resolve`: decide about requests by hand."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from veogen.cli.gateways import gateway_of_runs
from veogen.cli.output import echo
from veogen.cli.rundirs import typed_path
from veogen.cli.runs import interrupts, print_summary
from veogen.cli.store_names import find_shared_run, store_of_run
from veogen.document.files import Folder
from veogen.errors import ExitCode, UsageError
from veogen.executor.connect import connected, offline_dependencies
from veogen.executor.decisions import Kind, Resolution
from veogen.executor.directory import RunDirectory
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy, SystemClock
from veogen.executor.run import Dependencies, Selection
from veogen.progress import listener
from veogen.results.advice import RunCommands
from veogen.spec.project import load_policy, project_root
from veogen.text import Terminal


def resolve_run(
    run: str,
    profile: str | None,
    decisions: list[Resolution],
    *,
    simulate: bool,
    close: str | None = None,
    store: str | None = None,
) -> ExitCode:
    """Carry out what was decided about requests of a run, and about a machine of its store."""
    if not decisions and close is None:
        raise UsageError("say what to do: --adopt, --replay, --abandon, --rebuy or --close")
    directory, _ = find_shared_run(run, profile, simulate=simulate, store=store)
    choice = store_of_run(directory, store, looks=False)
    retired = load_policy(Folder(project_root(directory))).retired  # what it does not buy any more
    with (
        _dependencies(decisions, directory) as dependencies,
        listener(
            "lines",
            directory=directory,
            names=RunCommands(run=typed_path(directory)),
            clock=SystemClock(),
            terminal=Terminal(environ=os.environ, data=sys.stdout, messages=sys.stderr),
        ) as shows,
        open_run(
            directory,
            plan=None,
            dependencies=replace(dependencies, store=choice),
            policy=RunPolicy(task_retries=0, retired=retired),
            listener=shows,
            selection=Selection(buy=False),
            follow=False,
        ) as session,
        interrupts(session.scheduler.interrupt),
    ):
        if close is not None:
            session.close_machine(close, echo)
        outcome = session.decide(decisions, echo)
    print_summary(directory, outcome)
    return outcome.code


@contextmanager
def _dependencies(decisions: Sequence[Resolution], directory: Path) -> Iterator[Dependencies]:
    """To give something up needs neither key nor network."""
    if all(decision.kind == "abandon" for decision in decisions):
        yield offline_dependencies(RunDirectory(directory).gateway or "evolink")
        return
    adopted = {each.address: each.task_id for each in decisions if each.task_id is not None}
    with (
        gateway_of_runs([directory], adopted) as settings,
        connected(settings, RunPolicy(), models=(), say=echo) as connection,
    ):
        if connection.stop is not None:
            raise UsageError(connection.stop.message)
        yield connection.dependencies(Folder(project_root(directory)).read)


def decisions_of(
    adopt: Iterable[str], replay: Iterable[str], abandon: Iterable[str], rebuy: Iterable[str]
) -> list[Resolution]:
    """The decisions as typed; raises `UsageError` for an `adopt` that is not ADDRESS=TASK_ID."""
    adopted = []
    for text in adopt:
        address, equals, task_id = text.rpartition("=")
        if not (equals and address and task_id) or task_id.endswith("]"):  # that is an address
            raise UsageError(f"--adopt {text!r}: write ADDRESS=TASK_ID")
        adopted.append(Resolution("adopt", address, task_id))
    kinds: dict[Kind, Iterable[str]] = {"replay": replay, "abandon": abandon, "rebuy": rebuy}
    others = (Resolution(kind, address) for kind, given in kinds.items() for address in given)
    return [*adopted, *others]
