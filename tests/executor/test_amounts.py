"""In which unit the gateway names its amounts, and what is out of all proportion."""

from collections import deque
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from support.virtual import PRICE, World, cities, plan, records, request

from veogen.errors import ExitCode
from veogen.executor.amounts import AmountReader, ReadAmount
from veogen.gateway.api import Accepted, Task

TOKYO = request("Tokyo")
UNITS = Decimal(10_000)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "trip")


def read(*amounts: tuple[str, str | None]) -> list[ReadAmount]:
    """Amounts that come one after the other in one run, each with its estimate."""
    reader = AmountReader()
    return [reader.read(Decimal(a), None if e is None else Decimal(e)) for a, e in amounts]


@pytest.mark.parametrize(
    ("amount", "estimate", "credits_"),
    [
        pytest.param("27", "27", "27", id="as it was estimated"),
        pytest.param("47.25", "27", "47.25", id="more"),
        pytest.param("26999.999", "27", "26999.999", id="nearly a thousand times as much"),
        pytest.param("270000", None, "270000", id="where nothing was estimated"),
        pytest.param("5", "0", "5", id="where it was to be free"),
        pytest.param("270000", "27", "27.000", id="a 10,000th is the estimate"),
        pytest.param("135000", "27", "13.500", id="a 10,000th is half of it"),
        pytest.param("540000", "27", "54.000", id="a 10,000th is twice as much"),
        pytest.param("373674", "37.3674", "37.3674", id="the fourth place"),
    ],
)
def test_the_first_amount_is_read_by_its_estimate(
    amount: str, estimate: str | None, credits_: str
) -> None:
    (found,) = read((amount, estimate))

    assert (found.credits, found.wrong) == (Decimal(credits_), None)
    assert (found.note is not None) == (credits_ != amount)


@pytest.mark.parametrize("amount", ["27000", "134999", "540001", "99999999"])
def test_what_is_no_unit_of_a_credit_either_is_out_of_proportion(amount: str) -> None:
    (found,) = read((amount, "27"))

    assert found.wrong == f"the gateway names {amount}.000 for an estimate of 27.000 credits"
    assert found.credits == Decimal(amount)


def test_every_amount_after_one_in_units_is_in_units_and_that_is_said_once() -> None:
    first, charged, unknown = read(("270000", "27"), ("2700", "27"), ("50000", None))

    assert first.note == (
        "the gateway names 270000.000 for an estimate of 27.000 credits: its amounts are in "
        "10,000ths of a credit, and every one of this run is read so"
    )
    assert [(each.credits, each.note) for each in (charged, unknown)] == [
        (Decimal("0.270"), None),
        (Decimal("5.000"), None),
    ]


def test_an_amount_that_is_plausible_as_it_stands_is_in_credits() -> None:
    _, seedance = read(("270000", "27"), ("100.45", "100.45"))

    assert seedance.credits == Decimal("100.45")


def test_a_run_whose_gateway_reserves_in_units_counts_credits(world: World) -> None:
    world.gateway.credits = PRICE * UNITS

    outcome = world.run(cities("Tokyo", "Paris"))

    assert (outcome.code, outcome.spent) == (ExitCode.DONE, 2 * PRICE)
    assert [record.credits for record in records(outcome)] == [PRICE, PRICE]
    notes = [note for note in world.memory.notes if "10,000ths" in note]
    assert len(notes) == 1


def test_a_charge_is_in_the_unit_of_what_was_reserved_beside_it(world: World) -> None:
    """A later run, or a collect, has not seen what the submit was answered with."""
    world.gateway.credits = None
    link = "https://media.example/task-1/0.mp4"
    made = Task("task-1", "completed", links=(link,), credits=PRICE * 3000, reserved=PRICE * UNITS)
    world.gateway.reads["task-1"] = deque([made])

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.DONE
    assert outcome.spent == PRICE * 3000 / UNITS


def test_a_run_stops_at_an_amount_out_of_all_proportion_and_brings_home_what_is_bought(
    world: World,
) -> None:
    world.gateway.credits = PRICE * 1_000

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.STOPPED
    assert outcome.stop is not None
    assert outcome.stop.message == (
        f"{TOKYO.address}: the gateway names 38016.000 for an estimate of 38.016 credits"
    )
    assert [record.status for record in records(outcome)] == ["completed"]
    assert outcome.spent == PRICE * 1_000


def test_the_ratio_to_the_estimate_is_that_of_credits(world: World) -> None:
    world.gateway.answers.append(lambda: _reserved(world, PRICE * UNITS * Decimal("1.75")))

    outcome = world.run(plan(TOKYO))

    assert outcome.code == ExitCode.DONE
    (record,) = records(outcome)
    (task,) = record.facts.tasks
    assert task.reserved == PRICE * Decimal("1.75")


def _reserved(world: World, amount: Decimal) -> Accepted:
    return replace(world.gateway.take(world.gateway.submits[-1][0]), credits=amount)
