"""Every event survives its JSON form, and nothing else is taken for one."""

import json
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.virtual import VIDEO

from veogen.results import events
from veogen.results.events import Event, from_json, moment_text, to_json

HASH = "ab" * 32

EVERY: list[Event] = [
    events.SubmitIntended(HASH, 1, "k", "{}", Decimal("1.500"), 1.0),
    events.TaskCreated(HASH, 1, "t", None, 1.0, None, replayed=True, request_id="r"),
    events.SubmitFailed(HASH, 2, "429", "slow down"),
    events.SubmitRejected(HASH, 2, "400", "no"),
    events.SubmitUnknown(HASH, 2, "lost", "broke"),
    events.TaskCompleted(HASH, "t", ("https://a/1", "https://a/2"), Decimal("38.016"), 2.0),
    events.TaskFailed(HASH, "t", "service_error", "sorry"),
    events.VideoSaved(HASH, 1, VIDEO.at("videos/a.mp4")),
    events.VideoNotSaved(HASH, "expired", "gone"),
    events.VideoMissing(HASH, 0),
    events.VideoMoved(HASH, 0, "videos/b.mp4"),
    events.TaskAdopted(HASH, "t", None, 3.0),
    events.RequestAbandoned(HASH, "given up"),
    events.PurchaseImported(
        HASH, "completed", "t", 1, Decimal(1), None, None, (VIDEO.at("videos/a.mp4"),), None, 4.0
    ),
    events.TaskProgressed(HASH, "t", "processing", 50),
]


def test_every_kind_of_event_is_in_the_table() -> None:
    assert {type(event) for event in EVERY} == set(get_args(Event))


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_json_form(event: Event) -> None:
    assert from_json(to_json(event)) == event


@given(st.text(), st.text(), st.decimals(0, 10**6, places=3))
def test_any_text_of_the_network_survives(code: str, message: str, amount: Decimal) -> None:
    for event in (
        events.SubmitIntended(HASH, 1, code, message, None, 1.0),
        events.TaskCompleted(HASH, code, (message,), amount, 1.0),
    ):
        assert from_json(to_json(event)) == event


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"event": "Invented"}', '{"event": "Ended", "hash": "x"}', "null", "{"],
)
def test_anything_else_is_no_event(text: str) -> None:
    with pytest.raises(ValueError, match="not an event"):
        from_json(text)


@pytest.mark.parametrize("amount", ["38.O16", "NaN", "sNaN", "Infinity", ""])
@pytest.mark.parametrize(
    ("event", "field"),
    [(e, field) for e in EVERY for field in ("credits", "estimate") if hasattr(e, field)],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_an_amount_that_is_no_number_is_no_event(event: Event, field: str, amount: str) -> None:
    text = json.dumps({**json.loads(to_json(event)), field: amount})

    with pytest.raises(ValueError, match="not an event"):
        from_json(text)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_a_field_too_many_or_too_few_is_no_event(event: Event) -> None:
    text = to_json(event)
    for changed in (text.replace("{", '{"more":1,', 1), text.replace('"hash"', '"hush"')):
        with pytest.raises(ValueError, match="not an event"):
            from_json(changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "videos/../a.mp4"},
        {"path": 7},
        {"sha256": "AB" * 32},
        {"sha256": "0" * 64 + "\n"},
        {"bytes": -1},
        {"bytes": True},
        {"width": 1.5},
        {"height": 10**15 + 1},
        {"duration": -0.5},
        {"duration": "4"},
        {"fps": None},
        {"audio": 1},
        {"warnings": "audio"},
        {"warnings": [1]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_video_that_cannot_be_is_no_event(changed: dict[str, Any]) -> None:
    data = json.loads(to_json(events.VideoSaved(HASH, 1, VIDEO)))

    with pytest.raises(ValueError, match="not an event"):
        from_json(json.dumps({**data, "video": {**data["video"], **changed}}))


@given(st.floats() | st.floats(1.0, 1e16) | st.floats(1.7e9, 2e9).map(lambda at: round(at, 3)))
def test_a_moment_is_written_as_it_stands_in_every_checksum(at: float) -> None:
    assert moment_text(at) == repr(at)
