"""One use of a run directory: opened and locked, brought in step, then run."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from veogen.errors import ExitCode, UsageError
from veogen.executor.ceilings import money_notes
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
from veogen.executor.journal import Journal
from veogen.executor.options import Clock, Only, Random, RunPolicy, utc_day
from veogen.executor.poller import tasks_beside
from veogen.executor.reconcile import missing_notes
from veogen.executor.replays import intent_again
from veogen.executor.scheduler import RunMessage, Scheduler
from veogen.executor.state import CallbackUrl, RunState
from veogen.executor.transitions import Stop
from veogen.executor.uploads import Uploads
from veogen.executor.workers import WorkerPool
from veogen.gateway.api import Gateway, ReadError, Task
from veogen.gateway.settings import FILES_URL
from veogen.planner.plan import Request, known_credits
from veogen.results.advice import MOST_NAMED
from veogen.results.ledger import Ledger, RequestState, exit_code, over_what_is_counted
from veogen.results.manifest import GatewayName, Owned, PlanState
from veogen.results.record import Record, links_may_live
from veogen.text import counted

if TYPE_CHECKING:
    from veogen.executor.coordinator import ClusterWork
    from veogen.executor.joining import StoreChoice


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
    files_url: str = FILES_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What may be bought: None selects every request; `only` empty takes every state."""

    buy: bool = True
    selected: Collection[str] | None = None
    only: Collection[Only] = ()

    def takes(self, hash_: str, state: PlanState) -> bool:
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
        policy, wanted = state.policy, list[Request]()
        self._left_out = set[str]()  # by `only`
        for request, record in self.ledger.planned:
            goes_on = any(p.status == "submitted" for p in record.others)
            is_over = record.status == "failed" and not goes_on
            again = is_over and policy.retry_failed
            if again or self.owned.would_buy(record.hash, policy.task_retries):
                stands = self.owned.state(request.address, record.hash)
                if selection.takes(record.hash, stands):
                    wanted.append(request)
                elif selection.only:
                    self._left_out.add(record.hash)
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
        """Where the gateway tells this run; `Scheduler.hint` is called when it does."""
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
        """Refuse to buy of a model after its last day, and to send again what may be bought."""
        self._refuse_retired(self.to_buy)
        if self._state.policy.replay:
            held = (record for record in self._chosen() if record.status == "indeterminate")
            self._refuse_retired(self._state.request(record.hash) for record in held)

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
            counted = over_what_is_counted(planned, self.spent, policy.budget)
            raise UsageError(
                f"{self.directory.path}: {counted}; "
                "nothing was sent. Raise the budget, or choose fewer with --select"
            )

    def check_places(self) -> None:
        """Refuse to buy what could not be brought home, or what lies here though nobody knows why.

        No clip leaves the run directory. Where the clips of a run are all that is left of it, they
        were bought, and nothing that tells so is here.
        """
        if not self.to_buy:
            return
        directory, videos = self.directory, self.directory.videos
        is_ours = videos.is_dir() and is_inside(videos, directory.path)
        if os.path.lexists(videos) and not is_ours:
            raise DirectoryError(
                f"{videos}: clips go there, and it is no folder of the run directory; "
                "nothing was sent"
            )
        if any(state.record.bought for state in self.ledger.everything):
            return
        paths = [path for state in self.ledger.planned for path in state.request.paths]
        files = {path: directory.path / path for path in paths}
        clips = [path for path, file in files.items() if file.is_file() and file.stat().st_size]
        if clips:
            named = ", ".join(clips[:MOST_NAMED]) + (", …" if len(clips) > MOST_NAMED else "")
            raise DirectoryError(
                f"{directory.path}: {counted(len(clips), 'clip')} of exactly these requests "
                f"lie there ({named}), but neither a journal nor results.json knows of a purchase; "
                f"nothing was sent. Bring {directory.results.name} back (git log -- "
                f"{directory.results}), or move {videos} aside to buy anew"
            )

    def run(self, stop: Stop | None = None, *, max_credits: Decimal | None = None) -> Outcome:
        """Buy, for `max_credits` at most, and bring home; with `stop` nothing is bought."""
        state = self._state
        state.policy = replace(state.policy, max_credits=max_credits)
        self.directory.reserve_disk()
        chosen = {record.hash for record in self._chosen()}
        state.listener.start(chosen, self.scheduler.progress())
        if stop is None and self.to_buy and room(self.directory.path) <= 0:
            text = f"{self.directory.path}: there is no room for a clip; nothing was bought"
            stop = Stop("disk", text)
        if stop is not None:
            state.stop_buying(stop)
        self._begin(chosen)
        final = self.scheduler.run()
        code = exit_code(self._judged())
        if state.shared is not None and code != ExitCode.DONE and final is None:
            self.scheduler.look_once_more()
            state.write_results(force=True)
            code = exit_code(self._judged())
        self.directory.release_disk()
        for note in money_notes(self.ledger, state.policy, state.spent_before):
            self.note(note)
        lost = [] if self._selection.buy else list(missing_notes(self.ledger))
        for note in lost:
            self.note(note)
        if lost and code is ExitCode.DONE:
            code = ExitCode.INCOMPLETE
        return self._closed(final, code)

    def _begin(self, chosen: Collection[str]) -> None:
        """Give the scheduler what is to be bought and brought home, by itself or by workers."""
        state, work, buys = self._state, self._dependencies.work, self._selection.buy
        shared, budget = state.shared, state.policy.budget
        if shared is not None and work is None:  # on a cluster its workers do that
            if budget is not None and buys:
                shared.limit(budget, self.ledger)
            if buys:
                self.scheduler.share(self._wanted, chosen)
            shared.want_clips(self.ledger, everything=not buys)
        if state.policy.replay:
            self._replay_held()
        collected = [request.hash for request in self.to_collect]
        # a failure of which others alone tell is read here before it is bought again
        failed = {s.record.hash for s in self.ledger.planned if s.record.status == "failed"}
        again = [h for h in collected if h in failed and self._selection.takes(h, "failed")]
        if work is None:
            self.scheduler.buy(request.hash for request in self.to_buy)
            self.scheduler.collect(collected, retried=again)
            return
        wanted = self._wanted.union(collected)  # in plan order, then what left the plan
        mine = [s for s in self.ledger.everything if s.record.hash in wanted]
        bought = self._wanted.union(again)
        attempts = {s.record.hash: s.record.attempts for s in mine if s.record.hash in bought}
        self.scheduler.hand_out(work, [s.request for s in mine], attempts)

    def _replay_held(self) -> None:
        """Send again what is held and was sent here; what others sent never goes by itself."""
        shared = self._state.shared
        for record in self._chosen():
            if record.status != "indeterminate":
                continue
            if shared is not None and not shared.take_over(record.hash, max(1, record.attempts)):
                continue
            standing = RequestState(self._state.request(record.hash), record)
            if has_bytes(standing, again=True):
                self._replay(standing, self._state.listener.note)
            else:
                self._state.listener.note(
                    f"{standing.request.address}: another machine sent it, with images that were "
                    "uploaded there; it is held: replay it there, or veogen resolve"
                )

    def decide(self, decisions: Sequence[Resolution], say: Callable[[str], None]) -> Outcome:
        """Carry out what a person decided; nothing is watched or fetched.

        Its exit code is 4 while any request of the run waits for a decision.
        """
        gateway, now = self._dependencies.gateway, self._dependencies.clock.now()
        decided = resolve_addresses(decisions, self.ledger, now, has_store=bool(self._state.shared))
        self._refuse_decided(decided)
        self._refuse_retired(d.standing.request for d in decided if d.kind in ("replay", "rebuy"))
        for note in wildcard_notes(decisions, decided, self.ledger, now):
            say(note)
        owned = task_owners(self.ledger)
        events = [
            adopted(d, gateway, owned, now, self._state.read_amount)
            if d.kind == "adopt"
            else abandoned(d.standing)
            for d in decided
            if d.kind in ("adopt", "abandon")
        ]
        refused = {d.standing.record.hash for d in decided if not self._write_decision(d, say)}
        self.directory.reserve_disk()
        self.scheduler.record(events)
        for each in decided:
            request, record = each.standing
            if record.hash in refused:
                continue
            if each.kind == "replay":
                self._replay(each.standing, say)
            elif each.kind == "rebuy":
                price = request.credits
                amount = "an unknown amount" if price is None else f"{price} credits"
                paid = paid_so_far(record)
                say(f"{request.address}: {paid} paid so far; buying it anew for {amount}")
                self.scheduler.buy([record.hash])
        stop = self.scheduler.run()
        self.directory.release_disk()
        is_unsure = any(s.record.status == "indeterminate" for s in self.ledger.everything)
        return self._closed(stop, ExitCode.INDETERMINATE if is_unsure else ExitCode.DONE)

    def _refuse_decided(self, decided: Iterable[Decided]) -> None:
        """Who has seen a held attempt, and decides when somebody else has, means that attempt.

        Typed again it is a decision about what has become of the request, which is known by then.
        """
        shared = self._state.shared
        if shared is None:
            return
        for each in decided:
            record = each.standing.record
            other = shared.decided_meanwhile(record.hash)
            if other is not None:
                what = (
                    f"{other.task_id} was adopted"
                    if other.task_id
                    else f"{other.decision} was decided"
                )
                raise UsageError(
                    f"{each.standing.request.address}: {what} on {other.machine} meanwhile, and it "
                    f"is {record.status} now; nothing was done: decide again if that still fits"
                )

    def _write_decision(self, decided: Decided, say: Callable[[str], None]) -> bool:
        """Have a decision about a claim in the store first; whether anything may be sent then.

        Raises `DecidedError` if somebody else has decided.
        """
        shared, record = self._state.shared, decided.standing.record
        if shared is None:
            return True
        attempt, is_held = max(1, record.attempts), record.status == "indeterminate"
        made = shared.decided(record.hash, attempt)
        if made is not None and is_held:
            what = f" of {made.task_id}" if made.task_id else ""
            raise UsageError(
                f"{decided.standing.request.address}: {made.machine} has decided about it already "
                f"({made.decision}{what}), and a decision about an attempt is made once"
            )
        if not is_held:
            return True
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
        for record in self._chosen():
            if record.status != "indeterminate":
                continue
            request = self._state.request(record.hash)
            if request.model not in listed:
                answer = self._dependencies.gateway.recent_tasks(request.model)
                listed[request.model] = (
                    () if isinstance(answer, ReadError) else unowned_tasks(answer, self.ledger)
                )
            for task in candidate_tasks(record, listed[request.model]):
                yield request, task

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
        now = self._dependencies.clock.now()
        has_others = tasks_beside(record, now)
        if has_others and (record.status != "completed" or not self._selection.buy):
            return True
        if record.status == "failed" and task is not None and task.abandoned is None:
            return task.own and not task.end_read  # so far others alone say that it has failed
        is_here = not record.remote_videos and len(record.videos) >= len(record.links)
        if record.status != "completed" or is_here or self._state.shared:
            return False  # of what a store knows its clip comes from there
        is_ours = task is not None and task.own
        return not self._selection.buy or (is_ours and links_may_live(record, now))

    def _judged(self) -> Iterator[Record]:
        """Where the requests stand that the exit code speaks of.

        What `only` left out for another time is no failure, and nothing to be delivered.
        """
        for record in self._chosen():
            if record.status != "planned" or record.hash not in self._left_out:
                yield record

    def _chosen(self) -> Iterator[Record]:
        """Where the requests stand that are selected."""
        selected = self._selection.selected
        for _, record in self.ledger.planned:
            counts = self._selection.buy or record.bought
            if counts and (selected is None or record.hash in selected):
                yield record

    def _replay(self, standing: RequestState, say: Callable[[str], None]) -> None:
        """Send a held request again, with the bytes that are on record or were made anew."""
        if standing.record.intent is None:
            files_url, upload = self._dependencies.files_url, self.scheduler.upload
            intent = intent_again(standing, self._state, upload, files_url)
            if isinstance(intent, str):
                say(f"{standing.request.address}: {intent}; nothing was sent")
                return
            if not self._state.record_intents([intent]):  # the run has stopped, and says why
                return
        self.scheduler.replay(self.ledger.record(standing.record.hash))
