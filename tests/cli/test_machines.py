"""One plan on several machines that are killed, frozen and deleted, at a gateway without keys.

The simulator finds a task again by its key and counts that as a replay: none may be.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.gateways import Served, clean_environment, simulator
from support.machines import SILENCE, Fleet, wait_until
from support.stores import lossy

REQUESTS = int(os.environ.get("VEOGEN_FLEET", "60"))
TROUBLE = 25.0 * REQUESTS / 60
"""Seconds of kills and freezes."""
END = 90.0 + REQUESTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400 + 5 * REQUESTS)]

SEEDS = range(3)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    faults = tmp_path / "faults.yaml"
    faults.write_text("gateway: {clips: shared, estimated_time: 1}\n")
    with simulator(faults, generation_time=1.0) as served:
        yield served


def bought(served: Served) -> dict[str, object]:
    """What the gateway says: nothing may be bought twice, under one key or under several."""
    audit = served.audit()
    submits = audit["submits"]
    return {
        "replayed": submits["replayed"],
        "twice": audit["duplicates"]["by_body"],
        "requests": submits["accepted"],
    }


def everything_settled(fleet: Fleet) -> str:
    """The last word of a bare machine that comes when all others are silent."""
    time.sleep(SILENCE + 1)
    last = fleet.machine()
    code = fleet.run(last, "run", "specs/trip.yaml", "--yes", "--progress", "none")
    assert code in (0, 4), fleet.said(last)  # claims without a task id wait for a person
    assert fleet.run(last, "collect", "--progress", "none") == code, fleet.said(last)
    return last


def home_or_held(fleet: Fleet, name: str) -> bool:
    """Every request is completed with its clip here, or held."""
    counted = Counter(line["status"] for line in fleet.results(name))
    is_complete = counted["completed"] + counted["indeterminate"] == REQUESTS
    return is_complete and fleet.clips(name) == counted["completed"]


@pytest.mark.parametrize("store_url", ["folder", "moto", "ministack"], indirect=True)
def test_a_run_goes_on_when_its_machine_is_gone(
    store_url: str, served: Served, tmp_path: Path
) -> None:
    fleet = Fleet(tmp_path, clean_environment(served), store_url, 12)
    first = fleet.machine()
    fleet.start(first)
    wait_until(lambda: bought(served)["requests"] != 0)
    fleet.running[first].kill()
    fleet.running.pop(first).wait()

    last = everything_settled(fleet)

    told = bought(served)
    assert (told["replayed"], told["twice"]) == (0, {})
    held = 12 - fleet.clips(last)
    assert held <= 4, fleet.said(last)


@pytest.mark.parametrize("seed", SEEDS)
def test_four_machines_buy_each_request_once(seed: int, served: Served, tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, clean_environment(served), f"file://{tmp_path}/store", REQUESTS)
    for _ in range(4):
        fleet.start(fleet.machine())
    fleet.trouble(random.Random(seed), TROUBLE)
    codes = fleet.end(END)
    assert set(codes.values()) <= {0, 4}, codes

    last = everything_settled(fleet)

    assert (bought(served)["replayed"], bought(served)["twice"]) == (0, {})
    assert home_or_held(fleet, last)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_budget_is_never_passed(seed: int, served: Served, tmp_path: Path) -> None:
    budget = Decimal("38.016") * REQUESTS + 1
    fleet = Fleet(tmp_path, clean_environment(served), f"file://{tmp_path}/store", REQUESTS)
    fleet.budget = f"budget: {{max_credits: {budget}}}\n"
    for _ in range(4):
        fleet.start(fleet.machine())
    fleet.trouble(random.Random(seed), TROUBLE)
    codes = fleet.end(END)

    assert set(codes.values()) <= {0, 3, 4}, codes
    credits_ = served.audit()["credits"]
    assert Decimal(credits_["charged"]) + Decimal(credits_["reserved"]) <= budget
    assert (bought(served)["replayed"], bought(served)["twice"]) == (0, {})


@pytest.mark.parametrize("store_url", ["moto"], indirect=True)
def test_answers_of_the_store_may_be_lost_at_random(
    store_url: str, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with lossy(target, random.Random(1), share=0.05) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        fleet = Fleet(tmp_path, clean_environment(served), store_url, REQUESTS)
        for _ in range(4):
            fleet.start(fleet.machine())
        fleet.trouble(random.Random(1), TROUBLE)
        codes = fleet.end(END)
        # A store that did not answer in time stops a machine (3); another goes on.
        assert set(codes.values()) <= {0, 3, 4}, codes

        last = everything_settled(fleet)

    assert (bought(served)["replayed"], bought(served)["twice"]) == (0, {})
    assert home_or_held(fleet, last)


def test_shards_are_parts_of_one_plan(served: Served, tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, clean_environment(served), f"file://{tmp_path}/store", REQUESTS)
    for part in (1, 2, 3):
        fleet.start(fleet.machine(), "--shard", f"{part}/3")
    fleet.trouble(random.Random(2), TROUBLE)
    assert set(fleet.end(END).values()) <= {0, 4}

    last = everything_settled(fleet)

    assert (bought(served)["replayed"], bought(served)["twice"]) == (0, {})
    assert home_or_held(fleet, last)
