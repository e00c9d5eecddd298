"""The same seed, the same run: what a test of faults or a gallery shows today, it shows tomorrow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from customer import Customer
from test_uploads import png, upload

from veogen.simulator.scenario import Options, parse
from veogen.simulator.server import running

SCENARIO = parse(
    b"""
gateway: {clips: shared}
faults:
- {at: submit, do: answer, status: 503, rate: 0.3}
- {at: task, do: fail, code: service_error, rate: 0.5}
- {at: poll, do: answer, status: 502, rate: 0.5}
""",
    "faults",
)


@dataclass(frozen=True)
class Fates:
    """All that happened to twelve requests that a clock does not decide."""

    submits: list[int]
    ids: list[str]
    reads: list[list[int]]
    ends: list[str]


def fates(seed: int, keys: Sequence[str | None] = (None,) * 12) -> Fates:
    told = Options(generation_time=0, seed=seed, faults=SCENARIO.faults, gateway=SCENARIO.gateway)
    with running(told) as simulator:
        customer = Customer(simulator)
        answers = [customer.submit(key=key, prompt=f"boat {n}") for n, key in enumerate(keys)]
        ids = [answer.json()["id"] for answer in answers if answer.ok]
        reads = [
            [customer.ask("GET", f"/v1/tasks/{task_id}").status_code for _ in range(6)]
            for task_id in ids
        ]
        ends = [customer.wait(task_id)["status"] for task_id in ids]
    return Fates([answer.status_code for answer in answers], ids, reads, ends)


def clips(seed: int, name: str = "blue.png") -> list[bytes]:
    """A clip, and one from an image: at a port that is another each time."""
    with running(Options(generation_time=0, seed=seed)) as simulator:
        customer = Customer(simulator)
        image = upload(customer, png("blue"), fileName=name).json()["data"]["file_url"]
        asked: list[dict[str, Any]] = [{}, {"image_urls": [image]}]
        tasks = [customer.submit(generate_audio=False, **more).json()["id"] for more in asked]
        return [customer.fetch(customer.wait(id_)["results"][0]).content for id_ in tasks]


@pytest.fixture(scope="module")
def seen() -> Fates:
    return fates(7)


def test_the_same_seed_makes_the_same_run(seen: Fates) -> None:
    assert fates(7) == seen


def test_every_kind_of_chance_was_in_that_run(seen: Fates) -> None:
    assert set(seen.submits) == {200, 503}
    assert set(seen.ends) == {"completed", "failed"}
    assert {status for reads in seen.reads for status in reads} == {200, 502}


def test_another_seed_makes_another_run(seen: Fates) -> None:
    other = fates(8)

    assert other.submits != seen.submits
    assert set(other.ids).isdisjoint(seen.ids)


def test_keys_that_are_new_each_time_change_ids_and_nothing_that_happens(seen: Fates) -> None:
    other = fates(7, [f"a-key-of-this-run-{n}" for n in range(12)])

    assert set(other.ids).isdisjoint(seen.ids)
    assert (other.submits, other.reads, other.ends) == (seen.submits, seen.reads, seen.ends)


def test_the_same_seed_makes_the_same_clips() -> None:
    first, again, other = clips(7), clips(7, "of-another-machine.png"), clips(8)

    assert first == again
    assert set(first).isdisjoint(other)


def test_takes_of_one_request_are_told_apart_by_their_keys_not_by_who_came_first() -> None:
    keys = ("the-key-of-the-first-take", "the-key-of-the-second-take")
    bought = []
    for order in (keys, keys[::-1]):
        with running(Options(generation_time=0)) as simulator:
            customer = Customer(simulator)
            ids = {
                key: customer.submit(key=key, generate_audio=False).json()["id"] for key in order
            }
            clips = {
                key: customer.fetch(customer.wait(ids[key])["results"][0]).content for key in keys
            }
        bought.append((ids, clips))

    assert bought[0] == bought[1]
    assert len(set(bought[0][1].values())) == 2
