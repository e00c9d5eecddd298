"""Templates made only of text, names, simple filters and choices, rendered without Jinja2.

Nothing here can take long, so no guard is needed. What a piece cannot do, be it only a name
that does not exist, is left to Jinja2, so that both ways always agree.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, TypeAlias, Union

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.filters import FILTERS

from veogen.templates.environment import TEXT_LIMIT, slug
from veogen.templates.template import Mode, is_constant
from veogen.text import safe

MADE_LIMIT = TEXT_LIMIT // 8  # far below what the guard would count
_MOST_ITEMS, _LONGEST_ITEM = 64, 128
"""What a list or mapping has at most where it is looked at as a whole: as much as a text."""

_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    **{name: FILTERS[name] for name in ("capitalize", "lower", "string", "title", "trim", "upper")},
    "slug": slug,
}


class NeedsJinjaError(Exception):
    """A template, or a value in it, that only Jinja2 knows how to render."""


@dataclass(frozen=True, slots=True)
class ValueExpression:
    """`name.entry.entry | filter | filter`."""

    name: str
    entries: tuple[str, ...]
    filters: tuple[str, ...]

    def value(self, scope: Mapping[str, Any]) -> Any:
        """The value in `scope`; raises `NeedsJinjaError`."""
        try:
            value = scope[self.name]
            for entry in self.entries:
                value = value[entry] if isinstance(value, dict) else refuse()
            # What is done with a small value does not take long, however often it is done.
            if isinstance(value, str):
                is_small = len(value) <= MADE_LIMIT
            elif isinstance(value, dict):
                is_small = _is_short(value) and _is_short(value.values())
            else:
                is_small = not isinstance(value, list | tuple) or _is_short(value)
            if not is_small:
                refuse()
            if self.filters and isinstance(value, dict | list | tuple):
                refuse()
            for name in self.filters:
                value = _FILTERS[name](value)
        except KeyError:
            raise NeedsJinjaError from None
        return value

    def text(self, scope: Mapping[str, Any]) -> str:
        """The value in `scope` as text; raises `NeedsJinjaError`."""
        value = self.value(scope)
        text = refuse() if isinstance(value, dict | list | tuple) else str(value)
        return text if len(text) <= MADE_LIMIT else refuse()


def _is_short(values: Collection[Any]) -> bool:
    """Whether there are few, each of them short and none with others in it."""
    return len(values) <= _MOST_ITEMS and not any(
        isinstance(one, dict | list | tuple) or (isinstance(one, str) and len(one) > _LONGEST_ITEM)
        for one in values
    )


def expression(node: nodes.Node) -> ValueExpression:
    """The node as an expression; raises `NeedsJinjaError`."""
    filters: list[str] = []
    while isinstance(node, nodes.Filter) and node.name in _FILTERS and node.node is not None:
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise NeedsJinjaError
        filters.insert(0, node.name)
        node = node.node
    entries: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            entry = node.attr
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            entry = node.arg.value
        else:
            raise NeedsJinjaError
        entries.insert(0, entry)
        node = node.node
    if not isinstance(node, nodes.Name) or node.name == "self":
        raise NeedsJinjaError
    return ValueExpression(node.name, tuple(entries), tuple(filters))


def refuse() -> Any:
    raise NeedsJinjaError


Scope: TypeAlias = Mapping[str, Any]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "in": lambda one, many: one in many,
    "notin": lambda one, many: one not in many,
}
_DEEPEST_CONDITION = 20


@dataclass(frozen=True, slots=True)
class IfCondition:
    """Whether something holds in a scope, and the expressions that it looks at."""

    holds: Callable[[Scope], bool]
    expressions: tuple[ValueExpression, ...] = ()


@dataclass(frozen=True, slots=True)
class _Operand:
    value: Callable[[Scope], Any]
    expressions: tuple[ValueExpression, ...] = ()


def if_condition(node: nodes.Node, depth: int = 0) -> IfCondition:
    """The node as a condition; raises `NeedsJinjaError`, as its `holds` does."""
    if depth > _DEEPEST_CONDITION:
        raise NeedsJinjaError
    match node:
        case nodes.Not():
            inner = if_condition(node.node, depth + 1)
            return IfCondition(lambda scope: not inner.holds(scope), inner.expressions)
        case nodes.And() | nodes.Or():
            left, right = if_condition(node.left, depth + 1), if_condition(node.right, depth + 1)
            both = (*left.expressions, *right.expressions)
            if isinstance(node, nodes.And):
                return IfCondition(lambda scope: left.holds(scope) and right.holds(scope), both)
            return IfCondition(lambda scope: left.holds(scope) or right.holds(scope), both)
        case nodes.Compare(ops=[nodes.Operand(op=str(name)) as other]) if name in _COMPARISONS:
            return _compared(_operand(node.expr), _COMPARISONS[name], _operand(other.expr))
        case _:
            operand = _operand(node)
            return IfCondition(lambda scope: bool(operand.value(scope)), operand.expressions)


def _compared(left: _Operand, compare: Callable[[Any, Any], bool], right: _Operand) -> IfCondition:
    def holds(scope: Scope) -> bool:
        try:
            return compare(left.value(scope), right.value(scope))
        except TypeError:  # a number has nothing in it
            raise NeedsJinjaError from None

    return IfCondition(holds, (*left.expressions, *right.expressions))


def _operand(node: nodes.Node) -> _Operand:
    """An expression, a literal, or several of them in a list: nothing that has to be computed."""
    if isinstance(node, nodes.Const):
        return _Operand(lambda _: node.value)
    if isinstance(node, nodes.List | nodes.Tuple):
        values = [item.value for item in node.items if isinstance(item, nodes.Const)]
        if len(values) == len(node.items):
            many = values if isinstance(node, nodes.List) else tuple(values)
            return _Operand(lambda _: many)
    operand = expression(node)
    if operand.filters:  # what they make would have to be counted
        raise NeedsJinjaError
    return _Operand(operand.value, (operand,))


SOURCE_LIMIT = 64 * 1024
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class IfBlock:
    """`{% if %}`: the pieces of the first condition that holds, or those of `{% else %}`."""

    branches: tuple[tuple[IfCondition, "Pieces"], ...]
    otherwise: "Pieces"

    def pieces(self, scope: Mapping[str, Any]) -> "Pieces":
        """What stands there in `scope`; raises `NeedsJinjaError`."""
        for asked, pieces in self.branches:
            if asked.holds(scope):
                return pieces
        return self.otherwise

    @property
    def expressions(self) -> Iterator[ValueExpression]:
        """Whatever the choice depends on."""
        for asked, pieces in self.branches:
            yield from asked.expressions
            yield from expressions_of(pieces)
        yield from expressions_of(self.otherwise)


Piece: TypeAlias = Union[str, ValueExpression, IfBlock]  # noqa: UP007 - a string names it above
Pieces: TypeAlias = tuple[Piece, ...]


def expressions_of(pieces: Iterable[Piece]) -> Iterator[ValueExpression]:
    """The expressions in some pieces, put out or asked for."""
    for piece in pieces:
        if isinstance(piece, ValueExpression):
            yield piece
        elif isinstance(piece, IfBlock):
            yield from piece.expressions


@dataclass(frozen=True, slots=True)
class InlineTemplate:
    """Text, expressions and choices in the order in which they stand."""

    pieces: Pieces
    is_path: bool = False
    constant: str | None = field(init=False, default=None)
    """The text of a template that is nothing else."""

    def __post_init__(self) -> None:
        match self.pieces:
            case (str(text),) if len(text) <= MADE_LIMIT:
                object.__setattr__(self, "constant", text)

    def render(self, scope: Mapping[str, Any]) -> str:
        """The text; raises `NeedsJinjaError`."""
        text = "".join([self.text_of(piece, scope) for piece in self.pieces])
        return text if len(text) <= MADE_LIMIT else refuse()

    def text_of(self, piece: Piece, scope: Mapping[str, Any]) -> str:
        """A piece's text as it stands in this template; raises `NeedsJinjaError`."""
        if isinstance(piece, str):
            return piece
        if isinstance(piece, IfBlock):
            return "".join([self.text_of(one, scope) for one in piece.pieces(scope)])
        text = piece.text(scope)
        return safe(text) if self.is_path else text


