"""The arithmetic of the gateway's published price rules: a closed set of operators, exact.

The operators, their numbers of arguments and all limits are those of the gateway's own evaluator
(October 2026). Whatever else a rule holds is refused, never guessed. What is not known before a
purchase (a length that the model chooses, tokens) is a range of numbers, and so is what follows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial, reduce
from math import ceil, floor
from operator import add, mul, sub, truediv
from typing import Any, Protocol, TypeAlias

MOST_DEPTH = 32
MOST_NODES = 10_000
MOST_ARGUMENTS = 32
MOST_ENTRIES = 100

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class BadRuleError(ValueError):
    """What is no rule of the published kind; the message says why."""


class UnpricedError(ValueError):
    """A rule that has no answer for these values; the message says why."""


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from `low` to `high`; without `high` they have no end."""

    low: Fraction
    high: Fraction | None

    @classmethod
    def exactly(cls, number: Fraction | int) -> "Range":
        return cls(Fraction(number), Fraction(number))

    @property
    def exact(self) -> bool:
        return self.low == self.high

    def __str__(self) -> str:
        return str(self.low)

    def __add__(self, other: "Range") -> "Range":
        low = self.low + other.low
        if self.high is None or other.high is None:
            return Range(low, None)
        return Range(low, self.high + other.high)

    def __sub__(self, other: "Range") -> "Range":
        if other.high is None:
            raise UnpricedError("what has no end is subtracted")
        return Range(self.low - other.high, None if self.high is None else self.high - other.low)

    def __mul__(self, other: "Range") -> "Range":
        if self.high is not None and other.high is not None:
            corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
            return Range(min(corners), max(corners))
        if self.low < 0 or other.low < 0:
            raise UnpricedError("what has no end is multiplied by less than nothing")
        nothing = Fraction(0) in (self.high, other.high)
        return Range(self.low * other.low, Fraction(0) if nothing else None)

    def __truediv__(self, other: "Range") -> "Range":
        if other.low <= 0 and _at_most(Fraction(0), other.high):
            raise UnpricedError("something is divided by nothing")
        if self.high is not None and other.high is not None:
            corners = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
            return Range(min(corners), max(corners))
        if self.low < 0:
            raise UnpricedError("less than nothing is divided by what has no end")
        low = Fraction(0) if other.high is None else self.low / other.high
        return Range(low, None if self.high is None else self.high / other.low)


@dataclass(frozen=True, slots=True)
class Texts:
    """A text, or those of which it may be any."""

    texts: frozenset[str]

    def __str__(self) -> str:
        return ", ".join(map(repr, sorted(self.texts)))


@dataclass(frozen=True, slots=True)
class Truths:
    """True or false, or both where it cannot be told."""

    truths: frozenset[bool]

    def __str__(self) -> str:
        return "true" if True in self.truths else "false"


Value: TypeAlias = Range | Texts | Truths


class Values(Protocol):
    """Values by the names that expressions have for them."""

    def __getitem__(self, name: str, /) -> Value:
        """Raises `UnpricedError` where none is known."""
        ...


YES, NO = Truths(frozenset({True})), Truths(frozenset({False}))
EITHER = Truths(frozenset({True, False}))


def truth(value: bool) -> Truths:  # noqa: FBT001 - it is about nothing else
    return YES if value else NO


