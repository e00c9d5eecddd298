"""`veogen validate`: all mistakes of all specs and profiles at once."""

import sys
from pathlib import Path

import click

from veogen.cli.diagnostics import as_annotations, as_json, tell
from veogen.cli.examples import examples
from veogen.cli.options import SpecOptions, spec_options, specs_argument
from veogen.cli.specs import spec_paths
from veogen.cli.validation import all_problems
from veogen.document.problems import Problems
from veogen.errors import ExitCode
from veogen.terminal import counted


@click.command(
    epilog=examples(
        "veogen validate specs",
        "veogen validate specs/launch.yaml --format github",
    )
)
@specs_argument
@spec_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How mistakes are written.",
)
def command(specs: tuple[Path, ...], options: SpecOptions, format_: str) -> int:
    """Show all mistakes of specs, in every profile; nothing is sent."""
    paths = spec_paths(specs)
    problems = all_problems(paths, options)
    match format_:
        case "json":
            click.echo(as_json(problems.all))
        case "github":
            click.echo(as_annotations(problems.all), nl=bool(problems.all))
        case _:
            tell(problems.all, sys.stdout)
    click.echo(_summary(problems, len(paths)), err=True)
    return ExitCode.USAGE if problems.has_errors else ExitCode.DONE


def _summary(problems: Problems, specs: int) -> str:
    errors = len(problems.all) - len(problems.warnings)
    counts = f"{counted(errors, 'error')}, {counted(len(problems.warnings), 'warning')}"
    return f"{counted(specs, 'spec')}: {counts if problems.all else 'no mistakes'}"
