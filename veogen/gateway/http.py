"""Requests under the key: sent, timed and logged."""

import logging
import ssl
import time
import zlib
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import replace

import requests
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse, Timeout

from veogen import __version__
from veogen.gateway.parse import request_id
from veogen.gateway.pool import ConnectionPool
from veogen.gateway.settings import Proxies
from veogen.gateway.transport import (
    NETWORK_ERRORS,
    NotConnectedError,
    Response,
    TransportError,
    mask,
    mask_bytes,
    sanitize,
    transport_error,
)

LOGGER = logging.getLogger("veogen.gateway")

LONGEST_LOGGED = 2048


def log_exchange(
    request: PreparedRequest, outcome: Response | TransportError, *, seconds: float, secret: str
) -> None:
    """Say what was asked and what came back, if anybody listens."""
    if not LOGGER.isEnabledFor(logging.DEBUG):
        return
    if isinstance(outcome, TransportError):
        came = sanitize(f"{outcome.kind} ({outcome.message})", secret=secret)
    else:
        name = request_id(outcome.headers, {}, secret=secret)
        trace = f" [request {name}]" if name else ""
        came = f"{outcome.status}{trace} {_body(outcome.body, secret)}"
    LOGGER.debug(
        "%s %s %s -> %s in %.3f s",
        request.method,
        sanitize(request.url, secret=secret, limit=LONGEST_LOGGED),
        _body(request.body, secret),
        came,
        seconds,
    )


def log_download(request: PreparedRequest, opened: BaseHTTPResponse, *, seconds: float) -> None:
    """Say that a clip is on its way, without the signature of its link."""
    if LOGGER.isEnabledFor(logging.DEBUG):
        link = sanitize(request.url, limit=LONGEST_LOGGED).partition("?")[0]
        length = opened.headers.get("content-length", "unknown")
        LOGGER.debug(
            "GET %s %s -> %d (%s bytes) in %.3f s",
            link,
            request.headers.get("Range", ""),
            opened.status,
            sanitize(length, limit=20),
            seconds,
        )


def _body(body: bytes | str | None, secret: str) -> str:
    if not body:
        return "(no body)"
    content = body.encode() if isinstance(body, str) else body
    if len(content) > LONGEST_LOGGED:
        return f"({len(content)} bytes)"
    try:
        return sanitize(mask(content.decode(), secret), secret=secret, limit=LONGEST_LOGGED)
    except UnicodeDecodeError:
        return f"({len(content)} bytes, no text)"


USER_AGENT = f"veogen/{__version__}"
CONNECT_TIMEOUT = 10.0
LONGEST_RESPONSE = 16 * 1024 * 1024

_GZIP = (16 + zlib.MAX_WBITS,)
_DEFLATE = (zlib.MAX_WBITS, -zlib.MAX_WBITS)  # as the standard has it, and as many do it
_PACKED = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE}


def prepare(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> requests.PreparedRequest:
    """A request that holds our headers and no others; the body goes out byte for byte."""
    # Built by hand: the way through `requests.Request` mends the URL, which the pool does as well.
    request = requests.PreparedRequest()
    request.method, request.url, request.body = method, url, body
    # No encoding: an answer is small, a video does not get smaller, and nothing can be a bomb.
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
    pool: ConnectionPool, request: requests.PreparedRequest, *, timeout: float, proxies: Proxies
) -> Response | TransportError:
    """Send one request and read its whole answer; the answer's body has `timeout` as well."""
    try:
        with closing(open_response(pool, request, timeout=timeout, proxies=proxies)) as raw:
            headers = lower(raw)
            packing = headers.get("content-encoding", "").strip().lower()
            body = _read_body(raw, packing, time.monotonic() + timeout)
            return Response(raw.status, headers, body)
    except NotConnectedError as error:
        return TransportError(error.kind, str(error), sent=False)
    except _OversizedError:
        return TransportError("oversized", f"the answer is longer than {LONGEST_RESPONSE} bytes")
    except NETWORK_ERRORS as error:
        return transport_error(error)


