"""Which of many hashes have been seen, in sixteen bytes each and less."""

from array import array
from collections.abc import Iterable

_LEAST = 1 << 10


class Seen:
    """A set of hashes (SHA-256, hex), each known by its first 64 bits.

    `suspects` are the first ten hex digits of hashes that share them with another: the same
    request, or, very rarely, another one. In a table of 64-bit words a million of them take
    16 MiB; Python's own set takes five times that.
    """

    def __init__(self) -> None:
        self.suspects: set[str] = set()
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
            while found := table[place]:
                if found >> 24 == word >> 24:  # the first ten digits
                    self.suspects.add(hash_[:10])
                if found == word:  # once is enough: else each would pass all that are alike
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
