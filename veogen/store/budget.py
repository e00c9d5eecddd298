"""The budget of a run over all its machines: pieces of it, taken and given back, one after another.

Whoever appends the next record knows what all before it come to: no two machines take the same
money. Each record says that sum, so that of several new ones the last is enough. A piece of a
machine that died stays taken until somebody who knows that it spends no more gives back what is
left over.
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
    """The numbered records of one run, counted up to `_next`; those in `_unread` by a sum alone.

    `pieces` are what each process holds, by the records that were read: its own it has written.
    """

    def __init__(self, objects: Objects, names: RunNames, process: str, time: StoreTime) -> None:
        self._objects = objects
        self._names = names
        self._process = process
        self._time = time
        self._next = 0
        self._unread: list[int] = []
        self._others_append = False
        self.pieces: dict[str, Decimal] = defaultdict(Decimal)
        self.taken = _ZERO

    def open(self) -> None:
        """Read all records, those too that a sum has counted."""
        for number in self._unread:
            record = self._read(number)
            self.pieces[record.process] += record.credits
        self._unread.clear()
        for number in range(self._next, self._end()):
            self._take(self._read(number))

    def take_piece(self, of: Decimal, least: Decimal, prices: Sequence[Decimal]) -> bool:
        """Append a piece for the next requests, of a budget of which `of` is for all.

        It is `least` for the first of them, and the `prices` of as many more as an eighth of what
        is left is enough for; False if there is not even `least`. No part of a price is taken: it
        would be of no use to anybody.
        """
        if self._others_append:  # a listing and the last record cost less than to be refused
            self._others_append = self._catch_up()
        while True:
            left = of - self.taken
            if least > left:  # others may have given back since
                if self._catch_up():
                    continue
                return False
            piece = least
            for price in prices:
                if piece + price > left / _PARTS:
                    break
                piece += price
            if self._append(self._process, piece):
                return True
            self._catch_up()
            self._others_append = True

    def give_back(self, process: str, spent: Decimal) -> Decimal:
        """Append what is left over of a process's pieces, which it surely spends no more.

        All records are read first: somebody may have given it back, of a machine that slept.
        """
        if process != self._process:
            self.open()
        while True:
            left_over = self.pieces[process] - spent
            if left_over <= 0:
                return _ZERO
            if self._unread:
                self.open()
            elif self._append(process, -left_over):
                return left_over

    def _catch_up(self) -> bool:
        """Count what others appended since, by the last record; whether they did."""
        first, end = self._next, self._end()
        if end == first:
            return False
        record = self._read(end - 1)
        if record.taken is None or end == first + 1:  # of an earlier version, or the only one
            for number in range(first, end - 1):
                self._take(self._read(number))
            self._take(record)
        else:
            self._unread.extend(range(first, end - 1))
            self.pieces[record.process] += record.credits
            self.taken, self._next = record.taken, end
        return True

    def _end(self) -> int:
        """The number after that of the last record that is there."""
        end = self._next
        after = f"{end - 1:08}" if end else ""
        for info in self._objects.list(self._names.folder("money"), after):
            end += layout.numbered(info.name) == end
        return end

    def _read(self, number: int) -> MoneyRecord:
        name = self._names.money(number)
        content = self._objects.read(name, LIMIT)
        if content is None:
            raise layout.unreadable(name, "it was listed and is gone")
        return layout.decode(content, MoneyRecord, name)

    def _append(self, process: str, amount: Decimal) -> bool:
        """Whether the record was appended; if not, what stands in its place was read."""
        now, taken = self._time.now(), self.taken + amount
        record = MoneyRecord(process, amount, now, self._process, taken)
        name = self._names.money(self._next)
        there = self._objects.create(name, encode(record))
        self._take(record if there is None else layout.decode(there, MoneyRecord, name))
        return there is None

    def _take(self, record: MoneyRecord) -> None:
        name = self._names.money(self._next)
        piece, taken = self.pieces[record.process] + record.credits, self.taken + record.credits
        if piece < 0 and not self._unread:
            raise layout.unreadable(name, f"it gives back more than {record.process} took")
        if record.taken not in (None, taken):
            raise layout.unreadable(name, "it says another sum than those before it come to")
        self.pieces[record.process], self.taken = piece, taken
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
        self,
        price: Decimal,
        *,
        spent: Decimal,
        outside: Decimal,
        following: Sequence[Decimal],
        is_last: bool,
    ) -> bool:
        """Whether a request of this price may be claimed; a piece is taken for it if needed.

        `spent` is what this process's claims have cost or may cost, `outside` what the run spent
        without claims, `following` the prices of the next requests, this one first. After the
        `is_last` refusal it is known who else holds what.
        """
        lacking = spent + price - self._chain.pieces[self._process]
        if lacking <= 0:
            return True
        if self._chain.take_piece(self.budget - outside, lacking, following[1:]):
            return True
        if is_last:
            self._chain.open()
        self._chain.give_back(self._process, spent)  # too little for us may be enough with others'
        return False
