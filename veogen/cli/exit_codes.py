"""How a command ends that an exception ended: what is said, and the exit code.

Loaded when something went wrong, so that a command that goes well does not wait for it.
"""

import errno
import platform
import shlex
import sys
import traceback

import click

from veogen import __version__
from veogen.cli.streams import discard_stdout
from veogen.document.problems import MistakesError
from veogen.errors import ExitCode, VeogenError
from veogen.text import plain_lines

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_THE_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)
"""What is wrong with a file or folder that somebody named, wherever it is met."""


def exit_code_for(error: Exception) -> ExitCode:
    """Say what an exception means to the user; every one has its exit code here."""
    match error:
        case click.ClickException():
            error.show()
            return ExitCode.USAGE
        case click.Abort():
            words, rest = sys.argv[1:], "."  # it was left at once
            if words[:1] in (["run"], ["collect"]):
                command = shlex.join(["veogen", *words])
                rest = f": everything known is on record. Go on: {command}"
            click.echo(f"Interrupted{rest}", err=True)
            return ExitCode.INTERRUPTED
        case MistakesError():
            from veogen.cli.output import print_problems  # noqa: PLC0415 - only where it is needed

            print_problems(error.problems, sys.stderr)
            return error.exit_code
        case VeogenError():
            click.echo(f"error: {plain_lines(str(error))}", err=True)
            return error.exit_code
        case BrokenPipeError():  # the reader of our output went away: nothing left to say
            discard_stdout()
            return ExitCode.INCOMPLETE
        case OSError() if error.errno in _NO_ROOM:  # nobody's mistake
            discard_stdout()
            click.echo(f"error: what was to be written found no room: {error.strerror}", err=True)
            return ExitCode.STOPPED
        case OSError() if error.errno in _THE_PLACE and error.filename is not None:
            click.echo(plain_lines(f"error: {error.filename}: {error.strerror}"), err=True)
            return ExitCode.USAGE
        case _:  # the last resort: shown whole, with what a report needs
            traceback.print_exception(error)
            version = f"veogen {__version__}, Python {platform.python_version()}"
            click.echo(
                "This is a bug in veogen. Please report it where you got veogen from, with the "
                f"lines above: {version}, {platform.platform()}.",
                err=True,
            )
            return ExitCode.BUG
