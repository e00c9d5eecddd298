"""What a run would do about each request of a plan, judged by what is already owned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self, TypeAlias

from veogen.results.ledger import Ledger
from veogen.results.manifest import Manifest
from veogen.results.records import TEMPORARY
from veogen.results.statuses import Status

State: TypeAlias = Literal["new", "changed", "bought", "failed"]

RETRIES = 2


class Held(NamedTuple):
    """What is known of one request from results or journal."""

    status: Status
    code: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is owned already: by hash, and the hashes that an address was bought under."""

    held: Mapping[str, Held]
    bought_as: Mapping[str, Sequence[str]]

    @classmethod
    def none(cls) -> Self:
        return cls({}, {})

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Self:
        lines = (*manifest.results, *manifest.former)
        held = {
            line.hash: Held(line.status, line.error.code if line.error else None, line.attempts)
            for line in lines
        }
        return cls(held, _bought_as((line.address, line.hash, line.status) for line in lines))

    @classmethod
    def of_ledger(cls, ledger: Ledger) -> Self:
        standings = list(ledger.everything)
        held = {
            s.record.hash: Held(
                s.record.status, s.record.error.code if s.record.error else None, s.record.attempts
            )
            for s in standings
        }
        triples = ((s.entry.address, s.record.hash, s.record.status) for s in standings)
        return cls(held, _bought_as(triples))

    def state(self, address: str, hash_: str) -> State:
        """`bought` also where it may have been: what is indeterminate is not bought again."""
        held = self.held.get(hash_)
        if held is not None and held.status == "failed":
            return "failed"
        if held is not None and held.status != "planned":
            return "bought"
        others = self.bought_as.get(address, ())
        return "changed" if any(other != hash_ for other in others) else "new"

    def would_buy(self, hash_: str, retries: int = RETRIES) -> bool:
        """Whether a run would submit the request by itself."""
        held = self.held.get(hash_)
        if held is None or held.status == "planned":
            return True
        return held.status == "failed" and held.code in TEMPORARY and held.attempts <= retries


def _bought_as(lines: Iterable[tuple[str, str, Status]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address, hash_, status in lines:
        if status not in ("planned", "failed"):
            found.setdefault(address, []).append(hash_)
    return found
