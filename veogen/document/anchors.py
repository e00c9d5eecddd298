"""Anchors and aliases: what an alias stands for, and how large the document is written out."""

from collections.abc import Iterable
from dataclasses import dataclass

from veogen.document.values import Map, Seq, Value


@dataclass(slots=True)
class Anchor:
    """A value with a name; `size` is its length written out, None while it is being read."""

    value: Value
    start: int
    charged: int
    size: int | None = None
    height: int | None = None


class Anchors:
    """The anchors of a document; `charged` is what all aliases so far stand for, in characters."""

    def __init__(self) -> None:
        self._by_name: dict[str, Anchor] = {}
        self.charged = 0

    def open(self, name: str, value: Value, start: int) -> Anchor:
        anchor = self._by_name[name] = Anchor(value, start, self.charged)
        return anchor

    def close(self, anchor: Anchor, end: int) -> None:
        anchor.size = end - anchor.start + self.charged - anchor.charged

    def get(self, name: str) -> Anchor | None:
        return self._by_name.get(name)

    def charge(self, anchor: Anchor) -> None:
        """Count the characters that an alias of `anchor` stands for."""
        self.charged += anchor.size or 0

    def height(self, anchor: Anchor, limit: int) -> int:
        """How many containers are nested in the value; at most `limit` + 1."""
        if anchor.height is None:
            anchor.height = _height(anchor.value, limit)
        return anchor.height


def _height(value: Value, limit: int) -> int:
    level = _containers([value])
    for height in range(limit + 1):
        if not level:
            return height
        level = [inner for outer in level for inner in _containers(_items(outer))]
    return limit + 1


def _containers(values: Iterable[Value]) -> list[Map | Seq]:
    return [value for value in values if isinstance(value, Map | Seq)]


def _items(container: Map | Seq) -> Iterable[Value]:
    return container.values() if isinstance(container, Map) else container
