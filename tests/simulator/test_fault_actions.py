"""Each fault, as a client meets it."""

import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from customer import customer_of, eventually


@pytest.mark.parametrize(
    ("details", "status", "body"),
    [
        pytest.param(
            "status: 503",
            503,
            '{"error": {"code": 503, "message": "no channel now",'
            ' "type": "service_unavailable_error", "param": "",'
            ' "fallback_suggestion": "retry after 30 seconds"}}',
            id="the gateway's own JSON",
        ),
        pytest.param(
            "status: 402, code: key_quota_exhausted, message: no money",
            402,
            '{"error": {"code": "key_quota_exhausted", "message": "no money",'
            ' "type": "insufficient_quota_error", "param": ""}}',
            id="with a code",
        ),
        pytest.param(
            "status: 402, code: key_model_not_allowed, details: {allowed_models: [a], type: ''}",
            402,
            '{"error": {"code": "key_model_not_allowed",'
            ' "message": "no balance, or a limit on the key", "type": "", "param": "",'
            ' "allowed_models": ["a"]}}',
            id="with more fields, or others",
        ),
        pytest.param(
            "status: 502, body: html",
            502,
            "<!DOCTYPE html><html><head><title>502 the provider failed</title></head>"
            "<body><h1>502 the provider failed</h1></body></html>",
            id="a page",
        ),
        pytest.param("status: 504, body: empty", 504, "", id="nothing"),
        pytest.param("status: 200", 200, "{}", id="success that says nothing"),
        pytest.param(
            "status: 200, details: {id: null}",
            200,
            '{"id": null}',
            id="success that says too little",
        ),
    ],
)
def test_a_submit_is_answered_with(details: str, status: int, body: str) -> None:
    with customer_of(f"at: submit, do: answer, {details}") as customer:
        answer = customer.submit()
        audit = customer.simulator.audit()

    assert (answer.status_code, answer.text) == (status, body)
    assert audit["billed"] == []


def test_garbage_is_no_json() -> None:
    with customer_of("at: submit, do: answer, status: 200, body: garbage") as customer:
        answer = customer.submit()

    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_an_answer_says_when_to_come_again() -> None:
    with customer_of(
        "at: submit, do: answer, status: 429, retry_after: 7, prompt: seconds",
        "at: submit, do: answer, status: 429, retry_after_date: 7, prompt: date",
    ) as customer:
        seconds = customer.submit(prompt="seconds").headers["Retry-After"]
        date = customer.submit(prompt="date").headers["Retry-After"]

    assert seconds == "7"
    assert abs(parsedate_to_datetime(date).timestamp() - time.time() - 7) < 2


