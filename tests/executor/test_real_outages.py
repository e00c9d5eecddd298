"""Outages of every kind between a real run and its gateway, over HTTP: an outage spends no plan."""

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from support.gateways import KEY, Served, clean_environment, quick_simulator

from veogen.errors import ExitCode

pytestmark = pytest.mark.slow

REQUESTS = 200
SPEC = f"""
veogen: 1
name: trip
params: {{duration: 4}}
shots:
  - name: boat
    prompt: "Boat {{{{ number }}}} of WORD at dusk"
    matrix: {{number: [{", ".join(map(str, range(REQUESTS)))}]}}
"""
PAGE = b"<!DOCTYPE html><title>Bad Gateway</title>"


@dataclass
class Trouble:
    """What stands between: from `begin` to `end`, in seconds after the first POST."""

    kind: str
    begin: float
    end: float
    posts_alone: bool
    shape: str = "whole"
    target: str = ""
    posts: int = 0
    swallowed: int = 0
    since: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self, *, is_post: bool) -> bool:
        """Whether this request meets it."""
        with self.lock:
            if is_post:
                self.posts += 1
                self.since = self.since or time.monotonic()
            passed = time.monotonic() - (self.since or time.monotonic())
            inside = self.begin <= passed < self.end
            if self.shape == "flapping":
                inside = inside and passed % 2 < 1
            if self.shape == "every second":
                inside = inside and (not is_post or self.posts % 2 == 0)
            hit = inside and (is_post or not self.posts_alone)
            self.swallowed += hit and is_post
            return hit


class Between(BaseHTTPRequestHandler):
    """Hands on what comes, unless there is trouble."""

    protocol_version = "HTTP/1.1"
    trouble: Trouble

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._hand_on("GET")

    def do_POST(self) -> None:
        self._hand_on("POST")

    def _hand_on(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        is_post = self.path.endswith("/generations")
        if self.trouble.hits(is_post=is_post):
            self._fail()
            return
        kept = ("authorization", "content-type", "idempotency-key", "accept")
        headers = {name: value for name, value in self.headers.items() if name.lower() in kept}
        answer = requests.request(
            method, self.trouble.target + self.path, data=body, headers=headers, timeout=30
        )
        self._say(answer.status_code, answer.content, answer.headers.get("x-veogen-simulator"))

    def _fail(self) -> None:
        match self.trouble.kind:
            case "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
            case "silence":
                self.close_connection = True
                time.sleep(3)
            case "portal":
                self._say(200, PAGE, None)
            case status:
                self._say(int(status), PAGE, None)

    def _say(self, status: int, body: bytes, simulated: str | None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if simulated:
            self.send_header("x-veogen-simulator", simulated)
        self.end_headers()
        self.wfile.write(body)


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no error here."""


@contextmanager
def between(trouble: Trouble, served: Served) -> Iterator[str]:
    trouble.target = served.environ["EVOLINK_BASE_URL"]
    handler = type("Handler", (Between,), {"trouble": trouble})
    server = QuietServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with quick_simulator(tmp_path_factory.mktemp("account")) as served:
        yield served


def case(
    kind: str,
    begin: float,
    seconds: float,
    most: int,
    *,
    posts_alone: bool = False,
    shape: str = "whole",
) -> Any:
    where = "POSTs" if posts_alone else "everything"
    trouble = (kind, begin, begin + seconds, posts_alone, shape)
    return pytest.param(trouble, most, id=f"{kind}-{where}-{shape}-{begin}+{seconds}-{most}")


@pytest.mark.parametrize(
    ("words", "most"),
    [
        case("502", 0, 3, 4),
        case("502", 1, 3, 64),
        case("503", 1, 30, 64),
        case("reset", 0, 30, 4),
        case("reset", 1, 5, 64),
        case("portal", 1, 10, 4),
        case("silence", 1, 10, 64),
        case("502", 0, 1, 64, posts_alone=True),
        case("503", 1, 30, 4, posts_alone=True),
        case("reset", 1, 30, 64, posts_alone=True),
        case("portal", 0, 30, 64, posts_alone=True),
        case("502", 0, 10, 64, posts_alone=True, shape="every second"),
        case("reset", 1, 20, 64, shape="flapping"),
    ],
)
def test_an_outage_spends_no_plan(
    words: tuple[str, float, float, bool, str], most: int, served: Served, tmp_path: Path
) -> None:
    kind, begin, end, posts_alone, shape = words
    trouble = Trouble(kind, begin, end, posts_alone, shape)
    word = tmp_path.name
    (tmp_path / "trip.yaml").write_text(SPEC.replace("WORD", word))
    with between(trouble, served) as url:
        environ = {**clean_environment(served), "EVOLINK_BASE_URL": url, "EVOLINK_API_KEY": KEY}
        command = [
            *(sys.executable, "-m", "veogen", "run", "trip.yaml", "--yes", "--progress", "none"),
            *("--poll-interval", "0.5", "--request-timeout", "2", "--max-in-flight", str(most)),
        ]
        ended = subprocess.run(
            command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True
        )

    lines = json.loads((tmp_path / "runs/trip/results.json").read_text())["results"]
    statuses = [line["status"] for line in lines]
    held = statuses.count("indeterminate")
    billed = [b for b in served.audit()["billed"] if f"of {word} " in b["prompt"]]
    assert len(billed) == statuses.count("completed") + statuses.count("submitted"), ended.stderr
    assert trouble.posts == len(billed) + held, "not one submit more"
    if shape == "whole":
        assert held <= (4 if begin == 0 else most) + 3
        stops = posts_alone and end - begin > 5
        expected = ExitCode.STOPPED if stops else ExitCode.INDETERMINATE if held else ExitCode.DONE
        assert ended.returncode == expected, ended.stderr
        if not stops:
            assert len(billed) + held == REQUESTS
    else:
        assert held == trouble.swallowed
