"""The three streams of a process, which a caller may have closed or filled."""

import os
import sys

_STDIN, _STDOUT, _STDERR = range(3)


def open_what_is_closed() -> None:
    """Give to nobody what a caller closed (`>&-`); else a clip might be opened in its place."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - positional only
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(_STDIN, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", closefd=False)


def say_no_more() -> None:
    """Let what is still held for stdout go nowhere when Python leaves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
