"""Names, their entries and simple filters: what a template without Jinja2 can put out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes
from jinja2.filters import FILTERS

from veogen.planner.templates.environment import TEXT_LIMIT, slug

MADE_LIMIT = TEXT_LIMIT // 8  # far below what the guard would count
_MOST_ITEMS, _LONGEST_ITEM = 64, 128
"""What a list or mapping has at most where it is looked at as a whole: as much as a text."""

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

    def value(self, scope: Mapping[str, Any]) -> Any:
        """The value in `scope`; raises `NotSimpleError`."""
        try:
            value = scope[self.name]
            for entry in self.entries:
                value = value[entry] if isinstance(value, dict) else refuse()
            if not _is_small(value):
                refuse()
            for name in self.filters:
                value = _FILTERS[name](value)
        except KeyError:
            raise NotSimpleError from None
        return value

    def text(self, scope: Mapping[str, Any]) -> str:
        """The value in `scope` as text; raises `NotSimpleError`."""
        text = str(self.value(scope))
        return text if len(text) <= MADE_LIMIT else refuse()


def _is_small(value: Any) -> bool:
    """Whether nothing that is done with a value takes long, however often it is done."""
    if isinstance(value, str):
        return len(value) <= MADE_LIMIT
    if isinstance(value, dict):
        return _is_short(value) and _is_short(value.values())
    return not isinstance(value, list | tuple) or _is_short(value)


def _is_short(values: Collection[Any]) -> bool:
    """Whether there are few, each of them short and none with others in it."""
    return len(values) <= _MOST_ITEMS and not any(
        isinstance(one, dict | list | tuple) or (isinstance(one, str) and len(one) > _LONGEST_ITEM)
        for one in values
    )


def expression(node: nodes.Node) -> Expression:
    """The node as an expression; raises `NotSimpleError`."""
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


def refuse() -> Any:
    raise NotSimpleError
