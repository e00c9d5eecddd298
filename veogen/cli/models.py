"""`veogen models`: what the gateway's models take, what they refuse and what they cost."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from veogen.catalogue.listing import derived_line, limits, model_data, price_lines, rule_line
from veogen.catalogue.models import Model
from veogen.catalogue.parameters import shown
from veogen.cli.examples import examples
from veogen.document.files import Folder
from veogen.document.problems import did_you_mean
from veogen.errors import UsageError
from veogen.spec.policy import load_policy
from veogen.spec.root import project_root
from veogen.terminal import plain, plain_json

_GAP = "  "
_WIDTH = 100


@click.command(
    "models",
    epilog=examples(
        "veogen models",
        "veogen models veo-3.1-fast-generate-preview",
    ),
)
@click.argument("model_id", metavar="[ID]", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the models are written.",
)
def command(model_id: str | None, format_: str) -> None:
    """Show the models, or all about one: parameters, limits, rules and prices."""
    models = _known()
    if model_id is None:
        _all(models, format_)
    else:
        _one(_found(model_id, models), format_)


def _known() -> Mapping[str, Model]:
    """The models of the project that this folder is in."""
    return load_policy(Folder(project_root(Path("any.yaml")))).models


def _found(model_id: str, models: Mapping[str, Model]) -> Model:
    if model_id not in models:
        hint = did_you_mean(model_id, models) or f"known are {', '.join(models)}"
        raise UsageError(f"{model_id!r} is not a known model; {hint}")
    return models[model_id]


def _all(models: Mapping[str, Model], format_: str) -> None:
    if format_ == "json":
        data = {"format": "veogen.models/1", "models": [model_data(m) for m in models.values()]}
        click.echo(plain_json(json.dumps(data, indent=2, ensure_ascii=False)))
        return
    rows = [("model", "seconds", "quality", "credits", "title"), *map(_row, models.values())]
    click.echo("\n".join(map(plain, _columns(rows, right=(3,)))))
    click.echo("\nCredits of a request that sets nothing else; 'veogen models ID' tells more.")


def _row(model: Model) -> tuple[str, ...]:
    effective = model.effective({})
    seconds = model.parameters.get("duration")
    quality = model.parameters.get("quality")
    price = model.estimate({})
    return (
        model.id,
        limits(seconds) if seconds else str(effective.get("duration", "")),
        limits(quality) if quality else "",
        "unknown" if price is None else str(price),
        model.title,
    )


def _one(model: Model, format_: str) -> None:
    if format_ == "json":
        click.echo(plain_json(json.dumps(model_data(model), indent=2, ensure_ascii=False)))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
    click.echo("\n".join(map(plain, _lines(model, width))))


def _lines(model: Model, width: int) -> Iterator[str]:
    yield f"{model.id}: {model.title} (checked {model.checked})"
    yield ""
    yield from _parameters(model, width)
    if model.rules:
        yield ""
        for rule in model.rules:
            yield from textwrap.wrap(rule_line(rule), width, subsequent_indent="  ")
    if model.derived:
        yield from textwrap.wrap(derived_line(model.derived), width, subsequent_indent="  ")
    yield ""
    yield from _prices(model, width)


def _parameters(model: Model, width: int) -> Iterator[str]:
    rows = [("parameter", "takes", "default", "")]
    for name, parameter in model.parameters.items():
        default = "required" if parameter.required else ""
        if parameter.default is not None:
            default = shown(parameter.default).strip("'")
        rows.append((name, limits(parameter), default, parameter.description))
    lengths = [max(len(row[column]) for row in rows) for column in range(3)]
    room = max(width - sum(lengths) - 3 * len(_GAP), 24)
    for row in rows:
        told = textwrap.wrap(row[3], room) or [""]
        cells = [text.ljust(length) for text, length in zip(row, lengths, strict=False)]
        yield _GAP.join([*cells, told[0]]).rstrip()
        for line in told[1:]:
            yield " " * (sum(lengths) + 3 * len(_GAP)) + line


def _prices(model: Model, width: int) -> Iterator[str]:
    if model.price is None:
        yield "no price is known"
        return
    yield from price_lines(model.price)
    told = (
        f"prices of {model.price.date}, {model.price.credits_per_usd} credits to the dollar; "
        f"source: {model.price.source}"
    )
    yield from textwrap.wrap(told, width)


def _columns(rows: Sequence[tuple[str, ...]], right: Sequence[int]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield _GAP.join(cells).rstrip()
