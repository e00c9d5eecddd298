"""The budget of a run over all its machines: pieces of it, taken and given back, one after another.

Whoever appends the next record has read all before it, so their sum is what is taken: no two
machines take the same money. A piece of a machine that died stays taken until somebody who knows
that it spends no more gives back what is left over.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from veogen.store import layout
from veogen.store.layout import LIMIT, MoneyRecord, RunNames, encode
from veogen.store.objects import Objects
from veogen.store.signs import StoreTime

_PARTS = 8
_ZERO = Decimal(0)


class MoneyChain:
    """The numbered records of one run, as far as they were read."""

    def __init__(self, objects: Objects, names: RunNames, process: str, time: StoreTime) -> None:
        self._objects = objects
        self._names = names
        self._process = process
        self._time = time
        self._next = 0
        self.pieces: dict[str, Decimal] = defaultdict(Decimal)

    @property
    def taken(self) -> Decimal:
        """What all pieces come to, less what was given back."""
        return sum(self.pieces.values(), _ZERO)

    def open(self) -> None:
        """Read all records at once by a listing, which is cheaper than by name."""
        for info in self._objects.list(self._names.folder("money")):
            if layout.numbered(info.name) == self._next:
                content = self._objects.read(info.name, LIMIT)
                if content is None:
                    raise layout.unreadable(info.name, "it was listed and is gone")
                self._take(content, info.name)

    def take_piece(self, of: Decimal, least: Decimal, prices: Sequence[Decimal]) -> bool:
        """Append a piece for the next requests, of a budget of which `of` is for all.

        It is `least` for the first of them, and the `prices` of as many more as an eighth of what
        is left is enough for; False if there is not even `least`. No part of a price is taken: it
        would be of no use to anybody.
        """
        while True:
            left = of - self.taken
            if least > left:  # by what was read; others may have given back since
                before = self._next
                while (
                    content := self._objects.read(self._names.money(self._next), LIMIT)
                ) is not None:
                    self._take(content, self._names.money(self._next))
                if self._next > before:
                    continue
                return False
            piece = least
            for price in prices:
                if piece + price > left / _PARTS:
                    break
                piece += price
            if self._append(self._process, piece):
                return True

    def give_back(self, process: str, spent: Decimal) -> Decimal:
        """Append what is left over of a process's pieces, which it surely spends no more."""
        while True:
            left_over = self.pieces[process] - spent
            if left_over <= 0:
                return _ZERO
            if self._append(process, -left_over):
                return left_over

    def _append(self, process: str, amount: Decimal) -> bool:
        """Whether the record was appended; if not, what stands in its place was read."""
        record = MoneyRecord(process, amount, self._time.now(), self._process)
        name = self._names.money(self._next)
        content = encode(record)
        there = self._objects.create(name, content)
        self._take(content if there is None else there, name)
        return there is None

    def _take(self, content: bytes, name: str) -> None:
        record = layout.decode(content, MoneyRecord, name)
        after = self.pieces[record.process] + record.credits
        if after < 0:
            raise layout.unreadable(name, f"it gives back more than {record.process} took")
        self.pieces[record.process] = after
        self._next += 1


class Allowance:
    """What this process may still claim of a budget."""

    def __init__(self, chain: MoneyChain, process: str, budget: Decimal) -> None:
        self._chain = chain
        self._process = process
        self.budget = budget

    def has(self, price: Decimal, *, spent: Decimal) -> bool:
        """Whether the pieces that were taken so far cover it; asks nothing."""
        return spent + price <= self._chain.pieces[self._process]

    def covers(
        self, price: Decimal, *, spent: Decimal, outside: Decimal, following: Sequence[Decimal]
    ) -> bool:
        """Whether a request of this price may be claimed; a piece is taken for it if needed.

        `spent` is what this process's claims have cost or may cost, `outside` what the run spent
        without claims, `following` the prices of the next requests, this one first.
        """
        lacking = spent + price - self._chain.pieces[self._process]
        if lacking <= 0:
            return True
        if self._chain.take_piece(self.budget - outside, lacking, following[1:]):
            return True
        self._chain.give_back(self._process, spent)  # too little for us may be enough with others'
        return False
