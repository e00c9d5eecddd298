"""Clients that speak bad HTTP get an answer, and none of them shows a traceback of ours."""

import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from customer import KEY, MODEL, Customer

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import Simulator, running

BODY = f'{{"model": "{MODEL}", "prompt": "a boat"}}'.encode()


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(Options(generation_time=0, gateway=AccountSettings(clips="shared"))) as simulator:
        yield simulator


def said(simulator: Simulator, sent: bytes) -> tuple[int, bytes]:
    """The status and the body that `sent` is answered with."""
    parts = urlsplit(simulator.base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as line:
        line.sendall(sent)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def posted(*headers: bytes, path: str = "/v1/videos/generations", body: bytes = BODY) -> bytes:
    fixed = (
        f"POST {path} HTTP/1.1".encode(),
        f"Authorization: Bearer {KEY}".encode(),
        f"Content-Length: {len(body)}".encode(),
        b"Connection: close",
    )
    return b"\r\n".join([*fixed, *headers, b"", body])


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(b"GARBAGE\r\n\r\n", None, id="no HTTP at all"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(99), None, id="TLS"),
        pytest.param(
            b"GET / HTTP/9.9\r\nHost: h\r\n\r\n", "Bad status line", id="a version of its own"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n",
            "Invalid header value char",
            id="a header with a null",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
            "Invalid character in Content-Length",
            id="a length that is none",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
            "Invalid character in chunk size",
            id="a chunk that is none",
        ),
    ],
)
def test_what_is_no_http_is_refused_in_a_line(
    simulator: Simulator, caplog: pytest.LogCaptureFixture, sent: bytes, told: str | None
) -> None:
    status, _ = said(simulator, sent)

    line = f"a client of the simulator speaks no HTTP: {told}"
    assert status == 400
    assert [(r.getMessage(), r.exc_info) for r in caplog.records] == [(line, None)] * bool(told)


@pytest.mark.parametrize("path", ["/v1/videos/generations", "/v1/tasks/batch"])
def test_a_body_that_is_not_encoded_as_it_says_is_refused(
    simulator: Simulator, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    sent = posted(b"Host: h", b"Content-Encoding: gzip", path=path)

    status, answer = said(simulator, sent)

    assert status == 400
    assert json.loads(answer) == {
        "error": {
            "code": "invalid_parameters",
            "message": "the body is not encoded as its headers say",
            "type": "invalid_request_error",
            "param": "",
        }
    }
    assert caplog.records == []


def test_an_upload_that_is_not_encoded_as_it_says_is_refused(simulator: Simulator) -> None:
    path = "/api/v1/files/upload/base64"

    assert said(simulator, posted(b"Host: h", b"Content-Encoding: gzip", path=path)) == (
        400,
        b'{"success": false, "code": 400, "msg": "the body is not encoded as its headers say"}',
    )


@pytest.mark.parametrize("host", [b"h:x", b"h:99999999", b"\xff\xfe", b"a b", b""])
def test_links_lead_to_us_whatever_the_client_calls_us(simulator: Simulator, host: bytes) -> None:
    status, body = said(simulator, posted(b"Host: " + host))
    found = re.search(rb"task-unified-[0-9a-z-]+", body)
    assert status == 200
    assert found

    Customer(simulator).wait(found[0].decode())
    asked = b"GET /v1/tasks/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer k\r\n" % (
        found[0],
        host,
    )
    _, task = said(simulator, asked + b"Connection: close\r\n\r\n")

    assert f'"results": ["{simulator.media_url}/'.encode() in task
