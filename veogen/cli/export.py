"""`veogen export`: clips under plain names, with a list of them."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from veogen.cli.options import read_globs, read_select
from veogen.cli.rundirs import typed_path
from veogen.errors import ExitCode, UsageError
from veogen.executor.export import LIST, copy, exports
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import Snapshot, read_snapshot
from veogen.planner.selection import selected
from veogen.results.ledger import RequestState
from veogen.text import counted, plain


def export_clips(
    run: Path, folder: Path, select: Sequence[str], deselect: Sequence[str]
) -> ExitCode:
    """Copy the clips of the chosen requests and list them; `INCOMPLETE` where one has no clip."""
    snapshot = read_snapshot(run, SystemClock().now())
    planned = list(snapshot.ledger.planned)
    globs = read_select(tuple(select)), read_globs(tuple(deselect))
    addresses = selected((state.request.address for state in planned), *globs)
    chosen = [state for state in planned if state.request.address in addresses]
    ready = [s for s in chosen if s.record.videos and snapshot.has_files(s)]
    clips = list(exports(ready))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy(clips, snapshot, folder)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
    click.echo(os.fsencode(typed_path(folder / LIST)))
    return _missing(chosen, snapshot, len(clips))


def _missing(chosen: Sequence[RequestState], snapshot: Snapshot, copied: int) -> ExitCode:
    """Say which chosen requests brought nothing, and why."""
    click.echo(counted(copied, "clip"), err=True)
    code = ExitCode.DONE
    for standing in chosen:
        if standing.record.status != "completed" or not snapshot.is_whole(standing):
            code = ExitCode.INCOMPLETE
            here = "" if snapshot.is_whole(standing) else ", not here"
            line = f"{standing.request.address}: {standing.record.status}{here}"
            click.echo(plain(line), err=True)
    return code
