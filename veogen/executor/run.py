"""One use of a run directory: opened and locked, brought in step, then run."""

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace as replace_field

from veogen.errors import ExitCode, UsageError, VeogenError
from veogen.executor.decisions import (
    Decided,
    Resolution,
    abandoned,
    adopted,
    candidate_tasks,
    has_bytes,
    paid_so_far,
    resolve_addresses,
    task_owners,
    unowned_tasks,
    wildcard_notes,
)
from veogen.executor.directory import (
    DirectoryError,
    RunDirectory,
    is_inside,
    room,
)
from veogen.executor.downloads import Downloader
from veogen.executor.journal import Header, Journal
from veogen.executor.options import Clock, Only, Random, RunPolicy, utc_day
from veogen.executor.reconcile import load_ledger, sync_journal
from veogen.executor.results_file import ResultsFile
from veogen.executor.scheduler import RunMessage, Scheduler
from veogen.executor.state import CallbackUrl, Listener, RunState
from veogen.executor.submitter import key_for
from veogen.executor.transitions import Stop
from veogen.executor.uploads import Uploads
from veogen.executor.workers import WorkerPool
from veogen.gateway.api import Gateway, ReadError, Task
from veogen.planner.identity import canonical
from veogen.planner.plan import Plan, Request, known_credits
from veogen.results.advice import MOST_NAMED
from veogen.results.events import Event, SubmitIntended, TaskAdopted
from veogen.results.facts import Purchase
from veogen.results.ledger import Ledger, RequestState, exit_code
from veogen.results.manifest import GatewayName, ManifestRenderer, Owned, State
from veogen.results.record import Record, links_may_live
from veogen.text import counted, credits_text

