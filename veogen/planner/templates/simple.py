"""Templates made only of text, names, simple filters and choices, rendered without Jinja2.

Nothing here can take long, so no guard is needed. What a piece cannot do, be it only a name
that does not exist, is left to Jinja2, so that both ways always agree.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeAlias, Union

from jinja2 import Environment, TemplateSyntaxError, nodes

from veogen.planner.output import safe
from veogen.planner.templates.conditions import Condition, condition
from veogen.planner.templates.expressions import (
    MADE_LIMIT,
    Expression,
    NotSimpleError,
    expression,
    refuse,
)
from veogen.planner.templates.source import Source

SOURCE_LIMIT = 64 * 1024
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """`{% if %}`: the pieces of the first condition that holds, or those of `{% else %}`."""

    branches: tuple[tuple[Condition, "Pieces"], ...]
    otherwise: "Pieces"

    def pieces(self, scope: Mapping[str, Any]) -> "Pieces":
        """What stands there in `scope`; raises `NotSimpleError`."""
        for asked, pieces in self.branches:
            if asked.holds(scope):
                return pieces
        return self.otherwise

    @property
    def expressions(self) -> Iterator[Expression]:
        """Whatever the choice depends on."""
        for asked, pieces in self.branches:
            yield from asked.expressions
            yield from expressions_of(pieces)
        yield from expressions_of(self.otherwise)


Piece: TypeAlias = Union[str, Expression, Choice]  # noqa: UP007 - a string names it above
Pieces: TypeAlias = tuple[Piece, ...]


def expressions_of(pieces: Iterable[Piece]) -> Iterator[Expression]:
    """The expressions in some pieces, put out or asked for."""
    for piece in pieces:
        if isinstance(piece, Expression):
            yield piece
        elif isinstance(piece, Choice):
            yield from piece.expressions


@dataclass(frozen=True, slots=True)
class SimpleTemplate:
    """Text, expressions and choices in the order in which they stand."""

    pieces: Pieces
    is_path: bool = False

    @property
    def constant(self) -> str | None:
        """The text of a template that is nothing else."""
        match self.pieces:
            case (str(text),) if len(text) <= MADE_LIMIT:
                return text
            case _:
                return None

    def render(self, scope: Mapping[str, Any]) -> str:
        """The text; raises `NotSimpleError`."""
        text = "".join([self.text_of(piece, scope) for piece in self.pieces])
        return text if len(text) <= MADE_LIMIT else refuse()

    def text_of(self, piece: Piece, scope: Mapping[str, Any]) -> str:
        """A piece's text as it stands in this template; raises `NotSimpleError`."""
        if isinstance(piece, str):
            return piece
        if isinstance(piece, Choice):
            return "".join([self.text_of(one, scope) for one in piece.pieces(scope)])
        text = piece.text(scope)
        return safe(text) if self.is_path else text


def simple(source: Source) -> SimpleTemplate | None:
    """The template as pieces, or None if it takes Jinja2."""
    is_path = source.mode == "path"
    if source.is_constant:
        return SimpleTemplate((source.text,), is_path=is_path)
    return _parsed(source.text, is_path=is_path) if len(source.text) <= SOURCE_LIMIT else None


@lru_cache(maxsize=128)  # shots often write one thing
def _parsed(text: str, *, is_path: bool) -> SimpleTemplate | None:
    try:
        return SimpleTemplate(tuple(_pieces(parser().parse(text).body)), is_path=is_path)
    except (NotSimpleError, TemplateSyntaxError, RecursionError, ValueError):
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
                yield _choice(node, depth + 1)
            case _:
                raise NotSimpleError


def _choice(node: nodes.If, depth: int) -> Choice:
    every = (node, *node.elif_)
    return Choice(
        tuple((condition(one.test), tuple(_pieces(one.body, depth))) for one in every),
        tuple(_pieces(node.else_, depth)),
    )
