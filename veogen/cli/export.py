"""`veogen export`: clips under plain names, with a list of them and what other tools open."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from veogen.cli.options import read_globs, read_select
from veogen.cli.output import echo
from veogen.cli.picks import run_picks
from veogen.cli.rundirs import typed_path
from veogen.cli.store_names import FoundRun, answering, fetch_from
from veogen.errors import ExitCode, UsageError
from veogen.executor.directory import write_whole
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import Snapshot, read_snapshot
from veogen.handover.export import LIST, Copied, copy, exports, list_text
from veogen.handover.formats import (
    FORMATS,
    LIMITS,
    Format,
    check_formats,
    write_formats,
    write_frames,
)
from veogen.handover.frames import ENDS, End, NoFrameError
from veogen.planner.identity import combination_of
from veogen.planner.selection import selected
from veogen.results.ledger import RequestState
from veogen.results.picks import Picks, video_clip_id
from veogen.text import counted


def export_clips(
    found_run: FoundRun,
    folder: Path,
    select: Sequence[str],
    deselect: Sequence[str],
    *,
    picked: bool,
    formats: Sequence[str],
    frames: Sequence[str],
) -> ExitCode:
    """Copy the clips that are chosen and list them; `INCOMPLETE` where one cannot be had."""
    chosen = [format_ for format_ in FORMATS if format_ in formats]
    check_formats(chosen)
    run, store = found_run.path, answering(found_run.store)
    snapshot = read_snapshot(run, SystemClock().now(), store)
    found = run_picks(run, snapshot)
    globs = read_select(tuple(select)), read_globs(tuple(deselect))
    states = _chosen(snapshot, globs, picked=picked)
    videos = [
        (state, index)
        for state in states
        for index in sorted(state.record.videos)
        if not picked or _is_picked(state, index, found.picks)
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copied = copy(exports(videos, found.picks, folder), run, folder, fetch_from(store))
        write_whole(folder / LIST, list_text(copied.there).encode())
        ends = [end for end in ENDS if end in frames]
        whole = _write_beside(copied, found.place.beginning, chosen, ends, folder)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
    click.echo(os.fsencode(typed_path(folder / LIST)))
    unmade = [] if picked else [state for state in states if not state.record.videos]
    return ExitCode.DONE if _report(copied, unmade) and whole else ExitCode.INCOMPLETE


def _chosen(
    snapshot: Snapshot, globs: tuple[tuple[str, ...], tuple[str, ...]], *, picked: bool
) -> list[RequestState]:
    """The requests that are selected, of picked ones also those that left the plan."""
    ledger = snapshot.ledger
    states = list(ledger.planned)
    if picked:
        states = _in_order(states, ledger.former)
    addresses = selected(dict.fromkeys(state.request.address for state in states), *globs)
    return [state for state in states if state.request.address in addresses]


def _in_order(
    planned: Sequence[RequestState], former: Iterable[RequestState]
) -> list[RequestState]:
    """The plan's requests in order; after each what was bought of its combination before."""
    places: dict[str, int] = {}
    for index, state in enumerate(planned):
        places.setdefault(_combination(state), index)
    last = len(planned)
    return sorted((*planned, *former), key=lambda state: places.get(_combination(state), last))


def _combination(state: RequestState) -> str:
    return combination_of(state.request.address, state.request.take)


def _is_picked(state: RequestState, index: int, picks: Picks) -> bool:
    return picks.state(video_clip_id(state.request, index, state.record.videos)) == "picked"


def _write_beside(
    copied: Copied, name: str, formats: Sequence[Format], ends: Sequence[End], folder: Path
) -> bool:
    """Write what other tools open, and say what it cannot carry; whether all of it could be."""
    for place in write_formats(formats, name, copied.there, folder):
        if place.suffix != ".xmp":
            click.echo(os.fsencode(typed_path(place)))
    for format_ in formats:
        echo(f"{format_}: {LIMITS[format_]}")
    whole = True
    for result in write_frames(ends, copied.there, folder):
        if isinstance(result, NoFrameError):
            echo(str(result))
            whole = False
    return whole


def _report(copied: Copied, unmade: Iterable[RequestState]) -> bool:
    """Say how many clips are there and which are not, and why; whether all are."""
    echo(counted(len(copied.there), "clip"))
    lines = [
        f"{export.request.address}: {why} ({export.video.path})" for export, why in copied.missing
    ]
    lines += [f"{state.request.address}: {state.record.status}" for state in unmade]
    for line in lines:
        echo(line)
    return not lines
