"""How the exceptions of the libraries below are told apart."""

import ssl
from collections.abc import Iterator, Mapping
from http.client import BadStatusLine, HTTPException

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from veogen.gateway.exchange import Broken, Kind
from veogen.gateway.text import clean

NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
"""All that a connection and what comes over it can make the libraries below raise."""


class NotConnectedError(Exception):
    """No connection came about, so nothing was written.

    Neither requests nor urllib3 know the class: it comes through both of them as it was raised.
    Their own classes would not do. A `requests.SSLError`, for one, is a handshake that failed as
    well as a connection that broke while the answer was read.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def not_connected(error: Exception) -> NotConnectedError:
    """What an exception means that was raised before the connection stood."""
    kind = _connect_kind(error)
    return NotConnectedError(kind, f"{_WORDS[kind]}: {reason(error)}")


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
