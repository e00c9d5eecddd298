"""`veogen plan`: the requests of specs and their price; nothing is sent."""

from pathlib import Path
from typing import Any

import click

from veogen.cli.examples import examples
from veogen.cli.options import SpecOptions, spec_options, specs_argument


class _Output(click.Path):
    """A file to write; None for `-`, which means stdout; a file of that name is `./-`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "-" else super().convert(value, param, ctx)


@click.command(
    epilog=examples(
        "veogen plan specs/launch.yaml",
        "veogen plan specs --format json --out plan.json",
        "veogen plan specs/launch.yaml --profile draft --set params.duration=4",
    )
)
@specs_argument
@spec_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "jsonl", "yaml"]),
    default="table",
    show_default=True,
    help="How the plan is written.",
)
@click.option(
    "--out",
    type=_Output(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to a file instead of stdout, which - is.",
)
def command(specs: tuple[Path, ...], options: SpecOptions, format_: str, out: Path | None) -> None:
    """Print the requests of specs and their price; sends nothing."""
    from veogen.cli.plan_written import write_plans  # noqa: PLC0415 - no help waits for it

    write_plans(specs, options, format_, out)
