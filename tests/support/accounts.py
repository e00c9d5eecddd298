"""A gateway that bills, and is no simulator: what was bought how often, with keys kept or not."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.clips import clip


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


class Handler(BaseHTTPRequestHandler):
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
    server = QuietGateway(("127.0.0.1", 0), type("Bound", (Handler,), {"account": account}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
