"""`veogen schema`: what editors need to complete and to check a spec."""

import json

import click

from veogen.cli.options import examples
from veogen.spec.grammar import json_schema


@click.command(
    epilog=examples(
        "veogen schema > veogen.schema.json",
    )
)
def command() -> None:
    """Print the JSON Schema of spec files."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
