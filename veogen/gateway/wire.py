"""One request, one answer.

A transport adapter is used by itself, without a `requests.Session` around it: so nothing can
follow a redirect, keep a cookie, read a .netrc or look into the environment.
"""

import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing

import requests
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse, Timeout

from veogen import __version__
from veogen.gateway.connections import Wire
from veogen.gateway.exchange import Answer, Broken
from veogen.gateway.failures import NETWORK_ERRORS, NotConnectedError, broken
from veogen.gateway.proxies import Proxies

USER_AGENT = f"veogen/{__version__}"
CONNECT_TIMEOUT = 10.0
LONGEST_ANSWER = 16 * 1024 * 1024

_GZIP = 16 + zlib.MAX_WBITS


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
    wire: Wire, request: requests.PreparedRequest, *, timeout: float, proxies: Proxies
) -> Answer | Broken:
    """Send one request and read its whole answer; the answer's body has `timeout` as well."""
    try:
        with closing(open_answer(wire, request, timeout=timeout, proxies=proxies)) as raw:
            body = b"".join(_read(raw, time.monotonic() + timeout))
            headers = lower(raw)
            return Answer(raw.status, headers, _unpacked(body, headers))
    except NotConnectedError as error:
        return Broken(error.kind, str(error), sent=False)
    except _OversizedError:
        return Broken("oversized", f"the answer is longer than {LONGEST_ANSWER} bytes")
    except NETWORK_ERRORS as error:
        return broken(error)


def open_answer(
    wire: Wire, request: requests.PreparedRequest, *, timeout: float, proxies: Proxies
) -> BaseHTTPResponse:
    """Send one request and read the head of its answer."""
    return wire.open(
        request,
        timeout=Timeout(connect=min(timeout, CONNECT_TIMEOUT), read=timeout),
        proxy=proxies.for_url(str(request.url)),
    )


def lower(raw: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in raw.headers.items()}


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body, of which some on the way make gzip though it was not asked for: it may hold an id.

    A bomb is cut off, and is then as garbled as what is no gzip after all.
    """
    if headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip"):
        return body
    try:
        return zlib.decompressobj(_GZIP).decompress(body, LONGEST_ANSWER)
    except zlib.error:
        return body


class _OversizedError(Exception):
    """The answer is longer than any that we know what to do with."""


def _read(raw: BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
    """The body as it comes, so that a host that sends a byte a minute is not waited for."""
    left = LONGEST_ANSWER
    while chunk := raw.read1(65536, decode_content=False):
        yield chunk
        left -= len(chunk)
        if left < 0:
            raise _OversizedError
        if time.monotonic() > deadline:
            raise TimeoutError
