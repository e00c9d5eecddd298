"""`veogen resolve`: decide about requests by hand."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from veogen.cli.gateways import gateway_of
from veogen.cli.output import say_line
from veogen.cli.rundirs import find_run, shown
from veogen.cli.runs import ends_by_signal, interrupts, say
from veogen.errors import ExitCode, UsageError
from veogen.executor.connect import connected, offline
from veogen.executor.decisions import Decision, Kind
from veogen.executor.directory import RunDirectory
from veogen.executor.options import Policy, SystemClock
from veogen.executor.run import Outcome, Services, Wanted, opened
from veogen.progress import listener
from veogen.results.advice import RunCommands
from veogen.text import Terminal


def resolve_run(run: str, profile: str | None, decisions: list[Decision]) -> ExitCode:
    """Carry out what was decided about requests of a run."""
    if not decisions:
        raise UsageError("say what to do: --adopt, --replay, --abandon or --rebuy")
    directory = find_run(run, profile)
    with ends_by_signal(), _services(decisions, directory) as services:
        outcome = _decide(directory, decisions, services)
    say(directory, outcome)
    return outcome.code


def _decide(directory: Path, decisions: list[Decision], services: Services) -> Outcome:
    with (
        listener(
            "lines",
            directory=directory,
            names=RunCommands(run=shown(directory)),
            clock=SystemClock(),
            terminal=Terminal(environ=os.environ, data=sys.stdout, messages=sys.stderr),
        ) as shows,
        opened(
            directory,
            plan=None,
            services=services,
            policy=Policy(task_retries=0),
            listener=shows,
            wanted=Wanted(buy=False),
            follow=False,
        ) as session,
        interrupts(session.runner.interrupt),
    ):
        return session.decide(decisions, say_line)


@contextmanager
def _services(decisions: Iterable[Decision], directory: Path) -> Iterator[Services]:
    """To give something up needs neither key nor network."""
    if all(decision.kind == "abandon" for decision in decisions):
        yield offline(RunDirectory(directory).gateway or "evolink")
        return
    with (
        gateway_of([directory]) as settings,
        connected(settings, Policy(), models=(), say=say_line) as connection,
    ):
        if connection.stop is not None:
            raise UsageError(connection.stop.message)
        yield connection.services()


def decisions_of(
    adopt: Iterable[str], replay: Iterable[str], abandon: Iterable[str], rebuy: Iterable[str]
) -> list[Decision]:
    """The decisions as typed; raises `UsageError` for an `adopt` that is not ADDRESS=TASK_ID."""
    adopted = [_adoption(text) for text in adopt]
    kinds: dict[Kind, Iterable[str]] = {"replay": replay, "abandon": abandon, "rebuy": rebuy}
    others = (Decision(kind, address) for kind, given in kinds.items() for address in given)
    return [*adopted, *others]


def _adoption(text: str) -> Decision:
    address, equals, task_id = text.rpartition("=")
    if not (equals and address and task_id):
        raise UsageError(f"--adopt {text!r}: write ADDRESS=TASK_ID")
    return Decision("adopt", address, task_id)
