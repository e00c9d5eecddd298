"""`veogen models`: what the gateway's models take, what they refuse and what they cost."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    Quote,
    RulePrice,
)
from veogen.models.rules import Derived, Rule
from veogen.spec.project import load_policy, project_root
from veogen.text import plain, plain_json, rounded_credits

_LIMITS = ("minimum", "maximum", "max_length", "min_items", "max_items", "max_bytes", "unit")


def model_data(model: Model) -> dict[str, Any]:
    """A model as JSON for scripts; amounts of credits are strings, as everywhere."""
    return {
        "id": model.id,
        "title": model.title,
        "checked": model.checked,
        "parameters": {name: _parameter(p) for name, p in model.parameters.items()},
        "rules": [_rule(rule) for rule in model.rules],
        "derived": _derived(model.derived) if model.derived else None,
        "prices": _price(model.price) if model.price else None,
        "audio": _audio(model.audio) if model.audio else None,
        "pixels": {
            quality: {ratio: f"{width}x{height}" for ratio, (width, height) in sizes.items()}
            for quality, sizes in model.pixels.items()
        },
        "expected_seconds": model.expected_seconds,
        "retired": model.retired and asdict(model.retired),
        "notes": list(model.notes),
        "plain_request": _quote(model.quote({})),
    }


def _quote(quote: Quote) -> dict[str, Any]:
    """What a request that sets nothing else costs, and how sure that is."""
    credits_ = None if quote.credits is None else str(quote.credits)
    return {"credits": credits_, "certainty": quote.certainty, "assumed": dict(quote.assumed)}


def limits(parameter: Parameter) -> str:
    """What a parameter takes, in a few words."""
    values = parameter.enum or ()
    bounds = () if values else _bounds(parameter)
    words = (*map(_value_text, values), *bounds, *map(_value_text, parameter.words))
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


def price_lines(price: AnyPrice) -> Iterator[str]:
    """The rule of a price, a line for each multiplier or component."""
    if isinstance(price, RulePrice):
        yield from _rule_lines(price)
        return
    unit = "a second of each clip" if price.per_second else "a request"
    least = f", at least {price.minimum} a request" if price.minimum else ""
    yield f"{price.credits} credits {unit}{least}"
    for multiplier in price.multipliers:
        when = ", ".join(f"{name} {_value_text(value)}" for name, value in multiplier.when.items())
        yield f"{multiplier.times} times as much with {when}"


def _rule_lines(price: RulePrice) -> Iterator[str]:
    yield "the sum of what applies of the gateway's published rules:"
    for component in price.rules.components:
        least = f", at least {_credits(component.minimum)}" if component.minimum else ""
        names = ", ".join(sorted(component.variables))
        yield f"  {component.id}: {_credits(component.rate)} credits{least}, by {names}"
    for surcharge in price.surcharges:
        when = ", ".join(f"{name} {_value_text(value)}" for name, value in surcharge.when.items())
        yield f"{surcharge.times} times as much with {when}"
    yield _SETTLED[price.settlement]


def _credits(units: Fraction) -> str:
    return str(rounded_credits(Decimal(units.numerator) / units.denominator / UNITS_PER_CREDIT))


_SETTLED = {
    "request_only": "settled by the request alone",
    "request_then_actual": "reserved by the request, settled by what was made",
    "actual_usage": "settled by what is measured: an estimate",
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


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "severity": rule.severity,
        "when": {name: list(values) for name, values in rule.when.items()},
        "message": rule.message,
        "source": rule.source,
    }


def _derived(derived: Derived) -> dict[str, Any]:
    return {
        "parameter": derived.parameter,
        "by_images": list(derived.by_images),
        "source": derived.source,
    }


def _price(price: AnyPrice) -> dict[str, Any]:
    if isinstance(price, RulePrice):
        return {
            "date": price.date,
            "source": price.source,
            "lowest": price.lowest,
            "credits_per_usd": str(price.credits_per_usd),
            "rule": "components",
            "settlement": price.settlement,
            "surcharges": _multipliers(price.surcharges),
            **price.data,
        }
    return {
        "date": price.date,
        "source": price.source,
        **({"lowest": True} if price.lowest else {}),
        "credits_per_usd": str(price.credits_per_usd),
        "rule": "per_second" if price.per_second else "per_call",
        "credits": str(price.credits),
        "minimum": str(price.minimum),
        "multipliers": _multipliers(price.multipliers),
    }


def _multipliers(multipliers: Iterable[Multiplier]) -> list[dict[str, Any]]:
    return [{"when": dict(each.when), "times": str(each.times)} for each in multipliers]


def _bounds(parameter: Parameter) -> Iterable[str]:
    if parameter.minimum is not None and parameter.maximum is not None:
        yield f"{parameter.minimum} to {parameter.maximum}"
    elif parameter.minimum is not None:
        yield f"at least {parameter.minimum}"
    elif parameter.maximum is not None:
        yield f"at most {parameter.maximum}"
    if parameter.min_items:
        yield f"at least {parameter.min_items}"
    if parameter.max_items is not None:
        yield f"at most {parameter.max_items}"
    if parameter.max_bytes is not None:
        yield f"{shown_size(parameter.max_bytes)} each"
    if parameter.max_length is not None:
        yield f"at most {parameter.max_length} characters"


def _value_text(value: Json) -> str:
    return value if isinstance(value, str) else shown(value)


_GAP = "  "
_WIDTH = 100


def print_models(model_id: str | None, format_: str) -> None:
    """Print all models, or all about one."""
    models = load_policy(Folder(project_root(Path("any.yaml")))).models  # of the project we are in
    if model_id is None:
        _print_all(models, format_)
    else:
        if model_id not in models:
            hint = did_you_mean(model_id, models) or f"known are {', '.join(models)}"
            raise UsageError(f"{model_id!r} is not a known model; {hint}")
        _print_model(models[model_id], format_)


def _print_all(models: Mapping[str, Model], format_: str) -> None:
    if format_ == "json":
        data = {"format": "veogen.models/1", "models": [model_data(m) for m in models.values()]}
        click.echo(plain_json(json.dumps(data, indent=2, ensure_ascii=False)))
        return
    head = ("model", "seconds", "quality", "credits", "price", "title")
    rows = [head, *map(_row, models.values())]
    click.echo("\n".join(map(plain, _columns(rows, right=(3,)))))
    click.echo("\nCredits of a request that sets nothing else; 'veogen models ID' tells more.")


def _row(model: Model) -> tuple[str, ...]:
    effective = model.effective({})
    seconds = model.parameters.get("duration")
    quality = model.parameters.get("quality")
    quote = model.quote({})
    return (
        model.id,
        limits(seconds) if seconds else str(effective.get("duration", "")),
        limits(quality) if quality else "",
        "" if quote.credits is None else str(quote.credits),
        quote.certainty,
        model.title,
    )


def _print_model(model: Model, format_: str) -> None:
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
    for line in _facts(model):
        yield from textwrap.wrap(line, width, subsequent_indent="  ")
    yield ""
    yield from _prices(model, width)


def _facts(model: Model) -> Iterator[str]:
    """What else is known of a model."""
    if model.audio is not None:
        yield f"sound: {_audio(model.audio)}"
    for quality, sizes in model.pixels.items():
        pairs = ", ".join(f"{ratio} {w}x{h}" for ratio, (w, h) in sizes.items())
        yield f"pixels of {quality}: {pairs}"
    if model.expected_seconds is not None:
        yield f"a task takes about {model.expected_seconds} seconds"
    if model.retired is not None:
        yield f"retired on {model.retired.date}; use {model.retired.instead}"
    yield from model.notes


def _audio(audio: Audio) -> str:
    return f"by {audio.by}" if audio.by else audio.word


def _flat(parameters: Mapping[str, Parameter], above: str = "") -> Iterator[tuple[str, Parameter]]:
    """All parameters by name, those within others after them."""
    for name, parameter in parameters.items():
        yield f"{above}{name}", parameter
        item = parameter.item
        inner = parameter.properties or (item.properties if item else {})
        yield from _flat(inner, f"{above}{name}.")


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


def _prices(model: Model, width: int) -> Iterator[str]:
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


def _columns(rows: Sequence[tuple[str, ...]], right: Sequence[int]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield _GAP.join(cells).rstrip()
