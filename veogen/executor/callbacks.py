"""The address that the gateway is given, to tell when a task has ended."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from veogen.executor.policy import Callbacks
from veogen.results.entries import Entry
from veogen.results.events import Intended
from veogen.results.ledger import Ledger

SECRET_BYTES = 32

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Bell:
    """Where one run directory is told, at a path that nobody can guess."""

    callbacks: Callbacks
    secret: str

    @classmethod
    def of(cls, callbacks: Callbacks, ledger: Ledger) -> "Bell":
        """With the secret of an earlier run if there is one.

        Tasks that are still under way tell it, and a request that was not taken is sent again
        with the same bytes under the same key.
        """
        known = max(_known(callbacks.base, ledger), default=None)
        return cls(callbacks, secrets.token_urlsafe(SECRET_BYTES) if known is None else known[1])

    def url(self, entry: Entry) -> str | None:
        """What is sent with a request, unless it has an address of its own or takes none."""
        if "callback_url" in entry.body or entry.model not in self.callbacks.models:
            return None
        return f"{self.callbacks.base}/{self.secret}"


def _known(base: str, ledger: Ledger) -> Iterator[tuple[float, str]]:
    """The secrets that were sent, and when; an address that a spec wrote is no secret."""
    for standing in ledger.everything:
        sent = standing.record.sent
        if sent is not None and base in sent.body and "callback_url" not in standing.entry.body:
            secret = _sent_to(base, sent)
            if secret is not None:
                yield sent.at, secret


def _sent_to(base: str, sent: Intended) -> str | None:
    head, _, secret = str(json.loads(sent.body).get("callback_url")).rpartition("/")
    return secret if head == base and _SECRET.fullmatch(secret) else None
