"""Events as JSON, one a line, for programs that follow a run.

Every line is an object with `event`, `at` (Unix seconds) and `run` (the run directory); texts are
escaped to ASCII.

- `start` (first; with `format`: `veogen.progress/1`), `run` (now and then) and `end` (last) hold
  `requests`, `done`, `failed`, `indeterminate`, `undelivered`, `in_flight` (counts), `credits` (a
  decimal as a string), `seconds_left` and `waiting` (a number and a text, or null).
- `submitted`, `progress`, `made`, `completed`, `delivered`, `failed`, `indeterminate`,
  `undelivered`, `planned` and others are about one request: `address`, `hash`, `status` (as in
  results.json), `attempt`, `task_id`, `credits`, `error` (`{"code", "message"}` or null), `videos`
  (paths below the run directory) and, where the gateway said so, `percent`.
- `note` holds a `message` about the run.
"""

import json
from collections.abc import Collection
from typing import Any, Self

from veogen.executor.options import Clock
from veogen.executor.state import NullListener, RunProgress
from veogen.progress.messages import Messages, RunCounts, Screen
from veogen.results.events import Event, TaskProgressed, tag_of
from veogen.results.ledger import RequestState
from veogen.text import credits_text, plain

FORMAT = "veogen.progress/1"
SECONDS_BETWEEN = 3.0

_NAMES = {
    "Accepted": "submitted",
    "Progressed": "progress",
    "Made": "made",
    "Delivered": "delivered",
    "Ended": "failed",
    "Refused": "failed",
    "Unclear": "indeterminate",
    "Undelivered": "undelivered",
    "NotTaken": "planned",
}


class JsonStream:
    """Writes every event; how the run stands as a whole at most every few seconds."""

    def __init__(self, screen: Screen, clock: Clock, messages: Messages) -> None:
        self._screen = screen
        self._clock = clock
        self._counts = RunCounts(messages.retries)
        self._name = messages.names.run
        self._view: RunProgress | None = None
        self._last_written: dict[str, Any] = {}
        self._written_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        if self._view is not None:
            self._counts.end(self._view)
            self._write("end", self._run(self._view))
            self._view = None

    def start(self, counted: Collection[str], view: RunProgress) -> None:
        self._counts.start(counted, view)
        self._view = view
        self._write_run("start", {"format": FORMAT, **self._run(view)})

    def event(self, event: Event, state: RequestState, view: RunProgress) -> None:
        self._counts.apply(event, state.record)
        tag = tag_of(event)
        name = _NAMES.get(tag, tag.lower())
        whole = name == "delivered" and state.record.status == "completed"
        entry, record = state.request, state.record
        error = record.error
        fields: dict[str, Any] = {
            "address": entry.address,
            "hash": entry.hash,
            "status": record.status,
            "attempt": record.attempts,
            "task_id": record.task_id,
            "credits": None if record.credits is None else str(record.credits),
            "error": None if error is None else {"code": error.code, "message": error.message},
            "videos": [record.videos[index].path for index in sorted(record.videos)],
        }
        if isinstance(event, TaskProgressed):
            fields["percent"] = event.percent
        self._write("completed" if whole else name, fields)
        self.tick(view)

    def note(self, message: str) -> None:
        self._write("note", {"message": message})

    def tick(self, view: RunProgress) -> None:
        self._view = view
        if self._clock.monotonic() - self._written_at >= SECONDS_BETWEEN:
            self._write_run("run", self._run(view))

    def _write_run(self, name: str, run: dict[str, Any]) -> None:
        """Write how the run stands, unless nothing changed."""
        self._written_at = self._clock.monotonic()
        if run != self._last_written:
            self._last_written = run
            self._write(name, run)

    def _run(self, view: RunProgress) -> dict[str, Any]:
        left = self._counts.seconds_left(self._clock.now(), view.in_flight)
        return {
            "requests": self._counts.total,
            "done": self._counts.count("done"),
            "failed": self._counts.count("failed"),
            "indeterminate": self._counts.count("held"),
            "undelivered": self._counts.count("lost"),
            "in_flight": view.in_flight,
            "credits": credits_text(view.ledger.reserved),
            "seconds_left": None if left is None else round(left, 1),
            "waiting": view.waiting,
        }

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        head = {"event": name, "at": round(self._clock.now(), 3), "run": self._name}
        self._screen.line(json.dumps({**head, **fields}, separators=(",", ":")))


class NotesOnly(NullListener):
    """Writes notes alone: why a run stops is no progress."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def note(self, message: str) -> None:
        self._screen.line(plain(message))
