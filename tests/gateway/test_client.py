"""The client against hosts that answer, drop, hang and lie, over real sockets."""

import gzip
import json
import socket
import ssl
import threading
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.scripted_host import (
    Host,
    Step,
    answer,
    close,
    closed_port,
    dribble,
    hang,
    reset,
    say,
)

from veogen import __version__
from veogen.gateway.api import (
    Accepted,
    Balance,
    NotAccepted,
    Quota,
    ReadError,
    Rejected,
    Submission,
    Task,
    Unknown,
    Upload,
)
from veogen.gateway.client import Evolink

KEY = "sk-evo-0123456789"
BODY = '{"model":"veo","prompt":"déjà vu"}'.encode()


def client(host: Host | str, *, request_timeout: float = 5.0) -> Evolink:
    url = host if isinstance(host, str) else host.url
    return Evolink(url, url, KEY, request_timeout=request_timeout)


def submit(*steps: Step, request_timeout: float = 5.0) -> tuple[Submission, Host]:
    with Host(*steps) as host, client(host, request_timeout=request_timeout) as gateway:
        return gateway.submit(BODY, "key-0123456789abcdef"), host


def task(task_id: str = "task-1", status: str = "processing", **more: Any) -> dict[str, Any]:
    return {"id": task_id, "status": status, **more}


def test_a_submit_sends_the_recorded_body_byte_for_byte_under_its_key() -> None:
    submission, host = submit(answer(200, {"id": "task-1", "status": "pending"}))

    assert submission == Accepted(task_id="task-1")
    [request] = host.requests
    assert request.line == "POST /v1/videos/generations HTTP/1.1"
    assert request.body == BODY
    assert request.headers == {
        "host": f"127.0.0.1:{host.requests[0].headers['host'].partition(':')[2]}",
        "user-agent": f"veogen/{__version__}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
        "connection": "close",
        "content-length": str(len(BODY)),
        "content-type": "application/json",
        "idempotency-key": "key-0123456789abcdef",
    }


def test_every_submit_has_a_connection_of_its_own() -> None:
    taken = answer(200, task(), keep=True)
    with Host(taken, taken, taken) as host, client(host) as gateway:
        for number in range(3):
            gateway.submit(BODY, f"key-{number}")

        assert host.connections == 3


def test_a_connection_that_is_refused_is_not_taken() -> None:
    with client(f"http://127.0.0.1:{closed_port()}") as gateway:
        assert gateway.submit(BODY, "k") == NotAccepted(
            code="refused", message="no connection: Connection refused", reached=False
        )


def test_a_name_without_an_address_is_not_taken() -> None:
    with client("https://veogen.invalid") as gateway:
        submission = gateway.submit(BODY, "k")

    assert isinstance(submission, NotAccepted)
    assert (submission.code, submission.reached) == ("unresolved", False)


def test_a_connection_that_does_not_come_about_in_time_is_not_taken() -> None:
    with socket.socket() as listener:  # its queue is full: the next connection waits
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003 - so it is called
            filler.connect_ex(address)
        with client(f"http://127.0.0.1:{address[1]}", request_timeout=0.3) as gateway:
            submission = gateway.submit(BODY, "k")
        for filler in fillers:
            filler.close()

    assert submission == NotAccepted(
        code="connect-timeout", message="no connection in time: timed out", reached=False
    )


def test_tls_that_fails_is_not_taken() -> None:
    with (
        Host(say(b"HTTP/1.1 400 Bad\r\n\r\n", reads=False)) as host,
        client(f"https://127.0.0.1:{host.port}") as gateway,
    ):
        submission = gateway.submit(BODY, "k")

    assert isinstance(submission, NotAccepted)
    assert (submission.code, submission.reached) == ("tls", False)


