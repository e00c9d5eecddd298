"""A small web server for the gateway's callbacks, with limits for whoever else may knock.

It speaks plain HTTP: what makes it reachable from the internet (a reverse proxy, a tunnel) brings
the https. It takes few connections at a time and none for long, so that strangers cannot use up
the files and the memory of the run beside it.
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from typing import Any

from veogen.errors import UsageError
from veogen.gateway.callbacks import BODY_LIMIT, Callbacks

_LIMITS: dict[str, Any] = {
    "threads": 1,
    "connection_limit": 64,
    "channel_timeout": 15,
    "cleanup_interval": 5,
    "max_request_body_size": BODY_LIMIT,
    "max_request_header_size": 16 * 1024,
}
_CLOSING = 2.0


def check_installed() -> None:
    """Raise `UsageError` where what the receiver needs is not installed."""
    try:
        import_module("waitress")
    except ImportError:
        message = "the receiver of callbacks is not installed: pip install 'veogen[listen]'"
        raise UsageError(message) from None


@contextmanager
def receiving(callbacks: Callbacks, host: str, port: int) -> Iterator[int]:
    """Serve from a thread of its own until the block ends; gives the port that it listens on."""
    from waitress import wasyncore  # noqa: PLC0415 - an extra
    from waitress.server import create_server  # noqa: PLC0415

    ended = threading.Event()
    opened: dict[int, Any] = {}

    def serve() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=opened, count=1)

    with ExitStack() as ending:
        listening = ending.enter_context(closing(_bound(host, port)))
        ending.enter_context(_quiet())
        server: Any = create_server(
            callbacks, map=opened, sockets=[listening], ident=None, **_LIMITS
        )
        ending.callback(wasyncore.close_all, opened)
        ending.callback(server.task_dispatcher.shutdown, timeout=_CLOSING)
        thread = threading.Thread(target=serve, name="veogen-callbacks", daemon=True)
        ending.callback(thread.join)
        ending.callback(server.pull_trigger)
        ending.callback(ended.set)
        thread.start()
        yield listening.getsockname()[1]


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}:{port} cannot be listened on: {reason}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the server logs about strangers off the terminal, where a bar may be."""
    logger, handler = logging.getLogger("waitress"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
