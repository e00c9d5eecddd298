"""The process that a guard starts: it compiles and renders, under limits that really stop it.

It reads one line of JSON for each batch and answers with one line for each task. The kernel
ends it when a task takes too long, whatever the interpreter is busy with, and refuses it memory,
writing to files and other processes. (Reading them is what the sandbox refuses.)
"""

import contextlib
import json
import os
import resource
import signal
import sys
from typing import IO, Any

from veogen.planner.templates.source import Fault
from veogen.planner.templates.work import Workshop

SECONDS = 2.0
MEMORY = 256 * 1024 * 1024


def main() -> None:
    """Answer until the guard hangs up."""
    inmate = _Inmate(sys.stdin, sys.stdout, _Memory())
    _lock_in()
    inmate.tell({"ready": True})
    for line in sys.stdin:
        inmate.work(json.loads(line))


class _Inmate:
    def __init__(self, orders: IO[str], answers: IO[str], memory: "_Memory") -> None:
        self._orders, self._answers, self._memory = orders, answers, memory
        self._workshop = Workshop(self._load)
        self._sources: dict[int, list[Any]] = {}
        self._templates: dict[int, Any] = {}
        self._shared: dict[int, dict[str, Any]] = {}

    def work(self, batch: dict[str, Any]) -> None:
        self._sources.update(batch["sources"])  # pairs of a number and what it stands for
        self._shared.update(batch["shared"])
        for source, shared, own in batch["tasks"]:
            self._memory.allow(MEMORY)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            result = self._render(source, {**self._shared[shared], **own})
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._memory.allow(2 * MEMORY)  # so that the answer can be told in any case
            self.tell(_answer(result))

    def tell(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _render(self, source: int, scope: dict[str, Any]) -> str | Fault:
        if source not in self._templates:
            self._templates[source] = self._workshop.compile(*self._sources[source])
        template = self._templates[source]
        return template if isinstance(template, Fault) else self._workshop.render(template, scope)

    def _load(self, name: str) -> str | None:
        self.tell({"load": name})
        text: str | None = json.loads(self._orders.readline())
        return text


def _answer(result: str | Fault) -> dict[str, Any]:
    if isinstance(result, str):
        return {"text": result}
    return {"fault": [result.code, result.message, result.hint, result.name, result.line]}


class _Memory:
    """How much memory this process may have, reckoned from what it has."""

    def __init__(self) -> None:
        self._statm: int | None = None
        with contextlib.suppress(OSError):  # a system that does not tell
            self._statm = os.open("/proc/self/statm", os.O_RDONLY)

    def allow(self, more: int) -> None:
        if self._statm is not None:
            pages = int(os.pread(self._statm, 100, 0).split()[0])
            most = pages * os.sysconf("SC_PAGE_SIZE") + more
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def _lock_in() -> None:
    """Nothing is written, and no other process is started."""
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ]
    for which, most in limits:
        with contextlib.suppress(ValueError, OSError):  # a system without this limit
            resource.setrlimit(which, (most, most))
