"""Every event survives its JSON form, and nothing else is taken for one."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.virtual import VIDEO

from veogen.results import events
from veogen.results.events import Event, event_of, from_json, parsed, to_json

HASH = "ab" * 32

EVERY: list[Event] = [
    events.Intended(HASH, 1, "k", "{}", Decimal("1.500"), 1.0),
    events.Accepted(HASH, 1, "t", None, 1.0, None, replayed=True, request_id="r"),
    events.NotTaken(HASH, 2, "429", "slow down"),
    events.Refused(HASH, 2, "400", "no"),
    events.Unclear(HASH, 2, "lost", "broke"),
    events.Made(HASH, "t", ("https://a/1", "https://a/2"), Decimal("38.016"), 2.0),
    events.Ended(HASH, "t", "service_error", "sorry"),
    events.Delivered(HASH, 1, VIDEO.at("videos/a.mp4")),
    events.Undelivered(HASH, "expired", "gone"),
    events.Missing(HASH, 0),
    events.Moved(HASH, 0, "videos/b.mp4"),
    events.Adopted(HASH, "t", None, 3.0),
    events.Abandoned(HASH, "given up"),
    events.TakenIn(
        HASH, "completed", "t", 1, Decimal(1), None, None, (VIDEO.at("videos/a.mp4"),), None, 4.0
    ),
    events.Progressed(HASH, "t", "processing", 50),
]


def test_every_kind_of_event_is_in_the_table() -> None:
    assert {type(event) for event in EVERY} == set(get_args(Event))


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_json_form(event: Event) -> None:
    assert from_json(to_json(event)) == event


@given(st.text(), st.text(), st.decimals(0, 10**6, places=3))
def test_any_text_of_the_network_survives(code: str, message: str, amount: Decimal) -> None:
    for event in (
        events.Intended(HASH, 1, code, message, None, 1.0),
        events.Made(HASH, code, (message,), amount, 1.0),
    ):
        assert from_json(to_json(event)) == event


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"event": "Invented"}', '{"event": "Ended", "hash": "x"}', "null", "{"],
)
def test_anything_else_is_no_event(text: str) -> None:
    with pytest.raises(ValueError, match=r"event|JSON|Expecting"):
        from_json(text)


def all_from_json(texts: Sequence[str]) -> Iterator[Event]:
    return map(event_of, parsed(texts), texts)


def test_many_events_are_read_as_each_of_them_is() -> None:
    assert list(all_from_json(list(map(to_json, EVERY)))) == EVERY
    assert not list(all_from_json([]))


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"event": "Invented"}', "1,2"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_of_many_texts_the_one_that_is_no_event_is_told(text: str, place: int) -> None:
    texts = [to_json(event) for event in EVERY[:2]]
    texts.insert(place, text)
    with pytest.raises(ValueError, match=r"event|JSON|Expecting|Extra") as alone:
        from_json(text)

    with pytest.raises(ValueError, match=r"event|JSON|Expecting|Extra") as among:
        list(all_from_json(texts))

    assert str(among.value) == str(alone.value)


def test_texts_that_are_events_only_together_are_none() -> None:
    one, other = map(to_json, EVERY[:2])
    whole = f"{one},{other},{one}"
    torn = [whole[: len(whole) // 2], whole[len(whole) // 2 :]]

    with pytest.raises(ValueError, match=r"event|JSON|Expecting|Extra|Unterminated"):
        list(all_from_json(torn))
