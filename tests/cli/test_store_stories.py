"""What happens to one store beside machines that are killed: people, copies, moves, losses, clocks.

All are real processes at a simulator, which says what was bought how often.
"""

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from support.gateways import KEY, Account, Served, clean_environment, simulator
from support.gateways import served as billing
from support.machines import SILENCE, Fleet, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

REQUESTS = 12
PRICE = Decimal("38.016")
SLOW_ANSWERS = "faults: [{at: submit, do: slow, seconds: 3, times: 1}]\n"


@contextmanager
def gateway(
    folder: Path, faults: str = "", generation_time: float = 0.5, reserves: float = 1.0
) -> Iterator[Served]:
    path = folder / "faults.yaml"
    path.write_text(
        f"gateway: {{clips: shared, estimated_time: 1, reserves: {reserves}, charges: {reserves}}}\n{faults}"
    )
    with simulator(path, generation_time=generation_time) as served:
        yield served


def fleet_at(served: Served, folder: Path, requests: int = REQUESTS) -> Fleet:
    return Fleet(folder, clean_environment(served), f"file://{folder}/store", requests)


def submits(served: Served) -> int:
    accepted: int = served.audit()["submits"]["accepted"]
    return accepted


def twice(served: Served) -> dict[str, object]:
    """Which requests were bought more than once, under one key or under several."""
    audit = served.audit()
    return {
        **audit["duplicates"]["by_body"],
        **({"a key": 1} if audit["submits"]["replayed"] else {}),
    }


def claims(folder: Path) -> int:
    return sum("claims" in path.parts for path in (folder / "store").rglob("*") if path.is_file())


def lose(folder: Path, is_lost: Callable[[Path], bool]) -> int:
    """How many objects the store lost."""
    objects = [path for path in sorted((folder / "store").rglob("*")) if path.is_file()]
    lost = [path for path in objects if is_lost(path.relative_to(folder))]
    for path in lost:
        path.unlink()
    return len(lost)


def statuses(fleet: Fleet, name: str) -> list[str]:
    return sorted(str(line["status"]) for line in fleet.results(name))


def buy(fleet: Fleet, name: str, *words: str) -> int:
    return fleet.run(name, "run", "specs/trip.yaml", "--yes", "--progress", "none", *words)


def killed_with_claims(fleet: Fleet, folder: Path) -> str:
    """A machine that was killed while its POSTs were on their way, and has been silent since."""
    first = fleet.machine()
    fleet.start(first)
    wait_until(lambda: claims(folder) >= 4)
    time.sleep(0.5)
    fleet.running[first].kill()
    fleet.running.pop(first).wait()
    time.sleep(SILENCE + 1)
    return first


def test_of_two_people_who_decide_at_once_one_is_told(tmp_path: Path) -> None:
    with gateway(tmp_path, SLOW_ANSWERS) as served:
        fleet = fleet_at(served, tmp_path)
        killed_with_claims(fleet, tmp_path)
        people = [fleet.machine(), fleet.machine()]
        assert {buy(fleet, name) for name in people} == {4}
        held = statuses(fleet, people[0]).count("indeterminate")
        before = submits(served)
        address = next(
            str(line["address"])
            for line in fleet.results(people[0])
            if line["status"] == "indeterminate"
        )

        deciding = [
            fleet.background(people[0], "resolve", "runs/trip", "--rebuy", address),
            fleet.background(people[1], "resolve", "runs/trip", "--abandon", address),
        ]
        codes = sorted(process.wait(60) for process in deciding)

        others_wait = 4 if held > 1 else 0
        assert codes == sorted([2, others_wait]), [fleet.said(name) for name in people]
        assert submits(served) - before <= 1
        for name in people:
            buy(fleet, name)
        rebought = submits(served) - before
        lines = [next(x for x in fleet.results(name) if x["address"] == address) for name in people]
        assert [line["status"] for line in lines] == (
            ["completed"] * 2 if rebought else ["failed"] * 2
        )


