"""`veogen status` of several runs: a line for each, and what the real ones come to."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import click

from veogen.cli.rundirs import typed_path
from veogen.cli.runs import worst_code
from veogen.cli.status import StatusRow, row_of, run_exit_code, status_data, table_lines
from veogen.cli.store_names import FoundRun, look_at
from veogen.errors import ExitCode
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import Snapshot
from veogen.jsontext import indented
from veogen.text import paint, plain_json


def print_overview(runs: Sequence[FoundRun], format_: str) -> ExitCode:
    """Print a line for each of several runs, and what the real ones come to; the worst exit code.

    That of the real ones, as practice needs nothing.
    """
    now = SystemClock().now()
    snapshots = [look_at(run, now) for run in runs]
    if format_ == "json":
        data = [
            {"run": typed_path(run.path), "gateway": snapshot.gateway, **status_data(snapshot)}
            for run, snapshot in zip(runs, snapshots, strict=True)
        ]
        click.echo(plain_json(indented(data)))
    else:
        named = [(typed_path(run.path), each) for run, each in zip(runs, snapshots, strict=True)]
        for line in table_lines(list(_overview(named)), paint(sys.stdout, os.environ)):
            click.echo(line, color=True)
        click.echo("\nOne of them: veogen status RUN")
    return worst_code(run_exit_code(each) for each in snapshots if each.gateway != "simulated")


def _overview(runs: Sequence[tuple[str, Snapshot]]) -> Iterator[StatusRow]:
    """A row for each run, and the sum of those that were paid for."""
    total = StatusRow("total of the real ones", Counter(), Decimal(0))
    for name, snapshot in runs:
        row = row_of(name, list(snapshot.ledger.planned), snapshot)
        simulated = snapshot.gateway == "simulated"
        yield replace(row, name=f"{row.name} (simulated)") if simulated else row
        if not simulated:
            counts = total.counts + row.counts
            total = replace(total, counts=counts, credits=total.credits + row.credits)
    yield total
