"""Opening links: ranges, redirects, and where a link may not lead."""

import socket

import pytest
from support.scripted_host import Host, Step, answer, close, dribble, hang, say

from veogen import __version__
from veogen.gateway.api import InterruptedDownload, OpenDownload, ReadError
from veogen.gateway.http import open_response, prepare
from veogen.gateway.media_host import MediaClient
from veogen.gateway.pool import PublicPool
from veogen.gateway.settings import Proxies
from veogen.gateway.transport import NotConnectedError

DATA = bytes(range(256)) * 40


def local(request_timeout: float = 5.0) -> MediaClient:
    return MediaClient(local=True, request_timeout=request_timeout)


def fetched(
    media: MediaClient, url: str, *, start: int = 0, etag: str | None = None
) -> tuple[OpenDownload | ReadError, bytes]:
    with media, media.fetch(url, start=start, etag=etag) as body:
        return body, b"".join(body.chunks) if isinstance(body, OpenDownload) else b""


def refusal(media: MediaClient, url: str) -> str:
    body, _ = fetched(media, url)
    assert isinstance(body, ReadError)
    return body.code


def test_a_link_is_opened_without_the_key_and_under_our_name() -> None:
    step = answer(200, DATA, etag='"a1"', content_type="Video/MP4")
    with Host(step) as host:
        body, content = fetched(local(), f"{host.url}/clip.mp4?signature=abc")
        address = host.url.removeprefix("http://")

    assert isinstance(body, OpenDownload)
    assert (body.start, body.length, body.etag, body.content_type) == (
        0,
        len(DATA),
        '"a1"',
        "video/mp4",
    )
    assert content == DATA
    assert host.requests[0].line == "GET /clip.mp4?signature=abc HTTP/1.1"
    assert host.requests[0].headers == {
        "host": address,
        "user-agent": f"veogen/{__version__}",
        "accept-encoding": "identity",
    }


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("/a.mp4?signature=%7E%2d%2F", "/a.mp4?signature=%7E%2D%2F"),
        ("/ü|b.mp4?x=é#now", "/%C3%BC%7Cb.mp4?x=%C3%A9"),
        ("/a/../b%zz.mp4", "/b%25zz.mp4"),
        ("?x=1", "/?x=1"),
    ],
)
def test_a_link_is_mended_only_where_it_could_not_be_sent(given: str, asked: str) -> None:
    with Host(answer(200, DATA)) as host:
        fetched(local(), f"{host.url}{given}")

    assert host.requests[0].line == f"GET {asked} HTTP/1.1"


@pytest.mark.parametrize(
    ("etag", "if_range"),
    [('"a1"', '"a1"'), ('W/"a1"', None), (None, None)],
    ids=["strong", "weak", "none"],
)
def test_a_part_is_asked_for_if_the_file_still_is_the_same(
    etag: str | None, if_range: str | None
) -> None:
    step = answer(206, DATA[100:], content_range=f"bytes 100-{len(DATA) - 1}/{len(DATA)}")
    with Host(step) as host:
        body, content = fetched(local(), host.url, start=100, etag=etag)

    assert isinstance(body, OpenDownload)
    assert (body.start, body.length, content) == (100, len(DATA), DATA[100:])
    assert host.requests[0].headers["range"] == "bytes=100-"
    assert host.requests[0].headers.get("if-range") == if_range


@pytest.mark.parametrize(
    ("step", "length"),
    [
        pytest.param(say(b"HTTP/1.1 200 OK\r\n\r\n" + DATA), None, id="until it closes"),
        pytest.param(
            say(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + f"{len(DATA):x}\r\n".encode()
                + DATA
                + b"\r\n0\r\n\r\n"
            ),
            None,
            id="chunked",
        ),
        pytest.param(
            answer(206, DATA, content_range=f"bytes 0-9/{len(DATA)}"), len(DATA), id="part"
        ),
        pytest.param(answer(206, DATA, content_range="bytes 0-9/*"), None, id="part of unknown"),
        pytest.param(answer(206, DATA), len(DATA), id="part that is not named"),
    ],
)
def test_a_length_may_be_unknown(step: Step, length: int | None) -> None:
    with Host(step) as host:
        body, content = fetched(local(), host.url)

    assert isinstance(body, OpenDownload)
    assert (body.length, content) == (length, DATA)


@pytest.mark.parametrize(
    ("step", "code", "status"),
    [
        pytest.param(answer(403), "http_403", 403, id="forbidden"),
        pytest.param(answer(404), "http_404", 404, id="not found"),
        pytest.param(answer(410), "http_410", 410, id="gone"),
        pytest.param(answer(416), "http_416", 416, id="no such range"),
        pytest.param(answer(500), "http_500", 500, id="error"),
        pytest.param(answer(204), "http_204", 204, id="nothing"),
        pytest.param(answer(302), "redirects", None, id="a redirect to itself"),
        pytest.param(
            answer(302, location="http://["), "bad-link", None, id="a redirect to nowhere"
        ),
        pytest.param(close(), "lost", None, id="lost"),
        pytest.param(hang(), "timeout", None, id="silent"),
        pytest.param(
            dribble(b"HTTP/1.1 200 OK\r\nX: ", every=0.05), "timeout", None, id="a slow head"
        ),
        pytest.param(say(b"\x00"), "lost", None, id="garbage"),
    ],
)
def test_what_is_no_clip_says_why(step: Step, code: str, status: int | None) -> None:
    with Host(otherwise=step) as host:
        body, _ = fetched(local(0.3), host.url)

    assert isinstance(body, ReadError)
    assert (body.code, body.status) == (code, status)


