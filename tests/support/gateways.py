"""Gateways as processes and servers: the simulator, one written from its documents alone, one that bills."""

import json
import os
import random
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import requests

from support.galleries import clip

KEY = "sk-evo-5ecret-0f-a-u5er"


@dataclass(frozen=True, slots=True)
class Served:
    """Where it serves, as the environment of a client."""

    environ: Mapping[str, str]
    process: "subprocess.Popen[str]"

    def audit(self) -> dict[str, Any]:
        url = f"{self.environ['EVOLINK_BASE_URL']}/__audit"
        answer: dict[str, Any] = requests.get(url, timeout=10).json()
        return answer


@contextmanager
def simulator(faults: Path | None = None, *, generation_time: float = 0.2) -> Iterator[Served]:
    """`veogen simulate`, until the block ends."""
    words = [sys.executable, "-m", "veogen", "simulate", "--generation-time", str(generation_time)]
    words += ["--faults", str(faults)] if faults else []
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().strip() for _ in range(3)]
        environ = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        yield Served({**environ, "EVOLINK_API_KEY": KEY}, process)
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@contextmanager
def quick_simulator(folder: Path) -> Iterator[Served]:
    """One that makes a task in a moment, and one clip for all of them; `folder` holds its file."""
    account = folder / "faults.yaml"
    account.write_text("gateway: {clips: shared, estimated_time: 1}\n")
    with simulator(account, generation_time=0.1) as served:
        yield served


def clean_environment(served: Served) -> dict[str, str]:
    """The environment of a child process that talks to it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVOLINK_")}
    return {**kept, **served.environ}


WITNESS_KEY = "sk-evo-witness"
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Witness:
    """What the server saw; tasks are completed when they have taken their time, in seconds.

    Every clip is `padding` bytes longer than it needs to be; of those that were bought with one key
    so many bytes a second are sent, `bandwidth`.
    """

    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    generation_time: float = 0.0
    padding: int = 0
    bandwidth: float | None = None

    @property
    def environ(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}"
        return {"EVOLINK_API_KEY": WITNESS_KEY, "EVOLINK_BASE_URL": url, "EVOLINK_FILES_URL": url}

    @property
    def submits(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == "POST" and "generations" in seen.path]

    @property
    def downloads(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path.startswith("/clips/")]


class Handler(BaseHTTPRequestHandler):
    """Answers one connection; the server has the record."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        body = self._note()
        if self.path == "/v1/videos/generations":
            task = {"created": 1757169743, "id": f"task-unified-{next(self.server.numbers)}"}
            self.server.began[str(task["id"])] = time.monotonic()
            self.server.keys[str(task["id"])] = str(self.headers.get("Authorization"))
            self._json(200, {**task, "model": json.loads(body)["model"], "status": "pending"})
        else:
            self._unknown()

    def do_GET(self) -> None:
        self._note()
        if self.path.startswith("/v1/tasks/task-unified-"):
            task = self.path.rpartition("/")[2]
            age = time.monotonic() - self.server.began.get(task, 0.0)
            if age < self.server.record.generation_time:
                self._json(200, {"id": task, "status": "processing"})
                return
            link = f"http://127.0.0.1:{self.server.server_port}/clips/{task}.mp4"
            self._json(200, {"id": task, "status": "completed", "results": [link]})
        elif self.path.startswith("/clips/"):
            key = self.server.keys.get(self.path.rpartition("/")[2].removesuffix(".mp4"), "")
            video = self.server.video + free_box(self.server.record.padding)
            self._send(200, video, "video/mp4", line=key)
        else:
            self._unknown()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _note(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.command, self.path, dict(self.headers), body)
        self.server.record.seen.append(seen)
        return body

    def _unknown(self) -> None:
        error = {"code": 404, "message": "not found", "type": "not_found_error"}
        self._json(404, {"error": error})

    def _json(self, status: int, data: object) -> None:
        self._send(status, json.dumps(data).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str, *, line: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if line is None or self.server.record.bandwidth is None:
            self.wfile.write(body)
            return
        for start in range(0, len(body), PIECE):
            piece = body[start : start + PIECE]
            time.sleep(self.server.wait_for(line, len(piece) / self.server.record.bandwidth))
            self.wfile.write(piece)


def free_box(size: int) -> bytes:
    """So many bytes at the end of an MP4 that are part of it and mean nothing."""
    return struct.pack(">I4s", size, b"free") + bytes(size - 8) if size else b""


class Server(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True
    request_queue_size = 128  # as many POSTs as come at once: a refusal would be a lost answer

    def __init__(self, generation_time: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.record = Witness(port=self.server_port, generation_time=generation_time)
        self.numbers = count(1)
        self.began: dict[str, float] = {}
        self.keys: dict[str, str] = {}
        self._free_at: dict[str, float] = {}
        self._lines = threading.Lock()
        self.video = clip()

    def wait_for(self, line: str, seconds: float) -> float:
        """Take a line for so many seconds; how long until then."""
        with self._lines:
            now = time.monotonic()
            self._free_at[line] = max(now, self._free_at.get(line, now)) + seconds
            return self._free_at[line] - now


@contextmanager
def witness(generation_time: float = 0.0) -> Iterator[Witness]:
    """Serve until the block ends."""
    server = Server(generation_time)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.record
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Account:
    """A gateway that bills: each key once, or each POST, where it keeps no keys."""

    keeps_keys: bool
    url: str = ""
    tasks: dict[str, tuple[str, float]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, prompt: str, key: str) -> dict[str, Any]:
        with self.lock:
            task = self.by_key.get(key) if self.keeps_keys else None
            if task is None:
                task = self.by_key[key] = f"task-{len(self.tasks) + 1}"
                self.tasks[task] = (prompt, time.monotonic())
        return {"id": task, "status": "pending", "usage": {"credits_reserved": 38.016}}

    def task(self, task: str) -> dict[str, Any]:
        made = time.monotonic() - self.tasks[task][1] > 0.5
        if not made:
            return {"id": task, "status": "processing"}
        return {"id": task, "status": "completed", "results": [f"{self.url}/clips/{task}.mp4"]}

    @property
    def bought(self) -> Counter[str]:
        """How often each prompt was billed."""
        return Counter(prompt for prompt, _ in self.tasks.values())


class BillingHandler(BaseHTTPRequestHandler):
    """The little of the API that a run needs."""

    protocol_version = "HTTP/1.1"
    account: Account

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/generations"):
            time.sleep(random.uniform(0, 0.2))
            answer = self.account.submit(body["prompt"], self.headers["idempotency-key"])
            time.sleep(random.uniform(0, 0.2))
            self._say(json.dumps(answer).encode())
        else:
            tasks = [self.account.task(task) for task in body["task_ids"]]
            self._say(json.dumps({"data": tasks}).encode())

    def do_GET(self) -> None:
        if self.path.startswith("/clips/"):
            self._say(clip())
        elif self.path.startswith("/v1/tasks/"):
            self._say(json.dumps(self.account.task(self.path.rpartition("/")[2])).encode())
        else:
            self._say(b'{"data": []}')

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class QuietGateway(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no error here."""


@contextmanager
def served(account: Account) -> Iterator[Account]:
    server = QuietGateway(("127.0.0.1", 0), type("Bound", (BillingHandler,), {"account": account}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
