"""`veogen export`: clips under plain names, with a list of them and what other tools open."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from veogen.cli.options import read_globs, read_select
from veogen.cli.output import echo
from veogen.cli.rundirs import typed_path
from veogen.cli.store_names import FoundRun, answering, fetch_from, look_at
from veogen.errors import ExitCode, UsageError
from veogen.executor.directory import write_whole
from veogen.executor.options import SystemClock
from veogen.handover.export import (
    LIST,
    Copied,
    chosen_requests,
    copy,
    exports,
    list_text,
    videos_of,
)
from veogen.handover.formats import (
    FORMATS,
    LIMITS,
    Format,
    check_formats,
    write_formats,
    write_frames,
)
from veogen.handover.media import ENDS, End, NoFrameError
from veogen.handover.run_picks import run_picks
from veogen.text import counted


def export_clips(
    run: FoundRun,
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
    store = answering(run.store)
    snapshot = look_at(FoundRun(run.path, store), SystemClock().now())
    decided = run_picks(run.path, snapshot)
    globs = read_select(tuple(select)), read_globs(tuple(deselect))
    states = chosen_requests(snapshot.ledger, *globs, picked=picked)
    videos = videos_of(states, decided.picks if picked else None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copied = copy(exports(videos, decided.picks, folder), run.path, folder, fetch_from(store))
        write_whole(folder / LIST, list_text(copied.there).encode())
        ends = [end for end in ENDS if end in frames]
        whole = _write_beside(copied, decided.place.beginning, chosen, ends, folder)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
    click.echo(os.fsencode(typed_path(folder / LIST)))
    if picked and not videos:
        command = shlex.join(["veogen", "picks", typed_path(run.path)])
        echo(f"no clip is picked: {command} tells more")
    echo(counted(len(copied.there), "clip"))
    unmade = [] if picked else [s for s in states if s.record.status != "completed"]
    lacking = [
        f"{export.request.address}: {why} ({export.video.path})" for export, why in copied.missing
    ]
    lacking += [f"{state.request.address}: {state.record.status}" for state in unmade]
    for line in lacking:
        echo(line)
    return ExitCode.DONE if whole and not lacking else ExitCode.INCOMPLETE


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
