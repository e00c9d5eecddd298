"""The requests of two runs, matched: what is new, gone, renamed, changed or the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from veogen.gallery.clips import text_of
from veogen.gallery.wording import word_changes
from veogen.results.entries import Entry
from veogen.spec.model import PROMPTS


def pairs(old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Every request of either run once, in the order of the new one; `old` and `new` are indices.

    Requests are the same by their address; one under another address by its hash.
    """
    by_address = {entry.address: index for index, entry in enumerate(old)}
    by_hash = {entry.hash: index for index, entry in enumerate(old)}
    addresses = {entry.address for entry in new}
    matched: set[int] = set()
    for index, entry in enumerate(new):
        before = by_address.get(entry.address)
        if before is None:
            before = _renamed(by_hash.get(entry.hash), old, addresses, matched)
        if before is not None:
            matched.add(before)
        yield _pair(before, index, None if before is None else old[before], entry)
    for index, entry in enumerate(old):
        if index not in matched:
            yield _pair(index, None, entry, None)


def _renamed(
    index: int | None, old: Sequence[Entry], addresses: set[str], matched: set[int]
) -> int | None:
    """The request of the same hash, unless it has a partner of its own."""
    if index is None or index in matched or old[index].address in addresses:
        return None
    return index


def _pair(
    before: int | None, after: int | None, old: Entry | None, new: Entry | None
) -> dict[str, Any]:
    return {
        "old": before,
        "new": after,
        "kind": _kind(old, new),
        "texts": [] if old is None or new is None else list(_texts(old.body, new.body)),
        "fields": [] if old is None or new is None else list(_fields(old.body, new.body)),
    }


def _kind(old: Entry | None, new: Entry | None) -> str:
    if old is None:
        return "new"
    if new is None:
        return "gone"
    if old.hash != new.hash:
        return "changed"
    return "same" if old.address == new.address else "renamed"


def _texts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name in PROMPTS:
        before, after = str(old.get(name, "")), str(new.get(name, ""))
        if before != after:
            yield [name, word_changes(before, after)]


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[list[str | None]]:
    for name in sorted({*old, *new} - set(PROMPTS)):
        if old.get(name) != new.get(name):
            yield [name, *(text_of(body[name]) if name in body else None for body in (old, new))]
