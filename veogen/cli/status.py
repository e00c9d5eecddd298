"""`veogen status`: where every request stands; no network."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import click

from veogen.cli.left_to_buy import left_to_buy
from veogen.cli.picks import picks_line
from veogen.cli.rundirs import commands_for
from veogen.cli.runs import estimate_note
from veogen.cli.specs import is_lock_file
from veogen.cli.store_names import FoundRun, look_at
from veogen.errors import ExitCode
from veogen.executor.directory import profile_of
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import Snapshot
from veogen.jsontext import indented
from veogen.planner.identity import address_text
from veogen.planner.plan import known_credits
from veogen.results.advice import (
    NextStep,
    RunCommands,
    advice,
    at_stake,
    duration_text,
    life,
    next_steps,
    reason,
)
from veogen.results.charges import Charge, ChargeTotals, charge_of, difference_notes
from veogen.results.events import STATUSES
from veogen.results.ledger import RequestState, exit_code
from veogen.results.manifest import line_data
from veogen.text import Colour, Paint, columns, counted, credits_text, paint, plain, plain_json

Word: TypeAlias = str

WORDS: tuple[Word, ...] = ("requests", *STATUSES, "sending", "warnings", "not here")

_COLOURS: dict[Word, Colour] = {
    "completed": "green",
    "failed": "red",
    "indeterminate": "yellow",
    "undelivered": "yellow",
    "warnings": "yellow",
    "not here": "cyan",
}
_MOST_VALUES = 12
_MOST_TOLD = 20
_GAP = "  "


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A line of the table: a shot, one value of an axis, or everything."""

    name: str
    counts: Counter[Word]
    credits: Decimal


def lines(snapshot: Snapshot, names: RunCommands, now: float, paint: Paint) -> Iterator[str]:
    """Everything that `veogen status` says."""
    yield paint(plain(snapshot.ledger.name), "bold") + ": " + _kind(snapshot, names)
    yield ""
    yield from table_lines(list(_rows(snapshot)), paint)
    yield ""
    yield from _money(snapshot)
    decided = picks_line(snapshot)
    if decided is not None:
        yield plain(decided)
    for word in ("failed", "indeterminate", "undelivered", "submitted"):
        yield from _unfinished(word, snapshot, names, now, paint)
    yield from _warned(snapshot, paint)
    yield from _not_here(snapshot, paint)
    yield from _next(snapshot, names, now, paint)


def word_of(standing: RequestState, snapshot: Snapshot) -> Word:
    """Its status; `sending` while a run waits for the answer to its POST."""
    return "sending" if snapshot.is_being_sent(standing) else standing.record.status


def _kind(snapshot: Snapshot, names: RunCommands) -> str:
    notes = [
        "simulated: nothing was paid" if snapshot.gateway == "simulated" else "",
        "a run is going on" if snapshot.running else "",
    ]
    note = "; ".join(note for note in notes if note)
    return plain(names.run) + (f" ({note})" if note else "")


def _rows(snapshot: Snapshot) -> Iterator[StatusRow]:
    planned = list(snapshot.ledger.planned)
    by_shot: dict[str, list[RequestState]] = {}
    for standing in planned:
        by_shot.setdefault(standing.request.shot, []).append(standing)
    for shot, of_shot in by_shot.items():
        yield row_of(shot, of_shot, snapshot)
        yield from _rows_of_axes(of_shot, snapshot)
    yield row_of("total", planned, snapshot)


def _rows_of_axes(of_shot: Sequence[RequestState], snapshot: Snapshot) -> Iterator[StatusRow]:
    for axis in dict.fromkeys(name for s in of_shot for name in s.request.variables):
        by_value: dict[str, list[RequestState]] = {}
        for standing in of_shot:
            if axis in standing.request.variables:
                value = address_text(standing.request.variables[axis])
                by_value.setdefault(value, []).append(standing)
        if 1 < len(by_value) <= _MOST_VALUES:
            for value, chosen in by_value.items():
                yield row_of(f"  {axis}={value}", chosen, snapshot)


def row_of(name: str, standings: Sequence[RequestState], snapshot: Snapshot) -> StatusRow:
    counts: Counter[Word] = Counter(word_of(standing, snapshot) for standing in standings)
    counts["requests"] = len(standings)
    counts["warnings"] = sum(bool(standing.record.warnings) for standing in standings)
    counts["not here"] = sum(not snapshot.is_whole(standing) for standing in standings)
    return StatusRow(plain(name), counts, known_credits(s.record.credits for s in standings))


