import base64
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from customer import Customer, customer_of
from PIL import Image

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running

BASE = "/api/v1/files"


def png(colour: str = "red", size: tuple[int, int] = (64, 36)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


PNG = png()


@pytest.fixture
def customer() -> Iterator[Customer]:
    with running(
        Options(generation_time=0, gateway=AccountSettings(max_files=3, clips="shared"))
    ) as simulator:
        yield Customer(simulator)


def upload(customer: Customer, data: bytes = PNG, **fields: str) -> requests.Response:
    files = {"file": ("photo.png", data, "image/png")}
    return customer.ask("POST", f"{BASE}/upload/stream", files=files, data=fields)


def test_a_file_is_uploaded_as_a_stream(customer: Customer) -> None:
    answer = upload(customer, uploadPath="cities/tokyo", fileName="tower 1.png").json()

    data = answer["data"]
    media = customer.simulator.media_url
    assert answer == {
        "success": True,
        "code": 200,
        "msg": "success",
        "data": {
            "file_id": data["file_id"],
            "file_name": "tower 1.png",
            "original_name": "tower 1.png",
            "file_size": len(PNG),
            "mime_type": "image/png",
            "upload_path": "cities/tokyo",
            "file_url": f"{media}/files/cities/tokyo/tower%201.png",
            "download_url": f"{media}{BASE}/download/{data['file_id']}",
            "upload_time": data["upload_time"],
            "expires_at": data["expires_at"],
        },
    }
    assert customer.fetch(data["file_url"]).content == PNG
    assert customer.fetch(data["download_url"]).content == PNG


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(base64.b64encode(PNG).decode(), id="bare"),
        pytest.param("data:image/png;base64," + base64.b64encode(PNG).decode(), id="data URL"),
    ],
)
def test_a_file_is_uploaded_as_base64(customer: Customer, text: str) -> None:
    sent = {"base64_data": text, "file_name": "a.png", "upload_path": "b"}

    data = customer.ask("POST", f"{BASE}/upload/base64", json=sent).json()["data"]

    assert (data["file_name"], data["upload_path"]) == ("a.png", "b")
    assert customer.fetch(data["file_url"]).content == PNG


def test_a_file_is_fetched_from_an_address_of_this_machine(customer: Customer) -> None:
    first = upload(customer, fileName="a photo.png").json()["data"]
    sent = {"file_url": first["file_url"], "upload_path": "copies"}

    data = customer.ask("POST", f"{BASE}/upload/url", json=sent).json()["data"]

    assert (data["file_name"], data["upload_path"]) == ("a photo.png", "copies")
    assert customer.fetch(data["file_url"]).content == PNG


def test_files_are_listed_counted_and_deleted(customer: Customer) -> None:
    first = upload(customer, fileName="1.png").json()["data"]
    second = upload(customer, fileName="2.png").json()["data"]
    listed = customer.ask("GET", f"{BASE}/list?page=1&pageSize=1").json()["data"]
    counted = customer.ask("GET", f"{BASE}/quota").json()["data"]
    deleted = customer.ask("DELETE", f"{BASE}/{first['file_id']}").json()
    left = customer.ask("GET", f"{BASE}/list").json()["data"]

    entry = {name: second[name] for name in ("file_id", "file_name", "file_size", "upload_time")}
    assert listed == {"total": 2, "files": [entry]}
    assert counted == {
        "user_group": "default",
        "used_files": 2,
        "max_files": 3,
        "remain_files": 1,
    }
    assert deleted["success"] is True
    assert left == {"total": 1, "files": [entry]}
    assert customer.fetch(first["file_url"]).status_code == 404


def test_a_name_that_comes_again_is_overwritten(customer: Customer) -> None:
    for colour in ("red", "blue", "green"):
        upload(customer, png(colour), fileName="same.png")
    last = upload(customer, png("white"), fileName="same.png").json()["data"]

    assert customer.ask("GET", f"{BASE}/quota").json()["data"]["used_files"] == 1
    assert customer.fetch(last["file_url"]).content == png("white")


