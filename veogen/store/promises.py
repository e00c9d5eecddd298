"""Whether a store keeps its promises: `veogen store --check` tries them out."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import NamedTuple

from veogen.store.objects import Objects, StoreError

CREATORS = 16
RACES = 5
_FOLDER = "checks"


class Promise(NamedTuple):
    """One thing that was tried, and what came of it if it was not as it has to be."""

    name: str
    broken: str | None


def check(objects: Objects) -> list[Promise]:
    """Try what a store has to do: create once, also in a race, list in order, read back."""
    folder = f"{_FOLDER}/{os.urandom(6).hex()}"
    wanted = [f"{folder}/once", *(f"{folder}/race-{race}" for race in range(RACES))]
    first, second = (objects.create(wanted[0], content) for content in (b'"first"', b'"second"'))
    once = None if second == b'"first"' else "it writes over what is there"
    if first is not None:
        once = "it says that a new name is taken"
    raced = None
    for race, name in enumerate(wanted[1:], start=1):
        winners, there = _race(objects, name)
        if len(winners) != 1 or there != winners[0]:
            raced = f"in race {race} of {RACES}, {len(winners)} of {CREATORS} created it"
            break
    names = [info.name for info in objects.list(folder)]
    later = [info.name for info in objects.list(folder, "race-1")] if names == wanted else []
    listed = None if later == wanted[3:] else "it does not list from a name on"
    if names != wanted:
        listed = f"it lists {len(names)} of {len(wanted)} objects, or not by name"
    return [
        Promise("creates only if absent", once),
        Promise(f"of {CREATORS} at once one creates", raced),
        Promise("lists and reads what was created", listed),
    ]


def _race(objects: Objects, name: str) -> tuple[list[bytes], bytes | None]:
    """Who was told that it created the object, and what is there then."""
    start = Barrier(CREATORS)

    def creator(number: int) -> bytes | None:
        content = f"{number:02}".encode()
        start.wait()
        return content if objects.create(name, content) is None else None

    with ThreadPoolExecutor(CREATORS) as pool:
        answers = list(pool.map(creator, range(CREATORS)))
    return [answer for answer in answers if answer is not None], objects.read(name, 100)


def refuse_broken(promises: list[Promise]) -> None:
    """Raise `StoreError` with all that is not kept."""
    broken = [f"{promise.name}: {promise.broken}" for promise in promises if promise.broken]
    if broken:
        raise StoreError("this store cannot be used: " + "; ".join(broken))