if TYPE_CHECKING:
    from veogen.executor.coordinator import ClusterWork
    from veogen.executor.joining import StoreChoice
    from veogen.executor.shared import SharedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything outside that a run touches, so that a test can bring its own."""

    gateway: Gateway
    gateway_name: GatewayName
    downloader: Callable[[Path], Downloader]
    uploads: Callable[[Journal], Uploads]
    clock: Clock
    workers: Callable[[], WorkerPool[RunMessage]]
    random: Random
    store: "StoreChoice | None" = None
    work: "ClusterWork | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What may be bought: None selects every request; `only` empty takes every state."""

    buy: bool = True
    selected: Collection[str] | None = None
    only: Collection[Only] = ()

    def takes(self, hash_: str, state: State) -> bool:
        chosen = self.selected is None or hash_ in self.selected
        return self.buy and chosen and (not self.only or state in self.only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run in `directory` ended. `ledger` holds where every request stands."""

    directory: Path
    code: ExitCode
    stop: Stop | None
    interrupted: bool
    ledger: Ledger
    spent: Decimal

    def __repr__(self) -> str:
        return f"<Outcome {self.code.name} in {self.directory}: {self.ledger.title}>"

    def _repr_html_(self) -> str:
        return self.ledger._repr_html_()

    @property
    def clips(self) -> tuple[Path, ...]:
        """The videos of the plan that are in the directory, in its order."""
        videos = (video for state in self.ledger.planned for video in state.record.videos.values())
        paths = (self.directory / video.path for video in videos)
        return tuple(path for path in paths if path.is_file())


class Run:
    """An open run directory, in step with its plan; `to_buy` is what `run` would submit."""

    def __init__(
        self,
        state: RunState,
        dependencies: Dependencies,
        selection: Selection,
        directory: RunDirectory,
        scheduler: Scheduler,
    ) -> None:
        self._state = state
        self._dependencies = dependencies
        self._selection = selection
        self.directory = directory
        self.scheduler = scheduler
        self.ledger = state.ledger
        self.owned = Owned.of_ledger(state.ledger)
        wanted = [s.request for s in self._purchases()]
        shared = state.shared
        self._wanted = {request.hash for request in wanted}
        self.to_buy: tuple[Request, ...] = tuple(wanted if shared is None else shared.own(wanted))
        self.to_collect: tuple[Request, ...] = tuple(
            s.request for s in self.ledger.everything if self._can_come(s.record)
        )

    @property
    def policy(self) -> RunPolicy:
        return self._state.policy

    @property
    def callback_url(self) -> CallbackUrl | None:
        """Where the gateway tells this run; `runner.hint` is what to do then."""
        return self._state.callback_url

    @property
    def gateway_name(self) -> GatewayName:
        """Of which kind the run is: one that is paid for, or a simulated one."""
        return self._dependencies.gateway_name

    @property
    def spent(self) -> Decimal:
        """All that the directory ever reserved, was charged or may have been charged."""
        return self.ledger.spent

    @property
    def price_to_buy(self) -> Decimal:
        """The estimate of what is to be bought; an unknown price counts zero."""
        return known_credits(r.credits for r in self.to_buy if r.credits)

    def check_models(self) -> None:
        """Refuse to buy of a model after its last day."""
        self._refuse_retired(self.to_buy)

    def _refuse_retired(self, requests: Iterable[Request]) -> None:
        today = utc_day(self._dependencies.clock.now())
        for request in requests:
            retired = self._state.policy.retired.get(request.model)
            if retired is not None and today > retired.date:
                raise UsageError(
                    f"{request.address}: {request.model} was retired on {retired.date}; use "
                    f"{retired.instead}, or say 'retired: allow' in veogen.yaml; nothing was sent"
                )

    def check_money(self) -> None:
        """Refuse an estimate over the budget, and unknown prices where money has a limit."""
        policy = self._state.policy
        unknown = next((request for request in self.to_buy if request.credits is None), None)
        if unknown is not None and (policy.budget is not None or policy.max_credits is not None):
            raise UsageError(
                f"{unknown.address}: the price of {unknown.model} is unknown, and a budget or "
                "--max-credits applies; give a price in veogen.yaml (prices: FILE)"
            )
        planned = self.price_to_buy
        if self.to_buy and policy.budget is not None and self.spent + planned > policy.budget:
            raise UsageError(
                f"{self.directory.path}: {planned} credits to buy and "
                f"{credits_text(self.spent)} already counted pass the budget of {policy.budget}; "
                "nothing was sent. Raise the budget, or choose fewer with --select"
            )

    def check_places(self) -> None:
        """Refuse to buy what could not be brought home: no clip leaves the run directory."""
        videos = self.directory.videos
        is_ours = videos.is_dir() and is_inside(videos, self.directory.path)
        if self.to_buy and os.path.lexists(videos) and not is_ours:
            raise DirectoryError(
                f"{videos}: clips go there, and it is no folder of the run directory; "
                "nothing was sent"
            )
        self._refuse_unknown_clips()

    def _refuse_unknown_clips(self) -> None:
        """Refuse to buy again what was bought, where all that told so is gone but the clips."""
        if not self.to_buy or any(state.record.bought for state in self.ledger.everything):
            return
        paths = [path for state in self.ledger.planned for path in state.request.paths]
        places = {path: self.directory.path / path for path in paths}
        clips = [path for path, place in places.items() if place.is_file() and place.stat().st_size]
        if clips:
            named = ", ".join(clips[:MOST_NAMED]) + (", …" if len(clips) > MOST_NAMED else "")
            raise DirectoryError(
                f"{self.directory.path}: {counted(len(clips), 'clip')} of exactly these requests "
                f"lie there ({named}), but neither a journal nor results.json knows of a purchase; "
                f"nothing was sent. Bring {self.directory.results.name} back (git log -- "
                f"{self.directory.results}), or move {self.directory.videos} aside to buy anew"
            )

    def run(self, stop: Stop | None = None, *, max_credits: Decimal | None = None) -> Outcome:
        """Buy, for `max_credits` at most, and bring home; with `stop` nothing is bought."""
        self._state.policy = replace(self._state.policy, max_credits=max_credits)
        self.directory.reserve_disk()
        counted = {standing.record.hash for standing in self._chosen()}
        self._state.listener.start(counted, self.scheduler.progress())
        stop = stop or self._without_room()
        if stop is not None:
            self._state.stop_buying(stop)
        self._share(counted)
        if self._state.policy.replay:
            self._replay_held()
        if self._dependencies.work is None:
            self.scheduler.buy(request.hash for request in self.to_buy)
            self.scheduler.collect(request.hash for request in self.to_collect)
        else:
            self._hand_out(self._dependencies.work)
        final = self.scheduler.run()
        code = exit_code(state.record for state in self._chosen())
        if self._state.shared is not None and code != ExitCode.DONE and final is None:
            self.scheduler.look_once_more()
            self._state.write_results(force=True)
            code = exit_code(state.record for state in self._chosen())
        self.directory.release_disk()
        self._note_money()
        if not self._selection.buy and self._note_missing() and code is ExitCode.DONE:
            code = ExitCode.INCOMPLETE
        return self._closed(final, code)

    def _note_money(self) -> None:
        """Say what was paid beyond a ceiling, or more than once for one request."""
        policy, spent = self._state.policy, self.ledger.spent
        newly = spent - self._state.spent_before
        if policy.max_credits is not None and newly > policy.max_credits:
            self._note_beyond(newly, f"--max-credits {credits_text(policy.max_credits)}")
        elif policy.budget is not None and spent > policy.budget:
            self._note_beyond(spent, f"the budget of {credits_text(policy.budget)}")
        for request, record in self.ledger.everything:
            paid = [p for p in record.purchases if p.task_id and p.status != "failed"]
            if len(paid) > 1:
                tasks = "; ".join(_told(purchase, record) for purchase in paid)
                self.note(f"{request.address}: paid for {len(paid)} times: {tasks}")

    def _note_beyond(self, amount: Decimal, limit: str) -> None:
        self.note(
            f"{credits_text(amount)} credits count, which is more than {limit}: for what was "
            "already sent the gateway reserved more than its price says"
        )

    def _note_missing(self) -> bool:
        """Say which clips cannot be had here, and who may have them; whether there are any."""
        states = [s for s in self.ledger.everything if s.record.status == "completed"]
        missing = [s for s in states if s.record.remote_videos]
        for request, record in missing[:MOST_NAMED]:
            task = record.facts.task(record.task_id)
            reason = task.undelivered if task else None
            why = f" ({reason.message})" if reason else ""
            clips = counted(len(record.remote_videos), "clip")
            is_ours = task is not None and task.own
            who = "no other machine is known to" if is_ours else "whoever bought it may"
            self.note(f"{request.address}: {clips} cannot be had here any more{why}; {who} have it")
        if len(missing) > MOST_NAMED:
            left = counted(len(missing) - MOST_NAMED, "request")
            self.note(f"clips of {left} more cannot be had here any more: veogen status names them")
        return bool(missing)

    def _share(self, counted: Collection[str]) -> None:
        """Let the budget hold over all machines, and go on while others work on what counts."""
        shared, budget = self._state.shared, self._state.policy.budget
        if shared is None or self._dependencies.work is not None:
            return  # on a cluster that is what its workers do
        if budget is not None and self._selection.buy:
            shared.limit(budget, self.ledger)
        if self._selection.buy:
            self.scheduler.share(self._wanted, counted)
        shared.want_clips(self.ledger, everything=not self._selection.buy)

    def _hand_out(self, work: "ClusterWork") -> None:
        """Have workers do all of this: in plan order, then what left the plan."""
        collected = {request.hash for request in self.to_collect}
        mine = [
            s
            for s in self.ledger.everything
            if s.record.hash in self._wanted or s.record.hash in collected
        ]
        attempts = {s.record.hash: s.record.attempts for s in mine if s.record.hash in self._wanted}
        self.scheduler.hand_out(work, [s.request for s in mine], attempts)

    def decide(self, decisions: Sequence[Resolution], say: Callable[[str], None]) -> Outcome:
        """Carry out what a person decided; nothing is watched or fetched.

        Its exit code is 4 while any request of the run waits for a decision.
        """
        gateway, now = self._dependencies.gateway, self._dependencies.clock.now()
        decided = resolve_addresses(decisions, self.ledger, now)
        self._refuse_retired(d.standing.request for d in decided if d.kind in ("replay", "rebuy"))
        for note in wildcard_notes(decisions, decided, self.ledger, now):
            say(note)
        owned = task_owners(self.ledger)
        events = [
            adopted(d, gateway, owned, now) if d.kind == "adopt" else abandoned(d.standing)
            for d in decided
            if d.kind in ("adopt", "abandon")
        ]
        refused = {d.standing.record.hash for d in decided if not self._write_decision(d, say)}
        self.directory.reserve_disk()
        self.scheduler.record(list(map(self._in_credits, events)))
        for one in decided:
            if one.standing.record.hash not in refused:
                self._send(one, say)
        stop = self.scheduler.run()
        self.directory.release_disk()
        is_unsure = any(s.record.status == "indeterminate" for s in self.ledger.everything)
        return self._closed(stop, ExitCode.INDETERMINATE if is_unsure else ExitCode.DONE)

    def _write_decision(self, decided: Decided, say: Callable[[str], None]) -> bool:
        """Have a decision about a claim in the store first; whether anything may be sent then.

        Raises `DecidedError` if somebody else has decided.
        """
        shared, record = self._state.shared, decided.standing.record
        if shared is None or record.status != "indeterminate":
            return True
        attempt = max(1, record.attempts)
        if decided.kind in ("replay", "rebuy") and (last := shared.last_seen(record.hash, attempt)):
            say(f"{decided.standing.request.address}: {last}, may still send this")
        reason = shared.decide(record.hash, attempt, decided.kind, decided.task_id)
        if reason is not None:
            say(f"{decided.standing.request.address}: {reason}; nothing was sent")
        return reason is None

    def close_machine(self, machine: str, say: Callable[[str], None]) -> None:
        """Say in the store that a machine is gone for good, and take its piece of the budget back.

        Raises `UsageError` where there is no store, or no such machine in it.
        """
        if self._state.shared is None:
            raise UsageError("--close is about machines that share a store, and this run has none")
        for line in self._state.shared.close(machine):
            say(line)

    @property
    def is_all_in_store(self) -> bool:
        """Whether this run has ended and its store has all that its journal knows."""
        return self._state.shared is not None and self._state.shared.has_left

    def note(self, message: str) -> None:
        """Say something of the run to whoever watches it, so that it finds its place there."""
        self._state.listener.note(message)

    def end(self) -> None:
        """Let whoever watches say the last word, before another run begins."""
        self._state.listener.end()

    def candidates(self) -> Iterator[tuple[Request, Task]]:
        """Tasks of the account that may be those of held requests: shown, never adopted here."""
        listed: dict[str, Sequence[Task]] = {}
        for standing in self._chosen():
            if standing.record.status != "indeterminate":
                continue
            model = standing.request.model
            if model not in listed:
                answer = self._dependencies.gateway.recent_tasks(model)
                listed[model] = (
                    () if isinstance(answer, ReadError) else unowned_tasks(answer, self.ledger)
                )
            for task in candidate_tasks(standing.record, listed[model]):
                yield standing.request, task

    def _without_room(self) -> Stop | None:
        """On a disk that is full already nothing more is bought: it could not be brought home."""
        if not self.to_buy or room(self.directory.path) > 0:
            return None
        path = self.directory.path
        return Stop("disk", f"{path}: there is no room for a clip; nothing was bought")

    def _replay_held(self) -> None:
        for standing in self._chosen():
            if standing.record.status != "indeterminate" or not self._is_own(standing):
                continue
            if has_bytes(standing, again=True):
                self.scheduler.replay(self._with_intent(standing))
            else:
                self._state.listener.note(
                    f"{standing.request.address}: another machine sent it, with images that were "
                    "uploaded there; it is held: replay it there, or veogen resolve"
                )

    def _is_own(self, standing: RequestState) -> bool:
        """Whether this machine sent it: what another one did is never replayed by itself."""
        shared, record = self._state.shared, standing.record
        return shared is None or shared.take_over(record.hash, max(1, record.attempts))

    def _in_credits(self, event: Event) -> Event:
        """A decision with the amount that the gateway named as it is read in this run."""
        if not isinstance(event, TaskAdopted):
            return event
        return replace_field(event, credits=self._state.read_amount(event.hash, event.credits))

    def _send(self, decided: Decided, say: Callable[[str], None]) -> None:
        standing = decided.standing
        match decided.kind:
            case "replay":
                self.scheduler.replay(self._with_intent(standing))
            case "rebuy":
                credits_ = standing.request.credits
                price = "an unknown amount" if credits_ is None else f"{credits_} credits"
                say(
                    f"{standing.request.address}: {paid_so_far(standing.record)} paid so far; "
                    f"buying it anew for {price}"
                )
                self.scheduler.buy([standing.record.hash])
            case _:
                return

    def _closed(self, stop: Stop | None, code: ExitCode) -> Outcome:
        if self._state.results_trouble is not None and code is ExitCode.DONE:
            code = ExitCode.INCOMPLETE
        if stop is not None:
            code = ExitCode.STOPPED
        if self.scheduler.interrupted:
            code = ExitCode.INTERRUPTED
        return Outcome(
            directory=self.directory.path,
            code=code,
            stop=stop,
            interrupted=self.scheduler.interrupted,
            ledger=self.ledger,
            spent=self.ledger.spent - self._state.spent_before,
        )

    def _can_come(self, record: Record) -> bool:
        """Whether something may be brought home; `run` does so for what was bought here."""
        if record.status in ("submitted", "undelivered"):
            return True
        task = record.facts.task(record.task_id)
        if record.status == "failed" and task is not None and task.abandoned is None:
            return task.own and not task.end_read  # so far others alone say that it has failed
        if record.status != "completed" or not record.remote_videos or self._state.shared:
            return False  # of what a store knows its clip comes from there
        now = self._dependencies.clock.now()
        is_ours = task is not None and task.own
        return not self._selection.buy or (is_ours and links_may_live(record, now))

    def _chosen(self) -> Iterator[RequestState]:
        """The requests that the exit code speaks of."""
        selected = self._selection.selected
        for standing in self.ledger.planned:
            counts = self._selection.buy or standing.record.bought
            if counts and (selected is None or standing.record.hash in selected):
                yield standing

    def _purchases(self) -> Iterator[RequestState]:
        policy = self._state.policy
        for standing in self.ledger.planned:
            record = standing.record
            failed_again = record.status == "failed" and policy.retry_failed
            if not (failed_again or self.owned.would_buy(record.hash, policy.task_retries)):
                continue
            state = self.owned.state(standing.request.address, record.hash)
            if self._selection.takes(record.hash, state):
                yield standing

    def _with_intent(self, standing: RequestState) -> Record:
        """A held request that another machine sent has no recorded bytes: they are made again."""
        record, request = standing.record, standing.request
        if record.intent is None:
            attempt = 1 if record.current is None else record.current.attempt
            intent = SubmitIntended(
                hash=record.hash,
                attempt=attempt,
                key=key_for(record.hash, attempt),
                body=canonical(dict(request.body)).decode(),
                estimate=request.credits,
                at=self._dependencies.clock.now(),
            )
            self._state.record_intents([intent])
        return self.ledger.record(record.hash)


def _told(purchase: Purchase, record: Record) -> str:
    """A task that was paid for, and what a person had decided about its attempt."""
    attempt = record.facts.attempt(purchase.attempt)
    decided = attempt.abandoned if attempt else None
    by = f", {decided}" if decided else ""
    return f"{purchase.task_id} (attempt {purchase.attempt}, {purchase.status}{by})"


@contextlib.contextmanager
def open_run(
    path: Path,
    *,
    plan: Plan | None,
    dependencies: Dependencies,
    policy: RunPolicy,
    listener: Listener,
    selection: Selection,
    follow: bool = True,
) -> Iterator[Run]:
    """Open a run directory, take in what other machines bought, and adopt the plan.

    Without a plan the directory's own requests stay as they are, and nothing is to be bought. With
    a store other machines carry the run out too; raises `StoreError` for one that is refused.
    """
    directory = RunDirectory(path)
    if plan is None and not directory.has_run:
        raise DirectoryError(f"{path}: this is not a run directory")
    manifest = None if directory.journal.exists() else directory.manifest()
    _refuse_other_kind(path, manifest.gateway if manifest else None, dependencies.gateway_name)
    _refuse_names(plan)
    directory.prepare(dependencies.gateway_name)
    name = plan.name if plan else manifest.name if manifest else path.name
    renderer = ManifestRenderer(dependencies.gateway_name)
    results = ResultsFile(directory, renderer)
    with directory.locked(), _journal(directory, name, dependencies.gateway_name) as journal:
        ledger = load_ledger(journal, plan)
        raw = results.read()
        is_old_news = results.is_of(journal.results_digest)  # it says what this journal knew then
        if raw is not None and not is_old_news and renderer.renewed(raw, ledger) is not None:
            manifest = directory.parsed(raw)
        _refuse_other_kind(path, manifest.gateway if manifest else None, dependencies.gateway_name)
        sync_journal(ledger, journal, directory, plan, manifest, dependencies.clock)
        del manifest  # as large as the ledger, which has all of it by now
        shared = _shared(journal, ledger, directory, dependencies, buys=selection.buy or not follow)
        state = RunState(
            journal=journal,
            ledger=ledger,
            directory=directory,
            results=results,
            policy=policy,
            clock=dependencies.clock,
            listener=listener,
        )
        state.shared = shared
        scheduler = Scheduler(
            state,
            gateway=dependencies.gateway,
            uploads=dependencies.uploads(journal),
            downloader=_downloader(dependencies.downloader(path), shared, path),
            workers=dependencies.workers(),
            random=dependencies.random,
            follow=follow,
        )
        yield Run(state, dependencies, selection, directory, scheduler)
        if shared is not None and (left := shared.leave()):
            listener.note(left)


def _shared(
    journal: Journal,
    ledger: Ledger,
    directory: RunDirectory,
    dependencies: Dependencies,
    *,
    buys: bool,
) -> "SharedRun | None":
    """The part of this process in the run's store, of which nothing is loaded without one."""
    if dependencies.store is None and not (buys and journal.store()):
        return None
    from veogen.executor.joining import share  # noqa: PLC0415

    gateway, clock = dependencies.gateway_name, dependencies.clock
    return share(dependencies.store, journal, ledger, directory, clock, gateway=gateway, buys=buys)


def _downloader(inner: Downloader, shared: "SharedRun | None", path: Path) -> Downloader:
    """With a store what comes is kept there too."""
    if shared is None:
        return inner
    from veogen.executor.shared_clips import StoringDownloader  # noqa: PLC0415

    return StoringDownloader(inner, shared.clips, path)


def _journal(directory: RunDirectory, name: str, gateway: GatewayName) -> Journal:
    if not directory.has_journal:
        return Journal.create(directory.journal, Header(name, gateway))
    journal = Journal.open(directory.journal)
    try:
        _refuse_other_kind(directory.path, journal.header.gateway, gateway)
    except VeogenError:
        journal.close()
        raise
    return journal


def _refuse_other_kind(path: Path, found: GatewayName | None, wanted: GatewayName) -> None:
    if found is not None and found != wanted:
        kinds = {"evolink": "a real", "simulated": "a simulated"}
        raise DirectoryError(
            f"{path}: this is the directory of {kinds[found]} run, and this is {kinds[wanted]} "
            "one; choose another with --dir"
        )


def _refuse_names(plan: Plan | None) -> None:
    """Before money: a clip whose name this system cannot write could not be brought home."""
    for request in plan.requests if plan else ():
        try:
            os.fsencode(request.output)
        except UnicodeEncodeError:
            raise DirectoryError(
                f"{request.address}: names of files are {sys.getfilesystemencoding()} here, which "
                f"cannot spell {request.output}; nothing was sent. Set PYTHONUTF8=1"
            ) from None