def refusal(answer: requests.Response) -> tuple[int, bool, int]:
    told: dict[str, Any] = answer.json()
    return answer.status_code, told["success"], told["code"]


def test_the_quota_ends(customer: Customer) -> None:
    for number in range(3):
        upload(customer, fileName=f"{number}.png")

    assert refusal(upload(customer, fileName="4.png")) == (400, False, 40003)


@pytest.mark.parametrize(
    ("way", "sent", "code"),
    [
        pytest.param("base64", {"base64_data": "aGVsbG8="}, 40002, id="no picture"),
        pytest.param("base64", {"base64_data": "%%%"}, 40002, id="no base64"),
        pytest.param("base64", {}, 400, id="no data"),
        pytest.param("base64", [], 400, id="no object"),
        pytest.param("base64", {"base64_data": "", "file_name": 1}, 400, id="no name"),
        pytest.param("url", {"file_url": "https://example.org/a.png"}, 40004, id="elsewhere"),
        pytest.param("url", {"file_url": "http://127.0.0.1:9/a.png"}, 40004, id="nobody there"),
        pytest.param("url", {"file_url": "{media}/files/none.png"}, 40004, id="not found"),
        pytest.param("url", {"file_url": "http://[1"}, 40004, id="no address"),
    ],
)
def test_an_upload_is_refused(customer: Customer, way: str, sent: object, code: int) -> None:
    text = json.dumps(sent).replace("{media}", customer.simulator.media_url)

    answer = customer.ask("POST", f"{BASE}/upload/{way}", data=text)

    assert refusal(answer) == (400, False, code)


def test_a_file_that_is_too_large_is_refused(customer: Customer) -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(100 * 1024 * 1024)

    assert refusal(upload(customer, data)) == (400, False, 40001)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({}, b"plain", id="no form"),
        pytest.param({"Content-Type": "multipart/form-data"}, b"x", id="no boundary"),
        pytest.param(
            {"Content-Type": "multipart/form-data; boundary=b"}, b"--b--\r\n", id="no file"
        ),
        pytest.param(
            {"Content-Type": "multipart/form-data; boundary=b"},
            b"--b\r\nContent-Disposition: form-data; name=fileName\r\n"
            b"Content-Transfer-Encoding: odd\r\n\r\nx\r\n--b--\r\n",
            id="an encoding nobody knows",
        ),
    ],
)
def test_a_form_that_is_none_is_refused(
    customer: Customer, headers: dict[str, str], body: bytes
) -> None:
    answer = customer.ask("POST", f"{BASE}/upload/stream", data=body, headers=headers)

    assert refusal(answer) == (400, False, 400)


def test_a_request_uploads_one_file(customer: Customer) -> None:
    files = [("file", (name, PNG)) for name in ("a.png", "b.png")]

    answer = customer.ask("POST", f"{BASE}/upload/stream", files=files)

    assert refusal(answer) == (400, False, 400)
    assert customer.ask("GET", f"{BASE}/list").json()["data"]["total"] == 0


def test_a_file_nobody_knows_cannot_be_deleted(customer: Customer) -> None:
    assert refusal(customer.ask("DELETE", f"{BASE}/nope")) == (404, False, 404)


def test_a_key_is_needed(customer: Customer) -> None:
    answer = requests.get(f"{customer.simulator.files_url}{BASE}/quota", timeout=30)

    assert refusal(answer) == (401, False, 401)


@pytest.mark.slow
def test_files_expire() -> None:
    with running(Options(gateway=AccountSettings(files_expire=0.2, clips="shared"))) as simulator:
        customer = Customer(simulator)
        file = upload(customer).json()["data"]
        assert customer.fetch(file["file_url"]).status_code == 200
        time.sleep(0.25)

        assert customer.fetch(file["file_url"]).status_code == 404
        task = customer.make(image_urls=[file["file_url"]])

    assert task["status"] == "failed"
    assert task["error"]["code"] == "image_processing_error"


def test_an_upload_may_go_wrong() -> None:
    with customer_of("at: upload, do: answer, status: 200, code: 40003, times: 1") as customer:
        assert refusal(upload(customer)) == (200, False, 40003)
        assert upload(customer).json()["success"] is True
