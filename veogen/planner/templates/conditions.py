"""What an `{% if %}` asks, where that is only whether values are there, equal or in a list."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from jinja2 import nodes

from veogen.planner.templates.expressions import Expression, NotSimpleError, expression

Scope: TypeAlias = Mapping[str, Any]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "in": lambda one, many: one in many,
    "notin": lambda one, many: one not in many,
}
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether something holds in a scope, and the expressions that it looks at."""

    holds: Callable[[Scope], bool]
    expressions: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class _Operand:
    value: Callable[[Scope], Any]
    expressions: tuple[Expression, ...] = ()


def condition(node: nodes.Node, depth: int = 0) -> Condition:
    """The node as a condition; raises `NotSimpleError`, as its `holds` does."""
    if depth > _DEEPEST:
        raise NotSimpleError
    match node:
        case nodes.Not():
            inner = condition(node.node, depth + 1)
            return Condition(lambda scope: not inner.holds(scope), inner.expressions)
        case nodes.And() | nodes.Or():
            left, right = condition(node.left, depth + 1), condition(node.right, depth + 1)
            return _joined(left, right, both=isinstance(node, nodes.And))
        case nodes.Compare(ops=[nodes.Operand(op=str(name)) as other]) if name in _COMPARISONS:
            return _compared(_operand(node.expr), _COMPARISONS[name], _operand(other.expr))
        case _:
            one = _operand(node)
            return Condition(lambda scope: bool(one.value(scope)), one.expressions)


def _joined(left: Condition, right: Condition, *, both: bool) -> Condition:
    together = (*left.expressions, *right.expressions)
    if both:
        return Condition(lambda scope: left.holds(scope) and right.holds(scope), together)
    return Condition(lambda scope: left.holds(scope) or right.holds(scope), together)


def _compared(left: _Operand, compare: Callable[[Any, Any], bool], right: _Operand) -> Condition:
    def holds(scope: Scope) -> bool:
        try:
            return compare(left.value(scope), right.value(scope))
        except TypeError:  # a number has nothing in it
            raise NotSimpleError from None

    return Condition(holds, (*left.expressions, *right.expressions))


def _operand(node: nodes.Node) -> _Operand:
    constant = _constant(node)
    if constant is not None:
        return constant
    found = expression(node)
    if found.filters:  # what they make would have to be counted
        raise NotSimpleError
    return _Operand(found.value, (found,))


def _constant(node: nodes.Node) -> _Operand | None:
    """A literal, or several of them in a list: what has to be computed is none."""
    if isinstance(node, nodes.Const):
        return _Operand(lambda _: node.value)
    if not isinstance(node, nodes.List | nodes.Tuple):
        return None
    values = [item.value for item in node.items if isinstance(item, nodes.Const)]
    many = values if isinstance(node, nodes.List) else tuple(values)
    return _Operand(lambda _: many) if len(values) == len(node.items) else None
