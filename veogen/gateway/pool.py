"""Connections that say whether they ever stood, and pools of them."""

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from http.client import BadStatusLine, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Self

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry
from urllib3.util.url import Url

from veogen.errors import UsageError
from veogen.gateway.transport import NotConnectedError, not_connected, sanitize
from veogen.hosts import is_public

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class DeadlineResponse(HTTPResponse):
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
        self._raw = _DeadlineReader(self.fp.detach(), sock.gettimeout())
        self.fp = BufferedReader(self._raw)

    def read1(self, n: int = -1) -> bytes:
        self._raw.renew()
        return super().read1(n)

    def _read_status(self) -> tuple[str, int, str]:
        """The status of the answer itself: interim ones (1xx) are passed over.

        The inherited way knows 100 alone, and takes `103 Early Hints` for the answer.
        """
        for _ in range(_MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc] # not in typeshed
            if not _INTERIM <= status < _SUCCESS:
                return version, status, reason
            while self.fp.readline(_LONGEST_LINE).strip():
                pass
        raise BadStatusLine("no end of interim answers")


_INTERIM, _SUCCESS = 100, 200
_MOST_INTERIM = 100
_LONGEST_LINE = 65_536


class _DeadlineReader(RawIOBase):
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


class _ConnectErrors:
    """A connection that raises `NotConnectedError` for all that fails before it stands."""

    response_class: type[HTTPResponse] = DeadlineResponse
    sock: socket.socket | None
    host: str

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            raise not_connected(error) from error


class PlainConnection(_ConnectErrors, HTTPConnection):
    """http, to this machine only."""


class TlsConnection(_ConnectErrors, HTTPSConnection):
    """https."""


class PlainPool(HTTPConnectionPool):
    """Connections over http."""

    ConnectionCls = PlainConnection


class TlsPool(HTTPSConnectionPool):
    """Connections over https."""

    ConnectionCls = TlsConnection


class ConnectionPool(HTTPAdapter):
    """A pool of connections that are verified against one set of certificates, read once."""

    pools: ClassVar[Mapping[str, type[HTTPConnectionPool]]] = {"http": PlainPool, "https": TlsPool}

    def __init__(self, certificates: ssl.SSLContext | None, *, connections: int) -> None:
        self._tls: dict[str, Any] = {"ssl_context": certificates} if certificates else {}
        super().__init__(
            pool_connections=4,
            pool_maxsize=connections,
            max_retries=Retry(0, read=False, redirect=False),
        )

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - inherited
        **kwargs: Any,
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._tls)
        self.poolmanager.pool_classes_by_scheme = dict(self.pools)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs, **self._tls)
        manager.pool_classes_by_scheme = dict(self.pools)
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave it to the one context; the inherited way reads all certificates per connection."""

    def open(
        self, request: PreparedRequest, *, timeout: Timeout, proxy: str | None
    ) -> BaseHTTPResponse:
        """Send a request and read the head of its answer.

        As the inherited `send`, which spends a fifth of the whole exchange on a response of its own
        and on looking at the URL again and again.
        """
        manager = self.proxy_manager_for(proxy) if proxy else self.poolmanager
        opened: BaseHTTPResponse = manager.urlopen(
            request.method,
            request.url,
            body=request.body,
            headers=request.headers,
            redirect=False,
            preload_content=False,
            decode_content=False,
            retries=self.max_retries,
            timeout=timeout,
        )
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def certificates(ca_bundle: str | None = None) -> ssl.SSLContext:
    """The context that verifies a server against the bundle (left out, the one of requests).

    Raises `UsageError` for one without certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    except ssl.SSLError:
        raise UsageError(f"{ca_bundle}: there is no certificate in it") from None


class _PublicOnly:
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
            try:
                addresses = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                addresses = []  # connecting will say why
            self._check([str(address[4][0]) for address in addresses])
        super().connect()  # type: ignore[misc]
        if self.proxy is None and self.sock is not None:
            self._check([self.sock.getpeername()[0]])

    def _check(self, addresses: Iterable[str]) -> None:
        if not all(is_public(address) for address in addresses):
            raise NotConnectedError("forbidden", private_message(self.host))


class _PublicPlainConnection(_PublicOnly, PlainConnection):
    """http, which no link has: refused here a second time."""


class _PublicTlsConnection(_PublicOnly, TlsConnection):
    """https."""


class _PublicPlainPool(PlainPool):
    ConnectionCls = _PublicPlainConnection


class _PublicTlsPool(TlsPool):
    ConnectionCls = _PublicTlsConnection


class PublicPool(ConnectionPool):
    """A pool of connections to the public internet only."""

    pools: ClassVar[Mapping[str, type[HTTPConnectionPool]]] = {
        "http": _PublicPlainPool,
        "https": _PublicTlsPool,
    }


def private_message(host: str) -> str:
    return f"{sanitize(host, limit=100)} is not a host of the public internet"
