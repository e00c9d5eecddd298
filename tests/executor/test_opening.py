"""What an opened run directory knows is what its journal says, though the journal is read once."""

from decimal import Decimal
from pathlib import Path

import pytest
from support.sessions import World, cities

from veogen.executor.journal import Journal
from veogen.executor.opening import opened
from veogen.executor.policy import Policy
from veogen.executor.session import Wanted
from veogen.planner.plan import Plan
from veogen.results.ledger import Ledger, Standing


def open_once(world: World, plan: Plan | None) -> Ledger:
    with opened(
        world.path,
        plan=plan,
        services=world.services(),
        policy=Policy(),
        listener=world.memory,
        wanted=Wanted(buy=plan is not None),
    ) as session:
        return session.ledger


def told(ledger: Ledger) -> tuple[str, list[Standing], list[Standing], Decimal, Decimal, Decimal]:
    return (
        ledger.name,
        list(ledger.planned),
        list(ledger.former),
        ledger.spent,
        ledger.in_doubt,
        ledger.estimated,
    )


def journal_of(world: World) -> Ledger:
    with Journal.read(world.path / "journal.db") as journal:
        return journal.ledger()


@pytest.mark.parametrize(
    "plans",
    [("ab", "b", "d"), ("ab", "ca", "b"), ("d", "ab", "d"), ("ca", "d", "ca")],
    ids="-".join,
)
def test_plans_that_come_and_go_are_known_as_the_journal_has_them(
    plans: tuple[str, ...], tmp_path: Path
) -> None:
    world = World(tmp_path / "trip")
    for names in plans[:-1]:
        world.run(cities(*names))

    opened_with = open_once(world, cities(*plans[-1]))

    assert told(opened_with) == told(journal_of(world))
    assert [s.entry.address for s in opened_with.planned] == [
        f"city[name={name}]" for name in plans[-1]
    ]


@pytest.mark.parametrize("plan", [cities("a", "c"), None], ids=["a plan", "to collect"])
def test_what_others_bought_and_what_is_gone_or_renamed_is_known_as_well(
    plan: Plan | None, tmp_path: Path
) -> None:
    elsewhere, world = World(tmp_path / "elsewhere"), World(tmp_path / "trip")
    elsewhere.run(cities("a", "b", "x"))
    elsewhere.run(cities("b", "a"))
    world.run(cities("c", "b"))
    (world.path / "results.json").write_bytes((elsewhere.path / "results.json").read_bytes())
    next((world.path / "videos").rglob("c-*.mp4")).unlink()

    opened_with = open_once(world, plan)

    assert told(opened_with) == told(journal_of(world))
    standings = {str(s.entry.variables["name"]): s.record.status for s in opened_with.everything}
    assert standings == {
        "a": "completed",
        "b": "completed",
        "c": "undelivered",
        "x": "completed",
    }
