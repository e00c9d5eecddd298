"""Servers of S3 that keep a store's promises, each a process on loopback."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
