"""`veogen run`: buy, download and verify what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from veogen.cli.amounts import CREDITS, SECONDS
from veogen.cli.examples import examples
from veogen.cli.listening_options import listening_options
from veogen.cli.options import SpecOptions, spec_options, specs_argument
from veogen.cli.pace import submitting_options
from veogen.errors import ExitCode


@click.command(
    "run",
    epilog=examples(
        "veogen run specs/quickstart.yaml --simulate",
        "veogen run specs/launch.yaml --max-credits 500",
    ),
)
@specs_argument
@spec_options
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="The run directory (default: runs/NAME below the project root).",
)
@click.option("--simulate", is_flag=True, help="No key, no network, no money.")
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --simulate: a file that says what goes wrong.",
)
@click.option(
    "--generation-time",
    type=SECONDS,
    metavar="S",
    help="With --simulate: the median of the seconds that a task takes.",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@click.option("--locked", is_flag=True, help="Refuse if the lock is missing or stale.")
@click.option("--max-credits", type=CREDITS, metavar="N", help="Spend no more than this now.")
@click.option(
    "--only",
    type=click.Choice(["new", "changed", "failed"]),
    multiple=True,
    help="Buy only these. May be repeated.",
)
@click.option("--retry-failed", is_flag=True, help="Buy again whatever failed.")
@listening_options
@submitting_options
def command(specs: Sequence[Path], options: SpecOptions, **given: Any) -> ExitCode:
    """Buy, download and verify what is missing; go on where an earlier run stopped."""
    from veogen.cli.run_specs import run_specs  # noqa: PLC0415 - no help waits for it

    return run_specs(specs, options, given)
