"""Every documented refusal, and the whole table of statuses and codes."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from customer import KEY, MODEL, Customer, customer_of

from veogen.simulator.refusals import STATUSES, TASK_ERRORS
from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running


@pytest.fixture(scope="module")
def customer() -> Iterator[Customer]:
    with running(Options(generation_time=60)) as simulator:
        yield Customer(simulator)


def refused(answer: requests.Response) -> tuple[int, str, str | int, str]:
    """Status, type, code and parameter of a refusal."""
    error = answer.json()["error"]
    return answer.status_code, error["type"], error["code"], error["param"]


IMAGES = ["https://example.org/a.png"] * 4


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"model": None}, "model", id="the model is no name"),
        pytest.param({"model": ""}, "model", id="the model is empty"),
        pytest.param({"prompt": None}, "prompt", id="the prompt is no text"),
        pytest.param({"prompt": " \n"}, "prompt", id="the prompt is empty"),
        pytest.param({"prompt": "x" * 2001}, "prompt", id="the prompt is too long"),
        pytest.param({"image_urls": "a.png"}, "image_urls", id="the images are no list"),
        pytest.param({"image_urls": ["a.png"]}, "image_urls", id="an image is no URL"),
        pytest.param({"image_urls": ["ftp://h/a.png"]}, "image_urls", id="an image is not http"),
        pytest.param({"image_urls": IMAGES}, "image_urls", id="four images"),
        pytest.param({"generation_type": "text"}, "generation_type", id="no such type"),
        pytest.param({"aspect_ratio": "1:1"}, "aspect_ratio", id="no such ratio"),
        pytest.param({"aspect_ratio": 969}, "aspect_ratio", id="YAML 1.1's 16:9"),
        pytest.param({"generate_audio": "yes"}, "generate_audio", id="the sound is no boolean"),
        pytest.param({"duration": 5}, "duration", id="no such duration"),
        pytest.param({"duration": "8"}, "duration", id="the duration is a string"),
        pytest.param({"duration": 8.0}, "duration", id="the duration is a float"),
        pytest.param({"n": 0}, "n", id="no clip"),
        pytest.param({"n": 5}, "n", id="five clips"),
        pytest.param({"n": True}, "n", id="true clips"),
        pytest.param({"quality": "480p"}, "quality", id="no such quality"),
        pytest.param({"seed": 0}, "seed", id="the seed is too small"),
        pytest.param({"seed": 2**32}, "seed", id="the seed is too large"),
        pytest.param({"negative_prompt": 1}, "negative_prompt", id="no negative text"),
        pytest.param({"person_generation": "allow_all"}, "person_generation", id="no such people"),
        pytest.param({"resize_mode": "pad"}, "resize_mode", id="resizing nothing"),
        pytest.param(
            {"resize_mode": "stretch", "image_urls": IMAGES[:1]}, "resize_mode", id="no such mode"
        ),
        pytest.param({"callback_url": "hook"}, "callback_url", id="the callback is no URL"),
        pytest.param(
            {"callback_url": "https://h.org/" + "x" * 2048}, "callback_url", id="a long callback"
        ),
        pytest.param({"callback_url": "https://h.org:x/"}, "callback_url", id="callback, no port"),
        pytest.param({"callback_url": "http://h.org/"}, "callback_url", id="callback over http"),
        *(
            pytest.param({"callback_url": f"https://{host}/"}, "callback_url", id=host)
            for host in (
                "10.0.0.1",
                "172.16.0.1",
                "172.31.255.254",
                "192.168.1.1",
                "169.254.1.1",
                "10.1",
                "0xa000001",
                "167772161",
                "[fd00::1]",
                "[::ffff:10.0.0.1]",
                "intranet",
                "intranet.",
            )
        ),
        pytest.param(
            {"generation_type": "TEXT", "image_urls": IMAGES[:1]}, "image_urls", id="TEXT, image"
        ),
        pytest.param({"generation_type": "FIRST&LAST"}, "image_urls", id="FIRST&LAST, no image"),
        pytest.param(
            {"generation_type": "FIRST&LAST", "image_urls": IMAGES[:3]},
            "image_urls",
            id="FIRST&LAST, three images",
        ),
        pytest.param({"generation_type": "REFERENCE"}, "image_urls", id="REFERENCE, no image"),
        pytest.param(
            {"generation_type": "REFERENCE", "image_urls": IMAGES[:1], "duration": 4},
            "duration",
            id="REFERENCE, 4 seconds",
        ),
        pytest.param(
            {"generation_type": "REFERENCE", "image_urls": IMAGES[:1], "aspect_ratio": "9:16"},
            "aspect_ratio",
            id="REFERENCE, upright",
        ),
    ],
)
def test_a_request_that_is_wrong_names_its_parameter(
    customer: Customer, body: dict[str, Any], param: str
) -> None:
    answer = customer.submit(**body)

    assert refused(answer) == (400, "invalid_request_error", "invalid_parameters", param)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/done",
        "https://172.32.0.1/",
        "http://127.0.0.1:8080/",
        "https://127.1/",
        "http://LOCALHOST./",
        "http://[::1]:80/",
        "https://h.org/" + "x" * (2048 - len("https://h.org/")),
    ],
    ids=["a name", "just public", "here", "here, short", "here, by name", "here, IPv6", "longest"],
)
def test_a_callback_to_a_public_host_or_to_this_machine_is_taken(
    customer: Customer, url: str
) -> None:
    assert customer.submit(callback_url=url).status_code == 200


@pytest.mark.parametrize("name", ["durration", "enhance_prompt", ""])
def test_a_parameter_the_model_does_not_know_is_refused(customer: Customer, name: str) -> None:
    unknown: dict[str, Any] = {name: 1}

    answer = customer.submit(**unknown)

    assert refused(answer) == (400, "invalid_request_error", "unsupported_parameters", name)


@pytest.mark.parametrize("missing", ["model", "prompt"])
def test_what_is_required_is_missing(customer: Customer, missing: str) -> None:
    body = {"model": MODEL, "prompt": "a boat"}
    del body[missing]

    answer = customer.ask("POST", "/v1/videos/generations", json=body)

    assert refused(answer) == (400, "invalid_request_error", "invalid_parameters", missing)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"n": NaN}', id="not a number"),
        pytest.param(b'{"prompt": "\\ud800"}', id="half a character"),
        pytest.param(b"\xff\xfe\xfd", id="no text"),
        pytest.param(b"[" * 200_000, id="too deep"),
        pytest.param(b'{"n": ' + b"1" * 5000 + b"}", id="a number of 5000 digits"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/videos/generations", "/v1/tasks/batch"])
def test_a_body_that_is_no_object_is_refused(customer: Customer, path: str, body: bytes) -> None:
    answer = customer.ask("POST", path, data=body)

    assert refused(answer)[:3] == (400, "invalid_request_error", "invalid_parameters")


def test_a_body_that_is_too_large_is_refused(customer: Customer) -> None:
    answer = customer.submit(prompt="x" * 2**20)

    assert refused(answer) == (413, "request_too_large_error", 413, "")


@pytest.mark.parametrize("key", ["short", "x" * 97, "with a blank in it", "ümlaut-ümlaut-ümlaut"])
def test_an_idempotency_key_has_a_form(customer: Customer, key: str) -> None:
    headers = {"Idempotency-Key": key.encode()}

    answer = customer.ask("POST", "/v1/videos/generations", json={}, headers=headers)

    assert refused(answer) == (
        400,
        "invalid_request_error",
        "invalid_parameters",
        "Idempotency-Key",
    )


def test_a_model_nobody_knows_is_not_found(customer: Customer) -> None:
    answer = customer.submit(model="veo-9")

    assert refused(answer) == (404, "not_found_error", "model_unavailable", "model")


def test_a_model_that_is_gone_is_not_found_and_not_listed() -> None:
    with running(Options(gateway=AccountSettings(models=()))) as simulator:
        customer = Customer(simulator)

        assert refused(customer.submit())[:3] == (404, "not_found_error", "model_unavailable")
        assert customer.ask("GET", "/v1/models").json()["data"] == []


@pytest.mark.parametrize(
    ("task_id", "expected"),
    [
        pytest.param(
            "task-unified-1757169743-7cvnl5zw",
            (404, "not_found_error", "resource_not_found", "task_id"),
            id="unknown",
        ),
        pytest.param(
            "x", (400, "invalid_request_error", "invalid_task_id", "task_id"), id="no task id"
        ),
        pytest.param(
            "task-unified-%2e%2e",
            (400, "invalid_request_error", "invalid_task_id", "task_id"),
            id="a path",
        ),
    ],
)
def test_a_task_is_not_found(customer: Customer, task_id: str, expected: tuple[Any, ...]) -> None:
    assert refused(customer.ask("GET", f"/v1/tasks/{task_id}")) == expected


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="an empty list"),
        pytest.param([1], id="numbers"),
        pytest.param(["x"] * 51, id="fifty-one"),
    ],
)
def test_a_batch_holds_up_to_fifty_ids(customer: Customer, ids: object) -> None:
    answer = customer.ask("POST", "/v1/tasks/batch", json={"task_ids": ids})

    assert refused(answer) == (400, "invalid_request_error", "invalid_parameters", "task_ids")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("page=0", "page"),
        ("page_size=51", "page_size"),
        ("page_size=x", "page_size"),
        ("status=queued", "status"),
    ],
)
def test_a_list_that_cannot_be_is_refused(customer: Customer, query: str, param: str) -> None:
    answer = customer.ask("GET", f"/v1/tasks?{query}")

    assert refused(answer) == (400, "invalid_request_error", "invalid_parameters", param)


def test_an_address_nobody_serves_is_not_found(customer: Customer) -> None:
    assert refused(customer.ask("GET", "/v1/nowhere")) == (404, "not_found_error", 404, "")


def test_a_method_an_address_does_not_take_is_refused(customer: Customer) -> None:
    answer = customer.ask("DELETE", "/v1/videos/generations")

    assert refused(answer) == (405, "", 405, "")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Basic {KEY}"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/videos/generations"),
        ("GET", "/v1/tasks/task-unified-1"),
        ("POST", "/v1/tasks/batch"),
        ("GET", "/v1/tasks"),
        ("GET", "/v1/credits"),
        ("GET", "/v1/models"),
    ],
)
def test_a_key_is_needed(customer: Customer, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = requests.request(
        method, customer.simulator.base_url + path, headers=headers, timeout=30
    )

    assert refused(answer) == (401, "authentication_error", 401, "")


def test_any_key_is_good(customer: Customer) -> None:
    answer = requests.get(
        customer.simulator.base_url + "/v1/credits",
        headers={"Authorization": "bearer whatever"},
        timeout=30,
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("status", STATUSES.values(), ids=lambda status: str(status.number))
def test_every_status_of_the_table_can_be_asked_for_with_its_type(status: Any) -> None:
    with customer_of(f"at: submit, do: answer, status: {status.number}") as customer:
        answer = customer.submit()

    error = {
        "code": status.number,
        "message": status.meaning,
        "type": status.type,
        "param": "",
    }
    if status.advice:
        error["fallback_suggestion"] = status.advice
    assert (answer.status_code, answer.json()) == (status.number, {"error": error})


def test_every_code_of_the_table_can_be_asked_for() -> None:
    wanted = [(status.number, code) for status in STATUSES.values() for code in status.codes]
    faults = [
        f"at: submit, do: answer, status: {status}, code: {code}, prompt: number {number}"
        for number, (status, code) in enumerate(wanted)
    ]
    with customer_of(*faults) as customer:
        answers = [customer.submit(prompt=f"number {n}") for n in range(len(wanted))]

    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == wanted


def test_the_document_holds_every_status_and_code(customer: Customer) -> None:
    told = customer.ask("GET", "/openapi.json").json()["info"]["description"]

    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines()]
    assert [row for row in rows if len(row) == 4][2:] == [
        [str(status.number), status.type, status.meaning, ", ".join(status.codes)]
        for status in STATUSES.values()
    ]
    assert [row for row in rows if len(row) == 2] == [
        ["code", "means"],
        ["---", "---"],
        *([code, meaning] for code, meaning in TASK_ERRORS.items()),
        ["code", "about"],
        ["---", "---"],
        ["40001", "too large"],
        ["40002", "type"],
        ["40003", "quota"],
        ["40004", "fetch"],
        ["50001", "storage"],
    ]


def test_every_documented_failure_of_a_task_can_be_asked_for() -> None:
    faults = [f"at: task, do: fail, code: {code}, prompt: {code}" for code in TASK_ERRORS]
    with customer_of(*faults) as customer:
        ids = [customer.submit(prompt=code).json()["id"] for code in TASK_ERRORS]
        errors = [customer.wait(task_id)["error"] for task_id in ids]

    assert errors == [
        {"code": code, "message": message, "type": "task_error"}
        for code, message in TASK_ERRORS.items()
    ]
