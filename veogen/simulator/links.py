"""The addresses of finished clips: on another host, signed, and good for a day."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from veogen.simulator.tasks import Task

_EVERY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told where to go, not to listen


def address(host: str, port: int) -> str:
    """Where a client reaches who listens on `host`."""
    reached = _EVERY.get(host, host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"


class Links:
    """Makes and checks result links; `port` is known once the media host listens."""

    def __init__(self, host: str, lifetime: float, seed: int) -> None:
        self.port = 0
        self._host = host
        self._lifetime = lifetime
        self._secret = f"simulator {seed}".encode()

    def base(self, host: str | None = None) -> str:
        """The media host as a client that reaches us at `host` reaches it."""
        return address(host or self._host, self.port)

    def path(self, url: Any) -> str | None:
        """The path of `url` on the media host; None if it leads elsewhere, or is no URL."""
        try:
            parts = urlsplit(url) if isinstance(url, str) else None
            ours = parts and parts.hostname and parts.port == self.port
        except ValueError:
            return None
        return parts.path if parts and ours else None

    def of(self, task: Task, host: str | None = None) -> list[str]:
        """One link a clip of a finished task."""
        numbers = range(1, len(task.clips) + 1)
        return [
            f"{self.base(host)}/videos/{task.id}/{number}.mp4"
            f"?expires={int(self.expires(task))}&signature={self.signature(task.id, number)}"
            for number in numbers
        ]

    def expires(self, task: Task) -> float:
        return (task.finished or task.created) + self._lifetime

    def signature(self, task_id: str, number: int) -> str:
        text = f"{task_id}/{number}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]
