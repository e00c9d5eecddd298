from collections.abc import Iterator

import pytest
import requests
from customer import Customer

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running


@pytest.fixture(scope="module")
def customer() -> Iterator[Customer]:
    with running(Options(generation_time=0, gateway=AccountSettings(clips="shared"))) as simulator:
        yield Customer(simulator)


@pytest.fixture(scope="module")
def link(customer: Customer) -> str:
    [link] = customer.make()["results"]
    return str(link)


def test_clips_come_from_another_host_than_answers(customer: Customer, link: str) -> None:
    assert link.startswith(customer.simulator.media_url + "/")
    assert customer.simulator.media_url != customer.simulator.base_url


def test_the_default_user_agent_of_python_is_refused(customer: Customer, link: str) -> None:
    answer = customer.fetch(link, **{"User-Agent": "Python-urllib/3.11"})

    assert answer.status_code == 403
    assert answer.text == "error code: 1010"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        pytest.param("bytes=10-19", 10, 19, id="from one byte to another"),
        pytest.param("bytes=100-", 100, None, id="from a byte to the end"),
        pytest.param("bytes=-5", -5, None, id="the last ones"),
        pytest.param("bytes=0-99999999", 0, None, id="further than the end"),
    ],
)
def test_a_part_is_served(
    customer: Customer, link: str, asked: str, first: int, last: int | None
) -> None:
    whole = customer.fetch(link)

    part = customer.fetch(link, Range=asked)

    wanted = whole.content[first : None if last is None else last + 1]
    start = first % len(whole.content)
    assert part.status_code == 206
    assert part.content == wanted
    assert part.headers["Content-Range"] == (
        f"bytes {start}-{start + len(wanted) - 1}/{len(whole.content)}"
    )
    assert part.headers["ETag"] == whole.headers["ETag"]


def test_a_part_behind_the_end_is_refused(customer: Customer, link: str) -> None:
    whole = customer.fetch(link)

    answer = customer.fetch(link, Range=f"bytes={len(whole.content)}-")

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(whole.content)}"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Range": "bytes=5-", "If-Range": '"another"'}, id="of another entity"),
        pytest.param({"Range": "bytes=0-1,5-6"}, id="of several parts"),
        pytest.param({"Range": "frames=1-"}, id="in other units"),
    ],
)
def test_a_part_that_cannot_be_is_answered_with_the_whole(
    customer: Customer, link: str, headers: dict[str, str]
) -> None:
    answer = customer.fetch(link, **headers)

    assert answer.status_code == 200
    assert answer.content == customer.fetch(link).content


@pytest.mark.parametrize(
    ("header", "tag", "status"),
    [
        pytest.param("If-None-Match", "{etag}", 304, id="only if it changed: it did not"),
        pytest.param("If-None-Match", '"another", W/{etag}', 304, id="one of several, weakly"),
        pytest.param("If-None-Match", "*", 304, id="only if there is none"),
        pytest.param("If-None-Match", '"another"', 200, id="only if it changed: it did"),
        pytest.param("If-Match", "{etag}", 200, id="only if it is the same: it is"),
        pytest.param("If-Match", '"another"', 412, id="only if it is the same: it is not"),
    ],
)
def test_a_clip_is_served_on_a_condition(
    customer: Customer, link: str, header: str, tag: str, status: int
) -> None:
    whole = customer.fetch(link)

    answer = customer.fetch(link, **{header: tag.format(etag=whole.headers["ETag"])})

    assert answer.status_code == status
    assert answer.content == (whole.content if status == 200 else b"")
    assert answer.headers["ETag"] == whole.headers["ETag"]


def test_the_length_can_be_asked_without_the_clip(customer: Customer, link: str) -> None:
    head = requests.head(link, timeout=30)

    assert head.headers["Content-Length"] == str(len(customer.fetch(link).content))
    assert head.content == b""


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        pytest.param("signature=", "signature=0", 403, id="another signature"),
        pytest.param("/1.mp4", "/2.mp4", 404, id="a clip that was not made"),
        pytest.param("/task-unified-", "/task-unified-0", 404, id="another task"),
    ],
)
def test_a_link_that_was_not_given_opens_nothing(
    customer: Customer, link: str, old: str, new: str, status: int
) -> None:
    assert customer.fetch(link.replace(old, new)).status_code == status
