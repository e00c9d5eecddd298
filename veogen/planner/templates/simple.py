"""Templates made only of text, names and simple filters, turned into pieces without Jinja2.

Nothing here can take long, so no guard is needed. What a piece cannot do, be it only a name
that does not exist, is left to Jinja2, so that both ways always agree.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeAlias

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.filters import FILTERS

from veogen.planner.output import safe
from veogen.planner.templates.environment import TEXT_LIMIT, slug
from veogen.planner.templates.source import Source

SOURCE_LIMIT = 64 * 1024
_MADE_LIMIT = TEXT_LIMIT // 8  # far below what the guard would count

_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    **{name: FILTERS[name] for name in ("capitalize", "lower", "string", "title", "trim", "upper")},
    "slug": slug,
}


class NotSimpleError(Exception):
    """A template, or a value in it, that only Jinja2 knows how to render."""


@dataclass(frozen=True, slots=True)
class Expression:
    """`name.entry.entry | filter | filter`."""

    name: str
    entries: tuple[str, ...]
    filters: tuple[str, ...]

    def text(self, scope: Mapping[str, Any]) -> str:
        """The value in `scope` as text; raises `NotSimpleError`."""
        try:
            value = scope[self.name]
            for entry in self.entries:
                value = value[entry] if isinstance(value, dict) else _refuse()
            for name in self.filters:
                value = _FILTERS[name](value)
        except KeyError:
            raise NotSimpleError from None
        text = str(value)
        return text if len(text) <= _MADE_LIMIT else _refuse()


Piece: TypeAlias = str | Expression


@dataclass(frozen=True, slots=True)
class SimpleTemplate:
    """Text and expressions in the order in which they stand."""

    pieces: tuple[Piece, ...]
    is_path: bool = False

    @property
    def constant(self) -> str | None:
        """The text of a template that is nothing else."""
        match self.pieces:
            case (str(text),) if len(text) <= _MADE_LIMIT:
                return text
            case _:
                return None

    def render(self, scope: Mapping[str, Any]) -> str:
        """The text; raises `NotSimpleError`."""
        text = "".join(
            [
                piece if isinstance(piece, str) else self.shown(piece.text(scope))
                for piece in self.pieces
            ]
        )
        return text if len(text) <= _MADE_LIMIT else _refuse()

    def shown(self, text: str) -> str:
        """A value's text as it stands in this template."""
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
        return SimpleTemplate(tuple(_pieces(parser().parse(text))), is_path=is_path)
    except (NotSimpleError, TemplateSyntaxError, RecursionError, ValueError):
        return None  # the guarded way says what is wrong with it, and where


@cache
def parser() -> Environment:
    return Environment()  # noqa: S701 - it only parses


def _pieces(tree: nodes.Template) -> Iterator[Piece]:
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            raise NotSimpleError
        for child in node.nodes:
            yield child.data if isinstance(child, nodes.TemplateData) else _expression(child)


def _expression(node: nodes.Node) -> Expression:
    filters: list[str] = []
    while isinstance(node, nodes.Filter) and node.name in _FILTERS and node.node is not None:
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise NotSimpleError
        filters.insert(0, node.name)
        node = node.node
    entries: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        entries.insert(0, _entry(node))
        node = node.node
    if not isinstance(node, nodes.Name) or node.name == "self":
        raise NotSimpleError
    return Expression(node.name, tuple(entries), tuple(filters))


def _entry(node: nodes.Getattr | nodes.Getitem) -> str:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    raise NotSimpleError


def _refuse() -> Any:
    raise NotSimpleError
