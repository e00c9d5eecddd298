"""What is read in a task: its id and state, and of the rest what fits."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.gateway.api import ReadError, Task
from veogen.gateway.parse import parse_task, read_task
from veogen.gateway.transport import Response

KEY = "sk-evo-0123456789"
LINK = "https://media.evolink.ai/a.mp4?signature=x"


def parsed(**fields: Any) -> Task:
    data = {"id": "task-1", "status": "completed", **fields}
    found = read_task(Response(200, {}, json.dumps(data).encode()), "task-1", secret=KEY)
    assert isinstance(found, Task)
    return found


def test_a_whole_task_is_read() -> None:
    task = parsed(
        created=1757169743,
        model="veo-3.1-fast-generate-preview",
        type="video",
        object="video.generation.task",
        progress=100,
        results=[LINK],
        task_info={"can_cancel": False, "estimated_time": 180},
        usage={"billing_rule": "per_call", "credits_reserved": 25.7},
    )

    assert task == Task(
        id="task-1",
        state="completed",
        progress=100,
        links=(LINK,),
        credits=Decimal("25.700"),
        estimated_seconds=180.0,
        model="veo-3.1-fast-generate-preview",
        type="video",
        created=1757169743.0,
        reserved=Decimal("25.700"),
    )


def test_an_id_and_a_state_are_enough() -> None:
    assert parsed(status="processing") == Task(id="task-1", state="processing")


@pytest.mark.parametrize("status", ["thinking", "Completed", " FAILED\n"])
def test_a_state_is_the_gateways_own_word(status: str) -> None:
    assert parsed(status=status).state == status.strip().lower()


@pytest.mark.parametrize("status", [None, "", " ", [], {"a": 1}, True])
def test_without_a_state_it_is_no_task(status: Any) -> None:
    answer = Response(200, {}, json.dumps({"id": "task-1", "status": status}).encode())

    assert read_task(answer, "task-1") == ReadError(
        code="garbled", message="the answer is not a task"
    )


@pytest.mark.parametrize(
    ("state", "fields", "expected"),
    [
        pytest.param("completed", {"usage": {"credits_used": 12.5}}, "12.500", id="used"),
        pytest.param("completed", {"usage": {"cost": {"credits": 3}}}, "3.000", id="cost"),
        pytest.param("completed", {"billing": {"charged_credits": "7.25"}}, "7.250", id="charged"),
        pytest.param(
            "completed",
            {"usage": {"credits_used": 1, "credits_reserved": 2}},
            "1.000",
            id="the charge wins at the end",
        ),
        pytest.param(
            "processing",
            {"usage": {"credits_used": 0, "credits_reserved": 2}},
            "2.000",
            id="the reservation wins before",
        ),
        pytest.param("failed", {"usage": {"credits_used": 0}}, "0.000", id="nothing charged"),
        pytest.param(
            "completed", {"usage": {"credits_reserved": 0.1234567}}, "0.1235", id="four places"
        ),
        pytest.param("completed", {"usage": {"credits_reserved": 0.00005}}, "0.0001", id="half up"),
        pytest.param("completed", {"usage": {"credits_reserved": -1}}, None, id="negative"),
        pytest.param("completed", {"usage": {"credits_used": -0.0}}, "0.000", id="less nothing"),
        pytest.param("completed", {"usage": {"credits_reserved": 1e300}}, None, id="endless"),
        pytest.param("completed", {"usage": {"credits_reserved": "a lot"}}, None, id="words"),
        pytest.param("completed", {"usage": {"credits_reserved": True}}, None, id="a boolean"),
        pytest.param("completed", {"usage": [1]}, None, id="a list"),
        pytest.param("completed", {}, None, id="nothing said"),
    ],
)
def test_credits_are_what_was_charged_or_reserved(
    state: str, fields: dict[str, Any], expected: str | None
) -> None:
    found = parsed(status=state, **fields).credits

    assert found == (expected and Decimal(expected))
    assert found is None or str(found) == expected


@pytest.mark.parametrize(
    ("fields", "links"),
    [
        pytest.param({"results": [LINK, LINK + "2"]}, (LINK, LINK + "2"), id="several"),
        pytest.param({"results": [LINK, 7, None, "", "ftp://a"]}, (LINK,), id="others left out"),
        pytest.param({"results": ["https://a/\u0000"]}, (), id="a control character"),
        pytest.param({"results": LINK}, (), id="no list"),
        pytest.param({"result_data": [{"video_url": LINK}]}, (LINK,), id="in the data"),
        pytest.param({"result_data": {"video_url": LINK}}, (LINK,), id="in one object"),
        pytest.param(
            {"results": [LINK], "result_data": [{"video_url": LINK + "2"}]}, (LINK,), id="once"
        ),
        pytest.param({"results": [LINK] * 99}, (LINK,) * 64, id="too many"),
    ],
)
def test_links_are_those_of_finished_files(fields: dict[str, Any], links: tuple[str, ...]) -> None:
    assert parsed(**fields).links == links


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(
            {"code": "content_policy_violation", "message": "a real person"},
            "content_policy_violation",
            "a real person; the gateway's advice: change the prompt or the image",
            id="the documents' advice",
        ),
        pytest.param(
            {"code": "service_error", "message": "m.", "suggestion": "call us"},
            "service_error",
            "m; the gateway's advice: call us",
            id="its own advice",
        ),
        pytest.param({"code": "new_word", "message": "m"}, "new_word", "m", id="a new code"),
        pytest.param({"code": 500}, "500", None, id="a number"),
        pytest.param({"message": f"\x1b[31m{KEY}"}, None, "[31m***", id="masked and clean"),
        pytest.param("boom", None, "boom", id="a text"),
        pytest.param(None, None, None, id="null"),
    ],
)
def test_a_failure_says_why(error: Any, code: str | None, message: str | None) -> None:
    task = parsed(status="failed", error=error)

    assert (task.error_code, task.error_message) == (code, message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["progress", "results", "result_data", "task_info", "usage", "billing", "error", "model"]
NESTED = st.dictionaries(
    st.sampled_from(["credits_used", "cost", "estimated_time", "video_url", "code", "message"]),
    JSON,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "type", "created"]), JSON | NESTED))
def test_no_field_of_another_type_makes_it_raise(fields: dict[str, Any]) -> None:
    data = json.loads(json.dumps({**fields, "id": "task-1", "status": "completed"}))

    task = parse_task(data)

    assert task is not None
    repr(task).encode()
    assert all(link.isprintable() for link in task.links)
