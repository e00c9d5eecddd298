"""`veogen gallery`: a page of clips that works from the file system, without a network."""

import os
import webbrowser

import click

from veogen.cli.files import whole_file
from veogen.cli.rundirs import commands_for, find_run, typed_path
from veogen.executor.directory import RunDirectory
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import read_snapshot
from veogen.gallery.page import gallery


def write_gallery(
    run: str | None, profile: str | None, compare: str | None, *, opens: bool
) -> None:
    """Write the page into the run directory, and its path to stdout."""
    path, now = find_run(run, profile), SystemClock().now()
    snapshot = read_snapshot(path, now)
    other = None
    if compare is not None:
        other_path = find_run(compare)
        other_snapshot = read_snapshot(other_path, now)
        other = other_snapshot, commands_for(other_path, other_snapshot.ledger.name)
    names = commands_for(path, snapshot.ledger.name)
    page = RunDirectory(path).gallery
    text = gallery(snapshot, names, now, folder=path, other=other)
    with whole_file(page) as file:
        file.write(text.encode(errors="replace"))
    click.echo(os.fsencode(typed_path(page)))
    if opens and not webbrowser.open(page.absolute().as_uri()):
        click.echo("No browser could be opened; open the file above.", err=True)
