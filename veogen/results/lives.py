"""The records of requests from the events of a journal, the JSON of each request's together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any

from veogen.results.events import (
    Accepted,
    Delivered,
    Event,
    Intended,
    Made,
    event_of,
    parsed,
)
from veogen.results.folding import Draft
from veogen.results.records import Purchase, Record
from veogen.results.shared import amount
from veogen.results.videos import Video

Life = tuple[str, Sequence[str]]

_AT_ONCE = 64  # lives that are read together


def records(lives: Iterable[Life]) -> Iterator[Record]:
    """The record of each request from its hash and the JSON of its events, in their order.

    Raises `ValueError` for what is no event, or another request's.
    """
    lives = iter(lives)
    while some := list(islice(lives, _AT_ONCE)):
        found = iter(parsed([text for _, texts in some for text in texts]))
        for hash_, texts in some:
            life = list(islice(found, len(texts)))
            yield _straight(hash_, life) or _folded(hash_, life, texts)


def _folded(hash_: str, life: Sequence[Any], texts: Sequence[str]) -> Record:
    draft = Draft(Record(hash=hash_))
    for event in map(event_of, life, texts):
        if event.hash != hash_:
            raise ValueError(f"an event of {event.hash} is written as one of {hash_}")
        draft.take(event)
    return draft.record


def _straight(hash_: str, life: Sequence[Any]) -> Record | None:
    """The record of a request that was bought, made and delivered at once: as nearly all are.

    It is as if its events had been folded, but none of them is made; None for any other life.
    """
    try:
        intended, accepted, made, *delivered = life
        kinds = (Intended, Accepted, Made, *[Delivered] * len(delivered))
        if not all(map(_is, life, kinds, [hash_] * len(life))):
            return None
        attempt = accepted["attempt"]
        reserved, charged = amount(accepted["credits"]), amount(made["credits"])
        sent = Intended(
            hash=hash_,
            attempt=intended["attempt"],
            key=intended["key"],
            body=intended["body"],
            estimate=amount(intended["estimate"]),
            at=intended["at"],
        )
        links = tuple(made["links"])
        videos = {one["index"]: Video.from_json(one["video"]) for one in delivered}
        is_whole = len(videos) == len(delivered) == max(1, len(links))
        if not is_whole or sent.attempt != attempt or None in (reserved, charged):
            return None
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return None  # the events say what is wrong with it
    return Record(
        hash=hash_,
        status="completed",
        attempts=attempt,
        task_id=accepted["task_id"],
        credits=charged,
        videos=videos,
        sent=sent,
        accepted_at=accepted["at"],
        estimated_seconds=accepted["estimated_seconds"],
        made_at=made["at"],
        links=links,
        purchases={attempt: Purchase(attempt, charged, made["task_id"])},
    )


def _is(data: Any, kind: type[Event], hash_: str) -> bool:
    """Whether this is the JSON of such an event of a request, with every field that it has."""
    names: frozenset[str] = _NAMES[kind]
    return bool(data.keys() == names and data["event"] == kind.__name__ and data["hash"] == hash_)


_NAMES: Mapping[type[Event], frozenset[str]] = {
    kind: frozenset(["event", *(field.name for field in fields(kind))])
    for kind in (Intended, Accepted, Made, Delivered)
}