def open_response(
    pool: ConnectionPool, request: requests.PreparedRequest, *, timeout: float, proxies: Proxies
) -> BaseHTTPResponse:
    """Send one request and read the head of its answer."""
    return pool.open(
        request,
        timeout=Timeout(connect=min(timeout, CONNECT_TIMEOUT), read=timeout),
        proxy=proxies.for_url(str(request.url)),
    )


def lower(raw: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in raw.headers.items()}


class _OversizedError(Exception):
    """The answer is longer than any that we know what to do with."""


def _read_body(raw: BaseHTTPResponse, packing: str, deadline: float) -> bytes:
    """The body, unpacked where some on the way packed it though nobody asked: it may hold an id.

    A host that sends a byte a minute is not waited for. A bomb is cut off, and is then as garbled
    as what is not packed after all.
    """
    body, length = [], 0
    while chunk := raw.read1(65536, decode_content=False):
        body.append(chunk)
        length += len(chunk)
        if length > LONGEST_RESPONSE:
            raise _OversizedError
        if time.monotonic() > deadline:
            raise TimeoutError
    content = b"".join(body)
    for window in _PACKED.get(packing, ()):
        with suppress(zlib.error):
            return zlib.decompressobj(window).decompress(content, LONGEST_RESPONSE)
    return content


SIMULATED = "x-veogen-simulator"


class HttpClient:
    """Sends requests with the key to the hosts that may see it; safe to use from threads."""

    def __init__(
        self,
        key: str,
        *,
        timeout: float,
        connections: int,
        proxies: Proxies,
        certificates: ssl.SSLContext | None,
    ) -> None:
        self.key = key
        self.simulated: bool | None = None  # whether the last answer came from a simulator
        self._timeout = timeout
        self._proxies = proxies
        self._certificates = certificates
        self._pool = ConnectionPool(certificates, connections=connections)

    def read(self, method: str, url: str, body: bytes | None = None) -> Response | TransportError:
        """Ask what is free to be asked again, over a connection that may have waited for it."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return self.send(prepare(method, url, self._headers(headers), body))

    def send(self, request: PreparedRequest) -> Response | TransportError:
        """As `read`: if the host has closed the waiting connection, ask over another one."""
        outcome = self._exchange(self._pool, request)
        if isinstance(outcome, TransportError) and outcome.kind == "lost":
            return self._exchange(self._pool, request)
        return outcome

    def submit(self, url: str, body: bytes, idempotency_key: str) -> Response | TransportError:
        """POST once, over a connection of its own: a stale one would leave us in doubt."""
        headers = {
            "Content-Type": "application/json",
            "Connection": "close",
            "Idempotency-Key": idempotency_key,
        }
        request = prepare("POST", url, self._headers(headers), body)
        with ConnectionPool(self._certificates, connections=1) as fresh:
            return self._exchange(fresh, request)

    def upload(self, url: str, name: str, content: bytes, mime: str) -> Response | TransportError:
        """POST a file as a form."""
        return self.send(prepare_upload(url, self._headers({}), (name, content, mime)))

    def close(self) -> None:
        """Close the connections that wait for their next use."""
        self._pool.close()

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Accept": "application/json", **more}

    def _exchange(
        self, pool: ConnectionPool, request: PreparedRequest
    ) -> Response | TransportError:
        begun = time.monotonic()
        outcome = exchange(pool, request, timeout=self._timeout, proxies=self._proxies)
        # As if the key had never been echoed: no id, link or error can carry it on.
        if isinstance(outcome, TransportError):
            outcome = replace(outcome, message=sanitize(outcome.message, secret=self.key))
        else:
            headers = {name: mask(value, self.key) for name, value in outcome.headers.items()}
            outcome = Response(outcome.status, headers, mask_bytes(outcome.body, self.key))
        log_exchange(request, outcome, seconds=time.monotonic() - begun, secret=self.key)
        if isinstance(outcome, Response):
            self.simulated = outcome.headers.get(SIMULATED, "") not in ("", "0", "false")
        return outcome