def test_a_handshake_that_hangs_is_not_taken() -> None:
    with (
        Host(hang(reads=False)) as host,
        client(f"https://127.0.0.1:{host.port}", request_timeout=0.3) as gateway,
    ):
        submission = gateway.submit(BODY, "k")

    assert isinstance(submission, NotAccepted)
    assert (submission.code, submission.reached) == ("connect-timeout", False)


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param(reset(reads=False), "lost", id="reset before reading"),
        pytest.param(close(), "lost", id="closed after reading"),
        pytest.param(reset(), "lost", id="reset after reading"),
        pytest.param(hang(), "timeout", id="no answer"),
        pytest.param(hang(after=b"HTTP/1.1 200 OK\r\nConte"), "timeout", id="half a head"),
        pytest.param(
            hang(after=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
            "timeout",
            id="half a body",
        ),
        pytest.param(
            say(b'HTTP/1.1 400 Bad\r\nContent-Length: 99\r\n\r\n{"error"'), "lost", id="cut short"
        ),
        pytest.param(
            say(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"id": "t'),
            "lost",
            id="a chunk cut short",
        ),
        pytest.param(
            say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "lost",
            id="no chunk",
        ),
        pytest.param(say(b"220 smtp.example ESMTP\r\n"), "lost", id="another protocol"),
        pytest.param(say(b"\x00\xff" * 100), "lost", id="garbage"),
        pytest.param(
            say(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"), "lost", id="long"
        ),
        pytest.param(
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
            "lost",
            id="two lengths",
        ),
        pytest.param(
            dribble(b"HTTP/1.1 200 OK\r\nX: ", every=0.05), "timeout", id="a head that never ends"
        ),
        pytest.param(
            dribble(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", every=0.05),
            "timeout",
            id="a chunk that never begins",
        ),
        pytest.param(
            dribble(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ",
                every=0.05,
            ),
            "timeout",
            id="a trailer that never ends",
        ),
        pytest.param(
            dribble(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", every=0.05),
            "timeout",
            id="a byte at a time",
        ),
    ],
)
def test_what_breaks_after_sending_is_unknown(step: Step, code: str) -> None:
    submission, host = submit(step, request_timeout=0.4)

    assert isinstance(submission, Unknown)
    assert submission.code == code
    assert host.connections == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(gzip.compress(b'{"id": "task-1"}'), id="compressed"),
        pytest.param(b'{"id": "task-1"}', id="not, but said so"),
    ],
)
def test_an_answer_that_came_compressed_though_not_asked_for_is_read(body: bytes) -> None:
    submission, _ = submit(answer(200, body, content_encoding="gzip"))

    assert submission == Accepted(task_id="task-1")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(gzip.compress(b'{"id": "task-1"}')[:20], id="cut short"),
        pytest.param(gzip.compress(b" " * (17 << 20) + b'{"id": "task-1"}'), id="a bomb"),
    ],
)
def test_an_answer_that_cannot_be_unpacked_is_unknown(body: bytes) -> None:
    submission, _ = submit(answer(200, body, content_encoding="gzip"))

    assert isinstance(submission, Unknown)


@pytest.mark.parametrize(
    "interim",
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="continue"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n" * 3, id="processing, thrice"),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", id="early hints"
        ),
    ],
)
def test_interim_answers_are_passed_over(interim: bytes) -> None:
    body = json.dumps(task()).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    submission, host = submit(say(interim + head + body))

    assert submission == Accepted(task_id="task-1")
    assert len(host.requests) == 1


def test_interim_answers_without_an_end_are_no_answer() -> None:
    submission, _ = submit(say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 200))

    assert isinstance(submission, Unknown)
    assert submission.code == "lost"


@pytest.mark.parametrize("raw", [False, True], ids=["as the standard has it", "as many do it"])
def test_a_deflated_answer_is_read(raw: bool) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    body = packer.compress(json.dumps(task()).encode()) + packer.flush()

    submission, _ = submit(answer(200, body, content_encoding="deflate"))

    assert submission == Accepted(task_id="task-1")