def inline_template(text: str, mode: Mode = "text") -> InlineTemplate | None:
    """The template as pieces, or None if it takes Jinja2."""
    is_path = mode == "path"
    if is_constant(text):
        return InlineTemplate((text,), is_path=is_path)
    return _parsed(text, is_path=is_path) if len(text) <= SOURCE_LIMIT else None


@lru_cache(maxsize=128)  # shots often write one thing
def _parsed(text: str, *, is_path: bool) -> InlineTemplate | None:
    try:
        return InlineTemplate(tuple(_pieces(parser().parse(text).body)), is_path=is_path)
    except (NeedsJinjaError, TemplateSyntaxError, RecursionError, ValueError):
        return None  # the guarded way says what is wrong with it, and where


@cache
def parser() -> Environment:
    return Environment()  # noqa: S701 - it only parses


def _pieces(body: Iterable[nodes.Node], depth: int = 0) -> Iterator[Piece]:
    for node in body:
        match node:
            case nodes.Output():
                for child in node.nodes:
                    yield child.data if isinstance(child, nodes.TemplateData) else expression(child)
            case nodes.If() if depth < _DEEPEST:
                branches = [
                    (if_condition(each.test), tuple(_pieces(each.body, depth + 1)))
                    for each in (node, *node.elif_)
                ]
                yield IfBlock(tuple(branches), tuple(_pieces(node.else_, depth + 1)))
            case _:
                raise NeedsJinjaError
