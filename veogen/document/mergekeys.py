"""The merge key `<<`: a mapping takes in what others have, and its own keys win."""

from collections.abc import Iterator

from veogen.document.values import Map, Seq, Value

MERGE = "<<"


class MergeError(ValueError):
    """`<<` has a value that cannot be merged."""


def resolve_merge(mapping: Map) -> None:
    """Put what `<<` names in its place; of several mappings the first wins."""
    sources = list(_sources(mapping[MERGE]))
    written = Map.like(mapping)
    for key, value in mapping.items():
        written.take(mapping, key, value)
    mapping.clear()
    mapping.marks, mapping.positions = [], None
    for key, value in written.items():
        if key != MERGE:
            mapping.take(written, key, value)
            continue
        for source in sources:
            for name, inherited in source.items():
                if name not in written and name not in mapping:
                    mapping.take(source, name, inherited)


def _sources(value: Value) -> Iterator[Map]:
    values = value if isinstance(value, Seq) else [value]
    for source in values:
        if not isinstance(source, Map):
            raise MergeError("'<<' takes a mapping, or a list of mappings")
        yield source
