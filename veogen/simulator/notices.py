"""What is told of clients that speak no HTTP: a line, as they are no bug of ours."""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError


def logger() -> logging.Logger:
    """Where the server writes: tracebacks of what broke in here, and no others."""
    found = logging.getLogger("veogen.simulator")
    found.addFilter(_is_told)
    return found


def _is_told(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "a client of the simulator speaks no HTTP: %s", (_line(error),)
    return not isinstance(error, web.RequestPayloadError)  # which was answered


def _line(error: HttpProcessingError) -> str:
    """What is wrong, without the bytes that show where."""
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    return lines[0].rstrip(":") if lines else type(error).__name__