def test_a_redirect_is_not_followed_and_the_key_stays_here() -> None:
    with Host(answer(200, task())) as other:
        submission, _ = submit(answer(307, location=f"{other.url}/v1/videos/generations"))

        assert isinstance(submission, Unknown)
        assert submission.status == 307
        assert other.connections == 0


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (answer(429, {"error": {}}, retry_after="3"), NotAccepted),
        (answer(503, {"error": {}}), NotAccepted),
        (answer(503, "<html>"), Unknown),
        (answer(402, {"error": {}}), Rejected),
        (say(b"HTTP/1.0 200 OK\r\n\r\n{}"), Unknown),
    ],
)
def test_an_answer_is_asked_for_once(step: Step, kind: type[Submission]) -> None:
    submission, host = submit(step)

    assert isinstance(submission, kind)
    assert len(host.requests) == 1


def test_the_environment_and_a_netrc_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("default login alice password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{closed_port()}")

    submission, host = submit(answer(200, task()))

    assert isinstance(submission, Accepted)
    assert host.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_nothing_shows_the_key() -> None:
    with (
        Host(answer(401, {"error": {"message": f"bad key {KEY}"}})) as host,
        client(host) as gateway,
    ):
        submission = gateway.submit(BODY, "k")

        assert KEY not in repr(gateway)
        assert KEY not in repr(submission)


@pytest.mark.parametrize("key", ["k", "1", "task", "{"])
def test_a_key_too_short_to_be_a_secret_spoils_no_answer(key: str) -> None:
    with (
        Host(answer(200, task("task-1")), answer(200, task("task-1", "completed"))) as host,
        Evolink(host.url, host.url, key, request_timeout=5) as gateway,
    ):
        submission = gateway.submit(BODY, "k")
        found = gateway.tasks(["task-1"])["task-1"]

    assert isinstance(submission, Accepted)
    assert submission.task_id == "task-1"
    assert isinstance(found, Task)
    assert (found.id, found.state) == ("task-1", "completed")


@pytest.mark.parametrize(
    ("step", "simulated"),
    [(answer(200, task()), False), (answer(200, task(), x_veogen_simulator="1"), True)],
    ids=["the gateway", "the simulator"],
)
def test_an_answer_says_whether_it_is_simulated(step: Step, *, simulated: bool) -> None:
    with Host(step) as host, client(host) as gateway:
        before = gateway.simulated
        gateway.submit(BODY, "k")

        assert (before, gateway.simulated) == (None, simulated)


def test_fifty_tasks_are_read_at_once() -> None:
    ids = [f"task-{number}" for number in range(60)]
    first = answer(200, {"data": [task(task_id) for task_id in reversed(ids[:50])]})
    second = answer(200, {"data": [task(task_id) for task_id in ids[50:]]})
    with Host(first, second) as host, client(host) as gateway:
        found = gateway.tasks(ids)

    assert list(found.items()) == [(i, Task(id=i, state="processing")) for i in ids]
    assert [request.line for request in host.requests] == ["POST /v1/tasks/batch HTTP/1.1"] * 2
    assert host.requests[0].json == {"task_ids": ids[:50]}
    assert host.connections == 1


def test_what_a_batch_leaves_out_is_read_by_itself() -> None:
    batch = answer(200, {"data": [task("a"), task("stranger"), "garbage", {"id": "c"}]})
    missing = answer(404, {"error": {"code": "resource_not_found", "message": "no such task"}})
    with Host(batch, otherwise=missing) as host, client(host) as gateway:
        found = gateway.tasks(["a", "b/../c"])

    assert found == {
        "a": Task(id="a", state="processing"),
        "b/../c": ReadError(code="resource_not_found", message="no such task", status=404),
    }
    assert host.requests[1].line == "GET /v1/tasks/b%2F..%2Fc HTTP/1.1"


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_gateway_without_batches_is_remembered(status: int) -> None:
    with Host(answer(status), otherwise=answer(200, task("x"))) as host, client(host) as gateway:
        gateway.tasks(["x", "y"])
        found = gateway.tasks(["x", "y"])

    assert found == {
        "x": Task(id="x", state="processing"),
        "y": ReadError(code="wrong-task", message="the answer is about another task, x"),
    }
    assert [request.line.split()[0] for request in host.requests] == ["POST", *["GET"] * 4]