def test_a_part_that_was_asked_for_is_named() -> None:
    with Host(answer(206, DATA)) as host:
        body, _ = fetched(local(), host.url, start=100)

    assert isinstance(body, ReadError)
    assert body.code == "bad-range"


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"), id="cut"),
        pytest.param(hang(after=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"), id="silent"),
        pytest.param(
            say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"), id="a chunk cut"
        ),
        pytest.param(
            dribble(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", every=0.05),
            id="no chunk",
        ),
        pytest.param(
            dribble(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", every=0.05), id="too slow"
        ),
    ],
)
def test_a_download_that_breaks_off_is_interrupted(step: Step) -> None:
    with Host(step) as host, pytest.raises(InterruptedDownload):
        fetched(local(0.3), host.url)


def test_redirects_are_followed_to_a_clip() -> None:
    with Host(answer(200, DATA)) as other:
        steps = [answer(302, location="/b?x=1"), answer(307, location=f"{other.url}/c")]
        with Host(*steps) as host:
            _, content = fetched(local(), f"{host.url}/a", start=0)

    assert content == DATA
    assert [request.line for request in (*host.requests, *other.requests)] == [
        "GET /a HTTP/1.1",
        "GET /b?x=1 HTTP/1.1",
        "GET /c HTTP/1.1",
    ]


def test_a_sixth_redirect_is_one_too_many() -> None:
    with Host(otherwise=answer(302, location="/again")) as host:
        assert refusal(local(), host.url) == "redirects"
        assert len(host.requests) == 6


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("http://media.evolink.ai/a.mp4", "insecure-link"),
        ("ftp://media.evolink.ai/a.mp4", "insecure-link"),
        ("file:///etc/passwd", "bad-link"),
        ("/etc/passwd", "bad-link"),
        ("", "bad-link"),
        ("https://[", "bad-link"),
        ("https://user:word@media.evolink.ai/", "bad-link"),
        ("https://media.evolink.ai/\x00", "bad-link"),
        ("https://localhost/a", "forbidden"),
        ("https://LOCALHOST./a", "forbidden"),
        ("https://127.0.0.1/a", "forbidden"),
        ("https://[::1]/a", "forbidden"),
        ("https://[::ffff:10.0.0.1]/a", "forbidden"),
        ("https://[64:ff9b::7f00:1]/a", "forbidden"),
        ("https://169.254.169.254/latest/meta-data", "forbidden"),
        ("https://192.168.1.1/a", "forbidden"),
        ("https://0.0.0.0/a", "forbidden"),
        ("https://2130706433/a", "forbidden"),
        ("https://127.1/a", "forbidden"),
    ],
)
def test_a_link_leads_to_the_public_internet_over_https(link: str, code: str) -> None:
    assert refusal(MediaClient(local=False, request_timeout=2), link) == code


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("http://media.evolink.ai/a.mp4", "insecure-link"),
        ("ftp://127.0.0.1/a", "insecure-link"),
        ("https://127.0.0.1:9/", "refused"),  # nobody discards any more
    ],
)
def test_where_the_gateway_is_on_this_machine_a_link_may_lead_here(link: str, code: str) -> None:
    assert refusal(local(), link) == code


@pytest.mark.parametrize("target", ["http://media.evolink.ai/a.mp4", "ftp://127.0.0.1/a.mp4"])
def test_a_redirect_may_not_lead_where_a_link_may_not(target: str) -> None:
    with Host(answer(302, location=target)) as host:
        assert refusal(local(), host.url) == "insecure-link"


def test_a_name_that_turns_into_a_private_address_gets_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first look-up says a public address, the one of the connection says ours."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: str, port: int, family: int = 0, type: int = 0) -> object:  # noqa: A002
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return real(address, port, family, type)

    with Host(otherwise=answer(200, DATA)) as host, PublicPool(None, connections=1) as pool:
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        request = prepare("GET", f"http://rebinding.example:{host.port}/", {})
        with pytest.raises(NotConnectedError, match="not a host of the public internet"):
            open_response(pool, request, timeout=2, proxies=Proxies())

        assert host.requests == []
    assert len(asked) == 2


def test_a_proxy_is_asked_for_a_link_by_its_name() -> None:
    with Host(say(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")) as proxy:
        media = MediaClient(local=False, request_timeout=2, proxies=Proxies(https=proxy.url))
        assert refusal(media, "https://media.veogen.example/a.mp4") == "refused"

    assert proxy.requests[0].line.startswith("CONNECT media.veogen.example:443 ")
