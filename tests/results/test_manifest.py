"""The bytes of results.json are those of its JSON, however often and in whatever state."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from support.virtual import VIDEO

from veogen.models.parameters import Json
from veogen.planner.identity import address
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    SubmitRejected,
    TaskCompleted,
    TaskCreated,
    TaskProgressed,
    VideoSaved,
)
from veogen.results.ledger import Ledger, RequestState
from veogen.results.manifest import ManifestRenderer, parse, render
from veogen.results.record import Record

PRICE = Decimal("38.016")


def entry(name: str, **variables: Json) -> Request:
    return Request(
        address=f"city[name={name}]",
        hash=name[:1].encode().hex().rjust(64, "0"),
        shot="city",
        take=1,
        variables={"name": name, **variables},
        output=f"city/{name}",
        body={"model": "veo-3.1-fast-generate-preview"},
        credits=PRICE,
    )


TOKYO, OSLO = (
    entry("Tōkyō", line="a\n\"b'", look={"id": "noir", "of": [1, 2.5, None]}),
    entry("Oslo"),
)
FORMER = entry("Wien", empty=[], none={})
BOUGHT: list[Event] = [
    SubmitIntended(FORMER.hash, 1, "k", "{}", PRICE, 1.0),
    TaskCreated(FORMER.hash, 1, "task-9", PRICE, 1.0),
    SubmitIntended(TOKYO.hash, 1, "k", "{}", PRICE, 1.0),
    TaskCreated(TOKYO.hash, 1, "task-1", PRICE, 1.0),
    TaskProgressed(TOKYO.hash, "task-1", "processing", 5),
    TaskCompleted(TOKYO.hash, "task-1", ("https://m/1",), PRICE, 2.0),
    VideoSaved(
        TOKYO.hash, 0, structs.replace(VIDEO, path="videos/city/Tōkyō.mp4", warnings=("a", "b"))
    ),
    VideoSaved(
        TOKYO.hash, 1, structs.replace(VIDEO, path="videos/city/50%.mp4", duration=4, audio=False)
    ),
    SubmitRejected(OSLO.hash, 1, "invalid", "no such\nseed"),
]


def ledger(*, planned: Sequence[Request], former: Sequence[Request] = ()) -> Ledger:
    found = Ledger("trip")
    found.adopt(planned, former)
    return found


def lines(standings: Iterable[RequestState]) -> list[dict[str, Any]]:
    return [
        {
            "address": entry.address,
            "hash": entry.hash,
            "shot": entry.shot,
            "take": entry.take,
            "variables": entry.variables,
            "status": record.status,
            "task_id": record.task_id,
            "attempts": record.attempts,
            "credits": record.credits and str(record.credits),
            **({"estimate": str(entry.credits)} if is_estimated(entry, record) else {}),
            "error": record.error and asdict(record.error),
            "videos": [structs.asdict(record.videos[index]) for index in sorted(record.videos)],
        }
        for entry, record in standings
    ]


def is_estimated(entry: Request, record: Record) -> bool:
    """Whether something was sent, and another amount, or none, was named for it."""
    return record.bought and record.credits != entry.credits


IDENTITY = ("address", "hash", "shot", "take", "variables")


def plainly(found: Ledger) -> bytes:
    head = "".join(
        f'\n  "{name}": "{value}",'
        for name, value in (
            ("format", "veogen.results/1"),
            ("name", "trip"),
            ("gateway", "simulated"),
        )
    )
    results, former = (plain_list(standings) for standings in (found.planned, found.former))
    return f'{{{head}\n  "results": {results},\n  "former": {former}\n}}\n'.encode()


def plain_list(standings: Iterable[RequestState]) -> str:
    texts = [f"\n    {plain_line(line)}" for line in lines(standings)]
    return f"[{','.join(texts)}\n  ]" if texts else "[]"


def plain_line(line: dict[str, Any]) -> str:
    """Which request it is; where it stands; its videos and others: a line each."""
    of_lines: list[dict[str, Any]] = [{}, {}, {}]
    for name, value in line.items():
        number = 0 if name in IDENTITY else 2 if name in ("videos", "others") else 1
        of_lines[number][name] = value
    texts = [json.dumps(part, ensure_ascii=False)[1:-1] for part in of_lines]
    return f"{{{f',{chr(10)}     '.join(texts)}}}"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(ledger(planned=[]), id="nothing"),
        pytest.param(ledger(planned=[TOKYO]), id="one"),
        pytest.param(ledger(planned=[TOKYO, OSLO], former=[FORMER]), id="some"),
    ],
)
def test_the_bytes_are_those_of_the_json_after_every_event(found: Ledger) -> None:
    renderer = ManifestRenderer("simulated")
    assert renderer.render(found) == plainly(found)
    for event in BOUGHT:
        found.apply(event)

        assert renderer.render(found) == render(found, "simulated") == plainly(found)


def test_bytes_are_renewed_only_where_they_are_others() -> None:
    found, renderer = ledger(planned=[TOKYO, OSLO], former=[FORMER]), ManifestRenderer("simulated")
    written = renderer.renewed(None, found)
    for event in BOUGHT:
        found.apply(event)
        before, written = written, plainly(found)

        assert renderer.renewed(before, found) == (None if before == written else written)
        assert renderer.renewed(written, found) is None
        assert renderer.renewed(written + b" ", found) == written
        assert renderer.renewed(None, found) == written

    found.adopt([OSLO, TOKYO], [FORMER])
    assert renderer.renewed(written, found) == plainly(found)
    found.name = "trip"
    assert renderer.renewed(plainly(found), found) is None


def test_what_is_rendered_can_be_read() -> None:
    found = ledger(planned=[OSLO, TOKYO], former=[FORMER])
    for event in BOUGHT:
        found.apply(event)

    manifest = parse(render(found, "evolink"), "results.json")

    assert [line.address for line in manifest.results] == [OSLO.address, TOKYO.address]
    assert [line.status for line in manifest.former] == ["submitted"]


@pytest.mark.parametrize(
    ("values", "take", "task_id"),
    [
        pytest.param(["A\x7fb", "it\x92s", "\x85"], 1, "task-1", id="control characters"),
        pytest.param(["\n", "\t", "\0", '"', "\\"], 1, "task-1", id="what JSON escapes"),
        pytest.param(["\u2028", "\u202e", "\ue000", "\U0010ffff"], 1, "task-1", id="odd letters"),
        pytest.param([10**4000, -0.0, 1e300], 1, "task-1", id="odd numbers"),
        pytest.param(["x"], 10_000_000, "task-1", id="as many takes as a plan may have"),
        pytest.param(["x"], 1, "tâche:1/" + "x" * 192, id="an id as odd as the gateway's may be"),
    ],
)
def test_what_a_plan_or_the_gateway_may_hold_can_be_read(
    values: list[Json], take: int, task_id: str
) -> None:
    """Else a run could not be gone on with on any other machine."""
    planned = [
        replace(OSLO, hash=f"{n:064x}", take=take, address=address("city", {"v": value}, take))
        for n, value in enumerate(values)
    ]
    found = ledger(planned=planned)
    for place, one in enumerate(planned):
        found.apply(TaskCreated(one.hash, 1, f"{task_id[:198]}{place}", PRICE, 1.0))

    manifest = parse(render(found, "evolink"), "results.json")

    read = [(line.address, line.take, line.task_id) for line in manifest.results]
    assert read == [
        (one.address, take, f"{task_id[:198]}{place}") for place, one in enumerate(planned)
    ]


def test_a_plan_that_changes_changes_the_bytes() -> None:
    renderer, found = ManifestRenderer("simulated"), ledger(planned=[TOKYO, OSLO])
    renderer.render(found)
    found.adopt([OSLO, entry("Tokyo, renamed")], found.requests)

    assert renderer.render(found) == plainly(found)
