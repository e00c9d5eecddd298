"""A gateway that is never asked: for what is decided without a network."""

from collections.abc import Mapping, Sequence

from veogen.gateway.answers import Balance, NotTaken, Quota, Submission, Task, Unread, Upload

_SILENT = Unread(code="offline", message="nothing is asked here", reached=False)


class Offline:
    """Answers everything with silence."""

    simulated: bool | None = None
    reads_at_once = 1

    def submit(self, body: bytes, key: str) -> Submission:
        del body, key
        return NotTaken(code=_SILENT.code, message=_SILENT.message, reached=False)

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | Unread]:
        return dict.fromkeys(task_ids, _SILENT)

    def recent_tasks(self, model: str) -> tuple[Task, ...] | Unread:
        del model
        return _SILENT

    def balance(self) -> Balance | Unread:
        return _SILENT

    def models(self) -> frozenset[str] | Unread:
        return _SILENT

    def upload(self, name: str, content: bytes, mime: str) -> Upload | Unread:
        del name, content, mime
        return _SILENT

    def quota(self) -> Quota | Unread:
        return _SILENT

    def delete(self, file_id: str) -> Unread | None:
        del file_id
        return _SILENT
