"""The gateway's published price rules: what a request costs, or may cost at most.

A price is the sum of its components, in units of a 10,000th of a credit (UC). The shape, the
order of the steps and the names under which a request's parameters enter are those of the price
document of 2026-10-10 and of the gateway's own client.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any, Literal

from veogen.models.expressions import (
    EITHER,
    BadRuleError,
    Expression,
    Parser,
    Range,
    Texts,
    UnpricedError,
    Value,
    as_number,
    hull,
    truth,
)
from veogen.models.parameters import Json, Parameter, value_at

MOST_COMPONENTS = 200
MOST_TIERS = 100

_TYPES = ("integer", "decimal", "enum", "boolean")
_POINTS = ("per_component_subtotal", "per_quantity", "per_tier")
_HALF = Fraction(1, 2)
_ROUND: Mapping[str, Callable[[Fraction], int]] = {
    "half_up": lambda number: floor(number + _HALF),
    "ceil": ceil,
    "floor": floor,
}

_COUNTS = ("n", "count")
_REQUESTED: Mapping[str, tuple[str, ...]] = {
    "duration_seconds": ("duration",),
    "output_seconds": ("duration",),
    "video_count": _COUNTS,
    "image_count": _COUNTS,
    "quality": ("quality", "resolution"),
    "resolution": ("resolution", "quality"),
}
_OF_INPUT_VIDEOS = (
    "input_seconds",
    "first_input_video_seconds",
    "source_output_seconds",
    "output_fps",
)
_SEARCH = "model_params.web_search"
_ANY_WORD = "web_search", _SEARCH


@dataclass(frozen=True, slots=True)
class RuleParameter:
    """What a rule calls an amount that enters it, and which values that may have."""

    name: str
    kind: Literal["integer", "decimal", "enum", "boolean"]
    values: tuple[str, ...] = ()
    minimum: Fraction | None = None
    maximum: Fraction | None = None
    default: Value | None = None

    @property
    def any_value(self) -> Value:
        """All values that it may have."""
        if self.kind == "boolean":
            return EITHER
        if self.kind == "enum":
            return Texts(frozenset(self.values))
        return Range(self.minimum or Fraction(0), self.maximum)

    def value(self, written: Json) -> Value | None:
        """A request's value as the rule takes it, None for a word where it takes numbers.

        Raises `UnpricedError` for one that it does not take.
        """
        if self.kind == "boolean" and isinstance(written, bool):
            return truth(written)
        if self.kind == "enum" and str(written) in self.values:
            return Texts(frozenset({str(written)}))
        if self.kind in ("integer", "decimal") and not isinstance(written, bool):
            if isinstance(written, str):
                return None
            if isinstance(written, int | float):
                number = Fraction(str(written))
                is_enough = self.minimum is None or number >= self.minimum
                if is_enough and (self.maximum is None or number <= self.maximum):
                    return Range.exactly(number)
        raise UnpricedError(f"there is no price for {self.name} {written}")


@dataclass(frozen=True, slots=True)
class Tier:
    """Another rate for where `when` holds."""

    when: Expression
    rate: Fraction
    minimum: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of a price: quantity times rate in UC, rounded, at least its minimum."""

    id: str
    rate: Fraction
    minimum: Fraction
    quantity: Expression
    mode: str
    point: str
    condition: Expression | None = None
    tiers: tuple[Tier, ...] = ()

    @property
    def variables(self) -> frozenset[str]:
        """The parameters that it reads."""
        expressions = [self.quantity, *(tier.when for tier in self.tiers)]
        if self.condition is not None:
            expressions.append(self.condition)
        return frozenset().union(*(each.variables for each in expressions))

    def applies(self, variables: Mapping[str, Value]) -> frozenset[bool]:
        return frozenset({True}) if self.condition is None else self.condition.truth(variables)

    def charge(self, variables: Mapping[str, Value]) -> Range:
        """UC for where it applies; raises `UnpricedError`."""
        quantity = self.quantity.number(variables)
        if quantity.low < 0:
            raise UnpricedError("a quantity is less than nothing")
        held = [(tier, tier.when.truth(variables)) for tier in self.tiers]
        certain = [tier for tier, truths in held if truths == {True}]
        if len(certain) > 1:
            raise UnpricedError("more than one tier of the price holds")
        possible = certain or [tier for tier, truths in held if True in truths]
        rates = [(tier.rate, tier.minimum) for tier in possible]
        if not certain:
            rates.append((self.rate, self.minimum))
        charges = []
        for rate, minimum in rates:
            low = self._subtotal(quantity.low, rate)
            high = None if quantity.high is None else self._subtotal(quantity.high, rate)
            if rate == 0:
                high = low
            charges.append(Range(max(low, minimum), None if high is None else max(high, minimum)))
        return hull(charges)

    def _subtotal(self, quantity: Fraction, rate: Fraction) -> Fraction:
        rounded = _ROUND[self.mode]
        if self.point == "per_quantity":
            return rounded(quantity) * rate
        return Fraction(rounded(quantity * rate))


