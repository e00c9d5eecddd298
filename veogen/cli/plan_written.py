"""What `veogen plan` does: plans of specs, written in the format that is asked for."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from veogen.cli.diagnostics import tell
from veogen.cli.holdings import holdings_of, project_root
from veogen.cli.options import SpecOptions
from veogen.cli.plan_table import table
from veogen.cli.plan_view import View, narrowed, view
from veogen.cli.specs import load_specs
from veogen.document.indented import indented
from veogen.document.problems import Problem
from veogen.planner.build import plan_all
from veogen.planner.document import plan_data, request_line
from veogen.spec.model import Spec


def write_plans(
    specs: tuple[Path, ...], options: SpecOptions, format_: str, out: Path | None
) -> None:
    """Write the plans of specs to `out` or stdout, and warnings to stderr."""
    loaded = load_specs(specs, options)
    if format_ == "jsonl" and not (options.select or options.deselect):
        from veogen.cli.plan_stream import write_lines  # noqa: PLC0415 - for large plans only

        warnings = write_lines(loaded, options, out)
    else:
        warnings = _write(loaded, options, format_, out)
    tell(warnings, sys.stderr)


def _write(
    specs: Sequence[Spec], options: SpecOptions, format_: str, out: Path | None
) -> tuple[Problem, ...]:
    views = _views(specs, options)
    width = shutil.get_terminal_size().columns if out is None and sys.stdout.isatty() else None
    text = "".join(f"{line}\n" for line in _written(views, format_, width))
    if out is None:
        click.echo(text, nl=False)
    else:
        from veogen.cli.written import written_out  # noqa: PLC0415

        with written_out(out) as file:
            file.write(text.encode())
    return tuple(warning for one in views for warning in one.plan.warnings)


def _views(specs: Sequence[Spec], options: SpecOptions) -> list[View]:
    plans = plan_all(specs, max_requests=options.max_requests)
    chosen = narrowed(plans, options.select, options.deselect)
    return [
        view(plan, holdings_of(spec), project_root(spec), spec.policy.models)
        for spec, plan in zip(specs, chosen, strict=True)
    ]


def _tables(views: Sequence[View], width: int | None) -> Iterator[str]:
    for index, one in enumerate(views):
        if index:
            yield ""
        yield from table(one, one.models, width)


def _data(views: Sequence[View]) -> Any:
    """One plan, or an array of several."""
    plans = [plan_data(one.plan, one.totals, one.state, one.price_to_buy) for one in views]
    return plans[0] if len(plans) == 1 else plans


def _json_lines(views: Sequence[View]) -> Iterator[str]:
    for one in views:
        for request in one.plan.requests:
            yield request_line(request, one.state(request))


def _written(views: Sequence[View], format_: str, width: int | None) -> Iterator[str]:
    match format_:
        case "json":
            yield indented(_data(views))
        case "yaml":
            from veogen.document.writer import lines as yaml_lines  # noqa: PLC0415

            yield from yaml_lines(_data(views))
        case "jsonl":
            yield from _json_lines(views)
        case _:
            yield from _tables(views, width)
