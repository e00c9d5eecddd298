"""Section 6.1 of the contract, line by line: what an answer to a submit means."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.gateway.api import Accepted, NotAccepted, Rejected, Submission, Unknown
from veogen.gateway.parse import UNDERSTOOD
from veogen.gateway.submission import read_submission
from veogen.gateway.transport import Kind, Response, TransportError

KEY = "sk-evo-secret"
HTML = b"<!DOCTYPE html><title>502 Bad Gateway</title>"


def own(code: Any = "a_code", message: str = "a message", **more: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, **more}}).encode()


def read(status: int, body: bytes = b"", **headers: str) -> Submission:
    lowered = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_submission(Response(status, lowered, body), now=0.0, secret=KEY)


@pytest.mark.parametrize("kind", ["unresolved", "refused", "connect-timeout", "tls"])
def test_what_was_never_written_is_not_taken(kind: Kind) -> None:
    submission = read_submission(TransportError(kind, "why", sent=False), now=0.0)

    assert submission == NotAccepted(code=kind, message="why", reached=False)
    assert not submission.from_gateway


@pytest.mark.parametrize("kind", ["timeout", "lost", "oversized"])
def test_what_broke_after_sending_is_unknown(kind: Kind) -> None:
    submission = read_submission(TransportError(kind, "why"), now=0.0)

    assert submission == Unknown(code=kind, message="why, after the request was sent")
    assert not submission.from_gateway


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_with_an_id_is_taken(status: int) -> None:
    body = json.dumps(
        {
            "id": "task-unified-1-a",
            "status": "pending",
            "task_info": {"estimated_time": 180},
            "usage": {"credits_reserved": 25.7},
        }
    ).encode()

    assert read(status, body, x_request_id="r1", idempotency_replayed="true") == Accepted(
        task_id="task-unified-1-a",
        credits=Decimal("25.700"),
        estimated_seconds=180.0,
        replayed=True,
        request_id="r1",
    )


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        pytest.param(b'{"id": 4711}', "4711", id="a number"),
        pytest.param(b'{"id": 0}', "0", id="nought"),
        pytest.param(b'{"code": 200, "data": {"id": "task-1"}}', "task-1", id="under data"),
        pytest.param(b'{"code": 200, "data": {"id": 4711}}', "4711", id="a number under data"),
        pytest.param(b'{"data": [{"id": "task-1"}]}', "task-1", id="a list of one under data"),
        pytest.param(b'{"id": "task-1", "data": {"id": "x"}}', "task-1", id="the first counts"),
        pytest.param('{"id": "task-1"}'.encode("utf-16"), "task-1", id="in UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"id": "task-1"}', "task-1", id="with a byte order mark"),
    ],
)
def test_an_id_may_be_a_number_or_stand_one_level_down(body: bytes, task_id: str) -> None:
    assert read(200, body) == Accepted(task_id=task_id)


def test_what_stands_beside_an_id_under_data_counts_too() -> None:
    task = {"id": "t", "usage": {"credits_reserved": 25.7}, "task_info": {"estimated_time": 9}}

    assert read(200, json.dumps({"data": task}).encode()) == Accepted(
        task_id="t", credits=Decimal("25.700"), estimated_seconds=9.0
    )


@pytest.mark.parametrize(
    ("usage", "billing", "credits_"),
    [
        pytest.param({"credits_reserved": 25.7}, {"reserved_credits": 7}, "25.700", id="usage"),
        pytest.param({}, {"reserved_credits": 7}, "7.000", id="billing"),
        pytest.param({"credits_reserved": 0}, {"reserved_credits": 7}, "7.000", id="more than 0"),
        pytest.param({"credits_reserved": 0}, {}, "0.000", id="nought"),
        pytest.param({}, {}, None, id="nothing"),
    ],
)
def test_what_is_reserved_stands_in_one_of_two_places(
    usage: dict[str, float], billing: dict[str, float], credits_: str | None
) -> None:
    body = json.dumps({"id": "t", "usage": usage, "billing": billing}).encode()

    assert read(200, body) == Accepted(
        task_id="t", credits=None if credits_ is None else Decimal(credits_)
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "", id="nothing"),
        pytest.param(HTML, HTML.decode(), id="a page"),
        pytest.param(b'{"id": "task-1"', '{"id": "task-1"', id="half of it"),
        pytest.param(b"{}", "{}", id="no id"),
        pytest.param(b'{"id": null}', '{"id": null}', id="null"),
        pytest.param(b'{"id": true}', '{"id": true}', id="a truth"),
        pytest.param(b'{"id": 4711.5}', '{"id": 4711.5}', id="a fraction"),
        pytest.param(b'{"id": -1}', '{"id": -1}', id="below nought"),
        pytest.param(b'{"id": ""}', '{"id": ""}', id="empty"),
        pytest.param(b'{"id": " "}', '{"id": " "}', id="blank"),
        pytest.param(b'{"id": "a b"}', '{"id": "a b"}', id="two words"),
        pytest.param(b'{"id": ".."}', '{"id": ".."}', id="a path"),
        pytest.param(b'{"id": "a\\u0000b"}', '{"id": "a\\u0000b"}', id="a control character"),
        pytest.param(b'{"id": "\\ud800"}', '{"id": "\\ud800"}', id="half a character"),
        pytest.param(b'["task-1"]', '["task-1"]', id="a list"),
        pytest.param(b'{"data": {"data": {"id": "t"}}}', '{"data": {"data": {"id": "t"}}}', id="2"),
        pytest.param(b'{"task": \x1b"t\r\n"}', '{"task": "t "}', id="control characters"),
        pytest.param(b"x" * 9000, "x" * 4096, id="endless"),
        pytest.param(b"[" * 100_000, "[" * 4096, id="deep"),
    ],
)
def test_a_success_without_a_usable_id_is_unknown_and_kept_word_for_word(
    body: bytes, said: str
) -> None:
    assert read(200, body, x_request_id="r1") == Unknown(
        code="no_task_id",
        message="accepted with status 200, but without the id of a task [request r1]"
        + (f"; it said: {said}" if said else ""),
        status=200,
    )


@pytest.mark.parametrize(
    ("status", "body", "from_gateway"),
    [
        pytest.param(200, b'{"id": "x y"}', True, id="JSON"),
        pytest.param(200, HTML, False, id="a portal"),
        pytest.param(502, HTML, False, id="a proxy"),
        pytest.param(500, b"", False, id="nothing"),
        pytest.param(501, own(), True, id="the gateway"),
        pytest.param(503, own(), True, id="no room"),
        pytest.param(429, HTML, False, id="a limit on the way"),
        pytest.param(400, own(), True, id="a refusal"),
        pytest.param(302, b"", False, id="a redirect"),
    ],
)
def test_who_has_answered_is_told(status: int, body: bytes, from_gateway: bool) -> None:
    submission = read(status, body)

    assert not isinstance(submission, Accepted)
    assert submission.from_gateway is from_gateway


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(
            {
                "error": {
                    "code": "content_policy_violation",
                    "message": "blocked",
                    "request_id": "r1",
                }
            },
            "blocked [request r1] (content_policy_violation)",
            id="an error",
        ),
        pytest.param(
            {"success": False, "code": "quota", "message": f"{KEY} has none", "request_id": "r1"},
            '*** has none [request r1] (quota); it said: {"success": false, "code": "quota", '
            '"message": "*** has none", "request_id": "r1"}',
            id="no success",
        ),
    ],
)
def test_a_success_without_an_id_tells_what_the_gateway_says_instead(
    said: dict[str, Any], why: str
) -> None:
    assert read(200, json.dumps(said).encode()) == Unknown(
        code="no_task_id",
        message=f"accepted with status 200, but without the id of a task: {why}",
        status=200,
    )


@pytest.mark.parametrize("body", [own(429), HTML, b""], ids=["json", "page", "empty"])
def test_too_many_requests_is_not_taken(body: bytes) -> None:
    submission = read(429, body, retry_after="7")

    assert isinstance(submission, NotAccepted)
    assert (submission.status, submission.retry_after, submission.once) == (429, 7.0, False)


def test_service_unavailable_in_the_gateways_own_words_is_not_taken() -> None:
    assert read(503, own("no_available_channel")) == NotAccepted(
        code="no_available_channel", message="a message", status=503
    )


@pytest.mark.parametrize("status", [500, 502, 504])
def test_server_errors_in_the_gateways_own_words_are_not_taken_once(status: int) -> None:
    assert read(status, own()) == NotAccepted(
        code="a_code", message="a message", status=status, once=True
    )


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 524, 599])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(HTML, "status {} with a web page", id="page"),
        pytest.param(b"", "status {} with an empty body", id="empty"),
        pytest.param(b'{"error": "text"}', "text", id="text"),
        pytest.param(b'{"message": "x"}', "x", id="other"),
        pytest.param(b'{"error": 4711}', "status {} with no JSON of the gateway", id="number"),
    ],
)
def test_server_errors_in_other_words_are_unknown(status: int, body: bytes, words: str) -> None:
    submission = read(status, body)

    assert isinstance(submission, Unknown)
    assert submission.status == status
    said = f"; it said: {body.decode()}" if body else ""
    assert submission.message == words.format(status) + said


@pytest.mark.parametrize("status", [501, 505, 520, 599])
def test_other_server_errors_are_unknown_in_any_words(status: int) -> None:
    assert read(status, own()) == Unknown(code="a_code", message="a message", status=status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_unknown_and_never_followed(status: int) -> None:
    assert read(status, location="https://elsewhere.example/\x1b[2J") == Unknown(
        code=f"http_{status}",
        message=f"status {status}: a redirect to https://elsewhere.example/[2J, never followed",
        status=status,
    )


@pytest.mark.parametrize(
    ("location", "target"),
    [({}, "nowhere"), ({"location": "x" * 300}, f"{'x' * 199}…")],
    ids=["nowhere", "endless"],
)
def test_where_a_redirect_leads_is_said_in_short(location: dict[str, str], target: str) -> None:
    assert read(302, b"", **location) == Unknown(
        code="http_302", message=f"status 302: a redirect to {target}, never followed", status=302
    )


@pytest.mark.parametrize("status", [408, 409])
@pytest.mark.parametrize("body", [own(), HTML], ids=["json", "page"])
def test_time_outs_and_conflicts_are_unknown(status: int, body: bytes) -> None:
    assert isinstance(read(status, body), Unknown)


@pytest.mark.parametrize("code", ["idempotency_conflict", "paid_outcome_unknown"])
@pytest.mark.parametrize("status", [200, 302, 400, 402, 409, 422, 429, 500, 503])
def test_codes_of_doubt_are_unknown_at_any_status(status: int, code: str) -> None:
    assert read(status, own(code)) == Unknown(code=code, message="a message", status=status)


@pytest.mark.parametrize(
    "body",
    [
        b'{"code": "paid_outcome_unknown"}',
        b'{"error": "paid_outcome_unknown"}',
        b'{"error": {"type": "paid_outcome_unknown", "code": 400}}',
        b'{"error": {"type": "paid_outcome_unknown", "code": "x"}, "code": "x"}',
    ],
)
def test_a_code_of_doubt_is_found_wherever_it_stands(body: bytes) -> None:
    submission = read(400, body)

    assert isinstance(submission, Unknown)
    assert submission.code == "paid_outcome_unknown"


def test_of_two_codes_of_doubt_always_the_same_is_said() -> None:
    codes = ("idempotency_conflict", "paid_outcome_unknown")
    for code, kind in (codes, codes[::-1]):
        assert read(409, own(code, type=kind)) == Unknown(
            code="idempotency_conflict", message="a message", status=409
        )


@pytest.mark.parametrize(
    ("more", "is_kept"),
    [
        pytest.param({"task": "task-7"}, True, id="a word that nobody knows"),
        pytest.param(dict.fromkeys(UNDERSTOOD - {"code", "message"}), False, id="each known word"),
    ],
)
def test_what_is_not_understood_of_a_doubt_is_kept_word_for_word(
    more: dict[str, object], is_kept: bool
) -> None:
    body = own("a_code", "a message", **more)
    said = f"; it said: {body.decode()}" if is_kept else ""

    assert read(501, body) == Unknown(code="a_code", message=f"a message{said}", status=501)


def test_a_success_that_says_nothing_at_all_is_told_so() -> None:
    assert read(200) == Unknown(
        code="no_task_id",
        message="accepted with status 200, but without the id of a task",
        status=200,
    )


def test_a_doubt_that_names_a_task_says_so() -> None:
    body = json.dumps({"id": "task-7", "error": {"code": "paid_outcome_unknown", "message": "?"}})

    assert read(200, body.encode()) == Unknown(
        code="paid_outcome_unknown",
        message=f"? (the answer names task task-7); it said: {body}",
        status=200,
    )


@pytest.mark.parametrize("status", [401, 402, 403, 404])
@pytest.mark.parametrize("body", [own(), HTML, b""], ids=["json", "page", "empty"])
def test_a_key_a_balance_and_a_model_that_are_no_good_stop_the_batch(
    status: int, body: bytes
) -> None:
    submission = read(status, body)

    assert isinstance(submission, Rejected)
    assert (submission.status, submission.stops) == (status, True)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(own("model_unavailable"), id="unavailable"),
        pytest.param(own("model_not_found"), id="not found"),
        pytest.param(own("key_model_not_allowed"), id="not allowed"),
        pytest.param(own(400, "Model veo-3.1 is no longer available."), id="retired"),
    ],
)
def test_a_model_that_is_gone_stops_the_batch_at_any_status(body: bytes) -> None:
    submission = read(400, body)

    assert isinstance(submission, Rejected)
    assert submission.stops


@pytest.mark.parametrize(
    "message", ["The voice is no longer available.", "This model takes no image."]
)
def test_a_refusal_that_only_sounds_like_it_stops_nothing(message: str) -> None:
    submission = read(400, own(message=message))

    assert isinstance(submission, Rejected)
    assert not submission.stops


@pytest.mark.parametrize("status", [400, 405, 410, 413, 415, 422, 425, 451, 499])
@pytest.mark.parametrize("body", [own(), HTML, b""], ids=["json", "page", "empty"])
def test_every_other_refusal_is_of_this_request_alone(status: int, body: bytes) -> None:
    submission = read(status, body)

    assert isinstance(submission, Rejected)
    assert (submission.status, submission.stops) == (status, False)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(
            {"code": 400, "message": "bad", "type": "invalid_request_error"},
            "invalid_request_error",
            "bad",
            id="a number says less than the type",
        ),
        pytest.param(
            {"code": "400", "type": ""}, "http_400", "status 400 without a message", id="nothing"
        ),
        pytest.param(
            {
                "code": "range",
                "message": "duration",
                "min": 4,
                "max": 8,
                "allowed_values": [4, 6, 8],
            },
            "range",
            "duration (allowed_values: 4, 6, 8, min: 4, max: 8)",
            id="facts",
        ),
        pytest.param(
            {"code": "x", "message": "no", "fallback_suggestion": "retry after 60 seconds"},
            "x",
            "no; the gateway's advice: retry after 60 seconds",
            id="advice",
        ),
        pytest.param(
            {"code": "x", "message": f"key {KEY} is\x1b[31m bad\r\n\u202e", "request_id": "r9"},
            "x",
            "key *** is[31m bad [request r9]",
            id="masked and clean",
        ),
        pytest.param(
            {"code": f"bad_{KEY}", "message": [1], "param": {"a": 1}},
            "bad_***",
            "status 400 without a message",
            id="other types",
        ),
    ],
)
def test_the_gateways_words_reach_the_user(error: Any, code: str, message: str) -> None:
    body = json.dumps({"error": error}).encode()

    assert read(400, body) == Rejected(code=code, message=message, status=400)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        pytest.param(
            {"code": "invalid_request", "message": "no such ratio", "data": None},
            "invalid_request",
            "no such ratio",
            id="code and message",
        ),
        pytest.param(
            {"success": False, "code": 400, "msg": "no such ratio", "request_id": "r9"},
            "http_400",
            "no such ratio [request r9]",
            id="msg",
        ),
        pytest.param({"error": "no such ratio"}, "http_400", "no such ratio", id="error"),
        pytest.param({"detail": "no such ratio"}, "http_400", "no such ratio", id="detail"),
        pytest.param(
            {"message": f"\x1b{KEY}", "code": f"{KEY}"}, "***", "***", id="masked and clean"
        ),
        pytest.param(
            {"error": ["x"], "message": {"a": 1}, "code": [1]},
            "http_400",
            "status 400 with no JSON of the gateway",
            id="other types",
        ),
    ],
)
def test_words_that_stand_elsewhere_reach_the_user_too(
    said: dict[str, Any], code: str, message: str
) -> None:
    refused = Rejected(code=code, message=message, status=400)

    assert read(400, json.dumps(said).encode()) == refused


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", "", 0.0),
        ("17", "", 17.0),
        ("86400", "", 600.0),
        ("9" * 400, "", 600.0),
        ("-1", "", None),
        ("soon", "", None),
        ("1.5", "", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:00 GMT", 37.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:00 GMT", 0.0),
        ("Sun, 06 Nov 9994 08:49:37 GMT", "", 600.0),
        ("Thu, 01 Jan 1970 00:00:09 GMT", "", 9.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, date: str, seconds: float | None) -> None:
    submission = read(429, own(), retry_after=value, date=date)

    assert isinstance(submission, NotAccepted)
    assert submission.retry_after == seconds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "code": JSON,
        "error": st.dictionaries(
            st.sampled_from(["code", "message", "type", "param", "fallback_suggestion"]), JSON
        )
        | JSON,
        "usage": st.dictionaries(st.just("credits_reserved"), JSON) | JSON,
        "task_info": st.dictionaries(st.just("estimated_time"), JSON) | JSON,
    },
)


@given(
    status=st.integers(100, 999),
    body=st.binary() | ENVELOPE.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(st.sampled_from(["retry-after", "date", "x-request-id"]), st.text()),
)
def test_no_answer_makes_it_raise(status: int, body: bytes, headers: dict[str, str]) -> None:
    submission = read_submission(Response(status, headers, body), now=0.0, secret=KEY)

    if isinstance(submission, Accepted):
        assert 200 <= status < 300
        submission.task_id.encode()
    else:
        assert submission.message.isprintable()
        assert submission.code.isprintable()
        f"{submission}".encode()
