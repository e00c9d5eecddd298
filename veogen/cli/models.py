"""`veogen models`: what the gateway's models take, what they refuse and what they cost."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from veogen.document.files import Folder
from veogen.document.problems import did_you_mean
from veogen.errors import UsageError
from veogen.models.model import Audio, Model
from veogen.models.parameters import Json, Parameter, shown, shown_size
from veogen.models.prices import (
    UNITS_PER_CREDIT,
    AnyPrice,
    Multiplier,
    RulePrice,
)
from veogen.models.rules import Derived, Rule
from veogen.spec.project import load_policy, project_root
from veogen.text import plain, plain_json, rounded_credits

_LIMITS = ("minimum", "maximum", "max_length", "min_items", "max_items", "max_bytes", "unit")
_GAP = "  "
_WIDTH = 100


def print_models(model_id: str | None, format_: str) -> None:
    """Print all models of the project that we are in, or all about one."""
    models = load_policy(Folder(project_root(Path("any.yaml")))).models
    if model_id is not None and model_id not in models:
        hint = did_you_mean(model_id, models) or f"known are {', '.join(models)}"
        raise UsageError(f"{model_id!r} is not a known model; {hint}")
    if format_ == "json":
        data = {"format": "veogen.models/1", "models": [model_data(m) for m in models.values()]}
        data = data if model_id is None else model_data(models[model_id])
        click.echo(plain_json(json.dumps(data, indent=2, ensure_ascii=False)))
    elif model_id is None:
        click.echo("\n".join(map(plain, _table(models.values()))))
        click.echo("\nCredits of a request that sets nothing else; 'veogen models ID' tells more.")
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
        click.echo("\n".join(map(plain, _lines(models[model_id], width))))


def model_data(model: Model) -> dict[str, Any]:
    """A model as JSON for scripts; amounts of credits are strings, as everywhere.

    `plain_request` is what a request that sets nothing else costs, and how sure that is.
    """
    derived, quote = model.derived, model.quote({})
    rule_fields = ("code", "severity", "when", "message", "source")
    return {
        "id": model.id,
        "title": model.title,
        "checked": model.checked,
        "parameters": {name: _parameter(p) for name, p in model.parameters.items()},
        "rules": [
            {name: getattr(rule, name) for name in rule_fields}
            | {"when": {name: list(values) for name, values in rule.when.items()}}
            for rule in model.rules
        ],
        "derived": derived and {**asdict(derived), "by_images": list(derived.by_images)},
        "prices": _price(model.price) if model.price else None,
        "audio": _audio(model.audio) if model.audio else None,
        "pixels": {
            quality: {ratio: f"{width}x{height}" for ratio, (width, height) in sizes.items()}
            for quality, sizes in model.pixels.items()
        },
        "expected_seconds": model.expected_seconds,
        "retired": model.retired and asdict(model.retired),
        "notes": list(model.notes),
        "plain_request": {
            "credits": None if quote.credits is None else str(quote.credits),
            "certainty": quote.certainty,
            "assumed": dict(quote.assumed),
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    given = {name: getattr(parameter, name) for name in _LIMITS}
    inner = {name: _parameter(each) for name, each in parameter.properties.items()}
    return {
        "type": parameter.kind,
        "required": parameter.required,
        "default": parameter.default,
        **({"enum": list(parameter.enum)} if parameter.enum is not None else {}),
        **{name: value for name, value in given.items() if value is not None},
        **({"words": list(parameter.words)} if parameter.words else {}),
        **({"media": parameter.media} if parameter.kind in ("uri", "uris") else {}),
        **({"moving": True} if parameter.moving else {}),
        **({"item": _parameter(parameter.item)} if parameter.item else {}),
        **({"properties": inner} if inner else {}),
        "description": parameter.description,
        "source": parameter.source,
    }


def _price(price: AnyPrice) -> dict[str, Any]:
    source = {"date": price.date, "source": price.source}
    rate = str(price.credits_per_usd)
    if isinstance(price, RulePrice):
        return {
            **source,
            "lowest": price.lowest,
            "credits_per_usd": rate,
            "rule": "components",
            "settlement": price.settlement,
            "surcharges": _multipliers(price.surcharges),
            **price.data,
        }
    return {
        **source,
        **({"lowest": True} if price.lowest else {}),
        "credits_per_usd": rate,
        "rule": "per_second" if price.per_second else "per_call",
        "credits": str(price.credits),
        "minimum": str(price.minimum),
        "multipliers": _multipliers(price.multipliers),
    }


def _multipliers(multipliers: Iterable[Multiplier]) -> list[dict[str, Any]]:
    return [{"when": dict(each.when), "times": str(each.times)} for each in multipliers]


def _table(models: Iterable[Model]) -> Iterator[str]:
    """A line a model: how long and sharp its clips may be, and what a plain request costs."""
    rows = [("model", "seconds", "quality", "credits", "price", "title")]
    for model in models:
        seconds, quality = (model.parameters.get(name) for name in ("duration", "quality"))
        fixed = str(model.effective({}).get("duration", ""))
        quote = model.quote({})
        rows.append(
            (
                model.id,
                limits(seconds) if seconds else fixed,
                limits(quality) if quality else "",
                "" if quote.credits is None else str(quote.credits),
                quote.certainty,
                model.title,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[3] = row[3].rjust(widths[3])
        yield _GAP.join(cells).rstrip()


def _lines(model: Model, width: int) -> Iterator[str]:
    """All about a model: its parameters, what goes with what, what else is known, its price."""
    yield f"{model.id}: {model.title} (checked {model.checked})"
    yield ""
    yield from _parameters(model, width)
    if model.rules:
        yield ""
    facts = [rule_line(rule) for rule in model.rules]
    facts += [derived_line(model.derived)] if model.derived else []
    facts += [f"sound: {_audio(model.audio)}"] if model.audio else []
    for quality, sizes in model.pixels.items():
        pairs = ", ".join(f"{ratio} {w}x{h}" for ratio, (w, h) in sizes.items())
        facts.append(f"pixels of {quality}: {pairs}")
    if model.expected_seconds is not None:
        facts.append(f"a task takes about {model.expected_seconds} seconds")
    if model.retired is not None:
        facts.append(f"retired on {model.retired.date}; use {model.retired.instead}")
    for line in (*facts, *model.notes):
        yield from textwrap.wrap(line, width, subsequent_indent="  ")
    yield ""
    if model.price is None:
        yield "no price is known"
        return
    yield from price_lines(model.price)
    quote = model.quote({})
    costs = "" if quote.credits is None else f", {quote.credits} credits"
    yield f"a request that sets nothing else: {quote.certainty}{costs}"
    prices = "the lowest published prices" if model.price.lowest else "prices"
    source = (
        f"{prices} of {model.price.date}, {model.price.credits_per_usd} credits to the dollar; "
        f"source: {model.price.source}"
    )
    yield from textwrap.wrap(source, width)


def _parameters(model: Model, width: int) -> Iterator[str]:
    rows = [("parameter", "takes", "default", "")]
    for name, parameter in _flat(model.parameters):
        default = "required" if parameter.required else ""
        if parameter.default is not None:
            default = shown(parameter.default).strip("'")
        rows.append((name, limits(parameter), default, parameter.description))
    lengths = [max(len(row[column]) for row in rows) for column in range(3)]
    room = max(width - sum(lengths) - 3 * len(_GAP), 20)
    for row in rows:
        wrapped = textwrap.wrap(row[3], room) or [""]
        cells = [text.ljust(length) for text, length in zip(row, lengths, strict=False)]
        yield _GAP.join([*cells, wrapped[0]]).rstrip()
        for line in wrapped[1:]:
            yield " " * (sum(lengths) + 3 * len(_GAP)) + line


def _flat(parameters: Mapping[str, Parameter], above: str = "") -> Iterator[tuple[str, Parameter]]:
    """All parameters by name, those within others after them."""
    for name, parameter in parameters.items():
        yield f"{above}{name}", parameter
        item = parameter.item
        inner = parameter.properties or (item.properties if item else {})
        yield from _flat(inner, f"{above}{name}.")


def limits(parameter: Parameter) -> str:
    """What a parameter takes, in a few words."""
    least, most = parameter.minimum, parameter.maximum
    words = [_value_text(value) for value in parameter.enum or ()]
    if not words:
        if least is not None and most is not None:
            words.append(f"{least} to {most}")
        elif least is not None:
            words.append(f"at least {least}")
        elif most is not None:
            words.append(f"at most {most}")
        if parameter.min_items:
            words.append(f"at least {parameter.min_items}")
        if parameter.max_items is not None:
            words.append(f"at most {parameter.max_items}")
        if parameter.max_bytes is not None:
            words.append(f"{shown_size(parameter.max_bytes)} each")
        if parameter.max_length is not None:
            words.append(f"at most {parameter.max_length} characters")
    words += map(_value_text, parameter.words)
    return ", ".join(words) or {"boolean": "true, false"}.get(parameter.kind, "")


def rule_line(rule: Rule) -> str:
    """When a rule applies, and what it says of which parameters."""
    when = ", ".join(
        f"{name} {' or '.join(map(_value_text, values))}" for name, values in rule.when.items()
    )
    about = [f"{name} {_value_text(value)}" for name, value in rule.fixes.items()]
    about += [*rule.refuses, *rule.ignores, *rule.needs]
    about += [f"{name} to {whole}" for name, whole in rule.adds_up.items()]
    message = rule.message + (f" ({', '.join(about)})" if about else "")
    words = (
        f"with {when}:" if when else "",
        "warning:" if rule.severity == "warning" else "",
        message,
    )
    return " ".join(filter(None, words))


def derived_line(derived: Derived) -> str:
    """What a parameter that is left out is taken as."""
    kinds = ", ".join(f"{n} {_value_text(kind)}" for n, kind in enumerate(derived.by_images))
    return (
        f"{derived.parameter}, left out, is likely to be taken by the number of images: {kinds} "
        f"({derived.source})"
    )


_SETTLED = {
    "request_only": "settled by the request alone",
    "request_then_actual": "reserved by the request, settled by what was made",
    "actual_usage": "settled by what is measured: an estimate",
}


def price_lines(price: AnyPrice) -> Iterator[str]:
    """The rule of a price, a line for each multiplier or component."""
    if isinstance(price, RulePrice):
        yield "the sum of what applies of the gateway's published rules:"
        for component in price.rules.components:
            least = f", at least {_credits(component.minimum)}" if component.minimum else ""
            names = ", ".join(sorted(component.variables))
            yield f"  {component.id}: {_credits(component.rate)} credits{least}, by {names}"
        multipliers = price.surcharges
    else:
        unit = "a second of each clip" if price.per_second else "a request"
        least = f", at least {price.minimum} a request" if price.minimum else ""
        yield f"{price.credits} credits {unit}{least}"
        multipliers = price.multipliers
    for multiplier in multipliers:
        when = ", ".join(f"{name} {_value_text(value)}" for name, value in multiplier.when.items())
        yield f"{multiplier.times} times as much with {when}"
    if isinstance(price, RulePrice):
        yield _SETTLED[price.settlement]


def _credits(units: Fraction) -> str:
    return str(rounded_credits(Decimal(units.numerator) / units.denominator / UNITS_PER_CREDIT))


def _audio(audio: Audio) -> str:
    return f"by {audio.by}" if audio.by else audio.word


def _value_text(value: Json) -> str:
    return value if isinstance(value, str) else shown(value)