def table_lines(rows: Sequence[StatusRow], paint: Paint) -> Iterator[str]:
    """The rows below each other; a column in which nothing stands is left out."""
    words = [word for word in WORDS if any(row.counts[word] for row in rows)]
    first = max(columns(row.name) for row in rows)
    money = max(len("credits"), *(len(credits_text(row.credits)) for row in rows))
    header = [" " * first, *words, "credits".rjust(money)]
    yield paint(_GAP.join(header), "dim")
    for row in rows:
        cells = [_cell(row.counts[word], word, paint) for word in words]
        name = row.name + " " * (first - columns(row.name))
        yield _GAP.join([name, *cells, credits_text(row.credits).rjust(money)])


def _cell(count: int, word: Word, paint: Paint) -> str:
    text = (str(count) if count else "").rjust(len(word))
    return paint(text, _COLOURS[word]) if count and word in _COLOURS else text


def _money(snapshot: Snapshot) -> Iterator[str]:
    """What was paid, and what counts against a budget beyond that."""
    ledger = snapshot.ledger
    summary = ledger.summary()
    credits_ = credits_text(summary.credits)
    yield f"{counted(summary.videos, 'video')}, {credits_} credits reserved or charged"
    former = list(ledger.former)
    if former:
        bought = counted(len(former), "request")
        amount = known_credits(standing.record.credits for standing in former)
        yield f"{bought} bought that left the plan, {credits_text(amount)} credits"
    if ledger.estimated:
        yield estimate_note(ledger)
    yield from difference_notes(ledger.everything)
    yield from _charges(list(ledger.everything), profile_of(snapshot.path, ledger.name))
    if ledger.spent > summary.credits:
        spent = credits_text(ledger.spent)
        yield f"{spent} credits count against a budget: all that may have been charged"


def _charges(standings: Sequence[RequestState], profile: str | None) -> Iterator[str]:
    """By model, and by shot where there are several: nothing where all is as it was estimated."""
    charges = [(standing, charge_of(standing)) for standing in standings]
    if not any(charge.differs for _, charge in charges):
        return
    groups: dict[str, list[Charge]] = {}
    for standing, charge in charges:
        groups.setdefault(standing.request.model, []).append(charge)
    shots = dict.fromkeys(standing.request.shot for standing in standings)
    for shot in shots if len(shots) > 1 else ():
        groups[f"  {shot}"] = [c for standing, c in charges if standing.request.shot == shot]
    head = f"profile {profile}" if profile else ""
    rows = [(head, "estimated", "reserved", "charged")]
    rows += [(plain(name), *_sums(ChargeTotals.of(group))) for name, group in groups.items()]
    first = max(columns(row[0]) for row in rows)
    widths = [max(len(row[index]) for row in rows) for index in (1, 2, 3)]
    for name, *amounts in rows:
        cells = [text.rjust(width) for text, width in zip(amounts, widths, strict=True)]
        yield _GAP.join([name + " " * (first - columns(name)), *cells])


def _sums(totals: ChargeTotals) -> tuple[str, str, str]:
    return (
        credits_text(totals.estimate),
        credits_text(totals.reserved),
        credits_text(totals.charged),
    )


def _unfinished(
    word: Word, snapshot: Snapshot, names: RunCommands, now: float, paint: Paint
) -> Iterator[str]:
    """Every request that is not where it should be, and what to do about it."""

    def describe(standing: RequestState) -> Iterator[str]:
        machine = snapshot.machines.get(standing.record.hash)
        yield _state_text(standing, word, now) + (plain(f"; by {machine}") if machine else "")
        if word == "indeterminate":
            yield from (_step(step, paint) for step in advice(standing, names, now))

    requests = [s for s in _unsettled(snapshot) if word_of(s, snapshot) == word]
    yield from _section(word, requests, describe, paint, rest="; --format json has them all")


def _unsettled(snapshot: Snapshot) -> Iterator[RequestState]:
    """All that may still need something; a failure that left the plan needs nothing more."""
    yield from snapshot.ledger.planned
    yield from (s for s in snapshot.ledger.former if s.record.status != "failed")


def _state_text(standing: RequestState, word: Word, now: float) -> str:
    record = standing.record
    match word:
        case "submitted":
            age = f", for {duration_text(now - record.accepted_at)}" if record.accepted_at else ""
            return plain(f"task {record.task_id}{age}")
        case "undelivered":
            made = f"made {duration_text(now - record.made_at)} ago; " if record.made_at else ""
            return plain(f"{reason(record) or 'not fetched yet'}; {made}{life(record, now)}")
        case "indeterminate":
            return plain(f"{reason(record)}; {at_stake(record)}")
        case _:
            return plain(reason(record))


