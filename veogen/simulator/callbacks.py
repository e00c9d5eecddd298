"""Telling a client that its task has ended, as the gateway does: thrice again, then no more."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from veogen.simulator.answers import HEADER
from veogen.simulator.checks import is_loopback

WAITS = (1.0, 2.0, 4.0)
_PATIENCE = aiohttp.ClientTimeout(total=10)


class Callbacks:
    """Delivers to this machine only: a simulation calls nobody else."""

    def __init__(self, waits: Sequence[float] = WAITS) -> None:
        self.outcomes: Counter[str] = Counter()
        self._waits = waits

    async def tell(self, url: str, task: dict[str, Any]) -> None:
        """POST the task to `url` until that answers with a 2xx, or nothing more is tried."""
        if not is_loopback(urlsplit(url).hostname or ""):
            self.outcomes["withheld"] += 1
            return
        async with aiohttp.ClientSession(timeout=_PATIENCE, headers={HEADER: "1"}) as session:
            for wait in (0.0, *self._waits):
                await asyncio.sleep(wait)
                if await _told(session, url, task):
                    self.outcomes["delivered"] += 1
                    return
        self.outcomes["given up"] += 1


async def _told(session: aiohttp.ClientSession, url: str, task: dict[str, Any]) -> bool:
    try:
        async with session.post(url, json=task, allow_redirects=False) as answer:
            return answer.ok and answer.status < 300  # noqa: PLR2004 - a 2xx
    except (aiohttp.ClientError, TimeoutError):
        return False
