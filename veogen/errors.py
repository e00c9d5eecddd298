"""What can go wrong for a user, and the exit code for it.

An error is one of three: the user's mistake or a dead end (a `VeogenError`, caught in one
place, by the command line), something that happened to one request (an event, never an
exception), or a bug (any other exception: a traceback that nobody dresses up).
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a process says when it ends."""

    DONE = 0
    INCOMPLETE = 1
    USAGE = 2
    STOPPED = 3
    INDETERMINATE = 4
    STALE = 5
    BUG = 70
    INTERRUPTED = 130


class VeogenError(Exception):
    """A dead end that its message explains to the user; nothing was sent because of it."""

    exit_code = ExitCode.USAGE


class UsageError(VeogenError):
    """The command line, the environment or a file asks for something that cannot be."""


class StaleError(VeogenError):
    """A lock is stale or missing, or a difference was found where none was wanted."""

    exit_code = ExitCode.STALE
