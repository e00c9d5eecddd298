"""What a command says beside its data."""

import click

from veogen.terminal import plain


def say_line(text: str) -> None:
    """Say something on a line of its own, safely: names of files and the network are input."""
    click.echo(plain(text), err=True)
