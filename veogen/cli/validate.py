"""`veogen validate`: all mistakes of all specs and profiles at once."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from veogen.cli.options import SpecOptions
from veogen.cli.output import as_annotations, as_json, tell
from veogen.cli.specs import spec_paths
from veogen.document.nodes import Place
from veogen.document.problems import Problem, Problems
from veogen.errors import ExitCode
from veogen.planner.planner import plan_specs
from veogen.planner.selection import selected
from veogen.spec.load import load_as_far
from veogen.spec.types import Spec
from veogen.text import counted


def all_problems(paths: Sequence[Path], options: SpecOptions) -> Problems:
    """What is wrong with specs by themselves, as plans, and together.

    Without a profile asked for they are looked at plain, then with each profile that they have.
    Raises `UsageError` for globs that match nothing, where nothing else is wrong.
    """
    telling = _Telling()
    profiles: dict[str, list[Path]] = {}
    for path, spec in _looked_at(paths, options.profile, options, telling).items():
        for profile in spec.profiles if options.profile is None else ():
            profiles.setdefault(profile, []).append(path)
    for profile, those in profiles.items():
        _looked_at(those, profile, options, telling)
    if not telling.problems.has_errors:
        selected(telling.addresses, options.select, options.deselect)
    return telling.problems


def _looked_at(
    paths: Iterable[Path], profile: str | None, options: SpecOptions, telling: "_Telling"
) -> dict[Path, Spec]:
    found = Problems()
    specs = {path: load_as_far(path, found, profile=profile, **options.reading) for path in paths}
    telling.tell(found)
    readable = {path: spec for path, spec in specs.items() if spec is not None}
    found = Problems()
    plans = plan_specs(readable.values(), found, max_requests=options.max_requests)
    telling.tell(found)
    telling.addresses.update(dict.fromkeys(r.address for plan in plans for r in plan.requests))
    return readable


class _Telling:
    """Drops what was told before of the same place: a profile repeats its spec's mistakes.

    `addresses` are those of all plans that were looked at.
    """

    def __init__(self) -> None:
        self.problems = Problems()
        self.addresses: dict[str, None] = {}
        self._told: set[tuple[Place, str]] = set()

    def tell(self, found: Problems) -> None:
        new = [problem for problem in found.all if _key(problem) not in self._told]
        self.problems.extend(new)
        self._told.update(map(_key, new))


def _key(problem: Problem) -> tuple[Place, str]:
    return problem.place, problem.code


def validate_specs(specs: Sequence[Path], options: SpecOptions, format_: str) -> ExitCode:
    """Write the mistakes of specs to stdout, and how many there are to stderr."""
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
