"""The three streams of a process, which a caller may have closed or filled."""

import codecs
import io
import os
import sys
from typing import Any

_STDIN, _STDOUT, _STDERR = range(3)
_ESCAPED = "veogen.escaped"


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


def tolerate_letters() -> None:
    """Let letters that an output cannot write be escaped, as JSON and Python write them."""
    codecs.register_error(_ESCAPED, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""`é` as `\u00e9`, a letter beyond the first 65,536 as two of these."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end


def tolerate_full_stderr() -> None:
    """Let messages be lost where stderr is full or gone: what a command did stays what it did."""
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    if sys.stderr is sys.__stderr__:  # and nobody else's
        raw = io.BufferedWriter(_Lossy(_STDERR, "w", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, encoding, errors, line_buffering=True)


def discard_stdout() -> None:
    """Let what is still held for stdout go nowhere when Python leaves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