def _step(step: NextStep, paint: Paint) -> str:
    return f"    {plain(step.command)}   {paint(plain(step.why), 'dim')}"


def _warned(snapshot: Snapshot, paint: Paint) -> Iterator[str]:
    """Clips that are kept, though they are not quite what was asked for."""
    requests = [s for s in snapshot.ledger.planned if s.record.warnings]

    def describe(standing: RequestState) -> Iterator[str]:
        yield plain(", ".join(standing.record.warnings))

    yield from _section("warnings", requests, describe, paint, rest="; --format json has them all")


def _not_here(snapshot: Snapshot, paint: Paint) -> Iterator[str]:
    requests = [s for s in snapshot.ledger.planned if not snapshot.is_whole(s)]

    def describe(standing: RequestState) -> Iterator[str]:
        videos = standing.record.videos.values()
        yield plain(" ".join(v.path for v in videos if not snapshot.is_here(v)))

    yield from _section("not here", requests, describe, paint)


def _section(
    word: Word,
    requests: Sequence[RequestState],
    describe: Callable[[RequestState], Iterator[str]],
    paint: Paint,
    rest: str = "",
) -> Iterator[str]:
    """A section of requests, the first of them: what is told of each begins on its own line."""
    if not requests:
        return
    yield ""
    yield paint(f"{word} ({len(requests)})", _COLOURS.get(word, "bold"))
    for standing in requests[:_MOST_TOLD]:
        first, *more = describe(standing)
        yield f"  {paint(plain(standing.request.address), 'bold')}: {first}"
        yield from more
    if len(requests) > _MOST_TOLD:
        yield f"  and {len(requests) - _MOST_TOLD} more{rest}"


def _next(snapshot: Snapshot, names: RunCommands, now: float, paint: Paint) -> Iterator[str]:
    """Nothing while a run goes on: it does what can be done."""
    steps = [] if snapshot.running else list(next_steps(_unsettled(snapshot), names, now))
    if steps:
        yield ""
        yield paint("next", "bold")
        yield from (_step(step, paint) for step in steps)


def print_status(found: FoundRun, format_: str, spec: Path | None = None) -> ExitCode:
    """Print where every request of a run stands; the exit code that a run would have.

    Of a `spec` also what that still buys.
    """
    path, now = found.path, SystemClock().now()
    snapshot = look_at(found, now)
    left = None if spec is None or is_lock_file(spec) else left_to_buy(spec, snapshot)
    if format_ == "json":
        data = status_data(snapshot) | ({} if left is None else {"to_buy": left.data})
        click.echo(plain_json(indented(data)))
    else:
        names = commands_for(path, snapshot.ledger.name)
        for line in lines(snapshot, names, now, paint(sys.stdout, os.environ)):
            click.echo(line, color=True)
        if left is not None:
            click.echo(f"\n{plain(left.text)}")
    return run_exit_code(snapshot)


def status_data(snapshot: Snapshot) -> dict[str, Any]:
    """The summary, and the requests as in results.json."""
    summary = snapshot.ledger.summary()
    counts = {str(status): number for status, number in summary.counts.items()}
    data = {
        "requests": summary.requests,
        **counts,
        "videos": summary.videos,
        "credits": credits_text(summary.credits),
    }
    results = [_result(standing, snapshot) for standing in snapshot.ledger.planned]
    return {"summary": data, "results": results}


def _result(standing: RequestState, snapshot: Snapshot) -> dict[str, Any]:
    """A request as in results.json, with all that is known of its money."""
    charge = charge_of(standing)
    return {
        **line_data(standing),
        "model": standing.request.model or None,
        "profile": profile_of(snapshot.path, snapshot.ledger.name),
        "estimate": _amount(charge.estimate),
        "reserved": _amount(charge.reserved),
        "charged": _amount(charge.charged),
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else credits_text(amount)


def run_exit_code(snapshot: Snapshot) -> ExitCode:
    """What a run would say; a request that is being sent right now is just not delivered yet."""
    planned = list(snapshot.ledger.planned)
    settled = [s.record for s in planned if not snapshot.is_being_sent(s)]
    code = exit_code(settled)
    return ExitCode.INCOMPLETE if code is ExitCode.DONE and len(settled) < len(planned) else code
