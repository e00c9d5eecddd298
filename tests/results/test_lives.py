"""A life that goes straight is one record at once: what its events come to, one by one."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.virtual import VIDEO

from veogen.results import lives
from veogen.results.events import (
    Accepted,
    Delivered,
    Event,
    Intended,
    Made,
    TakenIn,
    Undelivered,
    to_json,
)
from veogen.results.folding import after
from veogen.results.lives import records
from veogen.results.records import Record

HASH, OTHER = "a" * 64, "b" * 64
CLIP = VIDEO.at("videos/a.mp4")
PRICE = Decimal("38.016")
STRAIGHT: list[Event] = [
    Intended(HASH, 1, f"veogen-{HASH}-1", '{"prompt":"Tōkyō"}', PRICE, 1.5),
    Accepted(HASH, 1, "task-1", PRICE, 2.0, 120.0, request_id="r"),
    Made(HASH, "task-1", ("https://m/1",), Decimal("30.000"), 3.0),
    Delivered(HASH, 0, CLIP),
]


def folded(life: Sequence[Event]) -> Record:
    return reduce(after, life, Record(hash=HASH))


def read(life: Sequence[Event]) -> Record:
    [found] = records([(HASH, list(map(to_json, life)))])
    return found


def spelled(record: Record) -> str:
    """A record with its types; an empty mapping may be of any."""
    return repr(record).replace("mappingproxy({})", "{}")


AMOUNT = st.sampled_from([PRICE, PRICE, Decimal("30.000"), None])
ATTEMPT = st.sampled_from([1, 1, 1, 2])
LINKS = st.sampled_from([(), ("https://m/1",), ("https://m/1", "https://m/2")])
SECONDS = st.sampled_from([None, 120.0])
STEPS: list[st.SearchStrategy[Event]] = [
    st.builds(Intended, st.just(HASH), ATTEMPT, st.just("k"), st.just("{}"), AMOUNT, st.just(1.0)),
    st.builds(Accepted, st.just(HASH), ATTEMPT, st.just("task-1"), AMOUNT, st.just(2.0), SECONDS),
    st.builds(
        Made, st.just(HASH), st.sampled_from(["task-1", "task-2"]), LINKS, AMOUNT, st.just(3.0)
    ),
]
REST = st.lists(
    st.builds(Delivered, st.just(HASH), st.integers(0, 1), st.just(CLIP))
    | st.just(Undelivered(HASH, "expired", "gone")),
    max_size=3,
)


@given(st.tuples(*STEPS), REST, st.sampled_from([0, 0, 0, 1, 2]), st.booleans())
def test_lives_that_are_nearly_straight(
    bought: tuple[Event, ...], rest: list[Event], missing: int, twice: bool
) -> None:
    life = [*bought[missing:], *rest] * (2 if twice else 1)
    if not life:
        return

    found = read(life)

    assert found == folded(life)
    assert spelled(found) == spelled(folded(life))
    event(found.status)


@pytest.mark.parametrize(
    "life",
    [
        pytest.param(STRAIGHT, id="one video"),
        pytest.param(
            [
                *STRAIGHT[:2],
                Made(HASH, "task-1", ("https://m/1", "https://m/2"), PRICE, 3.0),
                Delivered(HASH, 1, VIDEO.at("videos/b.mp4")),
                Delivered(HASH, 0, CLIP),
            ],
            id="two videos",
        ),
    ],
)
def test_no_event_is_made_of_a_straight_life(
    life: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(lives, "event_of")

    assert read(life) == folded(life)
    assert read(life).status == "completed"


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", r"Expecting|property", id="no JSON"),
        pytest.param("null", "not an event: null", id="null"),
        pytest.param('{"event":"Invented","hash":"x"}', "not an event", id="another kind"),
        pytest.param(
            '{"event":"Delivered","hash":"HASH","index":0,"video":{}}', "not a video", id="no video"
        ),
        pytest.param(
            to_json(Undelivered(OTHER, "c", "m")), "an event of b+ is written", id="another's"
        ),
        pytest.param(
            to_json(TakenIn(HASH, "done", "t", 1, PRICE, None, None, (), None, 1.0)),
            "'done' is not a status",
            id="no status",
        ),
    ],
)
def test_what_is_damaged_in_a_life_is_told(text: str, said: str, place: int) -> None:
    texts = list(map(to_json, STRAIGHT))
    texts[place] = text.replace("HASH", HASH)
    whole: list[Any] = [(OTHER, [to_json(Undelivered(OTHER, "c", "m"))]), (HASH, texts)]

    with pytest.raises(ValueError, match=said):
        list(records(whole))


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("amount", ["38.O16", "NaN", "sNaN", "Infinity"])
def test_an_amount_that_is_no_number_is_no_event(amount: str, place: int) -> None:
    texts = list(map(to_json, STRAIGHT))
    texts[place] = re.sub(r'"3[08]\.0\d\d"', f'"{amount}"', texts[place])

    with pytest.raises(ValueError, match="not an event"):
        list(records([(HASH, texts)]))


@pytest.mark.parametrize("place", range(4))
def test_a_field_too_many_or_too_few_is_no_event(place: int) -> None:
    text = to_json(STRAIGHT[place])
    for changed in (text.replace("{", '{"more":1,', 1), text.replace('"hash"', '"hush"')):
        texts = list(map(to_json, STRAIGHT))
        texts[place] = changed

        with pytest.raises(ValueError, match="not an event"):
            list(records([(HASH, texts)]))
