"""Which video is downloaded next: that whose links die first."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol, TypeAlias

from veogen.executor.options import Random, retry_wait
from veogen.executor.state import RunState
from veogen.executor.submit_queue import DelayQueue
from veogen.executor.transitions import Step, Stop
from veogen.planner.plan import Request
from veogen.results.events import Video, VideoMissing, VideoNotSaved, VideoSaved


@dataclass(frozen=True, slots=True)
class DownloadFailed:
    """A delivery that failed; with `retry` a fresh link or another try may still bring it."""

    code: str
    message: str
    retry: bool = True


@dataclass(frozen=True, slots=True)
class DiskFull:
    """The disk is full."""

    message: str


DownloadResult: TypeAlias = Video | DownloadFailed | DiskFull


class Downloader(Protocol):
    """Downloads and verifies; knows nothing of tasks or money."""

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        """Bring video `index` (from 0) of `of` home from its link."""
        ...


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What became of one download of a task's videos."""

    hash: str
    task_id: str
    index: int
    result: DownloadResult


class DownloadQueue:
    """Owns which video is downloaded next; a failed one gets a fresh look at its task."""

    def __init__(
        self,
        state: RunState,
        downloader: Downloader,
        random: Random,
        start: Callable[[Callable[[], Downloaded]], None],
        poll_again: Callable[[str], None],
    ) -> None:
        self._state = state
        self._downloader = downloader
        self._random = random
        self._start = start
        self._poll_again = poll_again
        self._queue: list[tuple[float, int, str, int, str]] = []
        self._order = count()
        self._under_way: set[tuple[str, int]] = set()
        self._open: Counter[str] = Counter()
        self._tries: dict[str, int] = {}
        self._failed: dict[str, DownloadFailed] = {}
        self._later: DelayQueue[str] = DelayQueue()

    def enqueue(self, hash_: str) -> None:
        """Bring home every video of a completed task that is not here yet."""
        record = self._state.ledger.record(hash_)
        deadline = record.expires_at or 0.0
        for index, link in enumerate(record.links):
            if index not in record.videos or index in record.remote_videos:
                item = (deadline, next(self._order), hash_, index, link)
                heapq.heappush(self._queue, item)
                self._open[hash_] += 1

    def drop(self) -> None:
        """Start nothing more."""
        self._queue.clear()
        self._open = Counter(hash_ for hash_, _ in self._under_way)
        self._later.clear()

    @property
    def idle(self) -> bool:
        return not (self._queue or self._under_way or self._later)

    def next_due(self) -> float | None:
        return self._later.next if self._later else None

    def dispatch(self, now: float) -> None:
        """Start downloads, and look again at tasks whose links did not work."""
        while hash_ := self._later.due(now):
            self._poll_again(hash_)
        while self._queue and len(self._under_way) < self._state.policy.downloads_at_once:
            _, _, hash_, index, link = heapq.heappop(self._queue)
            self._under_way.add((hash_, index))
            self._start(self._call(hash_, index, link))

    def handle(self, message: Downloaded) -> Step:
        """What a download comes to."""
        hash_, index = message.hash, message.index
        self._under_way.discard((hash_, index))
        self._open[hash_] -= 1
        match message.result:
            case Video() as video:
                return self._saved(message, video)
            case DownloadFailed() as broken:
                self._failed[hash_] = broken
                return self._after(hash_)
            case DiskFull(message=text):
                self._state.stop_buying(Stop("disk", text))
                why = "there was no room for it on the disk"
                return Step((VideoNotSaved(hash_, "disk-full", why, message.task_id),))

    def _saved(self, message: Downloaded, video: Video) -> Step:
        """A clip is here; where the store alone is to keep it, its file goes once that is said."""
        hash_, index, task_id = message.hash, message.index, message.task_id
        after, mtime = self._after(hash_), self._state.mtime(video)
        saved = VideoSaved(hash_, index, video, task_id=task_id, mtime=mtime)
        shared = self._state.shared
        keeps = self._state.policy.keep_store
        if shared is None or not keeps or shared.clips.is_held_back(saved):
            return after._replace(events=(saved, *after.events))

        def after_commit() -> None:
            self._state.delete_clip(video)
            after.after_commit()

        away = VideoMissing(hash_, index, task_id, put_away=True)
        return after._replace(events=(saved, *after.events, away), after_commit=after_commit)

    def _call(self, hash_: str, index: int, link: str) -> Callable[[], Downloaded]:
        """The call that another thread makes: all that it needs is looked up here."""
        record, request = self._state.ledger.record(hash_), self._state.ledger.request(hash_)
        if request is None:
            raise KeyError(hash_)
        of, task_id, bring = len(record.links), record.task_id or "", self._downloader.download
        return lambda: Downloaded(hash_, task_id, index, bring(request, index, of, link))

    def _after(self, hash_: str) -> Step:
        """What follows once no other video of a task is on its way, if one of them has failed.

        Links are taken afresh from the task: the old ones may have died.
        """
        if self._open[hash_] > 0 or hash_ not in self._failed:
            return Step()
        broken = self._failed.pop(hash_)
        tries = self._tries.get(hash_, 0) + 1
        if not broken.retry or tries >= self._state.policy.download_tries:
            task_id = self._state.ledger.record(hash_).task_id or ""
            return Step((VideoNotSaved(hash_, broken.code, broken.message, task_id),))

        def look_again() -> None:
            self._tries[hash_] = tries
            due = self._state.clock.monotonic() + retry_wait(tries, self._random)
            self._later.put(due, hash_)

        return Step(after_commit=look_again)
