"""What a model is, as plain data and as the lines that a person reads."""

from collections.abc import Iterable, Iterator
from typing import Any

from veogen.catalogue.models import Derived, Model
from veogen.catalogue.parameters import Json, Parameter, shown, shown_size
from veogen.catalogue.prices import Price
from veogen.catalogue.rules import Rule

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
        return ", ".join(map(_bare, parameter.enum))
    return ", ".join(_bounds(parameter)) or {"boolean": "true, false"}.get(parameter.kind, "")


def rule_line(rule: Rule) -> str:
    """When a rule applies, and what it says of which parameters."""
    when = ", ".join(
        f"{name} {' or '.join(map(_bare, values))}" for name, values in rule.when.items()
    )
    about = [f"{name} {_bare(value)}" for name, value in rule.fixes.items()]
    about += [*rule.refuses, *rule.ignores]
    told = rule.message + (f" ({', '.join(about)})" if about else "")
    words = (
        f"with {when}:" if when else "",
        "warning:" if rule.severity == "warning" else "",
        told,
    )
    return " ".join(filter(None, words))


def derived_line(derived: Derived) -> str:
    """What a parameter that is left out is taken as."""
    kinds = ", ".join(f"{n} {_bare(kind)}" for n, kind in enumerate(derived.by_images))
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
        when = ", ".join(f"{name} {_bare(value)}" for name, value in multiplier.when.items())
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


def _bare(value: Json) -> str:
    return value if isinstance(value, str) else shown(value)
