"""Reading tasks, fifty at once where the gateway can, else one by one."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

from veogen.gateway.account import own_failure
from veogen.gateway.answers import Task, Unread
from veogen.gateway.caller import Caller
from veogen.gateway.envelope import complaint, retry_after
from veogen.gateway.exchange import Answer, Broken
from veogen.gateway.parallel import side_by_side
from veogen.gateway.tasks import read_batch, read_task

BATCH = 50

_DENIED = (401, 403)
_NO_BATCHES = frozenset({403, 404, 405, 501})
_NOT_UNDERSTOOD = frozenset({400, 413, 415, 422})
_FOR_ALL = (None, 401, 429)  # nothing answered, the key, or too many reads: one would fare alike
_AT_ONCE = 8

_T = TypeVar("_T")


def understood(
    outcome: Answer | Broken, parse: Callable[[Answer], _T | None], *, secret: str
) -> _T | Unread:
    """What `parse` makes of a success, or why there is nothing to be made."""
    if isinstance(outcome, Broken):
        return Unread(code=outcome.kind, message=outcome.message, reached=False)
    failure = own_failure(outcome, secret=secret)
    if failure is not None:
        return failure
    if not outcome.is_success:
        return _refused(outcome, secret)
    value = parse(outcome)
    return _garbled(outcome) if value is None else value


class TaskReader:
    """Reads tasks, and remembers when the gateway has no batch reads."""

    def __init__(self, caller: Caller, base_url: str) -> None:
        self._caller = caller
        self._url = f"{base_url}/v1/tasks"
        self._has_batches = True

    def read(self, task_ids: Sequence[str]) -> Mapping[str, Task | Unread]:
        """Every id asked for is answered, in the order asked for."""
        unique = list(dict.fromkeys(task_ids))
        groups = (unique[start : start + BATCH] for start in range(0, len(unique), BATCH))
        return {task_id: found for group in groups for task_id, found in self._group(group)}

    @property
    def reads_at_once(self) -> int:
        """How many tasks a call should ask for: without batches the caller's threads do better."""
        return BATCH if self._has_batches else 1

    def _group(self, task_ids: Sequence[str]) -> Iterator[tuple[str, Task | Unread]]:
        found = self._batch(task_ids) if self._has_batches and len(task_ids) > 1 else {}
        if isinstance(found, Unread) and found.status not in _FOR_ALL:
            found = self._in_spite(found, task_ids[0])
        if isinstance(found, Unread):
            yield from ((task_id, found) for task_id in task_ids)
            return
        missing = [task_id for task_id in task_ids if task_id not in found]
        read = side_by_side(self._one, missing, most=_AT_ONCE)
        single = dict(zip(missing, read, strict=True))
        for task_id in task_ids:
            yield task_id, found[task_id] if task_id in found else single[task_id]

    def _batch(self, task_ids: Sequence[str]) -> Mapping[str, Task] | Unread:
        """The tasks that a batch read brings: none where it is not understood."""
        body = json.dumps({"task_ids": task_ids}).encode()
        outcome = self._caller.read("POST", f"{self._url}/batch", body)
        if isinstance(outcome, Answer) and outcome.status in _NO_BATCHES:
            self._has_batches = False
            return {}
        if isinstance(outcome, Answer) and outcome.status in _NOT_UNDERSTOOD:
            return {}
        tasks = understood(outcome, self._parse_batch, secret=self._caller.key)
        return {} if isinstance(tasks, Unread) and tasks.code == "garbled" else tasks

    def _in_spite(self, unread: Unread, task_id: str) -> Mapping[str, Task] | Unread:
        """A batch read is in no public document: where it alone fails, tasks must come home too."""
        alone = self._one(task_id)
        return {task_id: alone} if isinstance(alone, Task) else unread

    def _parse_batch(self, answer: Answer) -> Mapping[str, Task] | None:
        return read_batch(answer, secret=self._caller.key)

    def _one(self, task_id: str) -> Task | Unread:
        # The id is the gateway's word: it must not become a path of its own.
        outcome = self._caller.read("GET", f"{self._url}/{quote(task_id, safe='')}")
        secret = self._caller.key
        return understood(
            outcome, lambda answer: read_task(answer, task_id, secret=secret), secret=secret
        )


def _refused(answer: Answer, secret: str) -> Unread:
    said = complaint(answer, secret=secret)
    return Unread(
        code=said.code,
        message=said.message,
        status=answer.status,
        retry_after=retry_after(answer.headers, now=time.time()),
        denied=answer.status in _DENIED,
    )


def _garbled(answer: Answer) -> Unread:
    return Unread(
        code="garbled", message=f"status {answer.status} with an answer that cannot be understood"
    )
