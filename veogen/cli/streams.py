"""The three streams of a process, which a caller may have closed or filled."""

import io
import os
import sys
from typing import Any

_STDIN, _STDOUT, _STDERR = range(3)


def reopen_closed_streams() -> None:
    """Give to nobody what a caller closed (`>&-`); else a clip might be opened in its place."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - positional only
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(_STDIN, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", closefd=False)


class _Lossy(io.FileIO):
    """A file to which what cannot be written is not, without a word."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or len(data)  # None: it would have to wait
        except OSError:
            return len(data)


def tolerate_full_stderr() -> None:
    """Let messages be lost where stderr is full or gone: what a command did stays what it did."""
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    if sys.stderr is sys.__stderr__:  # and nobody else's
        raw = io.BufferedWriter(_Lossy(_STDERR, "w", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, encoding, errors, line_buffering=True)


def discard_stdout() -> None:
    """Let what is still held for stdout go nowhere when Python leaves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
