"""The values of a document: plain Python values whose containers remember places."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = "Scalar | Map | Seq"
Step: TypeAlias = str | int


class Place(NamedTuple):
    """A point in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Map(dict[str, Value]):
    """A mapping that knows where it, its keys and its values stand."""

    __slots__ = ("blocks", "key_places", "place", "value_places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.blocks: set[str] = set()
        self.key_places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}

    def put(self, key: str, value: Value, key_place: Place, value_place: Place) -> None:
        self[key] = value
        self.key_places[key] = key_place
        self.value_places[key] = value_place

    def take(self, source: "Map", key: str, value: Value) -> None:
        """Put `value` with the places that `key` has in `source`."""
        self.put(key, value, source.key_place(key), source.value_place(key))
        if source.is_block(key):
            self.blocks.add(key)

    def is_block(self, key: str) -> bool:
        """Whether the value was written as a block scalar: its text begins on the next line."""
        return key in self.blocks

    def key_place(self, key: str) -> Place:
        return self.key_places.get(key, self.place)

    def value_place(self, key: str) -> Place:
        return self.value_places.get(key, self.place)


class Seq(list[Value]):
    """A sequence that knows where it and its items stand."""

    __slots__ = ("place", "value_places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.value_places: list[Place] = []

    def add(self, value: Value, place: Place) -> None:
        self.append(value)
        self.value_places.append(place)

    def value_place(self, index: int) -> Place:
        return self.value_places[index]


def place_of(tree: Map | Seq, path: Sequence[Step], *, key: bool = False) -> Place:
    """The place of the value at `path`, or of the nearest value above it that exists.

    With `key` the place of the last step's key instead of its value.
    """
    here: Value = tree
    place = tree.place
    for last, step in _with_last(path):
        if isinstance(here, Map) and isinstance(step, str) and step in here:
            place = here.key_place(step) if key and last else here.value_place(step)
            here = here[step]
        elif isinstance(here, Seq) and isinstance(step, int) and step < len(here):
            place = here.value_place(step)
            here = here[step]
        else:
            break
    return place


def _with_last(path: Sequence[Step]) -> Iterator[tuple[bool, Step]]:
    for index, step in enumerate(path):
        yield index == len(path) - 1, step
