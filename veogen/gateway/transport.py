"""What comes of a request: a whole answer, or none; the key masked in what is said."""

import base64
import html
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import BadStatusLine, HTTPException
from typing import Literal, TypeAlias
from urllib.parse import unquote

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

MASK = "***"

_SHORTEST_SECRET = 6
"""A shorter key, fit for the simulator only, would be found in every id and number."""

_LONG_SECRET = 16
"""A secret of so many letters is looked for with white space between them, too."""

_UNICODE = re.compile(r"\\+(?:(?:u\{?0*|U0*|x)([0-9A-Fa-f]{2})\}?|0?([01][0-7]{2}))")


def mask(text: str, secret: str) -> str:
    """`text` with the secret blotted out, be it escaped, percent-encoded or in base64."""
    if len(secret) < _SHORTEST_SECRET or len(text) < len(secret):  # no spelling of it is shorter
        return text
    text = text.replace(secret, MASK)
    if secret.lower() in text.lower():
        text = re.sub(re.escape(secret), MASK, text, flags=re.IGNORECASE)
    if len(secret) >= _LONG_SECRET:
        text = _spread(secret).sub(MASK, text)
    for spelling in _encoded(secret):
        if spelling in text:
            text = text.replace(spelling, MASK)
    if "\\" in text or "%" in text or "&#" in text:  # as whoever reads it would read it
        read = _UNICODE.sub(_letter, text)
        if secret in unquote(unquote(html.unescape(read))).replace("\\", ""):
            text = _escaped(secret).sub(MASK, text)
    return text


def _letter(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16) if escaped[1] else int(escaped[2], 8))


def mask_bytes(content: bytes, secret: str) -> bytes:
    """As `mask`, of what was not read yet: in UTF-8 afterwards if there was something to hide."""
    if len(secret) < _SHORTEST_SECRET:
        return content
    try:
        text = content.decode(json.detect_encoding(content[:64]))
    except (UnicodeDecodeError, LookupError):
        text = content.decode("latin-1")
        masked = mask(text, secret)
        return content if masked == text else masked.encode("latin-1")
    masked = mask(text, secret)
    return content if masked == text else masked.encode()


@lru_cache(maxsize=4)
def _encoded(secret: str) -> tuple[str, ...]:
    """The secret inside base64, which depends on where it begins there, and in hexadecimal."""
    raw = secret.encode()
    spellings = {raw.hex(), raw.hex().upper()}
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw).decode()
        first = (before * 8 + 5) // 6  # the first letter that only the secret decides
        last = (before + len(raw)) * 8 // 6
        spellings.update({coded[first:last], coded[first:last].translate(_URL_SAFE)})
    return tuple(spellings)


_URL_SAFE = str.maketrans("+/", "-_")


@lru_cache(maxsize=4)
def _spread(secret: str) -> re.Pattern[str]:
    """Finds the secret where lines were broken, or its letters spaced."""
    return re.compile(r"\s*".join(map(re.escape, secret)))


@lru_cache(maxsize=4)
def _escaped(secret: str) -> re.Pattern[str]:
    """Finds the secret with any of its letters written in any way that stands for it.

    As it is, or as JSON, a URL (once more: `%25`), HTML or a program escapes it.
    """
    letters = []
    for letter in secret:
        code = ord(letter)
        ways = (
            rf"\\*{re.escape(letter)}",
            rf"\\+(?i:(?:u\{{?0*|U0*|x){code:02x})\}}?",
            rf"\\+0?{code:03o}",
            rf"%(?:25)*(?i:{code:02x})",
            rf"&(?:amp;)?#(?:0*{code}|(?i:x0*{code:x}));?",
        )
        letters.append(f"(?:{'|'.join(ways)})")
    return re.compile("".join(letters))


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


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return self.status // 100 == 2  # noqa: PLR2004 - as the standard has them


@dataclass(frozen=True, slots=True)
class TransportError:
    """There is no whole answer. `sent` is False when surely no byte of the request was written."""

    kind: Kind
    message: str
    sent: bool = True


_INTEGER_DIGITS = 15


def sanitize(value: object, *, secret: str = "", limit: int = 500) -> str:
    """`value` as one short line without control characters and without the secret.

    What is no text says nothing, but for whole numbers: the gateway's codes may be either.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**_INTEGER_DIGITS else ""
    if not isinstance(value, str):
        return ""
    if len(value) <= limit and value.isprintable() and mask(value, secret) == value:
        return " ".join(value.split())  # as nearly always
    text = mask(value, secret)[: 4 * limit]
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or c.isprintable())
    # Once more: what was between its letters is gone now.
    line = " ".join(mask(seen, secret).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


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
    too_late = isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError)
    kind: Kind = "refused"
    if isinstance(error, NameResolutionError):
        kind = "unresolved"
    elif too_late or isinstance(error, TimeoutError):  # in the handshake, or of a mute proxy
        kind = "connect-timeout"
    elif isinstance(error, ssl.SSLError):
        kind = "tls"
    return NotConnectedError(kind, f"{_MESSAGES[kind]}: {reason(error)}")


def transport_error(error: BaseException) -> TransportError:
    """What an exception after the connection stood means."""
    chain = list(_chain(error))
    if any(isinstance(link, TimeoutError | ReadTimeoutError | requests.Timeout) for link in chain):
        return TransportError("timeout", _MESSAGES["timeout"])
    return TransportError("lost", f"{_MESSAGES['lost']}: {reason(error)}")


def reason(error: BaseException) -> str:
    """The innermost cause of an exception, in its own words."""
    innermost = list(_chain(error))[-1]
    if isinstance(innermost, BadStatusLine) and not isinstance(innermost, ConnectionError):
        return "what came is no HTTP"
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return sanitize(str(innermost), limit=200) or type(innermost).__name__


_MESSAGES: Mapping[Kind, str] = {
    "unresolved": "the host name has no address",
    "refused": "no connection",
    "connect-timeout": "no connection in time",
    "tls": "no secure connection",
    "timeout": "no answer in time",
    "lost": "the connection was lost",
}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and what it was made of, the innermost last."""
    seen: set[int] = set()
    link: object = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        wrapped = next((arg for arg in reversed(link.args) if isinstance(arg, Exception)), None)
        link = getattr(link, "reason", None) or wrapped or link.__cause__