def test_a_frozen_machine_that_wakes_after_a_rebuy_is_on_record(tmp_path: Path) -> None:
    with gateway(tmp_path, SLOW_ANSWERS) as served:
        fleet = fleet_at(served, tmp_path)
        frozen = fleet.machine()
        fleet.start(frozen)
        wait_until(lambda: claims(tmp_path) >= 4)
        time.sleep(0.3)
        os.kill(fleet.running[frozen].pid, signal.SIGSTOP)
        time.sleep(SILENCE + 1)
        other = fleet.machine()
        assert buy(fleet, other) == 4
        held = statuses(fleet, other).count("indeterminate")

        fleet.run(other, "resolve", "runs/trip", "--rebuy", "*")
        rebought = submits(served)
        os.kill(fleet.running[frozen].pid, signal.SIGCONT)
        codes = fleet.end(60)
        assert buy(fleet, other) == 0, fleet.said(other)

        assert set(codes.values()) <= {0, 4}, fleet.said(frozen)
        assert "may still send this" in fleet.said(other)
        # What was bought twice a person decided; all of it is on record and nothing else is.
        assert submits(served) == rebought
        assert submits(served) <= REQUESTS + held
        lines = fleet.results(other)
        kept = [line["task_id"] for line in lines]
        kept += [item["task_id"] for line in lines for item in line.get("others", ())]
        assert statuses(fleet, other) == ["completed"] * REQUESTS
        assert len(set(kept)) == len(kept) == submits(served)


def test_a_journal_copied_to_a_second_machine_buys_nothing_twice(tmp_path: Path) -> None:
    with gateway(tmp_path, generation_time=1.0) as served:
        fleet = fleet_at(served, tmp_path, 40)
        first = fleet.machine()
        fleet.start(first)
        wait_until(lambda: submits(served) >= 8)
        fleet.running[first].kill()
        fleet.running.pop(first).wait()
        second = fleet.machine()
        shutil.copytree(fleet.folder_of(first) / "runs", fleet.folder_of(second) / "runs")

        for name in (first, second):
            fleet.start(name)
        codes = fleet.end(120)

        assert set(codes.values()) <= {0, 4}, [fleet.said(name) for name in (first, second)]
        assert twice(served) == {}
        held = statuses(fleet, first).count("indeterminate")
        assert statuses(fleet, first).count("completed") == 40 - held


def test_a_run_moves_to_the_store_that_the_policy_names(tmp_path: Path) -> None:
    with billing(Account(keeps_keys=False)) as account:
        environ = {"EVOLINK_BASE_URL": account.url, "EVOLINK_FILES_URL": account.url}
        environ |= {"EVOLINK_API_KEY": KEY, "PATH": os.environ["PATH"]}
        fleet = Fleet(tmp_path, environ, f"file://{tmp_path}/store", 3)
        first = fleet.machine()
        assert buy(fleet, first) == 0
        moved = f"file://{tmp_path}/moved"
        assert buy(fleet, first, "--store", moved) == 2
        for name in (first, bare := fleet.machine()):
            (fleet.folder_of(name) / "veogen.yaml").write_text(f"store: {moved}\n")

        assert buy(fleet, first) == 0
        shutil.rmtree(tmp_path / "store")
        assert buy(fleet, bare) == 0
        assert fleet.run(bare, "collect", "runs/trip", "--progress", "none") == 0

        assert account.bought == Counter({f"A boat, {number}": 1 for number in range(3)})
        assert fleet.clips(bare) == 3


