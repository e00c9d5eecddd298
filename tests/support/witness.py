"""A gateway written from its documents alone: it answers the least that they promise.

Nothing of veogen's simulator is in it. It writes down every request, knows submit and one-task
reads and nothing else (404), and serves one real clip.
"""

import json
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

from support.clips import clip

KEY = "sk-evo-witness"
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
        return {"EVOLINK_API_KEY": KEY, "EVOLINK_BASE_URL": url, "EVOLINK_FILES_URL": url}

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
