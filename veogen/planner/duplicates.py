"""Requests that are one and the same, that would write one file, or that are nearly alike."""

from array import array
from collections.abc import Iterable
from typing import NamedTuple

from veogen.document.nodes import Location
from veogen.document.problems import Problems
from veogen.planner.identity import TAKES_HINT, canonical
from veogen.planner.plan import Request
from veogen.spec.types import PROMPTS

_LEAST = 1 << 10


class HashTable64:
    """A set of hashes (SHA-256, hex), each known by its first 64 bits.

    `possible_duplicates` are the first ten hex digits of hashes that share them with another:
    the same request, or, very rarely, another one. In a table of 64-bit words a million of them
    take 16 MiB; Python's own set takes five times that.
    """

    def __init__(self) -> None:
        self.possible_duplicates: set[str] = set()
        self._count = 0
        self._mask = _LEAST - 1
        self._table = array("Q", bytes(8 * _LEAST))

    def add(self, hash_: str) -> None:
        self.add_all((hash_,))

    def add_all(self, hashes: Iterable[str]) -> None:
        table, mask, count = self._table, self._mask, self._count
        for hash_ in hashes:
            word = int(hash_[:16], 16) or 1  # a free place is 0
            place = (word >> 24) & mask
            while entry := table[place]:
                if entry >> 24 == word >> 24:  # the first ten digits
                    self.possible_duplicates.add(hash_[:10])
                if entry == word:  # once is enough: else each would pass all that are alike
                    break
                place = (place + 1) & mask
            else:
                table[place] = word
                count += 1
                if count * 3 > mask * 2:
                    table, mask = self._grown(table, mask)
        self._table, self._mask, self._count = table, mask, count

    def _grown(self, table: "array[int]", mask: int) -> "tuple[array[int], int]":
        larger = 2 * (mask + 1)
        new, new_mask = array("Q", bytes(8 * larger)), larger - 1
        for word in table:
            if word:
                place = (word >> 24) & new_mask
                while new[place]:
                    place = (place + 1) & new_mask
                new[place] = word
        return new, new_mask


MOST_COMPARED = 10_000
"""Requests of a plan that is still looked through for near-duplicates: nobody reads more."""


class RequestKey(NamedTuple):
    """As much of a request as it takes to tell it from others."""

    address: str
    hash: str
    output: str
    place: Location


class DuplicateCheck:
    """Watches the requests of a plan. Possible duplicates are looked at again at the end."""

    def __init__(self, most: int) -> None:
        self.seen = HashTable64()
        self._alike: dict[bytes, tuple[str, str]] | None = {} if most <= MOST_COMPARED else None

    def add(self, request: Request, problems: Problems) -> None:
        self.seen.add(request.hash)
        if self._alike is not None:
            body = dict(request.body)  # but for case and white space of its prompts
            for name in PROMPTS:
                text = body.get(name)
                if isinstance(text, str):
                    body[name] = folded(text)
            own = (request.hash, request.address)
            hash_, address = self._alike.setdefault(canonical([request.take, body]), own)
            if hash_ != request.hash:
                message = f"{request.address} differs from {address} only in case and white space"
                problems.warn(request.place, "near-duplicate", message)

    def report(self, again: Iterable[RequestKey], problems: Problems) -> None:
        """Report the duplicates; `again` are all requests, asked for only if there may be any."""
        if not self.seen.possible_duplicates:
            return
        hashes: dict[str, str] = {}
        paths: dict[tuple[str, str], RequestKey] = {}
        for request in again:
            if request.hash[:10] not in self.seen.possible_duplicates:
                continue
            first = hashes.setdefault(request.hash, request.address)
            other = paths.setdefault((request.hash[:10], request.output.casefold()), request)
            if first != request.address:
                message = f"{request.address} is the same request as {first}"
                problems.error(request.place, "same-request", message, TAKES_HINT)
            elif other != request:
                message = f"the videos of {request.address} and {other.address} have one path"
                problems.error(request.place, "same-path", message, "write another 'output'")


def folded(text: str) -> str:
    """Equal for texts that differ only in case and white space."""
    return " ".join(text.casefold().split())


def request_key(request: Request) -> RequestKey:
    return RequestKey(request.address, request.hash, request.output, request.place)
