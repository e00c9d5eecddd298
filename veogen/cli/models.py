"""`veogen models`: what the gateway's models take, what they refuse and what they cost."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from veogen.document.files import Folder
from veogen.document.problems import did_you_mean
from veogen.errors import UsageError
from veogen.models.model import Derived, Json, Model, Parameter, Price, Rule, shown, shown_size
from veogen.spec.project import load_policy, project_root
from veogen.text import plain, plain_json

_LIMITS = ("minimum", "maximum", "max_length", "max_items", "max_bytes", "unit")


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
    }


def limits(parameter: Parameter) -> str:
    """What a parameter takes, in a few words."""
    if parameter.enum is not None:
        return ", ".join(map(_value_text, parameter.enum))
    return ", ".join(_bounds(parameter)) or {"boolean": "true, false"}.get(parameter.kind, "")


def rule_line(rule: Rule) -> str:
    """When a rule applies, and what it says of which parameters."""
    when = ", ".join(
        f"{name} {' or '.join(map(_value_text, values))}" for name, values in rule.when.items()
    )
    about = [f"{name} {_value_text(value)}" for name, value in rule.fixes.items()]
    about += [*rule.refuses, *rule.ignores]
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


def price_lines(price: Price) -> Iterator[str]:
    """The rule of a price, a line for each multiplier."""
    unit = "a second of each clip" if price.per_second else "a request"
    least = f", at least {price.minimum} a request" if price.minimum else ""
    yield f"{price.credits} credits {unit}{least}"
    for multiplier in price.multipliers:
        when = ", ".join(f"{name} {_value_text(value)}" for name, value in multiplier.when.items())
        yield f"{multiplier.times} times as much with {when}"


def _parameter(parameter: Parameter) -> dict[str, Any]:
    given = {name: getattr(parameter, name) for name in _LIMITS}
    return {
        "type": parameter.kind,
        "required": parameter.required,
        "default": parameter.default,
        **({"enum": list(parameter.enum)} if parameter.enum is not None else {}),
        **{name: value for name, value in given.items() if value is not None},
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


def _price(price: Price) -> dict[str, Any]:
    return {
        "date": price.date,
        "source": price.source,
        "credits_per_usd": str(price.credits_per_usd),
        "rule": "per_second" if price.per_second else "per_call",
        "credits": str(price.credits),
        "minimum": str(price.minimum),
        "multipliers": [
            {"when": dict(multiplier.when), "times": str(multiplier.times)}
            for multiplier in price.multipliers
        ],
    }


def _bounds(parameter: Parameter) -> Iterable[str]:
    if parameter.minimum is not None and parameter.maximum is not None:
        yield f"{parameter.minimum} to {parameter.maximum}"
    elif parameter.minimum is not None:
        yield f"at least {parameter.minimum}"
    elif parameter.maximum is not None:
        yield f"at most {parameter.maximum}"
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
    source = (
        f"prices of {model.price.date}, {model.price.credits_per_usd} credits to the dollar; "
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