@pytest.mark.parametrize(
    ("step", "read_error"),
    [
        pytest.param(
            answer(429, {"error": {"code": "slow", "message": "m"}}, retry_after="9"),
            ReadError(code="slow", message="m", status=429, retry_after=9.0),
            id="too many requests",
        ),
        pytest.param(
            answer(401, {"error": {"code": "key_expired", "message": "m"}}),
            ReadError(code="key_expired", message="m", status=401, denied=True),
            id="denied",
        ),
        pytest.param(
            answer(502, "<html>"),
            ReadError(code="http_502", message="status 502 with a web page", status=502),
            id="a page",
        ),
    ],
)
@pytest.mark.parametrize("ids", [["a"], ["a", "b"]], ids=["one", "batch"])
def test_a_read_that_fails_answers_for_every_id(
    step: Step, read_error: ReadError, ids: list[str]
) -> None:
    with Host(otherwise=step) as host, client(host) as gateway:
        assert gateway.tasks(ids) == dict.fromkeys(ids, read_error)


@pytest.mark.parametrize(
    ("status", "reads"), [(401, 1), (429, 1), (500, 2), (502, 2)], ids=lambda value: f"{value}"
)
def test_a_gateway_in_trouble_is_not_asked_for_each_task(status: int, reads: int) -> None:
    with Host(otherwise=answer(status, {"error": {}})) as host, client(host) as gateway:
        gateway.tasks([f"task-{n}" for n in range(50)])

    assert len(host.requests) == reads


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(answer(500, {"error": {"message": "m"}}), id="500"),
        pytest.param(answer(502, "<html>"), id="502"),
        pytest.param(answer(307, location="/elsewhere"), id="redirect"),
        pytest.param(answer(200, {"success": False, "message": "m"}), id="no success"),
    ],
)
def test_where_only_the_batch_read_fails_tasks_are_read_one_by_one(step: Step) -> None:
    single = [answer(200, task(task_id)) for task_id in ("a", "b")]
    with Host(step, *single) as host, client(host) as gateway:
        found = gateway.tasks(["a", "b"])

    assert found == {
        "a": Task(id="a", state="processing"),
        "b": Task(id="b", state="processing"),
    }


def test_a_batch_that_is_garbage_is_read_one_by_one() -> None:
    with (
        Host(answer(200, "<html>"), otherwise=answer(200, task("a"))) as host,
        client(host) as gateway,
    ):
        found = gateway.tasks(["a", "b"])

    assert found["a"] == Task(id="a", state="processing")


def test_a_waiting_connection_that_was_closed_is_replaced() -> None:
    steps = [answer(200, task("a")), close(), answer(200, task("a"))]
    with Host(*steps) as host, client(host) as gateway:
        gateway.tasks(["a"])

        assert gateway.tasks(["a"]) == {"a": Task(id="a", state="processing")}
        assert host.connections == 2


@pytest.mark.parametrize(
    ("step", "code"),
    [(close(), "lost"), (hang(), "timeout"), (answer(200, "[]"), "garbled")],
    ids=["lost", "timeout", "garbled"],
)
def test_a_read_that_brings_nothing_can_be_asked_again(step: Step, code: str) -> None:
    with Host(otherwise=step) as host, client(host, request_timeout=0.3) as gateway:
        [found] = gateway.tasks(["a"]).values()

    assert isinstance(found, ReadError)
    assert (found.code, found.status, found.reached) == (code, None, code == "garbled")


def test_a_gateway_that_is_down_is_not_reached() -> None:
    with client(f"http://127.0.0.1:{closed_port()}") as gateway:
        balance = gateway.balance()

    assert balance == ReadError(
        code="refused", message="no connection: Connection refused", reached=False
    )


