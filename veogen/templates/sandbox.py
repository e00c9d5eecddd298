"""The process in which templates are rendered, as seen from outside."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from veogen.errors import VeogenError
from veogen.templates.template import Template, TemplateFailure
from veogen.templates.worker import TOO_MUCH_MEMORY

Scope: TypeAlias = Mapping[str, Any]
Task: TypeAlias = tuple[Template, Scope, Scope]
"""A template, what all requests of its form see, and what this one sees besides."""

START_SECONDS = 60.0
SILENCE_SECONDS = 20.0  # a backstop: the kernel ends it after two seconds of work

TOO_SLOW = TemplateFailure("template-limit", "the template takes more than 2 seconds")
TOO_HARD = TemplateFailure("template-limit", "the template is more than Jinja2 can bear")

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from veogen.templates.worker import main; main()"
)


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """The process is gone, and what is to be said of the template it died of.

    It may have died of what came before, unless it was stopped for this one.
    """

    fault: TemplateFailure
    stopped: bool = False


class SandboxError(VeogenError):
    """The process for templates cannot be started."""


class SandboxProcess:
    """A child process that has no environment, writes no files and has no children."""

    def __init__(self, load: Callable[[str], str | None]) -> None:
        self._load = load
        self._sources: dict[Template, int] = {}
        self._shared: dict[int, Scope] = {}  # by identity; kept, so that none is used again
        self._buffer = b""
        self._ready = False
        self.answered = False
        paths = [str(Path(__file__).parents[2]), *filter(os.path.isabs, sys.path)]
        command = [sys.executable, "-I", "-S", "-c", _CODE, json.dumps(paths)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is for us
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe(self._process.stdout), selectors.EVENT_READ)

    def send(self, tasks: Sequence[Task]) -> None:
        """Order a batch; `result` then gives one answer for each task."""
        sources, shared = [], []
        for source, scope, _ in tasks:
            if source not in self._sources:
                self._sources[source] = len(self._sources)
                sources.append((self._sources[source], (source.text, source.name, source.mode)))
            if id(scope) not in self._shared:
                self._shared[id(scope)] = scope
                shared.append((id(scope), scope))
        numbered = [(self._sources[source], id(scope), own) for source, scope, own in tasks]
        self._write({"sources": sources, "shared": shared, "tasks": numbered})

    def result(self) -> str | TemplateFailure | WorkerDied:
        """The next answer."""
        if not self._ready:
            self._ready = True
            if self._read(START_SECONDS) is None:
                raise SandboxError("no process can be started in which templates are rendered")
        while True:
            answer = self._read(SILENCE_SECONDS)
            match answer:
                case None:  # it is gone: why, as far as the kernel says
                    self._process.kill()
                    # Its own timer's, or ours after a silence.
                    if -self._process.wait() in (signal.SIGPROF, signal.SIGKILL):
                        return WorkerDied(TOO_SLOW, stopped=True)
                    return WorkerDied(TOO_HARD)
                case {"load": str(name)}:
                    self._write(self._load(name))
                case {"text": str(text)}:
                    self.answered = True
                    return text
                case {"fault": [code, message, hint, name, line], "also": list(others)}:
                    self.answered = True
                    also = tuple(TemplateFailure(*other) for other in others)
                    return TemplateFailure(code, message, hint, name, line, also)
                case _:
                    return WorkerDied(
                        TemplateFailure("template-limit", "the template breaks out of its limits")
                    )

    def close(self) -> None:
        """End the process; nothing of it stays."""
        self._process.kill()
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                self._pipe(pipe).close()

    def _write(self, message: object) -> None:
        pipe = self._pipe(self._process.stdin)
        with contextlib.suppress(BrokenPipeError):  # it is gone: reading will tell
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _read(self, seconds: float) -> Any:
        """One line of the process; None when it has ended or says nothing."""
        while b"\n" not in self._buffer:
            if not self._selector.select(seconds):
                return None
            chunk = os.read(self._pipe(self._process.stdout).fileno(), 1 << 16)
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    @staticmethod
    def _pipe(pipe: Any) -> Any:
        return pipe


class Sandbox:
    """Renders templates in a process that is started when first needed and kept for more.

    `load` gives the text of a file below `templates/`. A template that had to be stopped once
    is not tried again: all its requests have the same fault.
    """

    def __init__(self, load: Callable[[str], str | None]) -> None:
        self._load = load
        self._process: SandboxProcess | None = None
        self._stopped: dict[Template, TemplateFailure] = {}

    def start(self) -> SandboxProcess:
        """The process, started if need be; it gets ready while others work."""
        if self._process is None:
            self._process = SandboxProcess(self._load)
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def render(self, tasks: Iterable[Task]) -> Iterator[str | TemplateFailure]:
        """The text of each task, or why there is none, in order."""
        rest = deque(tasks)
        process: SandboxProcess | None = None
        while rest:
            if process is None:
                process = self.start()
                process.send([task for task in rest if task[0] not in self._stopped])
            source = rest[0][0]
            fault = self._stopped.get(source)
            result = process.result() if fault is None else fault
            if isinstance(result, WorkerDied):
                # Where it had work before, that may be to blame: then it is tried once more.
                if result.stopped or not process.answered:
                    self._stopped[source] = result.fault
                self.close()
                process = None
                continue
            rest.popleft()
            yield result
            if result == TOO_MUCH_MEMORY and fault is None:
                self._stopped[source] = TOO_MUCH_MEMORY
                self.close()  # what it left behind is nothing to go on with
                process = None
