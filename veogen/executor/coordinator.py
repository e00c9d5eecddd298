"""A plan that workers of a cluster carry out: handed out in batches, read from the store.

What is known of a request comes from the store; what workers send moves the bar and says that a
batch is over. So a message that is lost, late or doubled changes nothing that is on record.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from veogen import __version__
from veogen.errors import UsageError
from veogen.executor.batches import (
    BatchEnded,
    BatchEvents,
    BatchJob,
    BatchResult,
    Cluster,
    ClusterMessage,
    ClusterSeen,
    ClusterTask,
    RequestBatch,
    Wish,
)
from veogen.executor.others import Followed
from veogen.executor.shared import SharedRun
from veogen.executor.shares import BatchCutter
from veogen.executor.state import RunState
from veogen.executor.transitions import Stop
from veogen.planner.plan import Request
from veogen.results.events import from_json
from veogen.results.ledger import RequestState
from veogen.results.record import Record, after
from veogen.text import counted, plain

_OF_THE_ACCOUNT = frozenset({"refused", "denied", "amount", "model"})
"""Why a worker stops that every other would stop for too: all else is of its own place."""

_SIGNS = 2
"""A coordinator is silent for its workers after as many times as a sign of life takes: 2 minutes,
less what it takes them to hear and to stop."""

_BEATS = 12
"""Its words in that time."""

_MARGIN = 0.9

_ANSWER = 60.0
"""Seconds within which the scheduler answers; then it is lost."""

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ClusterWork:
    """The cluster of a run, and what its batches have in common."""

    cluster: Cluster
    task: ClusterTask


class Standing(NamedTuple):
    """Where a request stands here, and which attempt nobody has claimed: both move on alone."""

    record: Record
    next_attempt: int


@dataclass(frozen=True, slots=True)
class UnreadBatch:
    """A batch that is over, of which the store is to be read: `look` is the first that counts."""

    batch: RequestBatch
    ended: BatchEnded
    look: int


class Coordinator:
    """Owns which batches wait, are under way, or have ended."""

    def __init__(
        self,
        state: RunState,
        shared: SharedRun,
        work: ClusterWork,
        start: Callable[[Callable[[], ClusterSeen | Followed]], None],
        post: Callable[[ClusterMessage], None],
    ) -> None:
        self._state = state
        self._shared = shared
        self._cluster = cluster = work.cluster
        self._task = work.task
        self._start = start
        self._cutter = BatchCutter(state.policy)
        self._attempts: Mapping[str, int] = {}
        self._under_way: dict[int, RequestBatch] = {}
        state.has_workers = True
        self._silence = _SIGNS * shared.sign_every
        self._before: dict[int, Mapping[str, Standing]] = {}
        self._ended: list[UnreadBatch] = []
        self._number = 0
        self._threads: Mapping[str, int] | None = None
        self._avoided: dict[str, BatchResult] = {}
        self._shadows: dict[str, Record] = {}
        self._going: dict[int, BatchEvents] = {}
        self._wish: Wish = "go"
        self._asked_at: float | None = None
        self._look_at = float("-inf")
        self._alone_since: float | None = None
        self._is_short = False
        self._has_moved = False
        self._is_lost = False
        self.failure: BaseException | None = None
        cluster.listen(self.topic, post)

    @property
    def topic(self) -> str:
        return f"veogen-{self._shared.process}"

    def begin(self, requests: Iterable[Request], attempts: Mapping[str, int]) -> None:
        """Have these carried out; of them those in `attempts` may be bought, after so many."""
        self._cutter.add(requests)
        self._attempts = attempts

    @property
    def idle(self) -> bool:
        """Whether nothing waits, is under way, or is still to be read."""
        return not (self._cutter.waiting or self._under_way or self._ended)

    @property
    def in_flight(self) -> int:
        """How many tasks the workers say that they have."""
        return sum(events.in_flight for events in self._going.values())

    @property
    def why(self) -> str | None:
        """What a worker waits for, if one does."""
        return next((events.waiting for events in self._going.values() if events.waiting), None)

    def next_due(self) -> float:
        """When the cluster is looked at next."""
        is_quiet = self.idle or self._is_lost or self._asked_at is not None
        return float("inf") if is_quiet else self._look_at

    def dispatch(self, now: float) -> None:
        """Give a word to the workers, and a batch to whoever is free."""
        if self._wish == "go" and self._state.stop is not None:
            self._wish_for("stop")
        if self._asked_at is not None and now - self._asked_at >= _ANSWER:
            self._lose(f"the scheduler of the cluster has not answered for {_ANSWER:.0f} s")
        if self._asked_at is None and now >= self._look_at and not (self.idle or self._is_lost):
            self._asked_at, self._look_at = now, now + self._silence / _BEATS
            topic, wish = self.topic, self._wish
            self._start(lambda: self._cluster.look(topic, wish))
        # those of which the store was read after they had ended
        ready = [unread for unread in self._ended if self._shared.looks >= unread.look]
        self._ended = [unread for unread in self._ended if self._shared.looks < unread.look]
        for unread in ready:
            self._settle(unread.batch, unread.ended)
        if self._ended and (call := self._shared.follow(idle=True, at_once=True)) is not None:
            self._start(call)
        if self._wish == "go":
            self._hand_out(now)

    def drop(self) -> None:
        """Hand out nothing more; workers end as after one Ctrl-C."""
        self._cutter.clear()
        self._wish_for("leave")

    def end(self) -> None:
        """The run is over: nothing more is heard of its batches."""
        self._cluster.forget(self.topic)

    def handle(self, message: ClusterMessage) -> None:
        """What came of the cluster."""
        match message:
            case BatchEvents():
                self._show(message)
            case BatchEnded(number=number):
                self._going.pop(number, None)
                self.failure = self.failure or message.crash
                batch = self._under_way.pop(number, None)
                if batch is not None:
                    self._ended.append(UnreadBatch(batch, message, self._shared.next_look))
            case ClusterSeen(lost=None):
                self._asked_at = None
                self._threads = message.threads
            case ClusterSeen(lost=lost):
                self._lose(f"the scheduler of the cluster is lost: {lost}")

    def _wish_for(self, wish: Wish) -> None:
        """Tell the workers at once, if they have not heard it yet."""
        if self._wish != wish:
            self._wish = wish
            self._look_at = float("-inf")
            self._cutter.clear()

    def _lose(self, why: str) -> None:
        """Nothing more is heard of what is under way: its workers end by themselves."""
        if self._is_lost:
            return
        self._asked_at, self._look_at, self._is_lost = None, float("inf"), True
        self._cutter.clear()
        lost = [BatchEnded(number, lost=why) for number in self._under_way]
        self._state.stop_buying(Stop("cluster", f"{why}; the next run goes on"))
        for ended in lost:
            self.handle(ended)

    def _hand_out(self, now: float) -> None:
        if self._threads is None:
            return
        slots = sum(n for address, n in self._threads.items() if address not in self._avoided)
        self._wait_for_workers(now, slots)
        while not self._is_short and (cut := self._cutter.cut(self._number, slots)) is not None:
            wanted = {
                r.hash: self._attempts[r.hash] for r in cut.requests if r.hash in self._attempts
            }
            batch = RequestBatch(
                number=self._number, requests=cut.requests, attempts=wanted, share=cut.share
            )
            self._number += 1
            self._under_way[batch.number] = batch
            self._before[batch.number] = self._standings(batch)
            self._cluster.submit(self._job(batch), list(self._avoided))
        passes = self._cutter.next_passes()
        if passes is not None and not self._ended:
            message = f"would be passed by {passes.address} ({passes.credits} credits)"
            ceiling = f"--max-credits {self._state.policy.max_credits}"
            self._state.stop_buying(Stop("money", f"{ceiling} {message}"))

    def _wait_for_workers(self, now: float, slots: int) -> None:
        """Without a worker there is nothing to hand out; nobody waits for one for ever."""
        if slots or self._under_way or self._ended or not self._cutter.waiting:
            self._alone_since = None
        elif self._avoided:  # all have stopped, each for a reason of its own place
            last = list(self._avoided.values())[-1]
            if not self._has_moved and all(result.is_usage for result in self._avoided.values()):
                reasons = [f"{result.name}: {result.error}" for result in self._avoided.values()]
                self.failure = UsageError("\n".join(reasons))
            stop = last.stop or Stop("cluster", f"{last.error}")
            self._state.stop_buying(replace(stop, message=f"{last.name}: {stop.message}"))
        elif self._alone_since is None:
            self._alone_since = now
            self._state.listener.note("the cluster has no worker now; waiting for one")
        elif now - self._alone_since >= self._state.policy.task_timeout:
            patience = self._state.policy.task_timeout
            self._state.stop_buying(Stop("cluster", f"no worker came for {patience:.0f} s"))

    def _job(self, batch: RequestBatch) -> BatchJob:
        task, share = self._task, batch.share
        models = {str(request.body.get("model")) for request in batch.requests}
        policy = replace(
            self._state.policy,
            max_in_flight=share.max_in_flight,
            submit_rate=share.submit_rate,
            max_credits=share.max_credits,
            callbacks=None,
            keep_store=True,
        )
        return BatchJob(
            version=__version__,
            topic=self.topic,
            number=batch.number,
            run=task.run,
            gateway=task.gateway,
            base_url=task.base_url,
            files_url=task.files_url,
            store_url=task.store_url,
            plan=replace(task.plan, requests=batch.requests, warnings=()),
            attempts=batch.attempts,
            policy=policy,
            models={name: model for name, model in task.models.items() if name in models},
            images={p: b for r in batch.requests for p, b in task.read_images(r).items()},
            request_timeout=task.request_timeout,
            silence=self._silence * _MARGIN,
        )

    def _standings(self, batch: RequestBatch) -> dict[str, Standing]:
        ledger, shared = self._state.ledger, self._shared
        return {
            r.hash: Standing(ledger.record(r.hash), shared.next_attempt(r.hash, 0))
            for r in batch.requests
        }

    def _settle(self, batch: RequestBatch, ended: BatchEnded) -> None:
        """Take in what came of a batch, bring it home, and hand out again what is left of it."""
        before = self._before.pop(batch.number)
        news = (
            self._shared.news(r.hash, self._state.ledger.record(r.hash)) for r in batch.requests
        )
        self._state.learn([event for event in news if event is not None], by_workers=True)
        moved = self._standings(batch) != before
        self._has_moved = self._has_moved or moved
        self._is_short = False
        self._cutter.ended(batch.number, self._spent(batch, before))
        brings_home = not self._state.policy.keep_store and self._wish != "leave"
        rest: list[Request] = []
        for request in batch.requests:
            record = self._state.ledger.record(request.hash)
            if record.status in ("submitted", "undelivered") or (
                record.status == "planned"
                and (request.hash in self._attempts or self._shared.whose(request.hash) == "others")
            ):
                rest.append(request)
            elif record.status == "completed" and record.remote_videos and brings_home:
                self._shared.clips.want(RequestState(request, record))
        if ended.result is None:
            self._given_up(rest, ended.lost, moved=moved)
        else:
            self._stopped(rest, ended.result, moved=moved)

    def _spent(self, batch: RequestBatch, before: Mapping[str, Standing]) -> Decimal:
        """What a batch has cost or may have cost, by the store; what is claimed counts."""
        total = _ZERO
        for request in batch.requests:
            earlier = before[request.hash].record.spent
            spent = self._state.ledger.record(request.hash).spent - earlier
            if not spent and self._shared.whose(request.hash) == "others":
                spent = request.credits or _ZERO
            total += spent
        return total

    def _given_up(self, rest: list[Request], why: str, *, moved: bool) -> None:
        """Dask hands it to nobody any more: it is handed out again while something in it moves."""
        if self._state.stop is not None or not rest:
            return
        if moved:
            self._state.listener.note(
                f"a batch was given up ({plain(why)}); it is handed out again"
            )
            self._cutter.put_back(rest)
        else:
            left = counted(len(rest), "request")
            message = f"the cluster gave up a batch of {left} in which nothing moves: {plain(why)}"
            self._state.stop_buying(Stop("cluster", message))

    def _stopped(self, rest: list[Request], result: BatchResult, *, moved: bool) -> None:
        stop = result.stop
        if stop is None and result.error is None:
            return
        if stop is not None and stop.kind == "money":
            self._is_short = not moved and bool(self._under_way)
            if moved or self._under_way or self._ended:
                self._cutter.put_back(rest)
            else:
                self._state.stop_buying(stop)
        elif stop is not None and stop.kind in _OF_THE_ACCOUNT:
            self._state.stop_buying(replace(stop, message=f"{result.name}: {stop.message}"))
        elif self._wish == "go":
            if stop is None or stop.kind != "cluster":
                why = stop.message if stop else str(result.error)
                self._state.listener.note(plain(f"{result.name} gets no more batches: {why}"))
                self._avoided[result.worker] = result
            self._cutter.put_back(rest)

    def _show(self, message: BatchEvents) -> None:
        """Move the bar: nothing of this is on record here before the store says it."""
        if message.number not in self._under_way:
            return
        self._going[message.number] = message
        listener, ledger, view = self._state.listener, self._state.ledger, self._state.progress()
        for note in message.notes:
            listener.note(plain(note))
        for text in message.events:
            event = from_json(text)
            request = ledger.request(event.hash)
            if request is None:
                continue
            record = after(self._shadows.get(event.hash) or ledger.record(event.hash), event)
            self._shadows[event.hash] = record
            listener.event(event, RequestState(request, record), view)
