"""What the gateway posts when a task has ended: a hint to look at it, and nothing else.

A WSGI application. No signature is documented, so nothing that comes in is believed: only the
secret at the end of the path says that the gateway may be speaking, and only the id is read.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from hmac import compare_digest
from importlib import import_module
from typing import TYPE_CHECKING, Any

from veogen.errors import UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BODY_LIMIT = 64 * 1024
"""Bytes of a callback: a task with its links is a few kilobytes."""

BURST = 256
"""Hints at once: as many as there can be tasks in flight."""

PER_SECOND = 10.0

_LONGEST_ID = 200

TaskHint = Callable[[str], None]


class TokenBucket:
    """Lets `burst` through at once, and after that so many a second."""

    def __init__(self, now: Callable[[], float], burst: int, per_second: float) -> None:
        self._now = now
        self._burst = burst
        self._per_second = per_second
        self._left = float(burst)
        self._at = now()

    def take(self) -> bool:
        now = self._now()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class WebhookApp:
    """Passes on hints to those whose secret the path ends with; `received` counts them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.received = 0
        self._bucket = TokenBucket(now, BURST, PER_SECOND)
        self._hints: dict[bytes, TaskHint] = {}

    def register(self, secret: str, hint: TaskHint) -> None:
        """Tell `hint` the ids of tasks that come in under this secret."""
        self._hints = {**self._hints, secret.encode(): hint}  # callbacks may be coming in

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        # By the last part alone: a proxy before us may have kept or cut off what precedes it.
        given = environ["PATH_INFO"].rpartition("/")[2].encode("latin-1")  # as WSGI has it
        hints = [hint for secret, hint in self._hints.items() if compare_digest(secret, given)]
        more: Mapping[str, str] = {}
        if not hints:
            status = "404 Not Found"
        elif environ["REQUEST_METHOD"] != "POST":
            status, more = "405 Method Not Allowed", {"Allow": "POST"}
        elif not self._bucket.take():
            status, more = "429 Too Many Requests", {"Retry-After": "1"}
        elif (task_id := task_id_in(environ["wsgi.input"].read(BODY_LIMIT))) is None:
            status = "400 Bad Request"
        else:
            status = "204 No Content"
            self.received += 1
            hints[0](task_id)
        start_response(status, [("Content-Length", "0"), *more.items()])
        return []


def task_id_in(body: bytes) -> str | None:
    """The id of the task that a callback is about."""
    try:
        task = json.loads(body)
    except (ValueError, RecursionError):
        return None
    task_id = task.get("id") if isinstance(task, dict) else None
    return task_id if isinstance(task_id, str) and 0 < len(task_id) <= _LONGEST_ID else None


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
def serving(callbacks: WebhookApp, host: str, port: int) -> Iterator[int]:
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
        # What the server logs about strangers stays off the terminal, where a bar may be.
        logger, silent = logging.getLogger("waitress"), logging.NullHandler()
        logger.addHandler(silent)
        ending.callback(logger.removeHandler, silent)
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