@dataclass(frozen=True, slots=True)
class Total:
    """What a request comes to in UC, and `assumed`: what was left out and taken as what."""

    charge: Range
    assumed: Mapping[str, str]
    expected: bool


@dataclass(frozen=True)
class PriceRules:
    """The price of one model; `expects` says of measured amounts what they will be, about."""

    parameters: tuple[RuleParameter, ...]
    components: tuple[Component, ...]
    expects: Mapping[str, Expression]

    @cached_property
    def requested(self) -> frozenset[str]:
        """The request parameters that the price may depend on."""
        names = {name for each in self.parameters for name in self._names(each.name)}
        names = names.union(*(each.variables for each in self.expects.values()))
        return frozenset({name.partition(".")[0] for name in names} | {"image_urls", "video_urls"})

    def total(self, request: Mapping[str, Json], parameters: Mapping[str, Parameter]) -> Total:
        """What `request`, with its defaults, comes to; raises `UnpricedError`."""
        read = frozenset().union(*(each.variables for each in self.components))
        assumed: dict[str, str] = {}
        variables: dict[str, Value] = {}
        for each in self.parameters:
            if each.name in read:
                variables[each.name] = self._bind(each, request, parameters, assumed)
        applied = [(each, each.applies(variables)) for each in self.components]
        if all(truths != {True} for _, truths in applied):
            raise UnpricedError("no component of the price applies")
        charges = []
        for component, truths in applied:
            if True in truths:
                charge = component.charge(variables)
                perhaps = Range(Fraction(0), charge.high)
                charges.append(charge if truths == {True} else perhaps)
        return Total(sum(charges, Range.exactly(0)), assumed, bool(self.expects))

    def _names(self, name: str) -> tuple[str, ...]:
        """The request parameters that a rule's parameter is taken from, the first that is there."""
        declared = {each.name for each in self.parameters}
        if name == "duration_seconds" and "duration" in declared:
            return ()
        if name == "search_count":
            return _ANY_WORD
        return _REQUESTED.get(name, (name, f"model_params.{name}"))

    def _bind(
        self,
        each: RuleParameter,
        request: Mapping[str, Json],
        parameters: Mapping[str, Parameter],
        assumed: dict[str, str],
    ) -> Value:
        if each.name == "input_images":
            return Range.exactly(_count(request, "image_urls"))
        if (expected := self.expects.get(each.name)) is not None:
            return expected.number(_RequestValues(request, parameters))
        if (measured := self._measured(each, request)) is not None:
            return measured
        for name in self._names(each.name):
            written = value_at(request, name)
            if written is not None:
                value = each.value(written)
                return _bounds(parameters.get(name), each) if value is None else value
        missing = next((name for name in self._names(each.name) if name in parameters), None)
        if missing is not None:
            taken = "its dearest value" if each.default is None else str(each.default)
            assumed[missing] = taken
        return each.any_value if each.default is None else each.default

    def _measured(self, each: RuleParameter, request: Mapping[str, Json]) -> Value | None:
        """What is known before of an amount that is measured after; None of any other."""
        none = each.default or Range.exactly(0)
        if each.name.endswith("_tokens"):
            return none if self.expects else each.any_value
        if each.name == "search_count":
            searched = any(value_at(request, name) for name in _ANY_WORD)
            return each.any_value if searched else Range.exactly(0)
        if each.name in _OF_INPUT_VIDEOS:
            videos = _count(request, "video_urls") or "source_task_id" in request
            return each.any_value if videos or each.default is None else none
        if each.name == "output_seconds" and "duration" not in request:
            return each.any_value
        return None if self._names(each.name) else each.any_value


class _RequestValues:
    """A request's parameters by name, as expressions take them."""

    def __init__(self, request: Mapping[str, Json], parameters: Mapping[str, Parameter]) -> None:
        self._request, self._parameters = request, parameters

    def __getitem__(self, name: str) -> Value:
        value = value_at(self._request, name)
        if isinstance(value, bool):
            return truth(value)
        if isinstance(value, int | float):
            return Range.exactly(Fraction(str(value)))
        parameter = self._parameters.get(name)
        if parameter is not None and (value is None or value in parameter.words):
            return _bounds(parameter, None)
        if isinstance(value, str):
            return Texts(frozenset({value}))
        raise UnpricedError(f"{name} is not there")


