"""What an opened run directory knows is what its journal says, though the journal is read once."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import EVENTS, HASHES, entry
from support.virtual import World, cities

from veogen.executor import directory
from veogen.executor.directory import DirectoryError
from veogen.executor.journal import Journal, request_to_json
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.reconcile import imported_purchases, unknown_requests
from veogen.executor.run import Selection
from veogen.planner.plan import Plan
from veogen.results.events import Event
from veogen.results.ledger import Ledger, RequestState
from veogen.results.manifest import ManifestError, parse, render
from veogen.results.record import Record, records


def open_once(world: World, plan: Plan | None) -> Ledger:
    with open_run(
        world.path,
        plan=plan,
        dependencies=world.dependencies(),
        policy=RunPolicy(),
        listener=world.memory,
        selection=Selection(buy=plan is not None),
    ) as session:
        return session.ledger


Kept = list[tuple[str, Record]]


def kept(states: Iterable[RequestState]) -> Kept:
    """Each request as a journal has it, and where it stands."""
    return [(request_to_json(state.request), state.record) for state in states]


def told(ledger: Ledger) -> tuple[str, Kept, Kept, Decimal, Decimal, Decimal]:
    return (
        ledger.name,
        kept(ledger.planned),
        kept(ledger.former),
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
    assert [s.request.address for s in opened_with.planned] == [
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
    standings = {str(s.request.variables["name"]): s.record.status for s in opened_with.everything}
    assert standings == {
        "a": "completed",
        "b": "completed",
        "c": "completed",
        "x": "completed",
    }


def test_results_that_killed_runs_had_half_written_are_taken_away(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.run(cities("a"))
    before = sorted(world.path.iterdir())
    (world.path / ".results.json.1.part").write_bytes(b"half")
    (world.path / ".results.json.22.part").symlink_to("results.json")
    others = world.path / ".gallery.html.1.part"  # which is written beside a run
    others.write_bytes(b"half")

    open_once(world, cities("a"))

    assert sorted(world.path.iterdir()) == sorted([*before, others])


def test_results_that_would_be_written_as_they_are_need_no_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "trip")
    world.run(cities("a", "b"))
    before = told(journal_of(world))
    monkeypatch.delattr(directory, "parse")

    opened_with = [told(open_once(world, plan)) for plan in (cities("a", "b"), None)]

    assert opened_with == [before, before]


@given(st.lists(EVENTS, max_size=20), st.integers(1, 3), st.floats(0, 1e9))
def test_what_a_ledger_says_of_itself_is_no_news_to_it(
    events: list[Event], planned: int, now: float
) -> None:
    ledger = Ledger.of("trip", records(events))
    entries = list(map(entry, HASHES))
    ledger.adopt(entries[:planned], entries[planned:])

    try:
        manifest = parse(render(ledger, "evolink"), "results.json")
    except ManifestError:  # of a life that no request has
        return

    assert not list(imported_purchases(manifest, ledger, now))
    assert not list(unknown_requests(manifest, ledger))


def test_results_of_another_kind_leave_the_journal_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.run(cities("a", "b"))
    results = world.path / "results.json"
    results.write_text(results.read_text().replace('"evolink"', '"simulated"'))
    before = told(journal_of(world))

    with pytest.raises(DirectoryError, match="the directory of a simulated run"):
        open_once(world, cities("c"))

    assert told(journal_of(world)) == before


def test_results_that_cannot_be_read_leave_the_journal_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path / "trip")
    world.run(cities("a", "b"))
    (world.path / "results.json").write_text("<<<<<<< ours")
    before = told(journal_of(world))

    with pytest.raises(ManifestError, match="nothing was sent"):
        open_once(world, cities("c"))

    assert told(journal_of(world)) == before
