"""`veogen resolve`: decide about requests by hand."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from veogen.cli.gateways import gateway_of
from veogen.cli.options import examples, profile_option
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


@click.command(
    "resolve",
    epilog=examples(
        "veogen resolve runs/launch --adopt 'opening[city=Tokyo]=task-unified-1757169743-7cvnl5zw'",
        "veogen resolve runs/launch --replay '*'",
    ),
)
@click.argument("run", metavar="RUN")
@profile_option("When RUN is a SPEC: that of this profile.")
@click.option(
    "--adopt",
    multiple=True,
    metavar="ADDRESS=TASK_ID",
    help="This task of the gateway is the request's.",
)
@click.option(
    "--replay",
    multiple=True,
    metavar="ADDRESS",
    help="Send it once more, with the same key and bytes.",
)
@click.option(
    "--abandon",
    multiple=True,
    metavar="ADDRESS",
    help="Wait no longer; the money stays counted.",
)
@click.option("--rebuy", multiple=True, metavar="ADDRESS", help="Buy it anew, under a new key.")
def command(run: str, profile: str | None, **given: tuple[str, ...]) -> ExitCode:
    """Decide about requests of which veogen cannot know whether they were bought.

    '*' as an ADDRESS means all that fit, but for what can still be collected. 'veogen status RUN'
    says which there are.
    """
    decisions = list(_decisions(given))
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


def _decisions(given: Mapping[str, tuple[str, ...]]) -> Iterator[Decision]:
    for written in given["adopt"]:
        address, equals, task_id = written.rpartition("=")
        if not (equals and address and task_id):
            raise UsageError(f"--adopt {written!r}: write ADDRESS=TASK_ID")
        yield Decision("adopt", address, task_id)
    kinds: tuple[Kind, ...] = ("replay", "abandon", "rebuy")
    for kind in kinds:
        yield from (Decision(kind, address) for address in given[kind])
