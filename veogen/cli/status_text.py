"""The words of `veogen status`: a table, the money, what is not where it should be, what to do."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from veogen.cli.picks import picks_line
from veogen.cli.runs import estimate_note
from veogen.executor.directory import profile_of
from veogen.executor.snapshot import Snapshot
from veogen.planner.identity import address_text
from veogen.planner.plan import known_credits
from veogen.results.advice import (
    NextStep,
    RunCommands,
    advice,
    doubt,
    duration_text,
    life,
    next_steps,
    reason,
)
from veogen.results.events import STATUSES
from veogen.results.ledger import Charge, ChargeTotals, RequestState, charge_of, difference_notes
from veogen.text import Colour, Paint, columns, counted, credits_text, plain

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
    """Everything that `veogen status` says; nothing to do while a run does what can be done."""
    notes = ["simulated: nothing was paid"] if snapshot.gateway == "simulated" else []
    notes += ["a run is going on"] if snapshot.running else []
    note = f" ({'; '.join(notes)})" if notes else ""
    yield f"{paint(plain(snapshot.ledger.name), 'bold')}: {plain(names.run)}{note}"
    yield ""
    yield from table_lines(list(_rows(snapshot)), paint)
    yield ""
    yield from _money(snapshot)
    claims = Counter(
        machine
        for standing in snapshot.ledger.planned
        if (machine := snapshot.machines.get(standing.record.hash)) is not None
    )
    if claims:
        machines = ", ".join(f"{machine} {number}" for machine, number in sorted(claims.items()))
        yield plain(f"bought by machine: {machines}")
    decided = picks_line(snapshot)
    if decided is not None:
        yield plain(decided)
    # A failure that left the plan needs nothing more.
    former = [s for s in snapshot.ledger.former if s.record.status != "failed"]
    unsettled = [*snapshot.ledger.planned, *former]
    yield from _sections(unsettled, snapshot, names, now, paint)
    steps = [] if snapshot.running else _next_steps(unsettled, snapshot, names, now)
    if steps:
        yield ""
        yield paint("next", "bold")
        yield from (_step(step, paint) for step in steps)


def _next_steps(
    unsettled: Sequence[RequestState], snapshot: Snapshot, names: RunCommands, now: float
) -> list[NextStep]:
    """What to type next; what brings home what was bought brings what is not here, too."""
    steps = list(next_steps(unsettled, names, now, snapshot.ledger.name_of))
    away = sum(
        not snapshot.is_whole(state) and (state.record.expires_at or math.inf) > now
        for state in snapshot.ledger.planned
    )
    if away and all(step.command != names.collect for step in steps):
        steps.insert(0, NextStep(names.collect, f"brings home what is not here ({away})"))
    return steps


def word_of(state: RequestState, snapshot: Snapshot) -> Word:
    """Its status; `sending` while a run waits for the answer to its POST."""
    return "sending" if snapshot.is_being_sent(state) else state.record.status


def _rows(snapshot: Snapshot) -> Iterator[StatusRow]:
    """A row for each shot and for each value of an axis that parts it, and one for everything."""
    planned = list(snapshot.ledger.planned)
    by_shot: dict[str, list[RequestState]] = {}
    for state in planned:
        by_shot.setdefault(state.request.shot, []).append(state)
    for shot, of_shot in by_shot.items():
        yield row_of(shot, of_shot, snapshot)
        for axis in dict.fromkeys(name for s in of_shot for name in s.request.variables):
            by_value: dict[str, list[RequestState]] = {}
            for state in (s for s in of_shot if axis in s.request.variables):
                value = address_text(state.request.variables[axis])
                by_value.setdefault(value, []).append(state)
            if 1 < len(by_value) <= _MOST_VALUES:
                for value, chosen in by_value.items():
                    yield row_of(f"  {axis}={value}", chosen, snapshot)
    yield row_of("total", planned, snapshot)


def row_of(name: str, states: Sequence[RequestState], snapshot: Snapshot) -> StatusRow:
    counts: Counter[Word] = Counter(word_of(state, snapshot) for state in states)
    counts["requests"] = len(states)
    counts["warnings"] = sum(bool(state.record.warnings) for state in states)
    counts["not here"] = sum(not snapshot.is_whole(state) for state in states)
    return StatusRow(plain(name), counts, known_credits(s.record.credits for s in states))


def table_lines(rows: Sequence[StatusRow], paint: Paint) -> Iterator[str]:
    """The rows below each other; a column in which nothing stands is left out."""
    words = [word for word in WORDS if any(row.counts[word] for row in rows)]
    first = max(columns(row.name) for row in rows)
    money = max(len("credits"), *(len(credits_text(row.credits)) for row in rows))
    header = [" " * first, *words, "credits".rjust(money)]
    yield paint(_GAP.join(header), "dim")
    for row in rows:
        cells = []
        for word in words:
            text = str(row.counts[word] or "").rjust(len(word))
            colour = _COLOURS.get(word)
            cells.append(paint(text, colour) if row.counts[word] and colour else text)
        name = row.name + " " * (first - columns(row.name))
        yield _GAP.join([name, *cells, credits_text(row.credits).rjust(money)])


def _money(snapshot: Snapshot) -> Iterator[str]:
    """What was paid, and what counts against a budget beyond that."""
    ledger = snapshot.ledger
    summary = ledger.summary()
    credits_ = credits_text(summary.credits)
    yield f"{counted(summary.videos, 'video')}, {credits_} credits reserved or charged"
    former = list(ledger.former)
    if former:
        bought = counted(len(former), "request")
        amount = known_credits(state.record.credits for state in former)
        yield f"{bought} bought that left the plan, {credits_text(amount)} credits"
    if ledger.estimated:
        yield estimate_note(ledger)
    yield from difference_notes(ledger.everything)
    yield from _charges(list(ledger.everything), profile_of(snapshot.path, ledger.name))
    if ledger.spent > summary.credits:
        spent = credits_text(ledger.spent)
        yield f"{spent} credits count against a budget: all that may have been charged"


def _charges(states: Sequence[RequestState], profile: str | None) -> Iterator[str]:
    """By model, and by shot where there are several: nothing where all is as it was estimated."""
    charges = [(s, charge) for s in states if (charge := charge_of(s)).estimate is not None]
    if not any(charge.differs for _, charge in charges):
        return
    groups: dict[str, list[Charge]] = {}
    for state, charge in charges:
        groups.setdefault(state.request.model, []).append(charge)
    shots = dict.fromkeys(state.request.shot for state in states)
    for shot in shots if len(shots) > 1 else ():
        groups[f"  {shot}"] = [c for state, c in charges if state.request.shot == shot]
    head = f"profile {profile}" if profile else ""
    rows: list[tuple[str, ...]] = [(head, "estimated", "reserved", "charged")]
    for name, group in groups.items():
        sums = ChargeTotals.of(group)
        amounts = map(credits_text, (sums.estimate, sums.reserved, sums.charged))
        rows.append((plain(name), *amounts))
    first = max(columns(row[0]) for row in rows)
    widths = [max(len(row[index]) for row in rows) for index in (1, 2, 3)]
    for name, *texts in rows:
        cells = [text.rjust(width) for text, width in zip(texts, widths, strict=True)]
        yield _GAP.join([name + " " * (first - columns(name)), *cells])


def _sections(
    unsettled: Sequence[RequestState],
    snapshot: Snapshot,
    names: RunCommands,
    now: float,
    paint: Paint,
) -> Iterator[str]:
    """The first requests of each kind that is not as it should be, and what to do about them."""
    words = ("failed", "indeterminate", "undelivered", "submitted")
    sections = {word: [s for s in unsettled if word_of(s, snapshot) == word] for word in words}
    planned = list(snapshot.ledger.planned)
    sections["warnings"] = [state for state in planned if state.record.warnings]
    sections["not here"] = [state for state in planned if not snapshot.is_whole(state)]
    for word, requests in sections.items():
        if not requests:
            continue
        yield ""
        yield paint(f"{word} ({len(requests)})", _COLOURS.get(word, "bold"))
        for state in requests[:_MOST_TOLD]:
            address = paint(plain(state.request.address), "bold")
            yield f"  {address}: {plain(_state_text(state, word, snapshot, now))}"
            if word == "indeterminate":
                steps = advice(state, names, now, snapshot.ledger.name_of(state))
                yield from (_step(step, paint) for step in steps)
        if len(requests) > _MOST_TOLD:
            rest = "" if word == "not here" else "; --format json has them all"
            yield f"  and {len(requests) - _MOST_TOLD} more{rest}"


def _state_text(state: RequestState, word: Word, snapshot: Snapshot, now: float) -> str:
    """What is to be said of a request below one of the words."""
    record = state.record
    machine = snapshot.machines.get(record.hash)
    by = f"; by {machine}" if machine else ""
    match word:
        case "warnings":  # it is kept, though it is not quite what was asked for
            return ", ".join(record.warnings)
        case "not here":
            videos = record.videos.values()
            return " ".join(video.path for video in videos if not snapshot.is_here(video))
        case "submitted":
            age = f", for {duration_text(now - record.accepted_at)}" if record.accepted_at else ""
            return f"task {record.task_id}{age}{by}"
        case "undelivered":
            made = f"made {duration_text(now - record.made_at)} ago; " if record.made_at else ""
            return f"{reason(record) or 'not fetched yet'}; {made}{life(record, now)}{by}"
        case "indeterminate":
            return f"{doubt(record)}{by}"
        case _:
            return f"{reason(record)}{by}"


def _step(step: NextStep, paint: Paint) -> str:
    return f"    {plain(step.command)}   {paint(plain(step.why), 'dim')}"
