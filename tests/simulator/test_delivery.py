"""Each way in which a clip may arrive with a fault."""

import time

import pytest
import requests
from customer import Customer, customer_of


def clip(customer: Customer, prompt: str) -> str:
    [link] = customer.make(prompt=prompt)["results"]
    return str(link)


def test_half_a_clip_arrives_as_if_it_were_whole() -> None:
    with customer_of("at: download, do: truncated, times: 1") as customer:
        link = clip(customer, "a")
        half, whole = customer.fetch(link), customer.fetch(link)

    assert half.status_code == 200
    assert half.content == whole.content[: len(whole.content) // 2]
    assert half.headers["Content-Length"] == str(len(half.content))


def test_half_a_clip_arrives_without_its_length() -> None:
    with customer_of("at: download, do: truncated, length: false, after: 0.25") as customer:
        half = customer.fetch(clip(customer, "a"))

    assert "Content-Length" not in half.headers
    assert half.headers["Transfer-Encoding"] == "chunked"


def test_a_clip_arrives_whole_without_its_length() -> None:
    with customer_of("at: download, do: no-length, times: 1") as customer:
        link = clip(customer, "a")
        chunked, plain = customer.fetch(link), customer.fetch(link)

    assert "Content-Length" not in chunked.headers
    assert chunked.content == plain.content


def test_a_corrupt_clip_looks_like_one() -> None:
    with customer_of("at: download, do: corrupt, times: 1") as customer:
        link = clip(customer, "a")
        corrupt, whole = customer.fetch(link).content, customer.fetch(link).content

    assert len(corrupt) == len(whole)
    assert corrupt[:32] == whole[:32]
    assert corrupt[4:8] == b"ftyp"
    assert b"moov" not in corrupt


def test_a_link_expires_before_its_time() -> None:
    with customer_of("at: download, do: expired, prompt: a, times: 1") as customer:
        link = clip(customer, "a")
        expired, whole = customer.fetch(link), customer.fetch(link)

    assert (expired.status_code, expired.text) == (403, "the link has expired")
    assert whole.status_code == 200


def test_a_connection_is_lost_midway_and_the_rest_can_be_fetched() -> None:
    with customer_of("at: download, do: drop, after: 0.4, times: 1") as customer:
        link = clip(customer, "a")
        got = b""
        with requests.get(link, stream=True, timeout=30) as answer:
            etag = answer.headers["ETag"]
            with pytest.raises(requests.exceptions.ChunkedEncodingError):  # noqa: PT012 - it breaks while read
                for piece in answer.iter_content(1024):
                    got += piece
        rest = customer.fetch(link, **{"Range": f"bytes={len(got)}-", "If-Range": etag})
        whole = customer.fetch(link)

    assert 0 < len(got) < len(whole.content)
    assert rest.status_code == 206
    assert got + rest.content == whole.content


def test_a_clip_that_changed_is_not_continued() -> None:
    with customer_of("at: download, do: changed") as customer:
        link = clip(customer, "a")
        first = customer.fetch(link)
        again = customer.fetch(link, **{"Range": "bytes=100-", "If-Range": first.headers["ETag"]})

    assert again.status_code == 200
    assert again.headers["ETag"] != first.headers["ETag"]


def test_a_slow_clip_takes_its_time() -> None:
    with customer_of("at: download, do: slow, seconds: 0.4, times: 1") as customer:
        link = clip(customer, "a")
        before = time.monotonic()
        slow = customer.fetch(link)
        spent = time.monotonic() - before

        assert spent > 0.4
        assert slow.content == customer.fetch(link).content


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        pytest.param("answer, status: 200, body: html", 200, "text/html; charset=utf-8", id="page"),
        pytest.param("answer, status: 403", 403, "application/json", id="expired"),
        pytest.param("answer, status: 410, body: html", 410, "text/html; charset=utf-8", id="gone"),
    ],
)
def test_something_else_arrives(action: str, status: int, kind: str) -> None:
    with customer_of(f"at: download, do: {action}, times: 1") as customer:
        link = clip(customer, "a")
        answer = customer.fetch(link)

        assert (answer.status_code, answer.headers["Content-Type"]) == (status, kind)
        assert customer.fetch(link).headers["Content-Type"] == "video/mp4"
