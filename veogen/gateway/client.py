"""The gateway over HTTP: one method for each thing that may be asked of it."""

import time
from collections.abc import Mapping, Sequence
from typing import Self
from urllib.parse import quote, urlencode

from veogen.gateway import account
from veogen.gateway.answers import Balance, Quota, Submission, Task, Unread, Upload
from veogen.gateway.caller import Caller
from veogen.gateway.connections import certificates
from veogen.gateway.outcome import read_submission
from veogen.gateway.proxies import Proxies
from veogen.gateway.reading import BATCH, TaskReader, understood
from veogen.gateway.settings import Settings, is_local
from veogen.gateway.tasks import read_list

_GONE = 404


class Evolink:
    """The gateway under one key; safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        files_url: str,
        key: str,
        *,
        request_timeout: float = 60.0,
        connections: int = 32,
        proxies: Proxies | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._files_url = f"{files_url.rstrip('/')}/api/v1/files"
        secure = any(url.startswith("https:") for url in (base_url, files_url))
        self._caller = Caller(
            key,
            timeout=request_timeout,
            connections=connections,
            proxies=proxies or Proxies(),
            certificates=certificates(ca_bundle) if secure else None,
        )
        self._tasks = TaskReader(self._caller, self._base_url)

    @classmethod
    def from_settings(
        cls, settings: Settings, *, request_timeout: float = 60.0, connections: int = 32
    ) -> Self:
        return cls(
            settings.base_url,
            settings.files_url,
            settings.key,
            request_timeout=request_timeout,
            connections=connections,
            proxies=settings.proxies,
            ca_bundle=settings.ca_bundle,
        )

    def __repr__(self) -> str:
        return f"Evolink({self._base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that wait for their next use."""
        self._caller.close()

    @property
    def is_local(self) -> bool:
        """Whether the gateway is on this machine."""
        return is_local(self._base_url)

    @property
    def simulated(self) -> bool | None:
        """Whether the last answer said that it comes from a simulator; None before any answer."""
        return self._caller.simulated

    def submit(self, body: bytes, key: str) -> Submission:
        """POST the body byte for byte under an idempotency key, over a fresh connection."""
        outcome = self._caller.submit(f"{self._base_url}/v1/videos/generations", body, key)
        return read_submission(outcome, now=time.time(), secret=self._caller.key)

    @property
    def reads_at_once(self) -> int:
        """How many tasks one call of `tasks` should ask for."""
        return self._tasks.reads_at_once

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | Unread]:
        """Read tasks, in batches where the gateway has them; every id asked for is answered."""
        return self._tasks.read(task_ids)

    def recent_tasks(self, model: str) -> tuple[Task, ...] | Unread:
        """The newest tasks of the account for a model, newest first, without links."""
        query = urlencode({"type": "video", "model": model, "page": 1, "page_size": BATCH})
        outcome = self._caller.read("GET", f"{self._base_url}/v1/tasks?{query}")
        secret = self._caller.key
        return understood(outcome, lambda answer: read_list(answer, secret=secret), secret=secret)

    def balance(self) -> Balance | Unread:
        """The account's credits."""
        outcome = self._caller.read("GET", f"{self._base_url}/v1/credits")
        return understood(outcome, account.read_balance, secret=self._caller.key)

    def models(self) -> frozenset[str] | Unread:
        """The ids of the models that the key may use."""
        outcome = self._caller.read("GET", f"{self._base_url}/v1/models")
        return understood(outcome, account.read_models, secret=self._caller.key)

    def upload(self, name: str, content: bytes, mime: str) -> Upload | Unread:
        """Upload one image."""
        url = f"{self._files_url}/upload/stream"
        outcome = self._caller.upload(url, name, content, mime)
        return understood(outcome, account.read_upload, secret=self._caller.key)

    def quota(self) -> Quota | Unread:
        """The quota of the file API."""
        outcome = self._caller.read("GET", f"{self._files_url}/quota")
        return understood(outcome, account.read_quota, secret=self._caller.key)

    def delete(self, file_id: str) -> Unread | None:
        """Delete one uploaded file; None when it is gone."""
        outcome = self._caller.read("DELETE", f"{self._files_url}/{quote(file_id, safe='')}")
        found = understood(outcome, lambda _: True, secret=self._caller.key)
        return found if isinstance(found, Unread) and found.status != _GONE else None