LOSSES = {
    "everything": lambda path: "store" in path.parts,
    "all clips": lambda path: "clips" in path.parts,
    "all claims": lambda path: "claims" in path.parts,
    "all logs": lambda path: "log" in path.parts or "logs" in path.parts,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_a_store_lost_is_put_back_and_never_bought_again(tmp_path: Path, loss: str) -> None:
    with gateway(tmp_path) as served:
        fleet = fleet_at(served, tmp_path)
        first = fleet.machine()
        assert buy(fleet, first) == 0
        assert lose(tmp_path, LOSSES[loss]) > 0

        assert buy(fleet, first) == 0, fleet.said(first)
        assert fleet.run(first, "collect", "runs/trip", "--progress", "none") == 0
        bare = fleet.machine()
        assert buy(fleet, bare) == 0, fleet.said(bare)
        assert fleet.run(bare, "collect", "runs/trip", "--progress", "none") == 0

        assert submits(served) == REQUESTS
        assert fleet.clips(bare) == REQUESTS, fleet.said(bare)


@pytest.mark.parametrize("seed", range(4))
def test_a_store_that_lost_some_of_its_objects_buys_nothing_again(
    tmp_path: Path, seed: int
) -> None:
    with gateway(tmp_path) as served:
        fleet = fleet_at(served, tmp_path)
        first = fleet.machine()
        assert buy(fleet, first) == 0
        chance = random.Random(seed)
        lose(tmp_path, lambda _: chance.random() < 0.5)

        bare = fleet.machine()
        codes = [buy(fleet, first), buy(fleet, bare)]

        # It goes on with what the others know, or says what is missing.
        assert set(codes) <= {0, 2}
        said = fleet.said(first) + fleet.said(bare)
        assert ("lacks what it held" in said) == (2 in codes), said
        assert "Traceback" not in said
        assert (codes[0], submits(served)) in {(0, REQUESTS), (2, REQUESTS)}


def test_two_specs_share_a_prefix_and_two_projects_do_not(tmp_path: Path) -> None:
    with gateway(tmp_path) as served:
        fleet = fleet_at(served, tmp_path, 3)
        first, second = fleet.machine(), fleet.machine()
        other_spec = (
            (fleet.folder_of(first) / "specs/trip.yaml")
            .read_text()
            .replace("trip", "walk")
            .replace("A boat", "A walk")
        )
        (fleet.folder_of(first) / "specs/walk.yaml").write_text(other_spec)
        foreign = fleet.folder_of(second) / "specs/trip.yaml"
        foreign.write_text(foreign.read_text().replace("A boat", "A train"))

        assert buy(fleet, first) == 0
        assert fleet.run(first, "run", "specs/walk.yaml", "--yes", "--progress", "none") == 0
        assert buy(fleet, second) == 2

        assert submits(served) == 6
        assert "Traceback" not in fleet.said(second)


def test_machines_that_spent_the_budget_together_stop_together(tmp_path: Path) -> None:
    """What the gateway reserves beyond its price leaves less than the plan needs."""
    with gateway(tmp_path, generation_time=1.0, reserves=1.3) as served:
        fleet = fleet_at(served, tmp_path, 40)
        budget = 40 * PRICE
        fleet.budget = f"budget: {{max_credits: {budget}}}\n"
        for _ in range(3):
            fleet.start(fleet.machine())

        codes = fleet.end(60)

        assert list(codes.values()) == [3, 3, 3], [fleet.said(name) for name in codes]
        assert all("would be passed by" in fleet.said(name) for name in codes)
        spent = submits(served) * PRICE * Decimal("1.3")
        assert budget - 2 * PRICE <= spent <= budget + 3 * PRICE
        assert twice(served) == {}


SKEWED = """
import sys, time
ahead = float(sys.argv.pop(1))
now = time.time
time.time = lambda: now() + ahead
from veogen.__main__ import main
main()
"""


def test_clocks_that_are_ten_minutes_apart_change_nothing(tmp_path: Path) -> None:
    with gateway(tmp_path, generation_time=1.0) as served:
        fleet = fleet_at(served, tmp_path, 40)
        for ahead in (-600, 0, 600, 300):
            fleet.start(fleet.machine(), program=[sys.executable, "-c", SKEWED, str(ahead)])
        fleet.trouble(random.Random(5), 15.0)
        codes = fleet.end(120.0)
        time.sleep(SILENCE + 1)
        last = fleet.machine()
        code = buy(fleet, last)

        assert set(codes.values()) <= {0, 4}, codes
        assert code in (0, 4)
        assert twice(served) == {}
        held = statuses(fleet, last).count("indeterminate")
        assert statuses(fleet, last).count("completed") == 40 - held
