"""The journal brought in step with the plan, the results of other machines and the files."""

from collections.abc import Iterator, Sequence

from veogen.executor.clock import Clock
from veogen.executor.directory import RunDirectory
from veogen.executor.journal import Journal
from veogen.executor.takein import purchases, stranger, strangers
from veogen.executor.upkeep import deleted, found, renamed
from veogen.planner.plan import Plan
from veogen.results.entries import Entry
from veogen.results.events import Event
from veogen.results.ledger import Ledger
from veogen.results.manifest import Manifest
from veogen.results.rendering import Renderer


def known(journal: Journal, plan: Plan | None) -> Ledger:
    """The journal's fold, read once, with the requests of the plan; nothing is written yet."""
    if plan is None:
        return journal.ledger()
    ledger = journal.fold()
    ledger.name = plan.name
    ledger.adopt(map(Entry.of, plan.requests), journal.former())
    return ledger


def unlike(ledger: Ledger, directory: RunDirectory, renderer: Renderer) -> Manifest | None:
    """The results, unless they are what would be written: those have nothing new to tell."""
    raw = directory.read_results()
    if raw is None or renderer.renewed(raw, ledger) is None:
        return None
    return directory.parsed(raw)


def bring_in_step(
    ledger: Ledger,
    journal: Journal,
    directory: RunDirectory,
    plan: Plan | None,
    manifest: Manifest | None,
    clock: Clock,
) -> None:
    """Write down whatever is new to the journal, and fold it in."""
    if plan is not None:
        _adopt(plan.name, [standing.entry for standing in ledger.planned], journal, ledger)
    elif manifest is not None:
        _adopt(manifest.name, list(_requests_of(manifest, ledger)), journal, ledger)
    if manifest is not None:
        news = list(purchases(manifest, ledger, clock.now()))
        if unknown := list(strangers(manifest, ledger)):
            journal.remember(unknown)
            ledger.adopt([standing.entry for standing in ledger.planned], journal.former())
        _happened(news, journal, ledger, clock)
    for step in (renamed, found, deleted):
        _happened(list(step(ledger, directory.path)), journal, ledger, clock)


def _adopt(name: str, entries: Sequence[Entry], journal: Journal, ledger: Ledger) -> None:
    if journal.adopt(name, entries):
        ledger.name = name
        ledger.adopt(entries, journal.former())


def _happened(events: Sequence[Event], journal: Journal, ledger: Ledger, clock: Clock) -> None:
    journal.append(events, clock.now())
    for event in events:
        ledger.apply(event)


def _requests_of(manifest: Manifest, ledger: Ledger) -> Iterator[Entry]:
    """The requests of a manifest in its order, as the journal knows them where it does."""
    for line in manifest.results:
        yield ledger.entry(line.hash) or stranger(line)
