"""Stores: objects in memory whose calls can fail, every order of several processes, servers of S3."""

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import RLock
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar

from support.virtual import VirtualClock
from veogen.store.objects import ObjectInfo, StoreAwayError, TooLargeError


class World(Protocol):
    """What the processes share."""

    def state(self) -> Hashable:
        """Equal for worlds that are equal."""
        ...

    def copy(self) -> Self:
        """Another one that is equal, and changes by itself."""
        ...


@dataclass(frozen=True)
class Step:
    """One indivisible step: `do(world)` for each way in which it can go.

    A call whose answer can be lost has several: it was done and answered, done and not answered,
    neither.
    """

    ways: tuple[Callable[[Any], Hashable], ...]


Process: TypeAlias = Generator[Step, Any, None]


@dataclass
class _Moment:
    world: Any
    answers: tuple[tuple[Hashable, ...], ...]
    crashes: int
    trail: tuple[str, ...] = field(default=(), compare=False)


def explore(
    world: World,
    processes: Sequence[Callable[[], Process]],
    check: Callable[[Any, tuple[str, ...]], None],
    *,
    crashes: int = 0,
) -> int:
    """Call `check(world, trail)` after every step of every interleaving; how many states it saw.

    At most `crashes` processes stop for good between two of their steps.
    """
    seen: set[Hashable] = set()
    todo = [_Moment(world, ((),) * len(processes), crashes)]
    while todo:
        moment = todo.pop()
        state = (moment.world.state(), moment.answers, moment.crashes)
        if state in seen:
            continue
        seen.add(state)
        check(moment.world, moment.trail)
        todo.extend(_after(moment, processes))
    return len(seen)


_OVER: tuple[Hashable, ...] = ("over",)
"""In place of the answers of a process that has ended or crashed: what it knew is gone."""


def _after(moment: _Moment, processes: Sequence[Callable[[], Process]]) -> Iterator[_Moment]:
    for index, process in enumerate(processes):
        answers = moment.answers[index]
        step = _next(process, answers)
        if step is None:
            continue
        for number, way in enumerate(step.ways):
            world = moment.world.copy()
            answer = way(world)
            line = f"{index}: {way.__name__} {number} -> {answer!r}"
            after = (*answers, answer)
            after = _OVER if _next(process, after) is None else after
            yield _moved(moment, index, world, after, moment.crashes, line)
        if moment.crashes:
            line = f"{index}: crashes"
            yield _moved(moment, index, moment.world, _OVER, moment.crashes - 1, line)


def _moved(
    moment: _Moment,
    index: int,
    world: Any,
    answers: tuple[Hashable, ...],
    crashes: int,
    line: str,
) -> _Moment:
    everybody = (*moment.answers[:index], answers, *moment.answers[index + 1 :])
    return _Moment(world, everybody, crashes, (*moment.trail, line))


def _next(process: Callable[[], Process], answers: tuple[Hashable, ...]) -> Step | None:
    """The step that a process takes after these answers; None once it has ended."""
    if answers == _OVER:
        return None
    running = process()
    try:
        step = next(running)
        for answer in answers:
            step = running.send(answer)
    except StopIteration:
        return None
    return step


T = TypeVar("T")

Fault: TypeAlias = Literal["before", "after", "late"]
"""A call gives up before it did anything, or after it did; or its answer comes a minute later."""

Faults: TypeAlias = Callable[[int, str, str], Fault | None]
"""What befalls the n-th call (from 1), of this kind, on this name."""

LATE = 59.0


class NoRecords:
    """Faults of a store that takes no record of any log; `noticed` waits until a process knows."""

    def __init__(self) -> None:
        self._tries = threading.Semaphore(0)

    def __call__(self, number: int, kind: str, name: str) -> Fault | None:
        del number, kind
        if "/log/" not in name:
            return None
        self._tries.release()
        return "before"

    def noticed(self) -> None:
        """The second time that it tries, it knows of the first."""
        for _ in range(2):
            assert self._tries.acquire(timeout=60.0)


def no_faults(number: int, kind: str, name: str) -> Fault | None:
    del number, kind, name
    return None


