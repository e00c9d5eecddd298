"""The record of exchanges: a line each, never the key, no long bodies."""

import json
import logging
import re

import pytest
from support.scripted_host import Host, Step, answer, close

from veogen.gateway.client import Evolink
from veogen.gateway.media_host import MediaClient

KEY = "sk-evo-0123456789"


def lines(caplog: pytest.LogCaptureFixture, step: Step, body: bytes = b'{"a":1}') -> list[str]:
    caplog.set_level(logging.DEBUG, logger="veogen.gateway")
    with Host(step) as host, Evolink(host.url, host.url, KEY) as gateway:
        gateway.submit(body, "key-0123456789abcdef")
        url = host.url
    return [
        re.sub(r"\d\.\d{3} s", "T", line.replace(url, "HOST"))
        for line in caplog.messages
        if caplog.records[caplog.messages.index(line)].name == "veogen.gateway"
    ]


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        pytest.param(
            answer(200, {"id": "t"}, x_request_id="r1"), '200 [request r1] {"id": "t"}', id="answer"
        ),
        pytest.param(answer(204), "204 (no body)", id="no body"),
        pytest.param(answer(200, "x" * 2049), "200 (2049 bytes)", id="a long body"),
        pytest.param(answer(200, b"\xff\xfe"), "200 (2 bytes, no text)", id="no text"),
        pytest.param(answer(401, f"\x1b[2J{KEY}\r\nx"), "401 [2J*** x", id="masked and clean"),
        pytest.param(
            close(),
            "lost (the connection was lost: Remote end closed connection without response)",
            id="broken",
        ),
    ],
)
def test_every_exchange_is_one_line(
    step: Step, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert lines(caplog, step) == [f'POST HOST/v1/videos/generations {{"a":1}} -> {outcome} in T']


def test_a_long_request_is_told_by_its_length(caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"prompt": "x" * 3000}).encode()

    [line] = lines(caplog, answer(204), body)

    assert f"({len(body)} bytes) -> 204" in line


def test_a_download_is_told_without_the_signature_of_its_link(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="veogen.gateway")
    with (
        Host(answer(200, b"clip")) as host,
        MediaClient(local=True) as media,
        media.fetch(f"{host.url}/a.mp4?signature=secret"),
    ):
        url = host.url

    [line] = [record.getMessage() for record in caplog.records if record.name == "veogen.gateway"]
    assert line.startswith(f"GET {url}/a.mp4  -> 200 (4 bytes) in ")
    assert "secret" not in caplog.text.replace("signature=secret HTTP", "")
