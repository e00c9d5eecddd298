"""Callbacks are hints: who may give one, and what strangers may do to the server."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from veogen.errors import UsageError
from veogen.gateway.webhook import BODY_LIMIT, BURST, WebhookApp, serving

OPEN = Path("/dev/fd")
SECRET = "T7iB3m6yQ0Zc8uJr5xW1vK9dLs2hNf4aGpEoXbRtYqk"


@dataclass
class Ear:
    """A server for callbacks on a clock that stands still, and what it passed on."""

    port: int = 0
    now: float = 100.0
    heard: list[str] = field(default_factory=list)

    def post(self, path: str, body: object, method: str = "POST") -> requests.Response:
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return requests.request(method, self.url + path, data=data, timeout=10)

    def say(self, raw: bytes) -> bytes:
        """What comes back for these bytes; all of it, until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as speaking:
            speaking.sendall(raw)
            speaking.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: speaking.recv(65536), b""))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    callbacks = WebhookApp(lambda: ear.now)
    callbacks.register(SECRET, ear.heard.append)
    with serving(callbacks, "127.0.0.1", 0) as port:
        ear.port = port
        yield ear


TASK = {"id": "task-unified-1", "status": "completed", "results": ["https://evil.example/x.mp4"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "heard"),
    [
        pytest.param("POST", f"/{SECRET}", TASK, 204, ["task-unified-1"], id="a hint"),
        pytest.param("POST", f"/a/b/{SECRET}", TASK, 204, ["task-unified-1"], id="below a prefix"),
        pytest.param("POST", f"/{SECRET}?x=1", TASK, 204, ["task-unified-1"], id="a query"),
        pytest.param("POST", "/", TASK, 404, [], id="no secret"),
        pytest.param("POST", f"/{SECRET[:-1]}", TASK, 404, [], id="a secret cut short"),
        pytest.param("POST", f"/{SECRET}/", TASK, 404, [], id="something after the secret"),
        pytest.param("POST", f"/{SECRET.lower()}", TASK, 404, [], id="in another case"),
        pytest.param("POST", "/%ff%00é", TASK, 404, [], id="bytes that are no text"),
        pytest.param("GET", f"/{SECRET}", b"", 405, [], id="a look"),
        pytest.param("PUT", f"/{SECRET}", TASK, 405, [], id="another method"),
        pytest.param("POST", f"/{SECRET}", b"", 400, [], id="nothing"),
        pytest.param("POST", f"/{SECRET}", b"\xff\xfe", 400, [], id="no text"),
        pytest.param("POST", f"/{SECRET}", "[" * 60_000, 400, [], id="a deep nest"),
        pytest.param("POST", f"/{SECRET}", [TASK], 400, [], id="a list"),
        pytest.param("POST", f"/{SECRET}", {"id": 7}, 400, [], id="an id that is no string"),
        pytest.param("POST", f"/{SECRET}", {"id": ""}, 400, [], id="an empty id"),
        pytest.param("POST", f"/{SECRET}", {"id": "x" * 201}, 400, [], id="a long id"),
        pytest.param("POST", f"/{SECRET}", b"x" * (BODY_LIMIT + 1), 413, [], id="a large body"),
    ],
)
def test_only_the_id_is_read_and_only_under_the_secret(
    ear: Ear, method: str, path: str, body: object, status: int, heard: list[str]
) -> None:
    answer = ear.post(path, body, method)

    assert (answer.status_code, ear.heard) == (status, heard)
    assert "waitress" not in str(answer.headers)
    assert SECRET not in answer.text


def test_a_body_without_a_length_has_a_limit_too(ear: Ear) -> None:
    pieces = (b"x" * 1024 for _ in range(1024))

    answer = requests.post(f"{ear.url}/{SECRET}", data=pieces, timeout=10)

    assert (answer.status_code, ear.heard) == (413, [])


def test_hints_have_a_rate_and_the_gateway_is_told_to_come_again(ear: Ear) -> None:
    with requests.Session() as session:

        def answers(number: int) -> list[int]:
            return [
                session.post(f"{ear.url}/{SECRET}", json=TASK).status_code for _ in range(number)
            ]

        assert answers(BURST + 2) == [204] * BURST + [429] * 2
        ear.now += 0.2
        assert answers(3) == [204, 204, 429]
        ear.now += 3600
        assert answers(1) == [204]
        assert session.post(f"{ear.url}/wrong", json=TASK).status_code == 404
    assert len(ear.heard) == BURST + 3


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400", id="tls"),
        pytest.param(b"nonsense\r\n\r\n", b"400", id="nonsense"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400", id="odd length"),
    ],
)
def test_what_is_no_request_is_refused(
    ear: Ear, raw: bytes, status: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = ear.say(raw)

    assert answer.split()[1] == status
    assert ear.post(f"/{SECRET}", TASK).status_code == 204
    assert capfd.readouterr() == ("", "")


def test_strangers_who_hold_the_line_use_up_few_files(ear: Ear) -> None:
    before = len(list(OPEN.iterdir()))
    with ExitStack() as stack:
        for _ in range(200):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", ear.port), 10))
            idle.sendall(b"POST / HTTP/1.1\r\n")
        end = time.monotonic() + 30
        while (taken := len(list(OPEN.iterdir())) - before - 200) < 60:
            assert time.monotonic() < end, f"only {taken} were let in"
        assert taken <= 64
    assert ear.post(f"/{SECRET}", TASK).status_code == 204


def test_nobody_listens_any_more_when_the_block_has_ended() -> None:
    with serving(WebhookApp(lambda: 0.0), "127.0.0.1", 0) as port:
        held = socket.create_connection(("127.0.0.1", port), timeout=10)

    assert held.recv(1) == b""
    held.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "Address already in use"),
        ("192.0.2.1", "Cannot assign requested address"),
        ("no.such.host.invalid", "not known|resolution"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_told(host: str, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = f"^{host}:{port} cannot be listened on: .*({reason})"
        with pytest.raises(UsageError, match=told), serving(WebhookApp(lambda: 0.0), host, port):
            pass
