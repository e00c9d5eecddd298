"""Answers whose head comes in time, or not at all."""

import socket
import time
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class PunctualResponse(HTTPResponse):
    """An answer whose whole head may take as long as the socket waits for one byte of it.

    Else a host that sends a byte a minute, or says to wait again and again, would be waited for
    without an end. How long a body may take is for its reader to say.
    """

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._raw = _Timed(self.fp.detach(), sock.gettimeout())
        self.fp = BufferedReader(self._raw)

    def begin(self) -> None:
        super().begin()
        self._raw.until = inf


class _Timed(RawIOBase):
    """What comes over a connection, `until` its time is over."""

    def __init__(self, raw: RawIOBase, seconds: float | None) -> None:
        self._raw = raw
        self.until = inf if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if time.monotonic() > self.until:
            raise TimeoutError
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
