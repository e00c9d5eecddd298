"""Work that other machines have: waited for, taken up when they are silent, bought when freed."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from veogen.errors import VeogenError
from veogen.executor.state import RunState
from veogen.executor.transitions import Stop
from veogen.results.events import VideoSaved
from veogen.results.record import links_may_live
from veogen.text import counted


@dataclass(frozen=True, slots=True)
class Followed:
    """What others wrote: the requests that something happened to, or why it cannot be read."""

    hashes: Collection[str] = ()
    error: VeogenError | None = None


@dataclass(frozen=True, slots=True)
class PieceTaken:
    """Whether the budget had a piece left, or why that could not be asked."""

    granted: bool
    error: VeogenError | None = None


@dataclass(frozen=True, slots=True)
class ClipMoved:
    """A clip was put into the store, or, with `fetched`, came from there; or it could not be."""

    event: VideoSaved
    done: bool
    fetched: bool = False


SharedMessage: TypeAlias = Followed | PieceTaken | ClipMoved


class Afford(NamedTuple):
    """Whether a request may be claimed; `wait`: that is being asked, or others may leave some."""

    granted: bool
    wait: bool = False


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
            patience = self._state.policy.task_timeout
            if self._waiting and self._state.clock.monotonic() - shared.heard_at >= patience:
                left = counted(len(self._waiting), "request")
                self._state.listener.note(
                    f"other machines recorded nothing for {patience:.0f} s; {left} are left to them"
                )
                self.drop()
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
        """Take in what others did to these; wait for it, buy what is free, follow what is left."""
        shared, ledger = self._shared, self._state.ledger
        if shared is None:
            return
        self._waiting |= shared.skipped
        hashes = {*hashes, *shared.skipped}
        shared.skipped.clear()
        news = (shared.news(hash_, ledger.record(hash_)) for hash_ in sorted(hashes))
        by_workers = self._state.has_workers
        self._state.learn([event for event in news if event is not None], by_workers=by_workers)
        for hash_ in filter(ledger.is_planned, sorted(hashes)):
            whose, waited, wanted = (
                shared.whose(hash_),
                hash_ in self._waiting,
                hash_ in self._wanted,
            )
            if whose == "others":
                self._waiting |= {hash_} if wanted else set()
                continue
            self._waiting.discard(hash_)
            status = ledger.record(hash_).status
            if whose == "free" and waited and wanted and status == "planned":
                self._buy([hash_])
            elif whose == "nobody" and waited and status in ("submitted", "undelivered"):
                self._watch([hash_])
