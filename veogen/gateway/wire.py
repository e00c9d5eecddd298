"""One request, one answer: what requests is used for, and how its exceptions are told apart.

A transport adapter is used by itself, without a `requests.Session` around it: so nothing can
follow a redirect, keep a cookie, read a .netrc or look into the environment.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException
from typing import Any, ClassVar, Literal, Self, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.util.retry import Retry

from veogen import __version__
from veogen.gateway.proxies import Proxies
from veogen.gateway.text import clean

USER_AGENT = f"veogen/{__version__}"
CONNECT_TIMEOUT = 10.0
LONGEST_ANSWER = 16 * 1024 * 1024

Kind: TypeAlias = Literal[
    "unresolved",
    "refused",
    "connect-timeout",
    "tls",
    "forbidden",
    "timeout",
    "lost",
    "oversized",
]

NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
"""All that a connection and what comes over it can make the libraries below raise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """There is no whole answer. `sent` is False when surely no byte of the request was written."""

    kind: Kind
    message: str
    sent: bool = True


class NotConnectedError(Exception):
    """No connection came about, so nothing was written.

    Neither requests nor urllib3 know the class: it comes through both of them as it was raised.
    Their own classes would not do. A `requests.SSLError`, for one, is a handshake that failed as
    well as a connection that broke while the answer was read.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Telling:
    """A connection that raises `NotConnectedError` for all that fails before it stands."""

    sock: socket.socket | None
    host: str

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            kind = _connect_kind(error)
            raise NotConnectedError(kind, f"{_WORDS[kind]}: {reason(error)}") from error


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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def certificates(ca_bundle: str | None = None) -> ssl.SSLContext:
    """The context that verifies a server against the bundle (left out, the one of requests)."""
    return ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)


def prepare(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> requests.PreparedRequest:
    """A request that holds our headers and no others; the body goes out byte for byte."""
    # No encoding: an answer is small, a video does not get smaller, and nothing can be a bomb.
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    return requests.Request(method, url, headers=own, data=body).prepare()


def prepare_sound(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> requests.PreparedRequest:
    """As `prepare`, at half the price, for an URL that is known to need no mending."""
    request = requests.PreparedRequest()
    request.method, request.url, request.body = method, url, body
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    request.headers = CaseInsensitiveDict(own)
    request.prepare_content_length(body)
    return request


def prepare_upload(
    url: str, headers: Mapping[str, str], file: tuple[str, bytes, str]
) -> requests.PreparedRequest:
    """A form with one file: its name, content and type."""
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    return requests.Request("POST", url, headers=own, files={"file": file}).prepare()


def exchange(
    wire: Wire, request: requests.PreparedRequest, *, timeout: float, proxies: Proxies
) -> Answer | Broken:
    """Send one request and read its whole answer; the answer's body has `timeout` as well."""
    try:
        with closing(open_answer(wire, request, timeout=timeout, proxies=proxies)) as raw:
            body = b"".join(_read(raw, time.monotonic() + timeout))
            return Answer(raw.status, lower(raw), body)
    except NotConnectedError as error:
        return Broken(error.kind, str(error), sent=False)
    except _OversizedError:
        return Broken("oversized", f"the answer is longer than {LONGEST_ANSWER} bytes")
    except NETWORK_ERRORS as error:
        return broken(error)


def open_answer(
    wire: Wire, request: requests.PreparedRequest, *, timeout: float, proxies: Proxies
) -> HTTPResponse:
    """Send one request and read the head of its answer."""
    proxy = proxies.for_url(str(request.url))
    response = wire.send(
        request,
        stream=True,
        timeout=(min(timeout, CONNECT_TIMEOUT), timeout),
        proxies={"https": proxy} if proxy else None,
    )
    raw: HTTPResponse = response.raw
    return raw


def lower(raw: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in raw.headers.items()}


def broken(error: BaseException) -> Broken:
    """What an exception after the connection stood means."""
    chain = list(_chain(error))
    if any(isinstance(link, TimeoutError | ReadTimeoutError | requests.Timeout) for link in chain):
        return Broken("timeout", _WORDS["timeout"])
    return Broken("lost", f"{_WORDS['lost']}: {reason(error)}")


def reason(error: BaseException) -> str:
    """The innermost cause of an exception, in its own words."""
    innermost = list(_chain(error))[-1]
    if isinstance(innermost, BadStatusLine) and not isinstance(innermost, ConnectionError):
        return "what came is no HTTP"
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return clean(str(innermost), limit=200) or type(innermost).__name__


_WORDS: Mapping[Kind, str] = {
    "unresolved": "the host name has no address",
    "refused": "no connection",
    "connect-timeout": "no connection in time",
    "tls": "no secure connection",
    "timeout": "no answer in time",
    "lost": "the connection was lost",
}


class _OversizedError(Exception):
    """The answer is longer than any that we know what to do with."""


def _read(raw: HTTPResponse, deadline: float) -> Iterator[bytes]:
    """The body as it comes, so that a host that sends a byte a minute is not waited for."""
    left = LONGEST_ANSWER
    while chunk := raw.read1(65536, decode_content=False):
        yield chunk
        left -= len(chunk)
        if left < 0:
            raise _OversizedError
        if time.monotonic() > deadline:
            raise TimeoutError


def _connect_kind(error: Exception) -> Kind:
    if isinstance(error, NameResolutionError):
        return "unresolved"
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return "connect-timeout"
    if isinstance(error, TimeoutError):  # in the handshake, or a proxy that does not answer
        return "connect-timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "refused"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and what it was made of, the innermost last."""
    seen: set[int] = set()
    link: object = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        wrapped = next((arg for arg in reversed(link.args) if isinstance(arg, Exception)), None)
        link = getattr(link, "reason", None) or wrapped or link.__cause__
