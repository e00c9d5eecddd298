"""What a request costs by what was published: how sure that is, and where it is from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from veogen.models.parameters import Json, Parameter, shown, value_at
from veogen.text import rounded_credits

if TYPE_CHECKING:
    from veogen.models.price_rules import PriceRules

Certainty: TypeAlias = Literal["exact", "at most", "estimate", "unknown"]

SETTLEMENTS = ("request_only", "request_then_actual", "actual_usage")
"""What the gateway settles by: the request; the request, then what was made; measured usage."""

UNITS_PER_CREDIT = 10_000
"""The gateway's own unit, UC: price rules are in it, and some answers."""

_MILLI = Decimal("0.001")
_MOST_UNITS = 10**24  # more than there is money


@dataclass(frozen=True, slots=True)
class Quote:
    """What a request costs. `credits` is None where that is unknown, and `why` says why.

    What is `at most` so much is no more, what is an `estimate` may be. `assumed` are the priced
    parameters that the request leaves out, with the values that the price takes them to have.
    """

    credits: Decimal | None
    certainty: Certainty
    assumed: Mapping[str, str] = field(default_factory=dict)
    why: str | None = None


def unknown(why: str) -> Quote:
    return Quote(None, "unknown", why=why)


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Applies when the request's effective parameters are those of `when`."""

    when: Mapping[str, Json]
    times: Decimal

    def applies(self, effective: Mapping[str, Json]) -> bool:
        return all(value_at(effective, name) == value for name, value in self.when.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Credits for a second or a call, the least of a request, and where the figures are from.

    `lowest`: the source says that they are the lowest that are configured.
    """

    date: str
    source: str
    credits_per_usd: Decimal
    per_second: bool
    credits: Decimal
    minimum: Decimal = Decimal(0)
    multipliers: tuple[Multiplier, ...] = ()
    lowest: bool = False

    @property
    def requested(self) -> frozenset[str]:
        """The request parameters that the price may depend on."""
        names = {name for multiplier in self.multipliers for name in multiplier.when}
        return frozenset({"duration", "n"} | {name.partition(".")[0] for name in names})

    def quote(self, effective: Mapping[str, Json], parameters: Mapping[str, Parameter]) -> Quote:
        """What a request with its defaults filled in costs, to a 1,000th of a credit."""
        duration, number = effective.get("duration"), effective.get("n", 1)
        if not isinstance(number, int) or (self.per_second and not isinstance(duration, int)):
            return unknown("the number of seconds is not known")
        amount = self.credits * number
        if self.per_second and isinstance(duration, int):
            amount *= duration
        amount *= next((m.times for m in self.multipliers if m.applies(effective)), 1)
        try:
            amount = max(amount, self.minimum).quantize(_MILLI, ROUND_HALF_UP)
        except InvalidOperation:  # more digits than money has
            return unknown("it has more digits than money has")
        left_out = {
            name: f"that it is not {shown(value)}"
            for multiplier in self.multipliers
            for name, value in multiplier.when.items()
            if name in parameters and value_at(effective, name) is None
        }
        return Quote(amount, "exact", left_out)

    def usd(self, credits_: Decimal) -> Decimal:
        """Dollars at the rate of the price's date, not rounded yet."""
        return credits_ / self.credits_per_usd


@dataclass(frozen=True, kw_only=True)
class RulePrice:
    """A price by the gateway's published rules, kept as data until it is asked for.

    `surcharges` are what the rules do not know: what the total is multiplied by besides.
    """

    date: str
    source: str
    credits_per_usd: Decimal
    settlement: str
    data: Mapping[str, Any]
    surcharges: tuple[Multiplier, ...] = ()
    lowest: bool = False

    @cached_property
    def rules(self) -> "PriceRules":
        """The rules read; raises `BadRuleError`."""
        from veogen.models.price_rules import parse_rules  # noqa: PLC0415 - only who asks pays

        return parse_rules(self.data)

    @property
    def requested(self) -> frozenset[str]:
        """The request parameters that the price may depend on."""
        names = {name for surcharge in self.surcharges for name in surcharge.when}
        return self.rules.requested | {name.partition(".")[0] for name in names}

    def quote(self, effective: Mapping[str, Json], parameters: Mapping[str, Parameter]) -> Quote:
        """What a request with its defaults filled in costs, or may cost at most."""
        from veogen.models.expressions import UnpricedError  # noqa: PLC0415 - likewise

        try:
            total = self.rules.total(effective, parameters)
        except UnpricedError as error:
            return unknown(str(error))
        if total.charge.high is None or total.charge.high > _MOST_UNITS:
            return unknown("nothing says how much it may be at most")
        certainty: Certainty = "exact" if total.charge.exact else "at most"
        if total.expected or self.settlement == "actual_usage":
            certainty = "estimate"
        units = Decimal(int(total.charge.high))
        for surcharge in self.surcharges:
            if surcharge.applies(effective):
                units *= surcharge.times
        credits_ = units.quantize(Decimal(1), ROUND_HALF_UP) / UNITS_PER_CREDIT
        return Quote(rounded_credits(credits_), certainty, total.assumed)

    def usd(self, credits_: Decimal) -> Decimal:
        """Dollars at the rate of the price's date, not rounded yet."""
        return credits_ / self.credits_per_usd


AnyPrice: TypeAlias = Price | RulePrice


def assumption(name: str, taken: str, *, moving: bool = False) -> str:
    """What the warning `priced-default` says of a parameter that a request leaves out."""
    why = "its default has moved" if moving else "the model file states no default"
    return f"{name} is left out and {why}: the price assumes {taken}"


def parse_price(fields: Mapping[str, Any]) -> AnyPrice:
    """A price as a model file has it."""
    common: dict[str, Any] = {
        "date": fields["date"],
        "source": fields["source"],
        "credits_per_usd": _amount(fields["credits_per_usd"]),
        "lowest": bool(fields.get("lowest", False)),
    }
    if fields["rule"] == "components":
        return RulePrice(
            **common,
            settlement=fields.get("settlement", "request_only"),
            data={key: fields.get(key) or () for key in ("parameters", "components", "expects")},
            surcharges=_multipliers(fields.get("surcharges")),
        )
    return Price(
        **common,
        per_second=fields["rule"] == "per_second",
        credits=_amount(fields["credits"]),
        minimum=_amount(fields.get("minimum") or 0),
        multipliers=_multipliers(fields.get("multipliers")),
    )


def _multipliers(items: Any) -> tuple[Multiplier, ...]:
    return tuple(Multiplier(dict(item["when"]), _amount(item["times"])) for item in items or ())


def _amount(value: str | float) -> Decimal:
    """An amount as it was written: the digits of a float are those that were typed."""
    return Decimal(str(value))
