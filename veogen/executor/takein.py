"""Purchases that another machine made, as the committed results tell of them.

The manifest is input from a pull request: it can prevent a purchase, never cause one.
"""

from collections.abc import Iterator

from veogen.executor.deciding import comes_home
from veogen.planner.output import default_output, safe
from veogen.results.entries import Entry
from veogen.results.events import TakenIn
from veogen.results.ledger import Ledger
from veogen.results.manifest import Line, Manifest
from veogen.results.records import LINK_LIFE, TEMPORARY, Record


def purchases(manifest: Manifest, ledger: Ledger, now: float) -> Iterator[TakenIn]:
    """Every purchase in the manifest that the journal does not know."""
    for line in (*manifest.results, *manifest.former):
        record = ledger.record(line.hash)
        if _is_news(line, record, now):
            entry = ledger.entry(line.hash)
            yield TakenIn(
                hash=line.hash,
                status=line.status,
                task_id=line.task_id,
                attempts=max(line.attempts, record.attempts),
                credits=line.credits,
                error_code=line.error.code if line.error else None,
                error_message=line.error.message if line.error else None,
                videos=line.videos,
                estimate=entry.credits if entry else None,
                at=now,
            )


def strangers(manifest: Manifest, ledger: Ledger) -> Iterator[Entry]:
    """Requests of the manifest that neither the plan nor the journal knows."""
    for line in (*manifest.results, *manifest.former):
        if ledger.entry(line.hash) is None:
            yield stranger(line)


def stranger(line: Line) -> Entry:
    """A request of which only the manifest tells: its body is not known here."""
    return Entry(
        address=line.address,
        hash=line.hash,
        shot=line.shot,
        take=line.take,
        variables=line.variables,
        output=_output(line),
        body={},
        credits=line.credits,
    )


def _is_news(line: Line, record: Record, now: float) -> bool:
    """Whether a line tells of a purchase that the journal does not know, or has lost."""
    if record.paid_for(line.task_id):
        return line.status == "completed" and _is_out_of_reach(record, now)
    match line.status:
        case "planned":
            return False
        case "submitted" | "completed" | "undelivered":
            return record.status in ("planned", "failed", "indeterminate")
        case "indeterminate":
            return record.status == "planned" or _failed_before(line, record)
        case "failed":  # no line may make a request that waits for an edit be bought again
            passing = record.error is not None and record.error.code in TEMPORARY
            return record.status == "planned" or (passing and _failed_before(line, record))


def _failed_before(line: Line, record: Record) -> bool:
    """Whether another machine has made a later attempt than the one that failed here."""
    return record.status == "failed" and line.attempts > record.attempts


def _is_out_of_reach(record: Record, now: float) -> bool:
    """Whether its links have died, so that what another machine has is all there is."""
    if record.status == "submitted":
        return record.accepted_at is not None and now - record.accepted_at >= LINK_LIFE
    return record.status == "undelivered" and not comes_home(record, now)


def _output(line: Line) -> str:
    """The default output: all that a manifest tells of a request whose spec is not here."""
    shot = safe(line.shot).lstrip(".") or "shot"
    return default_output(shot, line.variables, line.take)
