"""Where progress is written: whoever watches may go away, the run goes on."""

import os
from typing import TextIO

_USUAL_WIDTH = 80


class Out:
    """A stream that falls silent when it cannot be written to any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False
        self.encoding = stream.encoding or "ascii"

    def write(self, text: str) -> int:
        try:
            if not self._gone:
                self._stream.write(self._encodable(text))
        except (OSError, ValueError):  # a pipe without a reader, a terminal that was closed
            self._gone = True
        return len(text)

    def flush(self) -> None:
        try:
            if not self._gone:
                self._stream.flush()
        except (OSError, ValueError):
            self._gone = True

    def line(self, text: str) -> None:
        """Write a line so that it is seen at once."""
        self.write(f"{text}\n")
        self.flush()

    @property
    def width(self) -> int:
        """How many columns can be written to without a wrap."""
        try:
            found = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            found = 0
        return (found or _USUAL_WIDTH) - 1

    def _encodable(self, text: str) -> str:
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)
