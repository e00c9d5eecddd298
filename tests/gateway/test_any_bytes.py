"""No byte string as an answer makes the client raise, and none makes it show the key."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.scripted_host import Host, say

from veogen.gateway.api import InterruptedDownload, NotAccepted, OpenDownload, ReadError
from veogen.gateway.client import Evolink
from veogen.gateway.media_host import MediaClient

KEY = "sk-evo-0123456789"

LINES = st.sampled_from(
    [
        b"Content-Length: 5",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: -1",
        b"Content-Length: five",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Encoding: gzip",
        b"Content-Encoding: br, deflate",
        b"Location: http://127.0.0.1:1/" + KEY.encode(),
        b"Location: //[",
        b"Retry-After: Sun, 99 Nov 99999 99:99:99 GMT",
        b"Retry-After: \xb2",
        b"Date: " + b"9" * 300,
        b"Set-Cookie: a=b; expires=\xff; path=/",
        b"Content-Range: bytes 5-1/2",
        b"ETag: \xff\x00",
        b"X-Request-Id: " + KEY.encode(),
        b"no colon at all",
        b": no name",
    ]
)
HEADS = st.builds(
    lambda status, reason, lines: b"HTTP/1.1 %d %s\r\n" % (status, reason) + b"\r\n".join(lines),
    st.integers(0, 9999),
    st.binary(max_size=8),
    st.lists(LINES, max_size=5),
)
BODIES = st.binary(max_size=64) | st.sampled_from(
    [
        b'{"id": "' + KEY.encode() + b'"}',
        b'{"error": {"message": "' + KEY.encode() + b'", "code": "\\ud800"}}',
        b'{"data": [{"id": "a", "status": "x", "results": [{}]}, 1]}',
        b'5\r\n{"id"\r\n0\r\n\r\n',
        b"ffffffffffffffffffff\r\n",
        b"[" * 5000,
        b"1e999999999",
    ]
)
ANSWERS = st.binary(max_size=200) | st.builds(
    lambda head, gap, body: head + gap + body,
    HEADS,
    st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n", b""]),
    BODIES,
)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host() as scripted:
        yield scripted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=ANSWERS)
def test_a_client_survives_any_answer(raw: bytes, host: Host) -> None:
    host.otherwise = say(raw)
    with Evolink(host.url, host.url, KEY, request_timeout=1) as gateway:
        submission = gateway.submit(b"{}", "k")
        found = [
            *gateway.tasks(["a", "b"]).values(),
            gateway.recent_tasks("veo"),
            gateway.balance(),
            gateway.models(),
            gateway.upload("a.png", b"x", "image/png"),
            gateway.quota(),
            gateway.delete("a"),
        ]

    assert not (isinstance(submission, NotAccepted) and not submission.reached)
    assert KEY not in repr((submission, found))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=ANSWERS)
def test_a_download_survives_any_answer(raw: bytes, host: Host) -> None:
    host.otherwise = say(raw)
    with (
        MediaClient(local=True, request_timeout=1) as media,
        media.fetch(host.url, start=3) as body,
    ):
        assert isinstance(body, OpenDownload | ReadError)
        if isinstance(body, OpenDownload):
            with contextlib.suppress(InterruptedDownload):
                b"".join(body.chunks)
