"""What the gateway posts when a task has ended: a hint to look at it, and nothing else.

A WSGI application. No signature is documented, so nothing that comes in is believed: only the
secret at the end of the path says that the gateway may be speaking, and only the id is read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BODY_LIMIT = 64 * 1024
"""Bytes of a callback: a task with its links is a few kilobytes."""

BURST = 256
"""Hints at once: as many as there can be tasks in flight."""

PER_SECOND = 10.0

_LONGEST_ID = 200

Hint = Callable[[str], None]


class Bucket:
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


class Callbacks:
    """Passes on hints to those whose secret the path ends with; `received` counts them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.received = 0
        self._bucket = Bucket(now, BURST, PER_SECOND)
        self._hints: dict[bytes, Hint] = {}

    def pass_on(self, secret: str, hint: Hint) -> None:
        """Tell `hint` the ids of tasks that come in under this secret."""
        self._hints = {**self._hints, secret.encode(): hint}  # callbacks may be coming in

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        status, more = self._answer(environ)
        start_response(status, [("Content-Length", "0"), *more.items()])
        return []

    def _answer(self, environ: "WSGIEnvironment") -> tuple[str, Mapping[str, str]]:
        hint = self._hint_for(environ["PATH_INFO"])
        if hint is None:
            return "404 Not Found", {}
        if environ["REQUEST_METHOD"] != "POST":
            return "405 Method Not Allowed", {"Allow": "POST"}
        if not self._bucket.take():
            return "429 Too Many Requests", {"Retry-After": "1"}
        task_id = id_of(environ["wsgi.input"].read(BODY_LIMIT))
        if task_id is None:
            return "400 Bad Request", {}
        self.received += 1
        hint(task_id)
        return "204 No Content", {}

    def _hint_for(self, path: str) -> Hint | None:
        """By the last part alone: a proxy before us may have kept or cut off what precedes it."""
        given = path.rpartition("/")[2].encode("latin-1")  # as WSGI has it
        found = [hint for secret, hint in self._hints.items() if compare_digest(secret, given)]
        return found[0] if found else None


def id_of(body: bytes) -> str | None:
    """The id of the task that a callback is about."""
    try:
        task = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = task.get("id") if isinstance(task, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST_ID else None
