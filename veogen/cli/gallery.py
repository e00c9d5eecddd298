"""`veogen gallery`: a page of clips that works from the file system, without a network."""

import os
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veogen.cli.output import echo, whole_file
from veogen.cli.rundirs import commands_for, typed_path
from veogen.cli.store_names import FoundRun, answering, fetch_from, kept_only_there, look_at
from veogen.errors import ExitCode, UsageError
from veogen.executor.directory import RunDirectory
from veogen.executor.options import SystemClock
from veogen.gallery.data import PageRun
from veogen.gallery.page import clips_of_page, copied_clips, gallery
from veogen.handover.export import Fetch
from veogen.handover.run_picks import run_picks
from veogen.results.events import Video

if TYPE_CHECKING:
    pass

OTHER = "compared"
"""Where the clips of the run to compare with stand, below the folder of the page."""


def write_gallery(
    own: FoundRun, other: FoundRun | None, out: Path | None, *, proxies: bool, opens: bool
) -> ExitCode:
    """Write the page into the run directory, or with its clips into `out`; its path to stdout.

    `INCOMPLETE` where a clip could not be put beside the page.
    """
    now, folder = SystemClock().now(), own.path if out is None else out
    meant = [FoundRun(r.path, answering(r.store)) for r in (own, other) if r is not None]
    runs = []
    for run in meant:
        snapshot = look_at(run, now)
        decided = run_picks(run.path, snapshot)
        commands = commands_for(run.path, snapshot.ledger.name)
        page_run = PageRun(
            snapshot=snapshot,
            commands=commands,
            picks=decided.picks,
            picks_name=decided.place.beginning,
        )
        stored = kept_only_there(run.store, clips_of_page(page_run), snapshot.is_here)
        note = f"It is only in the store; {commands.collect} brings it here."
        runs.append(replace(page_run, missing=dict.fromkeys(stored, note)))
    missing: Sequence[Video] = ()
    if out is not None:
        fetches = [fetch_from(run.store) for run in meant]
        runs, missing = _with_clips(runs, out, fetches, proxies=proxies)
    elif proxies:
        raise UsageError("--proxies needs --out: the folder that the page and they go to")
    page = RunDirectory(folder).gallery
    text = gallery(runs[0], now, folder=folder, other=runs[1] if runs[1:] else None)
    with whole_file(page) as file:
        file.write(text.encode(errors="replace"))
    click.echo(os.fsencode(typed_path(page)))
    if opens and not webbrowser.open(page.absolute().as_uri()):
        click.echo("No browser could be opened; open the file above.", err=True)
    for video in missing:
        echo(f"{video.path}: it is not here, so it is not in the folder")
    return ExitCode.INCOMPLETE if missing else ExitCode.DONE


def _with_clips(
    runs: Sequence[PageRun], out: Path, fetches: Sequence[Fetch | None], *, proxies: bool
) -> tuple[list[PageRun], list[Video]]:
    """The runs as a page in a folder shows them, with what is not in it; their clips are there."""
    shown_there: list[PageRun] = []
    missing: list[Video] = []
    try:
        for index, run in enumerate(runs):
            folder = out / OTHER if index else out
            folder.mkdir(parents=True, exist_ok=True)
            place, absent = copied_clips(run, folder, fetches[index], proxies=proxies)
            shown_there.append(replace(run, place=place))
            missing += absent
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from None
    return shown_there, missing