def test_many_threads_share_one_client() -> None:
    with (
        Host(otherwise=answer(200, {"data": [task("a"), task("b")]})) as host,
        client(host) as gateway,
    ):
        results: list[object] = []
        threads = [
            threading.Thread(target=lambda: results.append(gateway.tasks(["a", "b"])))
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    expected = {name: Task(id=name, state="processing") for name in "ab"}
    assert results == [expected] * 16


def test_recent_tasks_come_newest_first() -> None:
    items = [task("b", "failed"), 7, {"id": 3}, task("a", "completed", created_at=5)]
    with Host(answer(200, {"data": items, "total": 2})) as host, client(host) as gateway:
        found = gateway.recent_tasks("veo-3.1 fast&x")

    assert found == (Task(id="b", state="failed"), Task(id="a", state="completed", created=5.0))
    assert host.requests[0].line == (
        "GET /v1/tasks?type=video&model=veo-3.1+fast%26x&page=1&page_size=50 HTTP/1.1"
    )


def credits_answer(token: dict[str, Any], user: dict[str, Any]) -> Step:
    return answer(200, {"success": True, "message": "", "data": {"token": token, "user": user}})


@pytest.mark.parametrize(
    ("step", "balance", "spendable"),
    [
        pytest.param(
            credits_answer(
                {"remaining_credits": 5, "unlimited_credits": False, "used_credits": 1.25},
                {"remaining_credits": 1064.448, "used_credits": 0},
            ),
            Balance(
                key_remaining=Decimal("5.000"),
                key_used=Decimal("1.250"),
                user_remaining=Decimal("1064.448"),
                user_used=Decimal("0.000"),
            ),
            Decimal("5.000"),
            id="a key with a limit",
        ),
        pytest.param(
            credits_answer(
                {"remaining_credits": 0, "unlimited_credits": True}, {"remaining_credits": 9}
            ),
            Balance(
                key_remaining=None,
                key_used=Decimal("0.000"),
                user_remaining=Decimal("9.000"),
                user_used=Decimal("0.000"),
            ),
            Decimal("9.000"),
            id="a key without",
        ),
        pytest.param(
            credits_answer(
                {"remaining_credits": 5, "unlimited_credits": False}, {"remaining_credits": -3.2}
            ),
            Balance(
                key_remaining=Decimal("5.000"),
                key_used=Decimal("0.000"),
                user_remaining=Decimal("-3.200"),
                user_used=Decimal("0.000"),
            ),
            Decimal("-3.200"),
            id="an account in debt",
        ),
    ],
)
def test_the_balance_is_that_of_the_key_and_its_user(
    step: Step, balance: Balance, spendable: Decimal
) -> None:
    with Host(step) as host, client(host) as gateway:
        found = gateway.balance()

    assert found == balance
    assert balance.spendable == spendable
    assert host.requests[0].line == "GET /v1/credits HTTP/1.1"


def test_the_models_are_those_that_the_key_may_use() -> None:
    with (
        Host(answer(200, {"data": [{"id": "a"}, {"id": "b"}, {}, 4]})) as host,
        client(host) as gateway,
    ):
        assert gateway.models() == frozenset({"a", "b"})

    assert host.requests[0].line == "GET /v1/models HTTP/1.1"


FILE = {
    "file_id": "f1",
    "file_url": "https://files.evolink.ai/f1.png",
    "expires_at": "2026-11-25T00:00:00Z",
}


def test_an_upload_is_one_form_with_one_file() -> None:
    with (
        Host(answer(200, {"success": True, "code": 200, "data": FILE})) as host,
        client(host) as gateway,
    ):
        found = gateway.upload("abc.png", b"\x89PNG\r\n", "image/png")

    assert found == Upload(
        file_id="f1", url="https://files.evolink.ai/f1.png", expires_at=1795564800.0
    )
    [request] = host.requests
    assert request.line == "POST /api/v1/files/upload/stream HTTP/1.1"
    boundary = request.headers["content-type"].partition("boundary=")[2]
    assert request.body.decode("latin-1") == (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="abc.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
        "\x89PNG\r\n\r\n"
        f"--{boundary}--\r\n"
    )


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (40001, "the file is too large"),
        (40002, "the gateway does not take files of this type"),
        (40003, "the account holds as many files as it may: delete some, or wait till they expire"),
        (40004, "the gateway could not fetch the file from its address"),
        (50001, "the gateway could not store the file: try again later"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_success_false_is_a_failure_whatever_the_status(
    code: int, advice: str, status: int
) -> None:
    with (
        Host(answer(status, {"success": False, "code": code, "msg": "no"})) as host,
        client(host) as gateway,
    ):
        found = gateway.upload("a.png", b"x", "image/png")

    assert found == ReadError(code=str(code), message=f"no; {advice}", status=status)


def test_a_failure_without_success_says_when_to_come_again() -> None:
    said = {"success": False, "code": 429, "msg": "slow down"}
    with (
        Host(answer(429, said, retry_after="17", x_request_id="r1")) as host,
        client(host) as gateway,
    ):
        found = gateway.upload("a.png", b"x", "image/png")

    assert found == ReadError(
        code="429", message="slow down [request r1]", status=429, retry_after=17.0
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"file_id": 1, "file_url": "u"}, id="a number"),
        pytest.param({"file_id": "f", "file_url": "http://files/\x00"}, id="a control character"),
    ],
)
def test_an_upload_that_does_not_say_where_it_is_cannot_be_used(data: dict[str, Any]) -> None:
    with Host(answer(200, {"success": True, "data": data})) as host, client(host) as gateway:
        found = gateway.upload("a.png", b"x", "image/png")

    assert isinstance(found, ReadError)
    assert found.code == "garbled"


