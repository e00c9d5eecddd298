"""The last words of a command: what there is now, what it cost, and what to type next."""

import os
import shlex
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click

from veogen.errors import ExitCode
from veogen.executor.session import Outcome
from veogen.results.ledger import Ledger
from veogen.terminal import counted


def say(directory: Path, outcome: Outcome) -> None:
    """One line of what is there now, and one for what to type next."""
    summary = outcome.ledger.summary()
    counts = ", ".join(f"{n} {status}" for status, n in summary.counts.items() if n)
    run = shlex.quote(os.path.relpath(directory))
    click.echo(
        f"{counted(summary.requests, 'request')}{counts and ': '}{counts}; "
        f"{counted(summary.videos, 'video')}{_warned(outcome.ledger)}. "
        f"{'; '.join(_money(outcome.ledger))}. {os.path.relpath(directory / 'results.json')}",
        err=True,
    )
    if outcome.code != ExitCode.DONE or summary.counts["indeterminate"]:
        click.echo(f"What stands where, and what to do: veogen status {run}", err=True)
    elif summary.counts["submitted"]:  # somebody decided so, and nothing was watched
        click.echo(f"Bring home what it makes: veogen collect {run}", err=True)
    elif summary.videos:
        click.echo(f"Look at them: veogen gallery {run}", err=True)


def _warned(ledger: Ledger) -> str:
    """How many came otherwise than asked for; `status` tells which."""
    number = sum(bool(standing.record.warnings) for standing in ledger.planned)
    return f" ({number} with a warning)" if number else ""


def _money(ledger: Ledger) -> Iterator[str]:
    """What is known to be reserved or charged, as progress told it, and what may be beyond it."""
    purchases = [p for s in ledger.everything for p in s.record.purchases.values() if p.failed]
    failed = sum((p.credits for p in purchases if p.credits and not p.estimated), Decimal(0))
    returned = f" ({failed:.3f} of failed tasks, which the gateway returns)" if failed else ""
    yield f"{ledger.reserved:.3f} credits reserved or charged so far{returned}"
    if ledger.estimated:
        yield unnamed(ledger)
    if ledger.in_doubt:
        yield f"held requests may have cost {ledger.in_doubt:.3f} more"


def unnamed(ledger: Ledger) -> str:
    """What was bought without a word of the gateway on what it reserved or charged."""
    return f"{ledger.estimated:.3f} more by estimate, as the gateway named no amount"
