"""The gateway over HTTP: one method for each thing that may be asked of it."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

from veogen.gateway import parse as account
from veogen.gateway.api import Balance, Quota, ReadError, Submission, Task, Upload
from veogen.gateway.http import HttpClient
from veogen.gateway.parse import envelope_failure, error_body, read_batch, read_list, read_task
from veogen.gateway.pool import certificates
from veogen.gateway.settings import Proxies, Settings, is_local
from veogen.gateway.submission import read_submission
from veogen.gateway.transport import Response, TransportError
from veogen.gateway.values import parse_object, retry_after

_T = TypeVar("_T")
_U = TypeVar("_U")


def map_threads(call: Callable[[_T], _U], items: Sequence[_T], *, most: int) -> list[_U]:
    """What `call` makes of each item, in their order, at most so many calls at a time."""
    if len(items) < 2:  # noqa: PLR2004 - one needs no company
        return [call(item) for item in items]
    waiting: SimpleQueue[tuple[int, _T]] = SimpleQueue()
    for pair in enumerate(items):
        waiting.put(pair)
    results: dict[int, _U] = {}

    def work() -> None:
        while True:
            try:
                index, item = waiting.get_nowait()
            except Empty:
                return
            results[index] = call(item)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(most, len(items)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[index] for index in range(len(items))]


BATCH = 50

_DENIED = (401, 403)
_NO_BATCHES = frozenset({403, 404, 405, 501})
_NOT_UNDERSTOOD = frozenset({400, 413, 415, 422})
_FOR_ALL = (None, 401, 429)  # nothing answered, the key, or too many reads: one would fare alike
_AT_ONCE = 8


def interpret(
    outcome: Response | TransportError, parse: Callable[[Response], _T | None], *, secret: str
) -> _T | ReadError:
    """What `parse` makes of a success, or why there is nothing to be made."""
    if isinstance(outcome, TransportError):
        return ReadError(
            code=outcome.kind, message=outcome.message, reached=False, from_gateway=False
        )
    failure = envelope_failure(outcome, secret=secret)
    if failure is not None:
        return failure
    if not outcome.is_success:
        error = error_body(outcome, secret=secret)
        return ReadError(
            code=error.code,
            message=error.message,
            status=outcome.status,
            retry_after=retry_after(outcome.headers, now=time.time()),
            denied=outcome.status in _DENIED,
            from_gateway=error.from_gateway,
        )
    value = parse(outcome)
    if value is None:
        message = f"status {outcome.status} with an answer that cannot be understood"
        from_gateway = bool(parse_object(outcome.body))
        return ReadError(code="garbled", message=message, from_gateway=from_gateway)
    return value


class TaskReader:
    """Reads tasks, and remembers when the gateway has no batch reads."""

    def __init__(self, http: HttpClient, base_url: str) -> None:
        self._http = http
        self._url = f"{base_url}/v1/tasks"
        self._has_batches = True

    def read(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        """Every id asked for is answered, in the order asked for."""
        unique = list(dict.fromkeys(task_ids))
        answers: dict[str, Task | ReadError] = {}
        for start in range(0, len(unique), BATCH):
            group = unique[start : start + BATCH]
            tasks = self._batch(group) if self._has_batches and len(group) > 1 else {}
            if isinstance(tasks, ReadError) and tasks.status not in _FOR_ALL:
                # In no public document stands a batch read: where it alone fails, tasks must come
                # home too.
                alone = self._single(group[0])
                tasks = {group[0]: alone} if isinstance(alone, Task) else tasks
            if isinstance(tasks, ReadError):
                answers |= dict.fromkeys(group, tasks)
                continue
            missing = [task_id for task_id in group if task_id not in tasks]
            read = map_threads(self._single, missing, most=_AT_ONCE)
            single = dict(zip(missing, read, strict=True))
            answers |= {name: tasks[name] if name in tasks else single[name] for name in group}
        return answers

    @property
    def reads_at_once(self) -> int:
        """How many tasks a call should ask for: without batches the caller's threads do better."""
        return BATCH if self._has_batches else 1

    def _batch(self, task_ids: Sequence[str]) -> Mapping[str, Task] | ReadError:
        """The tasks that a batch read brings: none where it is not understood."""
        body = json.dumps({"task_ids": task_ids}).encode()
        outcome = self._http.read("POST", f"{self._url}/batch", body)
        if isinstance(outcome, Response) and outcome.status in _NO_BATCHES:
            self._has_batches = False
            return {}
        if isinstance(outcome, Response) and outcome.status in _NOT_UNDERSTOOD:
            return {}
        secret = self._http.key
        tasks = interpret(
            outcome, lambda response: read_batch(response, secret=secret), secret=secret
        )
        return {} if isinstance(tasks, ReadError) and tasks.code == "garbled" else tasks

    def _single(self, task_id: str) -> Task | ReadError:
        # The id is the gateway's word: it must not become a path of its own.
        outcome = self._http.read("GET", f"{self._url}/{quote(task_id, safe='')}")
        secret = self._http.key
        return interpret(
            outcome, lambda response: read_task(response, task_id, secret=secret), secret=secret
        )


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
        self._http = HttpClient(
            key,
            timeout=request_timeout,
            connections=connections,
            proxies=proxies or Proxies(),
            certificates=certificates(ca_bundle) if secure else None,
        )
        self._tasks = TaskReader(self._http, self._base_url)

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
        self._http.close()

    @property
    def is_local(self) -> bool:
        """Whether the gateway is on this machine."""
        return is_local(self._base_url)

    @property
    def simulated(self) -> bool | None:
        """Whether the last answer said that it comes from a simulator; None before any answer."""
        return self._http.simulated

    def submit(self, body: bytes, key: str) -> Submission:
        """POST the body byte for byte under an idempotency key, over a fresh connection."""
        outcome = self._http.submit(f"{self._base_url}/v1/videos/generations", body, key)
        return read_submission(outcome, now=time.time(), secret=self._http.key)

    @property
    def reads_at_once(self) -> int:
        """How many tasks one call of `tasks` should ask for."""
        return self._tasks.reads_at_once

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        """Read tasks, in batches where the gateway has them; every id asked for is answered."""
        return self._tasks.read(task_ids)

    def recent_tasks(self, model: str) -> tuple[Task, ...] | ReadError:
        """The newest tasks of the account for a model, newest first, without links."""
        query = urlencode({"type": "video", "model": model, "page": 1, "page_size": BATCH})
        outcome = self._http.read("GET", f"{self._base_url}/v1/tasks?{query}")
        secret = self._http.key
        return interpret(
            outcome, lambda response: read_list(response, secret=secret), secret=secret
        )

    def balance(self) -> Balance | ReadError:
        """The account's credits."""
        outcome = self._http.read("GET", f"{self._base_url}/v1/credits")
        return interpret(outcome, account.read_balance, secret=self._http.key)

    def models(self) -> frozenset[str] | ReadError:
        """The ids of the models that the key may use."""
        outcome = self._http.read("GET", f"{self._base_url}/v1/models")
        return interpret(outcome, account.read_models, secret=self._http.key)

    def upload(self, name: str, content: bytes, mime: str) -> Upload | ReadError:
        """Upload one image."""
        url = f"{self._files_url}/upload/stream"
        outcome = self._http.upload(url, name, content, mime)
        return interpret(outcome, account.read_upload, secret=self._http.key)

    def quota(self) -> Quota | ReadError:
        """The quota of the file API."""
        outcome = self._http.read("GET", f"{self._files_url}/quota")
        return interpret(outcome, account.read_quota, secret=self._http.key)

    def delete(self, file_id: str) -> ReadError | None:
        """Delete one uploaded file; None when it is gone."""
        outcome = self._http.read("DELETE", f"{self._files_url}/{quote(file_id, safe='')}")
        answer = interpret(outcome, lambda _: True, secret=self._http.key)
        return answer if isinstance(answer, ReadError) and answer.status != _GONE else None
