"""A real pseudo-terminal, and what somebody sees who sits before it."""

import os
import termios
from typing import Self

import pyte

_MARK = b"\x00end\x00"


class Screen:
    """Write to `stream`, then read `lines`: a terminal emulator has drawn what was written."""

    def __init__(self, columns: int = 100) -> None:
        self._master, self._slave = os.openpty()
        self.stream = os.fdopen(os.dup(self._slave), "w", encoding="utf-8")
        self._terminal = pyte.Screen(columns, 24)
        self._emulator = pyte.ByteStream(self._terminal)
        self.raw = b""
        self.resize(columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        os.close(self._slave)
        os.close(self._master)

    def resize(self, columns: int) -> None:
        termios.tcsetwinsize(self._slave, (24, columns))
        self._terminal.resize(columns=columns)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, down to the last line that is not empty."""
        self._read()
        text = "\n".join(line.rstrip() for line in self._terminal.display)
        return text.rstrip("\n").split("\n")

    @property
    def cursor(self) -> tuple[int, int]:
        """The line and column of the cursor, from 0."""
        self._read()
        return self._terminal.cursor.y, self._terminal.cursor.x

    def _read(self) -> None:
        os.write(self._slave, _MARK)
        found = b""
        while _MARK not in found:
            found += os.read(self._master, 65536)
        shown = found.replace(_MARK, b"")
        self.raw += shown
        self._emulator.feed(shown)