def _bounds(parameter: Parameter | None, rule: RuleParameter | None) -> Value:
    """All numbers that a parameter may be where a word leaves the choice to the gateway."""
    low = high = None
    if parameter is not None:
        low, high = parameter.minimum, parameter.maximum
    if low is None or high is None:
        if rule is None:
            raise UnpricedError("its bounds are not known")
        return rule.any_value
    return Range(Fraction(str(low)), Fraction(str(high)))


def _count(request: Mapping[str, Json], name: str) -> int:
    items = request.get(name)
    return len(items) if isinstance(items, list) else 0


def parse_rules(data: Mapping[str, Any]) -> PriceRules:
    """The rules of a price, of which nothing is taken on trust; raises `BadRuleError`."""
    parameters = tuple(map(_parameter, _items(data, "parameters", MOST_COMPONENTS)))
    names = frozenset(each.name for each in parameters)
    if len(names) < len(parameters):
        raise BadRuleError("two parameters of the price have one name")
    parser = Parser(names)
    components = tuple(
        _component(each, parser) for each in _items(data, "components", MOST_COMPONENTS)
    )
    expects = data.get("expects") or {}
    unknown = [name for name in expects if name not in names]
    if unknown:
        raise BadRuleError(f"{unknown[0]!r} is not a declared parameter")
    free = Parser(None)
    return PriceRules(parameters, components, {k: free.parse(v) for k, v in expects.items()})


def _items(data: Mapping[str, Any], key: str, most: int) -> Sequence[Mapping[str, Any]]:
    items = data.get(key, ())
    if not isinstance(items, Sequence) or isinstance(items, str) or len(items) > most:
        raise BadRuleError(f"{key!r} is a list of at most {most}")
    if not all(isinstance(item, Mapping) for item in items):
        raise BadRuleError(f"{key!r} is a list of mappings")
    return items


def _parameter(data: Mapping[str, Any]) -> RuleParameter:
    name, kind = data.get("name"), data.get("type")
    if not isinstance(name, str) or kind not in _TYPES:
        raise BadRuleError(f"a parameter of a price has a name and a type, not {name!r}, {kind!r}")
    values, default = data.get("values") or (), data.get("default")
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not all(isinstance(each, str) for each in values):
        raise BadRuleError("the values of a parameter are texts")
    low, high = (
        None if data.get(key) is None else _number(data[key]) for key in ("minimum", "maximum")
    )
    parameter = RuleParameter(name, kind, tuple(values), low, high)
    if default is None:
        return parameter
    if kind in ("integer", "decimal"):
        return replace(parameter, default=Range.exactly(_number(default)))
    try:
        return replace(parameter, default=parameter.value(default))
    except UnpricedError:
        raise BadRuleError(f"{default!r} is not a value of {name}") from None


def _component(data: Mapping[str, Any], parser: Parser) -> Component:
    if data.get("pricing_status", "available") != "available":
        raise BadRuleError("a component of the price is not available")
    rounding = data.get("rounding")
    given = rounding if isinstance(rounding, Mapping) else {}
    mode, point = str(given.get("mode")), str(given.get("point"))
    if mode not in _ROUND or point not in _POINTS:
        raise BadRuleError(f"a price is not rounded {mode!r} at {point!r}")
    tiers = []
    for tier in _items(data, "tiers", MOST_TIERS):
        if tier.get("pricing_status", "available") != "available":
            raise BadRuleError("a tier of the price is not available")
        least = _amount(tier, "minimum_charge", whole=True)
        tiers.append(Tier(parser.parse(tier.get("when")), _amount(tier, "rate"), least))
    condition = data.get("condition")
    component = Component(
        id=str(data.get("id", "")),
        rate=_amount(data, "rate"),
        minimum=_amount(data, "minimum_charge", whole=True),
        quantity=parser.parse(data.get("quantity_rule")),
        mode=mode,
        point=point,
        condition=None if condition is None else parser.parse(condition),
        tiers=tuple(tiers),
    )
    rates = (component.rate, *(tier.rate for tier in component.tiers))
    if point == "per_quantity" and any(rate.denominator != 1 for rate in rates):
        raise BadRuleError("a rate that is not whole is rounded before it is multiplied")
    return component


def _amount(data: Mapping[str, Any], key: str, *, whole: bool = False) -> Fraction:
    """An amount in UC, of which only that is exact; nothing where a minimum is not there."""
    amount = data.get(key)
    if amount is None and whole:
        return Fraction(0)
    if not isinstance(amount, Mapping):
        raise BadRuleError(f"{key!r} is an amount in UC")
    number = _number(amount.get("uc"))
    if number < 0 or (whole and number.denominator != 1):
        raise BadRuleError(f"{key!r} is {number} UC")
    return number


def _number(value: Any) -> Fraction:
    number = as_number(value) if isinstance(value, str) else None
    if number is None:
        raise BadRuleError(f"{value!r} is not a number written as a text")
    return number
