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
from veogen.executor.state import View
from veogen.progress.counts import Tally
from veogen.progress.messages import Out, Reporter
from veogen.results.events import Event, Progressed
from veogen.results.ledger import Standing
from veogen.text import plain

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

    def __init__(self, out: Out, clock: Clock, reporter: Reporter) -> None:
        self._out = out
        self._clock = clock
        self._tally = Tally(reporter.retries)
        self._name = reporter.names.run
        self._view: View | None = None
        self._told: dict[str, Any] = {}
        self._told_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        if self._view is not None:
            self._write("end", self._run(self._view))
            self._view = None

    def start(self, counted: Collection[str], view: View) -> None:
        self._tally.start(counted, view)
        self._view = view
        self._tell("start", {"format": FORMAT, **self._run(view)})

    def event(self, event: Event, standing: Standing, view: View) -> None:
        self._tally.apply(event, standing.record)
        name = _NAMES.get(type(event).__name__, type(event).__name__.lower())
        whole = name == "delivered" and standing.record.status == "completed"
        self._write("completed" if whole else name, _request(event, standing))
        self.tick(view)

    def note(self, message: str) -> None:
        self._write("note", {"message": message})

    def tick(self, view: View) -> None:
        self._view = view
        if self._clock.monotonic() - self._told_at >= SECONDS_BETWEEN:
            self._tell("run", self._run(view))

    def _tell(self, name: str, run: dict[str, Any]) -> None:
        """Tell how the run stands, unless nothing changed."""
        self._told_at = self._clock.monotonic()
        if run != self._told:
            self._told = run
            self._write(name, run)

    def _run(self, view: View) -> dict[str, Any]:
        left = self._tally.seconds_left(self._clock.now(), view.in_flight)
        return {
            "requests": self._tally.total,
            "done": self._tally.count("done"),
            "failed": self._tally.count("failed"),
            "indeterminate": self._tally.count("held"),
            "undelivered": self._tally.count("lost"),
            "in_flight": view.in_flight,
            "credits": f"{view.ledger.reserved:.3f}",
            "seconds_left": None if left is None else round(left, 1),
            "waiting": view.waiting,
        }

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        head = {"event": name, "at": round(self._clock.now(), 3), "run": self._name}
        self._out.line(json.dumps({**head, **fields}, separators=(",", ":")))


def _request(event: Event, standing: Standing) -> dict[str, Any]:
    entry, record = standing.entry, standing.record
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
    if isinstance(event, Progressed):
        fields["percent"] = event.percent
    return fields


class Nobody:
    """Says notes alone: why a run stops is no progress."""

    def __init__(self, out: Out) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def start(self, counted: Collection[str], view: View) -> None:
        """Nobody to tell."""

    def event(self, event: Event, standing: Standing, view: View) -> None:
        """Nobody to tell."""

    def note(self, message: str) -> None:
        self._out.line(plain(message))

    def tick(self, view: View) -> None:
        """Nobody to tell."""

    def end(self) -> None:
        """Nobody to tell."""
