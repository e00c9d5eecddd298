"""`veogen validate`: all mistakes of all specs and profiles at once."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from veogen.cli.diagnostics import as_annotations, as_json, as_text
from veogen.cli.options import SpecOptions, spec_options, specs_argument
from veogen.cli.specs import spec_paths
from veogen.document.problems import MistakesError, Problems
from veogen.errors import ExitCode
from veogen.planner.build import check_all
from veogen.spec.load import load_spec
from veogen.spec.model import Spec


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
    mistakes(paths, options, problems)
    if format_ == "json":
        click.echo(as_json(problems.all))
    elif format_ == "github":
        _echo(as_annotations(problems.all))
    else:
        terminal = sys.stdout.isatty()
        _echo(as_text(problems.all, terminal=terminal))
        click.echo(_summary(problems, len(paths)), err=True)
    return ExitCode.USAGE if problems.has_errors else ExitCode.DONE


def mistakes(paths: Sequence[Path], options: SpecOptions, problems: Problems) -> None:
    """Everything that is wrong with specs, without a profile and with each, or with the one asked.

    The team's limits hold for what one command buys: for all specs under one profile.
    """
    if options.profile is not None:
        _plan_all(_loaded(paths, options, options.profile, problems), options, problems)
        return
    specs = _loaded(paths, options, None, problems)
    _plan_all(specs, options, problems)
    profiles = dict.fromkeys(profile for _, spec in specs for profile in spec.profiles)
    for profile in profiles:
        having = [path for path, spec in specs if profile in spec.profiles]
        _plan_all(_loaded(having, options, profile, problems), options, problems)


def _loaded(
    paths: Iterable[Path], options: SpecOptions, profile: str | None, problems: Problems
) -> list[tuple[Path, Spec]]:
    """The specs that could be read; the mistakes of the others go to `problems`."""
    specs = []
    for path in paths:
        try:
            specs.append((path, load_spec(path, profile=profile, settings=options.settings)))
        except MistakesError as error:
            problems.extend(error.problems)
    return specs


def _plan_all(specs: Sequence[tuple[Path, Spec]], options: SpecOptions, problems: Problems) -> None:
    check_all((spec for _, spec in specs), problems, max_requests=options.max_requests)


def _echo(text: str) -> None:
    if text:
        click.echo(text)


def _summary(problems: Problems, specs: int) -> str:
    errors = len(problems.all) - len(problems.warnings)
    counts = f"{_count(errors, 'error')}, {_count(len(problems.warnings), 'warning')}"
    return f"{_count(specs, 'spec')}: {counts if problems.all else 'no mistakes'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
