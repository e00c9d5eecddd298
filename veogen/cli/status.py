"""`veogen status`: where every request stands; no network."""

import os
import sys

import click

from veogen.cli.examples import examples
from veogen.cli.rundirs import find_run, names_of, run_options
from veogen.cli.status_table import lines
from veogen.document.indented import indented
from veogen.errors import ExitCode
from veogen.executor.clock import SystemClock
from veogen.executor.snapshot import Snapshot, look
from veogen.results.ledger import exit_code
from veogen.results.rendering import listed
from veogen.terminal import paint, plain_json

_FIELD = "\n  "


@click.command(
    "status",
    epilog=examples(
        "veogen status",
        "veogen status specs/launch.yaml --exit-code",
    ),
)
@run_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How it is written.",
)
@click.option(
    "--exit-code",
    "by_code",
    is_flag=True,
    help="Exit as a run would: 0 all completed, 1 not all, 4 some are indeterminate.",
)
def command(run: str | None, profile: str | None, format_: str, *, by_code: bool) -> int:
    """Show where every request of a run stands; sends nothing.

    RUN is a run directory or a SPEC; left out, the only one below runs/. Works while a run goes
    on, and in a fresh clone, where results.json is all there is.
    """
    path, now = find_run(run, profile), SystemClock().now()
    snapshot = look(path, now)
    if format_ == "json":
        click.echo(plain_json(as_json(snapshot)))
    else:
        names = names_of(path, snapshot.ledger.name)
        for line in lines(snapshot, names, now, paint(sys.stdout, os.environ)):
            click.echo(line, color=True)
    return code(snapshot) if by_code else ExitCode.DONE


def as_json(snapshot: Snapshot) -> str:
    """The summary, and the requests as in results.json."""
    summary = snapshot.ledger.summary()
    counts = {str(status): number for status, number in summary.counts.items()}
    data = {
        "requests": summary.requests,
        **counts,
        "videos": summary.videos,
        "credits": f"{summary.credits:.3f}",
    }
    requests = listed(snapshot.ledger.planned)
    return f'{{\n  "summary": {indented(data, _FIELD)},\n  "results": {requests}\n}}'


def code(snapshot: Snapshot) -> ExitCode:
    """What a run would say; a request that is being sent right now is just not delivered yet."""
    planned = list(snapshot.ledger.planned)
    settled = [s.record for s in planned if not snapshot.is_being_sent(s)]
    found = exit_code(settled)
    return ExitCode.INCOMPLETE if found is ExitCode.DONE and len(settled) < len(planned) else found
