"""`veogen picks`: what was decided about clips, what is open, and files of galleries taken in."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from veogen.cli.output import echo, whole_file
from veogen.cli.rundirs import runs_here, typed_path
from veogen.cli.store_names import FoundRun, look_at
from veogen.document.files import read_file
from veogen.document.problems import MistakesError, Problems
from veogen.errors import ExitCode, UsageError
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import Snapshot, read_snapshot
from veogen.handover.run_picks import RunPicks, picks_folder, run_picks
from veogen.results.picks import (
    MAX_BYTES,
    ClipState,
    Review,
    clips_of,
    laid_over,
    picks_text,
    read_picks,
    review,
    saved_name,
)
from veogen.text import Colour, Paint, columns, counted, paint, plain, plain_json

_COLOURS: dict[ClipState, Colour] = {
    "picked": "green",
    "rejected": "dim",
    "contested": "yellow",
    "stale": "yellow",
}


def run_of_files(imports: Sequence[Path]) -> str | None:
    """The one run here that the names of saved files are about; None where they do not tell."""
    about = []
    for path in runs_here() if imports else ():
        place = picks_folder(path, read_snapshot(path, SystemClock().now()))
        if all(place.person(saved_name(file.name)) for file in imports):
            about.append(path)
    return str(about[0]) if len(about) == 1 else None


def show_picks(run: FoundRun, imports: Sequence[Path], format_: str, *, check: bool) -> ExitCode:
    """What `veogen picks` does; exit code 5 with `check` while something is open."""
    snapshot = look_at(run, SystemClock().now())
    decided = run_picks(run.path, snapshot)
    if imports:
        _import(decided, imports)
        decided = run_picks(run.path, snapshot)
    reviewed = review(clips_of(snapshot.ledger), decided.picks)
    if format_ == "json":
        data = [
            {
                "address": each.clip.address,
                "clip": each.clip.clip,
                "path": each.clip.path,
                "state": each.state,
                "verdicts": [opinion._asdict() for opinion in each.opinions],
            }
            for each in reviewed.clips
        ]
        click.echo(plain_json(json.dumps(data, indent=2, ensure_ascii=False)))
    else:
        for line in _lines(reviewed, decided, typed_path(run.path), paint(sys.stdout, os.environ)):
            click.echo(line)
    return ExitCode.STALE if check and not reviewed.is_decided else ExitCode.DONE


def _import(decided: RunPicks, imports: Sequence[Path]) -> None:
    """Put files that galleries saved in their place, all of them or none."""
    problems = Problems()
    by_person: dict[str, list[Path]] = {}
    for file in imports:
        person = decided.place.person(saved_name(file.name))
        if person is None:
            expected = decided.place.file("NAME").name
            raise UsageError(f"{file}: the name of a picks file of this run is {expected}")
        by_person.setdefault(person, []).append(file)
    new = {}
    for person, files in by_person.items():
        decisions = decided.picks.people.get(person, ())
        for file in files:
            try:
                decisions = laid_over(decisions, read_picks(read_file(file, MAX_BYTES), str(file)))
            except MistakesError as error:
                problems.extend(error.problems)
            except OSError as error:
                raise UsageError(f"{file}: {error.strerror}") from None
        new[person] = decisions
    problems.raise_errors()
    for person, decisions in new.items():
        place = decided.path(person)
        text = picks_text(decisions).encode()
        changed = not place.exists() or place.read_bytes() != text
        if changed:
            with whole_file(place) as file_:
                file_.write(text)
        echo(
            f"{typed_path(place)}: {'written' if changed else 'nothing new'}, "
            f"{counted(len(decisions), 'clip')}"
        )


def _lines(reviewed: Review, decided: RunPicks, run: str, paint: Paint) -> Iterator[str]:
    """A line a clip, then what is open and what to type."""
    width = max((columns(plain(each.clip.address)) for each in reviewed.clips), default=0)
    for each in reviewed.clips:
        address = plain(each.clip.address)
        verdicts = (
            f"{plain(opinion.by)} {'picks' if opinion.verdict == 'pick' else 'rejects'}"
            f"{f': {plain(opinion.note)}' if opinion.note else ''}"
            for opinion in each.opinions
        )
        gone = " (the clip left the plan)" if each.state == "stale" else ""
        state = each.state.ljust(len("unreviewed"))
        state = paint(state, _COLOURS[each.state]) if each.state in _COLOURS else state
        name = address + " " * (width - columns(address))
        line = f"{name}  {each.clip.clip.ljust(12)}  {state}  {'; '.join(verdicts)}{gone}"
        yield line.rstrip()
    if reviewed.clips:
        yield ""
    yield summary(reviewed)
    for shot in reviewed.without_pick:
        yield f"{plain(shot)}: no clip is picked yet"
    if not decided.picks.people:
        name = decided.place.file("NAME").name
        yield (
            f"Nobody has decided anything: look at {shlex.join(['veogen', 'gallery', run])}, save "
            f"your picks, and type: {shlex.join(['veogen', 'picks', run, '--import', name])}"
        )


def picks_line(snapshot: Snapshot) -> str | None:
    """Where the choosing of a run stands, in one line; None where nobody has decided anything."""
    try:
        decided = run_picks(snapshot.path, snapshot)
    except MistakesError as error:
        return f"picks: {error.problems[0]}"
    if not decided.picks.people:
        return None
    return f"picks: {summary(review(clips_of(snapshot.ledger), decided.picks))}"


def summary(reviewed: Review) -> str:
    """Where the choosing stands, in one line."""
    states: tuple[ClipState, ...] = ("picked", "rejected", "contested", "stale", "unreviewed")
    counts = [f"{reviewed.count(state)} {state}" for state in states if reviewed.count(state)]
    without = len(reviewed.without_pick)
    if without:
        counts.append(f"{counted(without, 'shot')} without a pick")
    return f"{counted(len(reviewed.clips), 'clip')}: {', '.join(counts) or 'nothing to decide'}"
