import io
from collections.abc import Iterator

import av
import pytest
import requests
from customer import KEY, MODEL, Customer

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running


@pytest.fixture(scope="module")
def customer() -> Iterator[Customer]:
    with running(Options(generation_time=0.05)) as simulator:
        yield Customer(simulator)


def test_a_request_becomes_a_task_that_reserves_credits(customer: Customer) -> None:
    answer = customer.submit(duration=8)

    task = answer.json()
    assert answer.status_code == 200
    assert task["id"].startswith("task-unified-")
    assert task == {
        "created": task["created"],
        "id": task["id"],
        "model": MODEL,
        "object": "video.generation.task",
        "progress": 0,
        "status": "pending",
        "type": "video",
        "task_info": {"can_cancel": True, "estimated_time": 1, "video_duration": 8},
        "usage": {
            "billing_rule": "per_second",
            "credits_reserved": 76.032,
            "user_group": "default",
        },
    }


def test_a_task_ends_with_a_link_to_each_of_its_clips(customer: Customer) -> None:
    task = customer.make(n=2)

    clips = [customer.fetch(link) for link in task["results"]]
    assert task["status"] == "completed"
    assert task["progress"] == 100
    assert task["task_info"]["can_cancel"] is False
    assert [clip.headers["Content-Type"] for clip in clips] == ["video/mp4", "video/mp4"]
    assert clips[0].content != clips[1].content


@pytest.mark.parametrize(
    ("asked", "size", "seconds", "sound"),
    [
        pytest.param({}, (1280, 720), 4.0, True, id="what is left out has its default"),
        pytest.param({"duration": 6, "generate_audio": False}, (1280, 720), 6.0, False, id="mute"),
        pytest.param({"aspect_ratio": "9:16"}, (720, 1280), 4.0, True, id="upright"),
        pytest.param({"quality": "1080p"}, (1920, 1080), 4.0, True, id="larger"),
    ],
)
def test_a_clip_is_what_was_asked_for(
    customer: Customer,
    asked: dict[str, object],
    size: tuple[int, int],
    seconds: float,
    sound: bool,
) -> None:
    [link] = customer.make(**asked)["results"]

    with av.open(io.BytesIO(customer.fetch(link).content), "r") as clip:
        video = clip.streams.video[0]
        assert (video.width, video.height) == size
        assert clip.duration == seconds * 1_000_000
        assert video.codec_context.name == "h264"
        assert video.average_rate == 24
        assert len(list(clip.decode(video=0))) == seconds * 24
        assert [stream.codec_context.name for stream in clip.streams.audio] == ["aac"] * sound


def test_a_key_that_comes_again_with_its_body_buys_nothing(customer: Customer) -> None:
    first = customer.submit(key="a-key-that-comes-again", seed=7)
    again = customer.submit(key="a-key-that-comes-again", seed=7)

    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_a_key_that_comes_again_with_another_body_is_a_conflict(customer: Customer) -> None:
    customer.submit(key="a-key-with-two-bodies", seed=7)

    conflict = customer.submit(key="a-key-with-two-bodies", seed=8)

    assert conflict.status_code == 409
    assert conflict.json()["error"]["code"] == "idempotency_conflict"


def test_many_tasks_are_read_at_once_and_unknown_ones_are_missing(customer: Customer) -> None:
    ids = [customer.submit(seed=seed).json()["id"] for seed in (1, 2)]

    answer = customer.ask("POST", "/v1/tasks/batch", json={"task_ids": [*ids, "task-unified-x"]})

    assert [task["id"] for task in answer.json()["data"]] == ids


def test_the_list_is_newest_first_and_holds_no_links_and_prompts(customer: Customer) -> None:
    task = customer.make(seed=5)

    page = customer.ask("GET", "/v1/tasks?page_size=1&status=completed").json()

    assert page["data"] == [
        {
            "id": task["id"],
            "status": "completed",
            "model": MODEL,
            "type": "video",
            "progress": 100,
            "created_at": task["created"],
            "credits_used": 38.016,
            "has_results": True,
            "has_error": False,
        }
    ]


def test_credits_are_reserved_and_then_charged() -> None:
    with running(Options(generation_time=0, gateway=AccountSettings(clips="shared"))) as simulator:
        customer = Customer(simulator)
        before = customer.ask("GET", "/v1/credits").json()["data"]["user"]
        customer.make()
        after = customer.ask("GET", "/v1/credits").json()["data"]["user"]

    assert before == {"remaining_credits": 1_000_000.0, "used_credits": 0.0}
    assert after == {"remaining_credits": 999_961.984, "used_credits": 38.016}


def test_the_models_are_those_of_the_catalogue(customer: Customer) -> None:
    models = customer.ask("GET", "/v1/models").json()["data"]

    assert MODEL in [model["id"] for model in models]


def test_every_answer_says_that_it_is_simulated(customer: Customer) -> None:
    [link] = customer.make()["results"]
    answers = [
        customer.ask("GET", "/v1/credits"),
        customer.ask("GET", "/v1/nowhere"),
        customer.submit(duration=5),
        requests.get(customer.simulator.base_url + "/v1/credits", timeout=30),
        customer.fetch(link),
        customer.fetch(link + "0"),
    ]

    assert [answer.headers["X-Veogen-Simulator"] for answer in answers] == ["1"] * len(answers)


@pytest.mark.parametrize(
    ("headers", "query", "seen"),
    [
        pytest.param({"Authorization": f"Bearer {KEY}"}, "", 1, id="as at the gateway"),
        pytest.param({"Authorization": "Bearer another"}, "", 1, id="whatever it is"),
        pytest.param({"X-Api-Key": KEY}, "", 1, id="by another header"),
        pytest.param({}, f"&key={KEY}", 1, id="in the address"),
        pytest.param({"X-Note": "nothing secret"}, "&key=none", 0, id="not at all"),
    ],
)
def test_a_key_sent_to_the_media_host_is_seen_but_not_kept(
    headers: dict[str, str], query: str, seen: int
) -> None:
    with running(Options(generation_time=0, gateway=AccountSettings(clips="shared"))) as simulator:
        customer = Customer(simulator)
        [link] = customer.make()["results"]
        customer.fetch(link + query, **headers)
        audit = simulator.audit()

    assert audit["media"]["requests"] == 1
    assert list(audit["media"]["keys"].values()) == [1] * seen
    assert KEY not in str(audit)


def test_the_audit_tells_who_was_billed_for_what() -> None:
    with running(Options(generation_time=0, gateway=AccountSettings(clips="shared"))) as simulator:
        customer = Customer(simulator)
        task_id = customer.submit(key="the-first-of-two-keys").json()["id"]
        customer.submit(key="the-first-of-two-keys")
        other_id = customer.submit(key="the-second-of-two-keys").json()["id"]
        customer.submit(duration=5)
        customer.wait(task_id)
        customer.wait(other_id)
        audit = customer.ask("GET", "/__audit").json()

    body = audit["billed"][0]["body_sha256"]
    assert audit["submits"] == {
        "posts": 4,
        "by_key": {"the-first-of-two-keys": 2, "the-second-of-two-keys": 1},
        "accepted": 2,
        "replayed": 1,
        "refused": {"400": 1},
    }
    assert audit["duplicates"] == {"by_key": {}, "by_body": {body: [task_id, other_id]}}
    assert audit["credits"] == {
        "remaining": "999923.968",
        "reserved": "0.000",
        "charged": "76.032",
        "returned": "0",
    }
    assert [bill["charged"] for bill in audit["billed"]] == [True, True]
    assert audit["most_in_flight"] in (1, 2)
