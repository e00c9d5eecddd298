"""The key never comes out again, however somebody on the way spells it."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_host import Host, Step, answer

from veogen.gateway.api import Unknown
from veogen.gateway.client import Evolink
from veogen.gateway.transport import mask, mask_bytes

KEY = "sk-evo-aB3dE5fG7hJ9"


def escaped(form: str) -> str:
    return "".join(form.format(code=ord(letter)) for letter in KEY)


SPELLINGS = [
    pytest.param(KEY, id="as it is"),
    pytest.param(KEY.replace("-", "\\u002d"), id="one letter as JSON"),
    pytest.param(escaped("\\u{code:04x}"), id="all as JSON"),
    pytest.param(escaped("\\u{code:04X}"), id="in capitals"),
    pytest.param(escaped("\\\\u{code:04x}"), id="JSON in JSON"),
    pytest.param(KEY.replace("-", "\\-"), id="with backslashes"),
    pytest.param(escaped("\\x{code:02x}"), id="as a program"),
    pytest.param(escaped("\\{code:03o}"), id="in octal"),
    pytest.param(KEY.upper(), id="as capitals"),
    pytest.param(" ".join(KEY), id="spaced"),
    pytest.param(f"{KEY[:8]}\n  {KEY[8:]}", id="in two lines"),
    pytest.param(escaped("%{code:02X}"), id="in a URL"),
    pytest.param(quote(escaped("%{code:02X}")), id="in a URL in a URL"),
    pytest.param(escaped("&#{code};"), id="as HTML"),
    pytest.param(escaped("&#x{code:x};"), id="as HTML in hexadecimal"),
    pytest.param(KEY.encode().hex(), id="in hexadecimal"),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_blotted_out(spelling: str) -> None:
    assert mask(f'{{"message": "not {spelling}!"}}', KEY) == '{"message": "not ***!"}'


@pytest.mark.parametrize("before", ["", "B", "Be", "Bearer ", "user:"])
def test_in_base64_nothing_is_left_of_which_it_could_be_read(before: str) -> None:
    coded = base64.b64encode(f"{before}{KEY} and more".encode()).decode()

    masked = mask(coded, KEY)

    assert "***" in masked
    assert max(map(len, masked.split("***"))) < len(coded) - len(KEY)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_it_is_blotted_out_in_every_encoding_of_json(encoding: str) -> None:
    body = json.dumps({"message": f"not {KEY}", "id": "task-1"}).encode(encoding)

    assert json.loads(mask_bytes(body, KEY)) == {"message": "not ***", "id": "task-1"}


def test_what_is_no_text_is_blotted_out_too() -> None:
    assert mask_bytes(b"\xff\xfe\xfd" + KEY.encode() + b"\xff", KEY) == b"\xff\xfe\xfd***\xff"


@given(body=st.binary(max_size=200))
def test_what_does_not_have_it_stays_as_it_is(body: bytes) -> None:
    assert mask_bytes(body, KEY) == body


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            answer(200, json.dumps({"echo": KEY}).replace("-", "\\u002d")), id="escaped in JSON"
        ),
        pytest.param(answer(200, json.dumps({"echo": KEY}).encode("utf-16")), id="in UTF-16"),
        pytest.param(answer(502, f"<p>{escaped('&#{code};')}</p>"), id="in a page"),
        pytest.param(
            answer(302, location=f"https://h.example/?k={escaped('%{code:02X}')}"), id="redirect"
        ),
        pytest.param(answer(500, KEY.encode().hex()), id="in hexadecimal"),
    ],
)
def test_what_is_kept_of_an_answer_has_no_key(step: Step) -> None:
    with Host(step) as host, Evolink(host.url, host.url, KEY) as gateway:
        submission = gateway.submit(b"{}", "k")

    assert isinstance(submission, Unknown)
    assert "***" in submission.message
    assert KEY not in submission.message
