"""A host on this machine that does what a script says: answers, drops, hangs, lies."""

import json
import select
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        pairs = (line.partition(":")[::2] for line in lines)
        return {name.lower(): value.strip() for name, value in pairs}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Step:
    """What happens to one request: `act` gets the connection, and `keep` leaves it open."""

    act: Callable[[socket.socket, threading.Event], None]
    reads: bool = True
    keep: bool = False


def say(raw: bytes, *, reads: bool = True, keep: bool = False) -> Step:
    """Answer with these bytes."""
    return Step(lambda connection, _: connection.sendall(raw), reads=reads, keep=keep)


def answer(
    status: int = 200, body: bytes | str | Any = b"", *, keep: bool = True, **headers: str
) -> Step:
    """A well-formed answer; anything but text and bytes goes out as JSON."""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    fields = {"content-length": str(len(body)), "connection": "keep-alive" if keep else "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return say(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body, keep=keep)


def close() -> Step:
    """Read the request and hang up."""
    return Step(lambda _connection, _stop: None)


def reset(*, reads: bool = True) -> Step:
    """Hang up with an RST after the request has come, read or not."""

    def act(connection: socket.socket, _stop: threading.Event) -> None:
        if not reads:
            select.select([connection], [], [], 10)
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return Step(act, reads=reads)


def hang(*, after: bytes = b"", reads: bool = True) -> Step:
    """Say some bytes, then nothing until the host is closed."""

    def act(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(after)
        stop.wait(30)

    return Step(act, reads=reads)


def dribble(head: bytes, *, every: float) -> Step:
    """Say `head`, then a byte at a time."""

    def act(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(head)
        while not stop.wait(every):
            connection.sendall(b" ")

    return Step(act)


@dataclass
class Host:
    """Runs the steps in order, one for each request; `otherwise` goes on for ever after them."""

    steps: deque[Step]
    otherwise: Step | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __init__(
        self, *steps: Step, otherwise: Step | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.steps, self.otherwise, self.requests, self.connections = deque(steps), otherwise, [], 0
        self._tls = tls
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            with self._secured(connection) as stream:
                while self._take_step(stream):
                    pass
        except OSError:
            connection.close()

    def _secured(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def _take_step(self, connection: socket.socket) -> bool:
        with self._lock:
            early = bool(self.steps) and not self.steps[0].reads
            step = self.steps.popleft() if early else None
        if step is None:
            request = self._read(connection)
            if request is None:
                return False
            with self._lock:
                self.requests.append(request)
                step = self.steps.popleft() if self.steps else self.otherwise
            assert step is not None, f"the script has nothing to say to {request.line}"
        step.act(connection, self._stop)
        return step.keep

    def _read(self, connection: socket.socket) -> Request | None:
        received = b""
        while END_OF_HEAD not in received:
            more = self._more(connection)
            if not more:
                return None
            received += more
        head, body = received.split(END_OF_HEAD, 1)
        length = int(Request(head, b"").headers.get("content-length", "0"))
        while len(body) < length:
            body += self._more(connection)
        return Request(head, body)

    def _more(self, connection: socket.socket) -> bytes:
        while not self._stop.is_set():
            try:
                connection.settimeout(0.1)
                return connection.recv(1 << 20)
            except TimeoutError:
                continue
            finally:
                connection.settimeout(10)
        return b""


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
