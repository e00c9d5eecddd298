"""Servers of S3 that keep a store's promises, each a process on loopback."""

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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
