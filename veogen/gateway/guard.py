"""Connections that lead to the public internet only, whatever a link or its host's name says."""

import socket
from collections.abc import Iterable, Mapping
from typing import ClassVar

from urllib3 import HTTPConnectionPool
from urllib3.util.url import Url

from veogen.gateway.connections import PlainConnection, PlainPool, TlsConnection, TlsPool, Wire
from veogen.gateway.failures import NotConnectedError
from veogen.gateway.text import clean
from veogen.hosts import is_public


class _Guarded:
    """A connection to a public address only, or to the proxy, which sees to it by itself.

    The name is looked up before anything is sent there. Between that and the connection the
    answer may change, so the address that was connected to is looked at as well, before a request
    goes out.
    """

    host: str
    port: int
    proxy: Url | None
    sock: socket.socket | None

    def connect(self) -> None:
        if self.proxy is None:
            self._check(_addresses(self.host, self.port))
        super().connect()  # type: ignore[misc]
        if self.proxy is None and self.sock is not None:
            self._check([self.sock.getpeername()[0]])

    def _check(self, addresses: Iterable[str]) -> None:
        if not all(is_public(address) for address in addresses):
            raise NotConnectedError("forbidden", private_message(self.host))


class _GuardedPlain(_Guarded, PlainConnection):
    """http, which no link has: a second lock on that door."""


class _GuardedTls(_Guarded, TlsConnection):
    """https."""


class _GuardedPlainPool(PlainPool):
    ConnectionCls = _GuardedPlain


class _GuardedTlsPool(TlsPool):
    ConnectionCls = _GuardedTls


class GuardedWire(Wire):
    """A pool of connections to the public internet only."""

    pools: ClassVar[Mapping[str, type[HTTPConnectionPool]]] = {
        "http": _GuardedPlainPool,
        "https": _GuardedTlsPool,
    }


def private_message(host: str) -> str:
    return f"{clean(host, limit=100)} is not a host of the public internet"


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []  # connecting will say why
    return [str(address[4][0]) for address in found]
