"""A run directory and a store brought in step: who we are there, and what each lacks."""

from dataclasses import dataclass

from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.executor.journal import Journal, StoreRow
from veogen.executor.options import Clock
from veogen.executor.shared import SharedRun, this_machine
from veogen.executor.shared_facts import lacking, lacking_videos, shared_facts
from veogen.executor.store_view import stored_requests
from veogen.results.events import Event, SubmitFailed
from veogen.results.ledger import Ledger
from veogen.results.manifest import GatewayName
from veogen.store.history import History
from veogen.store.layout import AttemptId
from veogen.store.member import Identity
from veogen.store.objects import StoreAwayError, StoreError
from veogen.store.opening import Store
from veogen.store.signs import machine_name, new_process


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChoice:
    """A store for one run: `run` is its name there. `from_policy`: the team's policy names it.

    `part`: this is a worker with a part of the plan; the whole of it is its coordinator's.
    """

    store: Store
    run: str
    from_policy: bool = False
    part: bool = False


def run_in_store(name: str, profile: str | None, *, simulated: bool) -> str:
    """The name of a run in a store: that of its spec, whatever its directory."""
    folder = name if profile is None else f"{name}.{profile}"
    return f"{folder}.simulated" if simulated else folder


def share(
    choice: StoreChoice | None,
    journal: Journal,
    ledger: Ledger,
    directory: RunDirectory,
    clock: Clock,
    *,
    gateway: GatewayName,
    buys: bool,
) -> SharedRun | None:
    """Become one of the machines that carry the run out, if it is kept in a store.

    A real run that was ever kept in a store is bought only with that one, or a policy's. The
    journal remembers the store and this process before anything is claimed. Raises `StoreError`
    to refuse.
    """
    row = journal.store()
    is_free = choice is not None and choice.from_policy
    if buys and gateway == "evolink" and row is not None and not is_free:
        if choice is None:
            raise StoreError(
                f"this run is kept in {row.url}: name that store (store: in veogen.yaml, "
                "VEOGEN_STORE or --store); nothing was sent"
            )
        if choice.store.url != row.url:
            raise StoreError(
                f"this run is kept in {row.url}, and {choice.store.url} is another store; to move, "
                "name the new one in veogen.yaml; nothing was sent"
            )
    if choice is None:
        return None
    try:
        return _joined(choice, journal, ledger, directory, clock, gateway=gateway, buys=buys)
    except StoreAwayError as error:
        raise StoreError(f"{error}; nothing was sent") from None


def _joined(
    choice: StoreChoice,
    journal: Journal,
    ledger: Ledger,
    directory: RunDirectory,
    clock: Clock,
    *,
    gateway: GatewayName,
    buys: bool,
) -> SharedRun:
    store = choice.store
    machine = machine_name(this_machine())
    identity = Identity(new_process(machine), machine)
    row, name = journal.store(), f"{store.url}: {choice.run}"
    member = store.join(
        choice.run,
        gateway,
        identity,
        lambda history: None if choice.part else _refuse_strange(history, ledger, name),
    )
    try:
        status = directory.journal.stat()
    except OSError as error:
        raise DirectoryError(f"{directory.journal}: {error.strerror}; nothing was sent") from None
    # where the journal is: a copy of it is elsewhere
    file = f"{this_machine()}:{status.st_dev}:{status.st_ino}"
    is_next = False
    if row is not None and row.url == store.url:
        is_next = member.succeed(row.process, is_surely_over=row.place == file)
    shared = SharedRun(
        member, store, clock, directory.path, takes_up_all=not buys, part=choice.part
    )
    if is_next and row is not None:
        _release_unclaimed(row, shared, journal, ledger, clock)
    journal.keep_store(store.url, choice.run, identity.process, file)
    _learn(shared, journal, ledger, clock, part=choice.part)
    _bring(shared, ledger)
    return shared


def _refuse_strange(history: History, ledger: Ledger, name: str) -> None:
    """A run of which nothing is known here is another project's."""
    hashes = list(history.attempts)
    if hashes and not any(ledger.knows(hash_) or ledger.request(hash_) for hash_ in hashes):
        raise StoreError(
            f"{name}: that store holds a run of this name, none of whose {len(hashes)} requests is "
            "known to this plan, its results or its journal: one prefix belongs to one project; "
            "nothing was sent"
        )


def _release_unclaimed(
    row: StoreRow, shared: SharedRun, journal: Journal, ledger: Ledger, clock: Clock
) -> None:
    """What the process before was about to claim, and did not, was never sent."""
    events: list[Event] = []
    for intent in journal.intents_since(row.since):
        record = ledger.record(intent.hash)
        of = AttemptId(intent.hash, intent.attempt)
        is_open = record.pending is not None and record.pending.attempt == intent.attempt
        if is_open and shared.history.owner(of) is None:
            message = "veogen stopped before it was claimed"
            events.append(SubmitFailed(intent.hash, intent.attempt, "not-claimed", message))
    _append(events, journal, ledger, clock)


def _learn(
    shared: SharedRun, journal: Journal, ledger: Ledger, clock: Clock, *, part: bool
) -> None:
    """Take in every purchase in the store that the journal does not know; with `part` its own."""
    history = shared.history
    own = {state.request.hash for state in ledger.everything} if part else history.attempts
    events = []
    for hash_ in [hash_ for hash_ in history.attempts if hash_ in own]:
        record = ledger.record(hash_)
        event = shared.news(hash_, record)
        if event is not None:
            events.append(event)
            if record.status == "indeterminate":
                shared.was_held[hash_] = max(1, record.attempts)
    unknown = [] if part else list(stored_requests(history, ledger))
    if unknown:
        journal.remember(unknown)
        ledger.adopt([state.request for state in ledger.planned], journal.former())
    _append(events, journal, ledger, clock)


def _append(events: list[Event], journal: Journal, ledger: Ledger, clock: Clock) -> None:
    journal.append(events, clock.now())
    for event in events:
        ledger.apply(event)


def _bring(shared: SharedRun, ledger: Ledger) -> None:
    """Put into the store what it lacks of what is known here; a clip that is here goes before."""
    brought: list[tuple[int, Event, str]] = []
    for request, record in ledger.everything:
        if not record.bought:
            continue
        facts = shared_facts(shared.history, record.hash)
        brought.extend((n, event, request.address) for n, event in lacking(facts, record))
        for attempt, saved in lacking_videos(facts, record):
            if saved.index in record.remote_videos:
                brought.append((attempt, saved, request.address))
            else:
                shared.clips.lacking.append(saved)
    shared.bring(brought)