def test_a_redirect_names_a_place() -> None:
    with customer_of("at: submit, do: answer, status: 302, location: /elsewhere") as customer:
        answer = customer.ask("POST", "/v1/videos/generations", json={}, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/elsewhere")


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("action", ["drop", "hang, seconds: 0.1", "answer, status: 500", "no-id"])
def test_a_submit_that_goes_wrong_was_taken_or_not(action: str, taken: bool) -> None:
    with customer_of(
        f"at: submit, do: {action}, taken: {str(taken).lower()}, times: 1"
    ) as customer:
        if action.startswith(("drop", "hang")):
            with pytest.raises(requests.ConnectionError):
                customer.submit(key="a-key-for-both-submits")
        else:
            assert "id" not in customer.submit(key="a-key-for-both-submits").json()
        billed = len(customer.simulator.audit()["billed"])
        again = customer.submit(key="a-key-for-both-submits")
        audit = customer.simulator.audit()

    assert billed == taken
    assert again.status_code == 200
    assert ("Idempotency-Replayed" in again.headers) == taken
    assert len(audit["billed"]) == 1


def test_a_hang_lasts_until_the_client_leaves() -> None:
    with customer_of("at: submit, do: hang") as customer, pytest.raises(requests.ReadTimeout):
        customer.session.post(
            f"{customer.simulator.base_url}/v1/videos/generations", json={}, timeout=0.3
        )


def test_what_is_slow_is_right() -> None:
    with customer_of("at: submit, do: slow, seconds: 0.3") as customer:
        before = time.monotonic()
        answer = customer.submit()

    assert time.monotonic() - before > 0.3
    assert answer.json()["status"] == "pending"


@pytest.mark.parametrize(
    ("action", "seen"),
    [
        pytest.param("wrong-id", {"id": "task-unified-1-somebody"}, id="another task"),
        pytest.param("unknown-state", {"status": "transcoding"}, id="a state nobody knows"),
        pytest.param("unknown-state, state: x", {"status": "x"}, id="a state of one's own"),
        pytest.param("no-links", {"status": "completed", "results": []}, id="no links"),
    ],
)
def test_a_read_goes_wrong_alone_and_among_many(action: str, seen: dict[str, Any]) -> None:
    with customer_of(f"at: poll, do: {action}, prompt: odd") as customer:
        even = customer.make()
        odd = customer.submit(prompt="an odd boat").json()["id"]
        task = eventually(lambda: customer.read(odd), lambda task: seen.items() <= task.items())
        many = customer.ask("POST", "/v1/tasks/batch", json={"task_ids": [odd, even["id"]]})

    faulty, sound = many.json()["data"]
    assert seen.items() <= task.items()
    assert seen.items() <= faulty.items()
    assert sound == even


def test_some_links_are_missing() -> None:
    with customer_of("at: poll, do: fewer-links, links: 1") as customer:
        task = customer.make(n=2)

    assert len(task["results"]) == 1


def test_links_come_late() -> None:
    with customer_of("at: poll, do: no-links, times: 2") as customer:
        task = customer.make()
        reads = [customer.read(task["id"])["results"] for _ in range(2)]

    assert [len(links) for links in (task["results"], *reads)] == [0, 0, 1]


def test_a_task_that_is_not_found_is_missing_among_many() -> None:
    with customer_of("at: poll, do: answer, status: 404, prompt: odd") as customer:
        even = customer.submit().json()["id"]
        odd = customer.submit(prompt="odd").json()["id"]
        one = customer.ask("GET", f"/v1/tasks/{odd}")
        many = customer.ask("POST", "/v1/tasks/batch", json={"task_ids": [odd, even]})

    assert one.status_code == 404
    assert [task["id"] for task in many.json()["data"]] == [even]


def test_one_read_among_many_spoils_all() -> None:
    with customer_of("at: poll, do: answer, status: 500, prompt: odd") as customer:
        ids = [customer.submit(prompt=prompt).json()["id"] for prompt in ("even", "odd")]

        assert customer.ask("POST", "/v1/tasks/batch", json={"task_ids": ids}).status_code == 500


@pytest.mark.parametrize(
    ("action", "status", "error", "charged"),
    [
        pytest.param(
            "fail, code: generation_timeout, message: too slow",
            "failed",
            {"code": "generation_timeout", "message": "too slow", "type": "task_error"},
            "0",
            id="failed tasks are not billed",
        ),
        pytest.param(
            "fail, code: resource_exhausted, message: oh, details: {suggestion: wait}",
            "failed",
            {
                "code": "resource_exhausted",
                "message": "oh",
                "type": "task_error",
                "suggestion": "wait",
            },
            "0",
            id="with more fields",
        ),
        pytest.param(
            "fail, code: unknown_error, message: oh, charged: true",
            "failed",
            {"code": "unknown_error", "message": "oh", "type": "task_error"},
            "38.016",
            id="unless they are",
        ),
        pytest.param(
            "cancel",
            "cancelled",
            {
                "code": "request_cancelled",
                "message": "the task was cancelled",
                "type": "task_error",
            },
            "0",
            id="cancelled",
        ),
    ],
)
def test_a_task_ends_badly(action: str, status: str, error: dict[str, str], charged: str) -> None:
    with customer_of(f"at: task, do: {action}") as customer:
        task = customer.make()
        credits_ = customer.simulator.audit()["credits"]

    assert (task["status"], task["error"]) == (status, error)
    assert "results" not in task
    assert credits_["charged"] == charged
    assert credits_["reserved"] == "0.000"


def test_a_new_attempt_of_a_failed_request_succeeds() -> None:
    with customer_of("at: task, do: fail, code: service_error, times: 1") as customer:
        tasks = [
            customer.wait(customer.submit(key=f"the-key-of-attempt-{n}").json()["id"])
            for n in (1, 2)
        ]

    assert [task["status"] for task in tasks] == ["failed", "completed"]


def test_a_task_takes_longer() -> None:
    with customer_of("at: task, do: slow, seconds: 0.4, times: 1") as customer:
        slow, usual = customer.make(), customer.make()

    assert slow["duration"] > 0.4
    assert usual["duration"] < slow["duration"]


def test_a_stuck_task_never_ends_and_holds_nobody_up() -> None:
    with customer_of("at: task, do: stuck, prompt: stuck") as customer:
        stuck = [customer.submit(prompt=f"stuck {n}").json()["id"] for n in range(20)]
        customer.make()

        assert {customer.read(task_id)["status"] for task_id in stuck} == {"processing"}


@pytest.mark.parametrize("at", ["credits", "models", "list"])
def test_every_other_address_may_fail(at: str) -> None:
    path = {"credits": "/v1/credits", "models": "/v1/models", "list": "/v1/tasks"}[at]
    with customer_of(f"at: {at}, do: answer, status: 500, times: 1") as customer:
        statuses = [customer.ask("GET", path).status_code for _ in range(2)]

    assert statuses == [500, 200]


def test_a_batch_read_may_be_unknown_to_the_gateway() -> None:
    with customer_of("at: batch, do: answer, status: 404") as customer:
        answer = customer.ask("POST", "/v1/tasks/batch", json={"task_ids": ["x"]})

    assert answer.status_code == 404


def test_the_audit_counts_what_happened() -> None:
    with customer_of("at: submit, do: answer, status: 500, times: 1") as customer:
        customer.submit()
        customer.submit()

        assert customer.simulator.audit()["faults"] == {"submit answer 500": 1}
