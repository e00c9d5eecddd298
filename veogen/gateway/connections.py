"""Connections that say whether they ever stood, and pools of them."""

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any, ClassVar, Self

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from veogen.errors import UsageError
from veogen.gateway.failures import not_connected
from veogen.gateway.punctual import PunctualResponse


class _Telling:
    """A connection that raises `NotConnectedError` for all that fails before it stands."""

    response_class: type[HTTPResponse] = PunctualResponse
    sock: socket.socket | None
    host: str

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            raise not_connected(error) from error


class PlainConnection(_Telling, HTTPConnection):
    """http, to this machine only."""


class TlsConnection(_Telling, HTTPSConnection):
    """https."""


class PlainPool(HTTPConnectionPool):
    """Connections over http."""

    ConnectionCls = PlainConnection


class TlsPool(HTTPSConnectionPool):
    """Connections over https."""

    ConnectionCls = TlsConnection


class Wire(HTTPAdapter):
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
