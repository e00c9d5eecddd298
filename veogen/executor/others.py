"""Work that other machines have: waited for, taken up when they are silent, bought when freed."""

from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from veogen.executor.shared_messages import ClipMoved, PieceTaken, SharedMessage
from veogen.executor.state import RunState
from veogen.executor.transitions import Stop
from veogen.results.record import links_may_live
from veogen.text import counted


class OthersWork:
    """Owns which requests of this command other machines are at work on."""

    def __init__(
        self,
        state: RunState,
        start: Callable[[Callable[[], SharedMessage]], None],
        buy: Callable[[Iterable[str]], None],
        watch: Callable[[Iterable[str]], None],
    ) -> None:
        self._state = state
        self._shared = state.shared
        self._start = start
        self._buy = buy
        self._watch = watch
        self._wanted: set[str] = set()
        self._waiting: set[str] = set()

    def begin(self, wanted: Collection[str], counted_: Collection[str]) -> None:
        """This command buys these, and ends when those are settled."""
        self._wanted = set(wanted)
        if self._shared is not None:
            self._waiting = {hash_ for hash_ in counted_ if self._shared.whose(hash_) == "others"}
            if self._waiting:
                left = counted(len(self._waiting), "request")
                self._state.listener.note(f"other machines are at work on {left} of this plan")

    def claimed(self, hash_: str) -> None:
        """Somebody else has claimed it first: what else is claimed is looked up at once."""
        self._waiting.add(hash_)
        if self._shared is not None and (call := self._shared.glance()) is not None:
            self._start(call)

    @property
    def idle(self) -> bool:
        if self._shared is None:
            return True
        return not (self._waiting or self._shared.skipped) and self._shared.clips.idle

    def next_due(self, *, alone: bool) -> float | None:
        """When others are looked at next; `alone`: this process has nothing else to do."""
        return None if self._shared is None else self._shared.next_due(idle=alone)

    def dispatch(self, *, alone: bool) -> None:
        """Give a sign of life and look at what others did, when it is time."""
        if self._shared is None:
            return
        call = self._shared.follow(idle=alone)
        if call is not None:
            self._start(call)
        while (move := self._shared.clips.next()) is not None:
            self._start(move)

    def drop(self) -> None:
        """Wait for nobody any more."""
        self._waiting.clear()
        self._wanted.clear()
        if self._shared is not None:
            self._shared.clips.drop()
            self._shared.skipped.clear()

    def handle(self, message: SharedMessage) -> None:
        """What others did, or whether there is money left."""
        shared = self._shared
        if shared is None:
            return
        stop: Stop | None = None
        if isinstance(message, ClipMoved):
            self._on_clip(message)
        elif isinstance(message, PieceTaken):
            stop = shared.budget.taken(message) if shared.budget else None
        else:
            stop = shared.followed(message)
            self._settle({*message.hashes, *self._waiting})
            self._give_up_waiting()
        if stop is not None:
            self._state.stop_buying(stop)
            self.drop()

    def look_once_more(self) -> None:
        """Hear what others did in the meantime, before this process says how all ended."""
        if self._shared is not None:
            message = self._shared.look_now()
            if message.error is None:
                self._settle(message.hashes)
            self.drop()

    def _on_clip(self, message: ClipMoved) -> None:
        """A clip came home, or others can have it now."""
        shared = self._shared
        if shared is None:
            return
        shared.clips.moved()
        event, record = message.event, self._state.ledger.record(message.event.hash)
        if message.fetched and message.done:
            mtime = self._state.mtime(event.video)
            saved, is_told = replace(event, mtime=mtime), self._state.has_workers
            self._state.record([saved], is_told=is_told)
        elif message.fetched and links_may_live(record, self._state.clock.now()):
            self._watch([event.hash])
        else:
            shared.clip_moved(message, self._state.ledger)

    def _settle(self, hashes: Collection[str]) -> None:
        shared, ledger = self._shared, self._state.ledger
        if shared is None:
            return
        self._waiting |= shared.skipped
        hashes = {*hashes, *shared.skipped}
        shared.skipped.clear()
        news = (shared.news(hash_, ledger.record(hash_)) for hash_ in sorted(hashes))
        by_workers = self._state.has_workers
        self._state.learn([event for event in news if event is not None], by_workers=by_workers)
        for hash_ in sorted(hashes):
            self._go_on_with(hash_)

    def _go_on_with(self, hash_: str) -> None:
        if self._shared is None or not self._state.ledger.is_planned(hash_):
            return
        whose, waited = self._shared.whose(hash_), hash_ in self._waiting
        if whose == "others":
            if hash_ in self._wanted:
                self._waiting.add(hash_)
            return
        self._waiting.discard(hash_)
        status = self._state.ledger.record(hash_).status
        if whose == "free" and waited and hash_ in self._wanted and status == "planned":
            self._buy([hash_])
        elif whose == "nobody" and waited and status in ("submitted", "undelivered"):
            self._watch([hash_])

    def _give_up_waiting(self) -> None:
        """Nobody recorded anything for as long as a task may take."""
        patience = self._state.policy.task_timeout
        heard = self._shared.heard_at if self._shared else 0.0
        if self._waiting and self._state.clock.monotonic() - heard >= patience:
            left = counted(len(self._waiting), "request")
            self._state.listener.note(
                f"other machines recorded nothing for {patience:.0f} s; {left} are left to them"
            )
            self.drop()