def test_the_quota_counts_files() -> None:
    data = {"user_group": "default", "used_files": 98, "max_files": 100, "remain_files": 2}
    with Host(answer(200, {"success": True, "data": data})) as host, client(host) as gateway:
        assert gateway.quota() == Quota(used=98, limit=100, remaining=2)

    assert host.requests[0].line == "GET /api/v1/files/quota HTTP/1.1"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param(answer(200, {"success": True}), None, id="deleted"),
        pytest.param(answer(404, {"error": {}}), None, id="gone before"),
        pytest.param(answer(200, {"success": False, "code": 50001}), "50001", id="failed"),
        pytest.param(answer(500, "x"), "http_500", id="error"),
    ],
)
def test_a_deleted_file_is_gone(step: Step, code: str | None) -> None:
    with Host(step) as host, client(host) as gateway:
        found = gateway.delete("a/b")

    assert (found and found.code) == code
    assert host.requests[0].line == "DELETE /api/v1/files/a%2Fb HTTP/1.1"


def test_a_server_with_a_certificate_of_nobody_is_not_taken(
    self_signed: tuple[ssl.SSLContext, Path],
) -> None:
    with Host(answer(200, task()), tls=self_signed[0]) as host, client(host) as gateway:
        submission = gateway.submit(BODY, "k")

    assert isinstance(submission, NotAccepted)
    assert (submission.code, submission.reached) == ("tls", False)


def test_a_server_with_a_certificate_of_the_bundle_is_asked(
    self_signed: tuple[ssl.SSLContext, Path],
) -> None:
    context, bundle = self_signed
    with (
        Host(answer(200, task()), answer(200, task()), tls=context) as host,
        Evolink(host.url, host.url, KEY, ca_bundle=str(bundle)) as gateway,
    ):
        assert gateway.submit(BODY, "k") == Accepted(task_id="task-1")
        assert gateway.tasks(["task-1"]) == {"task-1": Task(id="task-1", state="processing")}


def test_tls_that_breaks_after_the_handshake_is_unknown(
    self_signed: tuple[ssl.SSLContext, Path],
) -> None:
    def garbage(stream: socket.socket, _: threading.Event) -> None:
        with socket.socket(fileno=stream.detach()) as plain:
            plain.sendall(b"this is no record of TLS, and it comes instead of the answer")

    context, bundle = self_signed
    with (
        Host(Step(garbage), tls=context) as host,
        Evolink(host.url, host.url, KEY, ca_bundle=str(bundle)) as gateway,
    ):
        submission = gateway.submit(BODY, "k")

    assert isinstance(submission, Unknown)
    assert submission.code == "lost"
