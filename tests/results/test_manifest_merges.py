"""What git makes of two manifests: never a request that owns what was bought for another."""

import itertools
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.virtual import VIDEO, request

from veogen.planner.identity import request_hash
from veogen.planner.plan import Request
from veogen.results.events import (
    Event,
    SubmitIntended,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    VideoSaved,
)
from veogen.results.ledger import Ledger
from veogen.results.manifest import render

CITIES = [request(city) for city in ("Tokyo", "Paris", "Oslo")]


def reworded(one: Request) -> Request:
    body = {**one.body, "prompt": "in the rain"}
    return replace(one, body=body, hash=request_hash(body, 1))


def bought(one: Request, *, home: bool) -> Iterator[Event]:
    task = f"task-{one.hash[:6]}"
    yield SubmitIntended(one.hash, 1, "k", "{}", one.credits, 1.0)
    yield TaskCreated(one.hash, 1, task, one.credits, 2.0)
    if home:
        yield TaskCompleted(one.hash, task, ("https://m/1",), one.credits, 3.0)
        yield VideoSaved(one.hash, 0, VIDEO.at(f"{one.path(0, 1)}"))


def bought_again(one: Request, *, ends: int) -> Iterator[Event]:
    """The attempts up to `ends` have failed; the one after it is on its way."""
    for attempt in range(1, ends + 2):
        task = f"task-{one.hash[:6]}-{attempt}"
        yield SubmitIntended(one.hash, attempt, "k", "{}", one.credits, 1.0)
        yield TaskCreated(one.hash, attempt, task, one.credits, 2.0)
        if attempt <= ends:
            yield TaskFailed(one.hash, task, "service_error", "sorry")


def manifest(plan: Sequence[Request], *events: Iterator[Event]) -> bytes:
    ledger = Ledger("trip")
    for event in itertools.chain(*events):
        ledger.apply(event)
    ledger.adopt(plan, CITIES)
    return render(ledger, "evolink")


def merged(folder: Path, versions: Sequence[bytes], *options: str) -> tuple[bytes, bool]:
    files = [folder / name for name in ("ours", "base", "theirs")]
    for file, content in zip(files, versions, strict=True):
        file.write_bytes(content)
    command = ["git", "merge-file", "-p", *options, *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout, done.returncode == 0


def lines(content: bytes) -> list[dict[str, Any]]:
    data = json.loads(content)
    return [*data["results"], *data["former"]]


OURS = {
    "the first is reworded": manifest([reworded(CITIES[0]), *CITIES[1:]]),
    "the second is reworded": manifest([CITIES[0], reworded(CITIES[1]), CITIES[2]]),
    "all are reworded": manifest([*map(reworded, CITIES)]),
    "in another order": manifest([*reversed(CITIES)]),
    "the first left the plan": manifest(CITIES[1:]),
    "one came before": manifest([request("Lima"), *CITIES]),
    "the second is bought": manifest(CITIES, bought(CITIES[1], home=True)),
    "the last is on its way": manifest(CITIES, bought(CITIES[2], home=False)),
}
THEIRS = {
    f"{which} {'is home' if home else 'is on its way'}": manifest(
        CITIES, *(bought(one, home=home) for one in chosen)
    )
    for which, chosen in {"the first": CITIES[:1], "the second": CITIES[1:2], "all": CITIES}.items()
    for home in (True, False)
}


@pytest.mark.parametrize("theirs", THEIRS.values(), ids=THEIRS)
@pytest.mark.parametrize("ours", OURS.values(), ids=OURS)
def test_whatever_git_merges_each_request_is_as_one_side_had_it(
    ours: bytes, theirs: bytes, tmp_path: Path
) -> None:
    base = manifest(CITIES)
    sides = [line for side in (base, ours, theirs) for line in lines(side)]

    for options in ((), ("--ours",), ("--theirs",)):
        content, clean = merged(tmp_path, (ours, base, theirs), *options)

        assert not clean or all(line in sides for line in lines(content))


@pytest.mark.parametrize("side", ["--ours", "--theirs"])
@pytest.mark.parametrize("ends", range(4))
@pytest.mark.parametrize("also", range(4))
def test_a_conflict_resolved_for_one_side_is_that_side_whole(
    side: str, ends: int, also: int, tmp_path: Path
) -> None:
    base, ours, theirs = (
        manifest(CITIES, bought_again(CITIES[1], ends=number)) for number in (1, ends, also)
    )

    content, _ = merged(tmp_path, (ours, base, theirs), side)

    assert content in (ours, theirs)