def as_number(text: str) -> Fraction | None:
    """A text as the exact number that it is written as; None if it is none."""
    return Fraction(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Expression:
    """An operator with its arguments; `value` is a constant's, `name` a variable's."""

    operator: str
    arguments: tuple["Expression", ...] = ()
    value: Value | None = None
    name: str = ""
    table: Mapping[str, Fraction] = field(default_factory=dict)

    def evaluate(self, variables: Values) -> Value:
        """What it comes to; raises `UnpricedError`."""
        if self.value is not None:
            return self.value
        if self.name:
            return variables[self.name]
        if self.operator in ("if", "and", "or"):
            return _LAZY[self.operator](self.arguments, variables)
        values = [argument.evaluate(variables) for argument in self.arguments]
        if self.operator == "lookup":
            return _looked_up(values[0], self.table)
        if self.operator in _COMPARE:
            return _COMPARE[self.operator](*values)
        return _ARITHMETIC[self.operator]([_range(value) for value in values])

    def number(self, variables: Values) -> Range:
        """What it comes to, which is a number; raises `UnpricedError`."""
        return _range(self.evaluate(variables))

    def truth(self, variables: Values) -> frozenset[bool]:
        """Whether it holds; both where that cannot be told; raises `UnpricedError`."""
        return _truths(self.evaluate(variables))

    @property
    def variables(self) -> frozenset[str]:
        """The names that it reads."""
        names = {self.name} if self.name else set()
        return frozenset(names.union(*(argument.variables for argument in self.arguments)))


class Parser:
    """Reads the expressions of one price; all of them together are bounded."""

    def __init__(self, names: frozenset[str] | None) -> None:
        """Any name goes where `names` are not given."""
        self._names = names
        self._nodes = 0

    def parse(self, tree: Any, depth: int = 1) -> Expression:
        """An expression from its JSON; raises `BadRuleError`."""
        self._nodes += 1
        if depth > MOST_DEPTH or self._nodes > MOST_NODES:
            raise BadRuleError("an expression is nested too deep or too long")
        if not isinstance(tree, Mapping):
            raise BadRuleError("an expression is a mapping with 'op'")
        operator = tree.get("op")
        if operator == "constant":
            _only(tree, "op", "value")
            value = tree.get("value")
            if not isinstance(value, str):
                raise BadRuleError(f"a constant's value is a text, not {value!r}")
            is_truth = value in ("true", "false")
            constant = truth(value == "true") if is_truth else Texts(frozenset({value}))
            return Expression(operator, value=constant)
        if operator == "variable":
            _only(tree, "op", "name")
            name = tree.get("name")
            if not isinstance(name, str) or (self._names is not None and name not in self._names):
                raise BadRuleError(f"{name!r} is not a declared parameter")
            return Expression(operator, name=name)
        if operator == "lookup":
            _only(tree, "op", "key", "values")
            key = self.parse(tree.get("key"), depth + 1)
            return Expression(operator, (key,), table=_table(tree.get("values")))
        if not isinstance(operator, str) or operator not in _ARGUMENTS:
            raise BadRuleError(f"{operator!r} is not an operator")
        _only(tree, "op", "args")
        return Expression(operator, self._arguments(operator, tree.get("args"), depth))

    def _arguments(self, operator: str, args: Any, depth: int) -> tuple[Expression, ...]:
        least, most = _ARGUMENTS[operator]
        if not isinstance(args, Sequence) or isinstance(args, str):
            raise BadRuleError(f"{operator!r} has a list of arguments")
        if not least <= len(args) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise BadRuleError(f"{operator!r} has {count} arguments, not {len(args)}")
        return tuple(self.parse(argument, depth + 1) for argument in args)


def _only(tree: Mapping[str, Any], *keys: str) -> None:
    more = [key for key in tree if key not in keys]
    if more:
        raise BadRuleError(f"{more[0]!r} does not belong to {tree['op']!r}")


def _table(values: Any) -> Mapping[str, Fraction]:
    if not isinstance(values, Mapping) or not 1 <= len(values) <= MOST_ENTRIES:
        raise BadRuleError(f"a lookup has 1 to {MOST_ENTRIES} values")
    table: dict[str, Fraction] = {}
    for key, value in values.items():
        number = as_number(value) if isinstance(value, str) else None
        if number is None:
            raise BadRuleError(f"{value!r} is not a number in a lookup")
        table[key] = number
    return table


def _range(value: Value) -> Range:
    if isinstance(value, Range):
        return value
    if isinstance(value, Truths):
        raise UnpricedError("a number is needed, not true or false")
    numbers = [as_number(text) for text in value.texts]
    if not numbers or None in numbers:
        raise UnpricedError(f"a number is needed, not {', '.join(sorted(value.texts))}")
    exact = [number for number in numbers if number is not None]
    return Range(min(exact), max(exact))


def _truths(value: Value) -> frozenset[bool]:
    if not isinstance(value, Truths):
        raise UnpricedError("a condition is true or false")
    return value.truths


def _if(arguments: Sequence[Expression], variables: Values) -> Value:
    """Only what may be chosen is looked at."""
    condition = arguments[0].truth(variables)
    branches = [arguments[1]] * (True in condition) + [arguments[2]] * (False in condition)
    values = [branch.evaluate(variables) for branch in branches]
    if len(values) == 1:
        return values[0]
    left, right = values
    if isinstance(left, Texts) and isinstance(right, Texts):
        return Texts(left.texts | right.texts)
    if isinstance(left, Truths) and isinstance(right, Truths):
        return Truths(left.truths | right.truths)
    return hull([_range(left), _range(right)])


def hull(ranges: Sequence[Range]) -> Range:
    """From the least of some ranges to the greatest."""
    highs = [each.high for each in ranges if each.high is not None]
    return Range(
        min(each.low for each in ranges), max(highs) if len(highs) == len(ranges) else None
    )


def _all(arguments: Sequence[Expression], variables: Values, *, stop: bool) -> Value:
    """`not stop`, unless an argument is `stop`, which ends the looking."""
    results = {not stop}
    for argument in arguments:
        truths = argument.truth(variables)
        if truths == {stop}:
            return truth(stop)
        results |= truths
    return Truths(frozenset(results))


def _looked_up(key: Value, table: Mapping[str, Fraction]) -> Range:
    if isinstance(key, Texts):
        keys = sorted(key.texts)
    elif isinstance(key, Truths):
        keys = sorted(str(each).lower() for each in key.truths)
    elif key.exact and key.low.denominator == 1:
        keys = [str(key.low)]
    else:
        raise UnpricedError("a lookup needs one of its keys")
    missing = [each for each in keys if each not in table]
    if missing or not keys:
        raise UnpricedError(f"there is no price for {', '.join(missing)}")
    return Range(min(table[each] for each in keys), max(table[each] for each in keys))


def _equal(left: Value, right: Value) -> Truths:
    """As numbers if both are, else as texts; true and false only with each b."""
    if isinstance(left, Truths) or isinstance(right, Truths):
        if not (isinstance(left, Truths) and isinstance(right, Truths)):
            raise UnpricedError("true and false are compared with each other only")
        return _same_sets(left.truths, right.truths)
    try:
        a, b = _range(left), _range(right)
    except UnpricedError:
        if isinstance(left, Texts) and isinstance(right, Texts):
            return _same_sets(left.texts, right.texts)
        return NO
    if a.exact and b.exact:
        return truth(a.low == b.low)
    return EITHER if _at_most(a.low, b.high) and _at_most(b.low, a.high) else NO


def _same_sets(left: frozenset[Any], right: frozenset[Any]) -> Truths:
    if len(left) == len(right) == 1:
        return truth(left == right)
    return EITHER if left & right else NO


def _at_most(number: Fraction, limit: Fraction | None) -> bool:
    return limit is None or number <= limit


def _less(left: Value, right: Value) -> Truths:
    a, b = _range(left), _range(right)
    if a.high is not None and a.high < b.low:
        return YES
    if b.high is not None and a.low >= b.high:
        return NO
    return EITHER


def _not(value: Value) -> Truths:
    return Truths(frozenset(not each for each in _truths(value)))


def _least(ranges: Sequence[Range]) -> Range:
    highs = [each.high for each in ranges if each.high is not None]
    return Range(min(each.low for each in ranges), min(highs) if highs else None)


def _most(ranges: Sequence[Range]) -> Range:
    highs = [each.high for each in ranges if each.high is not None]
    low = max(each.low for each in ranges)
    return Range(low, max(highs) if len(highs) == len(ranges) else None)


def _clamp(ranges: Sequence[Range]) -> Range:
    value, low, high = ranges
    return _least([_most([value, low]), high])


def _rounded(function: Callable[[Fraction], int]) -> Callable[[Sequence[Range]], Range]:
    def whole(ranges: Sequence[Range]) -> Range:
        (value,) = ranges
        high = None if value.high is None else Fraction(function(value.high))
        return Range(Fraction(function(value.low)), high)

    return whole


_LAZY: Mapping[str, Callable[[Sequence[Expression], Values], Value]] = {
    "if": _if,
    "and": partial(_all, stop=False),
    "or": partial(_all, stop=True),
}
_COMPARE: Mapping[str, Callable[..., Truths]] = {
    "eq": _equal,
    "neq": lambda left, right: _not(_equal(left, right)),
    "lt": _less,
    "gt": lambda left, right: _less(right, left),
    "gte": lambda left, right: _not(_less(left, right)),
    "lte": lambda left, right: _not(_less(right, left)),
    "not": _not,
}
_ARITHMETIC: Mapping[str, Callable[[Sequence[Range]], Range]] = {
    "add": partial(reduce, add),
    "multiply": partial(reduce, mul),
    "subtract": partial(reduce, sub),
    "divide": partial(reduce, truediv),
    "min": _least,
    "max": _most,
    "clamp": _clamp,
    "ceil": _rounded(ceil),
    "floor": _rounded(floor),
}
_ARGUMENTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("add", "multiply", "min", "max", "and", "or"), (2, MOST_ARGUMENTS)),
    **dict.fromkeys(("subtract", "divide", "eq", "neq", "gt", "gte", "lt", "lte"), (2, 2)),
    **dict.fromkeys(("clamp", "if"), (3, 3)),
    **dict.fromkeys(("ceil", "floor", "not"), (1, 1)),
}
