"""`veogen gallery`: a page of clips that works from the file system, without a network."""

import os
import webbrowser
from pathlib import Path

import click

from veogen.cli.files import whole_file
from veogen.cli.picks import run_picks
from veogen.cli.rundirs import commands_for, find_run, typed_path
from veogen.executor.directory import RunDirectory
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import read_snapshot
from veogen.gallery.data import PageRun
from veogen.gallery.page import gallery


def write_gallery(
    run: str | None, profile: str | None, compare: str | None, *, simulate: bool, opens: bool
) -> None:
    """Write the page into the run directory, and its path to stdout."""
    path, now = find_run(run, profile, simulate=simulate), SystemClock().now()
    page_run = _page_run(path, now)
    other = None if compare is None else _page_run(find_run(compare), now)
    page = RunDirectory(path).gallery
    text = gallery(page_run, now, folder=path, other=other)
    with whole_file(page) as file:
        file.write(text.encode(errors="replace"))
    click.echo(os.fsencode(typed_path(page)))
    if opens and not webbrowser.open(page.absolute().as_uri()):
        click.echo("No browser could be opened; open the file above.", err=True)


def _page_run(path: Path, now: float) -> PageRun:
    """A run as a page shows it, with what everybody decided about its clips."""
    snapshot = read_snapshot(path, now)
    found = run_picks(path, snapshot)
    return PageRun(
        snapshot=snapshot,
        commands=commands_for(path, snapshot.ledger.name),
        picks=found.picks,
        picks_name=found.place.beginning,
    )
