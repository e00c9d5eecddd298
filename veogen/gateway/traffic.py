"""The record of every exchange for `-v`: one line each, never the key, no long bodies."""

import logging

from requests import PreparedRequest
from urllib3 import BaseHTTPResponse

from veogen.gateway.envelope import request_id
from veogen.gateway.exchange import Answer, Broken
from veogen.gateway.text import clean, mask

LOGGER = logging.getLogger("veogen.gateway")

LONGEST_BODY = 2048


def log(request: PreparedRequest, outcome: Answer | Broken, *, seconds: float, secret: str) -> None:
    """Say what was asked and what came back, if anybody listens."""
    if LOGGER.isEnabledFor(logging.DEBUG):
        LOGGER.debug(
            "%s %s %s -> %s in %.3f s",
            request.method,
            clean(request.url, secret=secret, limit=LONGEST_BODY),
            _body(request.body, secret),
            _outcome(outcome, secret),
            seconds,
        )


def log_download(request: PreparedRequest, opened: BaseHTTPResponse, *, seconds: float) -> None:
    """Say that a clip is on its way, without the signature of its link."""
    if LOGGER.isEnabledFor(logging.DEBUG):
        link = clean(request.url, limit=LONGEST_BODY).partition("?")[0]
        length = opened.headers.get("content-length", "unknown")
        LOGGER.debug(
            "GET %s %s -> %d (%s bytes) in %.3f s",
            link,
            request.headers.get("Range", ""),
            opened.status,
            clean(length, limit=20),
            seconds,
        )


def _outcome(outcome: Answer | Broken, secret: str) -> str:
    if isinstance(outcome, Broken):
        return clean(f"{outcome.kind} ({outcome.message})", secret=secret)
    found = request_id(outcome.headers, {}, secret=secret)
    trace = f" [request {found}]" if found else ""
    return f"{outcome.status}{trace} {_body(outcome.body, secret)}"


def _body(body: bytes | str | None, secret: str) -> str:
    if not body:
        return "(no body)"
    content = body.encode() if isinstance(body, str) else body
    if len(content) > LONGEST_BODY:
        return f"({len(content)} bytes)"
    try:
        return clean(mask(content.decode(), secret), secret=secret, limit=LONGEST_BODY)
    except UnicodeDecodeError:
        return f"({len(content)} bytes, no text)"
