"""Answers that come in time, piece by piece, or not at all."""

import socket
import time
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class PunctualResponse(HTTPResponse):
    """An answer whose head, and each piece of its body, takes at most as long as a byte of it may.

    Else a host that sends a byte a minute, of a header or of the length of a chunk, would be waited
    for without an end. How many pieces are waited for is for the reader to say.
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

    def read1(self, n: int = -1) -> bytes:
        self._raw.renew()
        return super().read1(n)


class _Timed(RawIOBase):
    """What comes over a connection, until its time is over."""

    def __init__(self, raw: RawIOBase, seconds: float | None) -> None:
        self._raw = raw
        self._seconds = inf if seconds is None else seconds
        self.renew()

    def renew(self) -> None:
        """Begin its time anew."""
        self._until = time.monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if time.monotonic() > self._until:
            raise TimeoutError
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
