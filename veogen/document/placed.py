"""Data that was read otherwise, as a document."""

from typing import Any

from veogen.document.values import Map, Place, Seq, Value


def placed(value: Any, place: Place) -> Value:
    """The value as a document in which everything stands at one place."""
    match value:
        case dict():
            mapping = Map(place)
            for key, item in value.items():
                mapping.put(key, placed(item, place), place, place)
            return mapping
        case list():
            sequence = Seq(place)
            for item in value:
                sequence.add(placed(item, place), place)
            return sequence
        case _:
            scalar: Value = value
            return scalar