class StoreTimeOfTests(VirtualClock):
    """A virtual clock that can be asleep: then only its boot clock and the wall clock go on."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    def now(self) -> float:
        return super().now() + self.slept

    def boot(self) -> float:
        return self.monotonic() + self.slept


class MemoryObjects:
    """A store that keeps its promises, with a clock of its own: `ahead` of ours."""

    def __init__(self, time: StoreTimeOfTests, *, ahead: float = 0.0) -> None:
        self._time = time
        self._lock = RLock()
        self.ahead = ahead
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: Faults = no_faults

    def create(self, name: str, content: bytes) -> bytes | None:
        def done() -> bytes | None:
            there = self.objects.get(name)
            if there is None:
                self._put(name, content)
                return None
            return None if there[0] == content else there[0]

        return self._call("create", name, done)

    def replace(self, name: str, content: bytes) -> None:
        self._call("replace", name, lambda: self._put(name, content))

    def read(self, name: str, limit: int) -> bytes | None:
        def done() -> bytes | None:
            content, _ = self.objects.get(name, (None, 0.0))
            if content is not None and len(content) > limit:
                raise TooLargeError(f"{name}: it has more than {limit} bytes")
            return content

        return self._call("read", name, done)

    def info(self, name: str) -> ObjectInfo | None:
        return self._call("info", name, lambda: self._info(name))

    def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
        def done() -> Sequence[ObjectInfo]:
            infos = [self._info(name) for name in sorted(self.objects)]
            return [
                info
                for info in infos
                if info is not None
                and info.name.startswith(f"{folder}/")
                and (not after or info.name > f"{folder}/{after}")
            ]

        return self._call("list", folder, done)

    def folders(self, folder: str) -> Sequence[str]:
        def done() -> Sequence[str]:
            below = [
                n.removeprefix(f"{folder}/") for n in self.objects if n.startswith(f"{folder}/")
            ]
            return sorted({name.partition("/")[0] for name in below if "/" in name})

        return self._call("folders", folder, done)

    def send(self, name: str, path: Path) -> None:
        content = path.read_bytes()

        def done() -> None:
            if name not in self.objects:
                self._put(name, content)

        self._call("send", name, done)

    def fetch(self, name: str, path: Path, limit: int) -> bool:
        content = self.read(name, limit)
        if content is None:
            return False
        path.write_bytes(content)
        return True

    def _put(self, name: str, content: bytes) -> None:
        self.objects[name] = (content, self._time.now() + self.ahead)

    def _info(self, name: str) -> ObjectInfo | None:
        if name not in self.objects:
            return None
        content, modified = self.objects[name]
        return ObjectInfo(name, len(content), modified)

    def _call(self, kind: str, name: str, done: Callable[[], T]) -> T:
        with self._lock:
            self.calls.append((kind, name))
            fault = self.faults(len(self.calls), kind, name)
            if fault == "before":
                raise StoreAwayError(f"memory: no answer to {kind} {name}")
            answer = done()
        if fault == "after":
            raise StoreAwayError(f"memory: no answer to {kind} {name}")
        if fault == "late":
            self._time.sleep(LATE)
        return answer


SERVERS = {
    "moto": [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"],
    "ministack": [
        sys.executable, "-W", "ignore", "-m", "hypercorn", "ministack.app:app", "-b", "127.0.0.1:{port}",
    ],
}  # fmt: skip

ENVIRON = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[int]:
    """An S3 server of its own process on loopback; its port."""
    port = free_port()
    environ = {**os.environ, "HOME": str(folder), "PYTHONWARNINGS": "ignore"}
    server = subprocess.Popen(
        [part.format(port=port) for part in command],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert server.poll() is None, f"{command} ended with {server.returncode}"
            assert time.monotonic() < deadline, f"{command} does not answer"
            time.sleep(0.05)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def make_bucket(port: int, bucket: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("PUT", f"/{bucket}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, answer.status


class LossyHandler(BaseHTTPRequestHandler):
    """Passes requests on; of some the answer is lost, before or after they were done."""

    protocol_version = "HTTP/1.1"
    target: int
    chance: random.Random
    share: float

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fate = self.chance.random()
        if fate < self.share / 2:  # it never arrives
            self.close_connection = True
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=30)
        try:
            connection.putrequest(self.command, self.path, skip_host=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if fate < self.share:  # it was done, and nobody hears of it
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in (
                "transfer-encoding",
                "connection",
                "content-length",
                "date",
                "server",
            ):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method of HTTP is passed on."""
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)


@contextmanager
def lossy(target: int, chance: random.Random, *, share: float) -> Iterator[int]:
    """A server in front of another one that loses this share of the answers; its port."""
    handler = type(
        "_Handler", (LossyHandler,), {"target": target, "chance": chance, "share": share}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
