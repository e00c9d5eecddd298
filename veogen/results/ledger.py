"""All requests of a run directory: the plan's entries and the fold of everything that happened."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from veogen.errors import ExitCode
from veogen.results.entries import Entry
from veogen.results.events import Event
from veogen.results.folding import Draft, after
from veogen.results.records import STATUSES, Record, Status, estimated, in_doubt, spent


class Standing(NamedTuple):
    """One request and where it stands."""

    entry: Entry
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts over the requests of the plan; credits are what they reserved or were charged."""

    requests: int
    counts: Mapping[Status, int]
    videos: int
    credits: Decimal


class Ledger:
    """Folds events as they come; requests in plan order, former purchases after them."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._records: dict[str, Record] = {}
        self._entries: dict[str, Entry] = {}
        self._planned: dict[str, None] = {}
        self._counts: Counter[Status] = Counter()
        self.spent = Decimal(0)
        self.in_doubt = Decimal(0)
        self.estimated = Decimal(0)

    def adopt(self, planned: Iterable[Entry], former: Iterable[Entry] = ()) -> None:
        """Take the plan's entries, in order; `former` are those of earlier plans, in theirs."""
        plan = {entry.hash: entry for entry in planned}
        self._entries = {entry.hash: entry for entry in former} | plan
        self._planned = dict.fromkeys(plan)
        self._count()

    def apply(self, event: Event) -> Record:
        """Fold one event in and return where its request now stands."""
        before = self.record(event.hash)
        record = after(before, event)
        self._records[event.hash] = record
        if record.purchases is not before.purchases:
            self.spent += record.spent - before.spent
            self.in_doubt += record.in_doubt - before.in_doubt
            self.estimated += record.estimated - before.estimated
        if event.hash in self._planned and before.status != record.status:
            self._counts[before.status] -= 1
            self._counts[record.status] += 1
        return record

    def fold(self, events: Iterable[Event]) -> None:
        """Fold many events in: as `apply` does one after the other, with the sums made once."""
        drafts: dict[str, Draft] = {}
        for event in events:
            draft = drafts.get(event.hash)
            if draft is None:
                draft = drafts[event.hash] = Draft(self.record(event.hash))
            draft.take(event)
        self._records.update((hash_, draft.record) for hash_, draft in drafts.items())
        purchases = [p for record in self._records.values() for p in record.purchases.values()]
        self.spent, self.in_doubt = spent(purchases), in_doubt(purchases)
        self.estimated = estimated(purchases)
        self._count()

    def record(self, hash_: str) -> Record:
        """Where a request stands: the same object until something happens to it."""
        found = self._records.get(hash_)
        if found is None:
            found = self._records[hash_] = Record(hash=hash_)
        return found

    def entry(self, hash_: str) -> Entry | None:
        return self._entries.get(hash_)

    def _count(self) -> None:
        self._counts = Counter([self.record(hash_).status for hash_ in self._planned])

    @property
    def entries(self) -> Collection[Entry]:
        """All requests that are known, bought or not."""
        return self._entries.values()

    @property
    def reserved(self) -> Decimal:
        """What tasks have reserved or were charged, those that failed since included.

        It is as the gateway names it: what we estimate where it does not is no part of it.
        """
        return self.spent - self.in_doubt - self.estimated

    def knows(self, hash_: str) -> bool:
        """Whether the request is in the plan, or was bought for an earlier one."""
        return hash_ in self._planned or self.record(hash_).bought

    @property
    def planned(self) -> Iterator[Standing]:
        """The requests of the plan, in its order."""
        for hash_ in self._planned:
            yield Standing(self._entries[hash_], self.record(hash_))

    @property
    def former(self) -> Iterator[Standing]:
        """Purchases that left the plan, in the order in which they were first known."""
        for hash_, entry in self._entries.items():
            if hash_ not in self._planned and (record := self.record(hash_)).bought:
                yield Standing(entry, record)

    @property
    def everything(self) -> Iterator[Standing]:
        """The plan's requests, then the former purchases."""
        yield from self.planned
        yield from self.former

    def count(self, status: Status) -> int:
        """How many requests of the plan have this status."""
        return self._counts[status]

    def summary(self) -> Summary:
        planned = [standing.record for standing in self.planned]
        return Summary(
            requests=len(planned),
            counts={status: self._counts[status] for status in STATUSES},
            videos=sum(len(record.videos) for record in planned),
            credits=sum((r.credits for r in planned if r.credits is not None), Decimal(0)),
        )


def exit_code(records: Iterable[Record]) -> ExitCode:
    """What a run says of the requests it was about: 0, 1 or 4."""
    statuses = {record.status for record in records}
    if "indeterminate" in statuses:
        return ExitCode.INDETERMINATE
    return ExitCode.DONE if statuses <= {"completed"} else ExitCode.INCOMPLETE
