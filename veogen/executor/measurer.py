"""The process in which clips are measured: what a stranger's file does to a decoder, it does there.

It is started for the first clip and kept for more, one at a time: its memory is limited, and the
kernel ends it when a clip takes too long, whatever the decoder is busy with. What it cannot measure
is whole all the same if its boxes are: a clip that was paid for is not refused for that.
"""

import atexit
import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from veogen.executor.mp4 import ClipInfo, probe
from veogen.executor.mp4_boxes import DamagedError, mp4_structure

MEMORY = 2 << 30
"""Bytes of address space: a decoder of 8K takes a third of that."""

SECONDS, BYTES_A_SECOND = 20.0, 16 << 20
"""A clip may take so long, and a second more for so many bytes: a slow disk has to read them."""

START_SECONDS = 60.0
_GRACE = 5.0
_IDLE = 30.0
"""Seconds after which a process that has nothing to do ends: none outlives a run for long."""

_LARGEST_ANSWER = 1 << 16
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from veogen.executor.measurer import serve; serve(int(sys.argv[2]))"
)


class Measurer:
    """Measures clips in a child process, for any thread; `memory` is in bytes."""

    def __init__(self, *, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        self.memory = memory
        self.seconds = seconds
        self.process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()
        os.register_at_fork(after_in_child=self._leave_to_the_parent)

    def _leave_to_the_parent(self) -> None:
        self.process, self._one_at_a_time = None, threading.Lock()

    def measure(self, path: Path) -> ClipInfo | str:
        """The facts of a clip that is whole, or why it is not."""
        with self._one_at_a_time:
            answer = self._answer(path)
        match answer:
            case {"info": dict(info)}:
                return ClipInfo(**info)
            case {"damage": str(text)}:
                return text
            case _:  # it may be the clip's fault or not: what its boxes say is looked at here
                pass
        try:
            structure = mp4_structure(path)
        except DamagedError as damage:
            return str(damage)
        return ClipInfo.unmeasured(structure)

    def close(self) -> None:
        """End the process; the next clip starts another."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _answer(self, path: Path) -> Any:
        """What the process says of a clip; None when it ended of it, or cannot be started."""
        seconds = self.seconds + path.stat().st_size / BYTES_A_SECOND
        order = json.dumps({"path": os.fspath(path.absolute()), "seconds": seconds}).encode()
        if self.process is not None and self.process.poll() is not None:
            self.close()  # it had nothing to do
        for _ in range(2):
            is_new = self.process is None
            try:
                process = self.process = self.process or self._started()
                with contextlib.suppress(BrokenPipeError):  # it is gone: reading will tell
                    _pipe(process.stdin).write(order + b"\n")
                line = _line(_pipe(process.stdout), seconds + (START_SECONDS if is_new else _GRACE))
            except OSError:
                self.close()
                return None
            if line is not None:
                return json.loads(line)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            self.close()
            if process.returncode != 0:  # else it was about to end when the clip came
                return None
        return None

    def _started(self) -> "subprocess.Popen[bytes]":
        paths = [str(Path(__file__).parents[2]), *filter(os.path.isabs, sys.path)]
        words = [sys.executable, "-I", "-S", "-c", _CODE, json.dumps(paths), str(self.memory)]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and code
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={},
            cwd="/",  # it keeps no folder in use
            start_new_session=True,  # Ctrl-C is for us
        )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise BrokenPipeError
    return pipe


def _line(pipe: IO[bytes], seconds: float) -> bytes | None:
    """One line of the process; None when it has ended, or says nothing for so long."""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            chunk = os.read(pipe.fileno(), _LARGEST_ANSWER) if selector.select(seconds) else b""
            if not chunk or len(line) > _LARGEST_ANSWER:
                return None
            line += chunk
    return line


def serve(memory: int) -> None:
    """Measure one clip for each line of the standard input, until there is none for a while."""
    import av  # noqa: F401, PLC0415 - dear: before a clip waits for it

    limits = {resource.RLIMIT_AS: memory, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for limit, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # it is lower, or not known here
            resource.setrlimit(limit, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    orders, answers = open(0, "rb", buffering=0), open(1, "wb", buffering=0)  # noqa: SIM115
    while (line := _line(orders, _IDLE)) is not None:
        order = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, order["seconds"])  # nobody handles it: it ends us
        info = probe(Path(order["path"]))  # out of memory it ends us as well
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer = {"damage": info} if isinstance(info, str) else {"info": asdict(info)}
        answers.write(json.dumps(answer).encode() + b"\n")


_measurer = Measurer()
atexit.register(_measurer.close)


def measure(path: Path) -> ClipInfo | str:
    """The facts of a clip that is whole, or why it is not; measured in a process of its own."""
    return _measurer.measure(path)
