"""`veogen validate`: all mistakes of all specs and profiles at once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from veogen.cli.diagnostics import as_annotations, as_json, as_text
from veogen.cli.options import SpecOptions, spec_options, specs_argument
from veogen.cli.specs import spec_paths
from veogen.document.problems import MistakesError, Problem, Problems
from veogen.errors import ExitCode
from veogen.spec.load import load_spec


@click.command()
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
    """Show all mistakes of specs, in every profile; sends nothing."""
    problems = Problems()
    paths = spec_paths(specs)
    for path in paths:
        problems.extend(mistakes(path, options))
    if format_ == "json":
        click.echo(as_json(problems.all))
    elif format_ == "github":
        _echo(as_annotations(problems.all))
    else:
        terminal = sys.stdout.isatty()
        _echo(as_text(problems.all, terminal=terminal))
        click.echo(_summary(problems, len(paths)), err=True)
    return ExitCode.USAGE if problems.has_errors else ExitCode.DONE


def mistakes(path: Path, options: SpecOptions) -> Iterator[Problem]:
    """The problems of a spec without a profile and with each that it has, or with the one asked."""
    found, profiles = _mistakes_in(path, options, options.profile)
    yield from found
    for profile in profiles if options.profile is None else ():
        yield from _mistakes_in(path, options, profile)[0]


def _mistakes_in(
    path: Path, options: SpecOptions, profile: str | None
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    try:
        spec = load_spec(path, profile=profile, settings=options.settings)
    except MistakesError as error:
        return error.problems, ()
    return spec.warnings, spec.profiles


def _echo(text: str) -> None:
    if text:
        click.echo(text)


def _summary(problems: Problems, specs: int) -> str:
    errors = len(problems.all) - len(problems.warnings)
    counts = f"{_count(errors, 'error')}, {_count(len(problems.warnings), 'warning')}"
    return f"{_count(specs, 'spec')}: {counts if problems.all else 'no mistakes'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
