"""How a command ends that an exception ended: what is said, and the exit code.

Loaded when something went wrong, so that a command that goes well does not wait for it.
"""

import errno
import platform
import shlex
import sys
import traceback
from collections.abc import Sequence

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
            click.echo(f"Interrupted{_what_goes_on(sys.argv[1:])}", err=True)
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
        case _:
            return _bug(error)


def _what_goes_on(words: Sequence[str]) -> str:
    """What is to be said of a command that was left at once."""
    if words[:1] not in (["run"], ["collect"]):
        return "."
    return f": everything known is on record. Go on: {shlex.join(['veogen', *words])}"


def _bug(error: Exception) -> ExitCode:
    """The last resort: shown whole, with what a report needs."""
    traceback.print_exception(error)
    click.echo(
        "This is a bug in veogen. Please report it where you got veogen from, with the lines "
        f"above: veogen {__version__}, Python {platform.python_version()}, {platform.platform()}.",
        err=True,
    )
    return ExitCode.BUG
