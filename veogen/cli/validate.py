"""`veogen validate`: all mistakes of all specs and profiles at once."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from veogen.cli.options import SpecOptions
from veogen.cli.output import as_annotations, as_json, print_problems
from veogen.cli.specs import spec_paths
from veogen.document.nodes import Location
from veogen.document.problems import Problems
from veogen.errors import ExitCode
from veogen.planner.planner import plan, plan_specs
from veogen.planner.selection import selected
from veogen.spec.load import load_as_far
from veogen.spec.project import shared_run_problems
from veogen.spec.types import Spec
from veogen.text import counted


def all_problems(paths: Sequence[Path], options: SpecOptions) -> Problems:
    """What is wrong with specs by themselves, as plans, and together.

    Without a profile asked for they are looked at plain, then with each profile that they have.
    Raises `UsageError` for globs that match nothing, where nothing else is wrong.
    """
    check = _Check(options)
    check.problems.extend(shared_run_problems(paths))
    profiles: dict[str, list[Path]] = {}
    for path, spec in check.plan(paths, options.profile).items():
        for profile in spec.profiles if options.profile is None else ():
            profiles.setdefault(profile, []).append(path)
    for profile, having in profiles.items():
        check.plan(having, profile)
    if not check.problems.has_errors:
        selected(check.addresses, options.select, options.deselect)
    return check.problems


class _Check:
    """All problems of specs in several profiles, each once: a profile repeats its spec's mistakes.

    `addresses` are those of all plans that were made.
    """

    def __init__(self, options: SpecOptions) -> None:
        self.problems = Problems()
        self.addresses: dict[str, None] = {}
        self._options = options
        self._seen: set[tuple[Location, str]] = set()

    def plan(self, paths: Iterable[Path], profile: str | None) -> dict[Path, Spec]:
        """Load and plan specs with a profile; those that can be read."""
        reading, most = self._options.reading, self._options.max_requests
        problems = Problems()
        loaded = {path: load_as_far(path, problems, profile=profile, **reading) for path in paths}
        self._add(problems)
        readable = {path: spec for path, spec in loaded.items() if spec is not None}
        problems = Problems()
        promoting = [spec for spec in readable.values() if spec.promotion is not None]
        others = [spec for spec in readable.values() if spec.promotion is None]
        plans = [*plan_specs(others, problems, max_requests=most)]
        plans += [
            plan(spec.with_all_combinations(), problems, max_requests=most) for spec in promoting
        ]
        self._add(problems)
        self.addresses.update(dict.fromkeys(r.address for plan in plans for r in plan.requests))
        return readable

    def _add(self, problems: Problems) -> None:
        """Two of one place and code are new together, and old the next time."""
        new = [p for p in problems.all if (p.place, p.code) not in self._seen]
        self.problems.extend(new)
        self._seen.update((problem.place, problem.code) for problem in new)


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
            print_problems(problems.all, sys.stdout)
    errors = len(problems.all) - len(problems.warnings)
    counts = f"{counted(errors, 'error')}, {counted(len(problems.warnings), 'warning')}"
    outcome = counts if problems.all else "no mistakes"
    click.echo(f"{counted(len(paths), 'spec')}: {outcome}", err=True)
    return ExitCode.USAGE if problems.has_errors else ExitCode.DONE
