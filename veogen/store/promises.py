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
    return [
        Promise("creates only if absent", _creates_once(objects, folder)),
        Promise(f"of {CREATORS} at once one creates", _races(objects, folder)),
        Promise("lists and reads what was created", _lists(objects, folder)),
    ]


def _creates_once(objects: Objects, folder: str) -> str | None:
    name = f"{folder}/once"
    first = objects.create(name, b'"first"')
    second = objects.create(name, b'"second"')
    if first is not None:
        return "it says that a new name is taken"
    return None if second == b'"first"' else "it writes over what is there"


def _races(objects: Objects, folder: str) -> str | None:
    for race in range(RACES):
        winners, there = _race(objects, f"{folder}/race-{race}")
        if len(winners) != 1 or there != winners[0]:
            return f"in race {race + 1} of {RACES}, {len(winners)} of {CREATORS} created it"
    return None


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


def _lists(objects: Objects, folder: str) -> str | None:
    names = [info.name for info in objects.list(folder)]
    wanted = [f"{folder}/once", *(f"{folder}/race-{race}" for race in range(RACES))]
    if names != wanted:
        return f"it lists {len(names)} of {len(wanted)} objects, or not by name"
    later = [info.name for info in objects.list(folder, "race-1")]
    return None if later == wanted[3:] else "it does not list from a name on"


def refuse_broken(promises: list[Promise]) -> None:
    """Raise `StoreError` with all that is not kept."""
    broken = [f"{promise.name}: {promise.broken}" for promise in promises if promise.broken]
    if broken:
        raise StoreError("this store cannot be used: " + "; ".join(broken))
