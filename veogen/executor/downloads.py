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
from veogen.results.events import (
    Event,
    TaskCompleted,
    Video,
    VideoMissing,
    VideoNotSaved,
    VideoSaved,
)


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
        self._queue: list[tuple[float, int, str, int]] = []
        self._order = count()
        self._under_way: set[tuple[str, int]] = set()
        self._kept_back: dict[str, list[int]] = {}
        self._settled: set[tuple[str, int]] = set()
        self._open: Counter[str] = Counter()
        self._tries: dict[str, int] = {}
        self._failed: dict[str, DownloadFailed] = {}
        self._later: DelayQueue[str] = DelayQueue()

    def enqueue(self, hash_: str) -> None:
        """Bring home every video of a completed task that is not here yet."""
        for index in range(len(self._state.ledger.record(hash_).links)):
            if self._is_wanted(hash_, index):
                self._put(hash_, index)

    def _put(self, hash_: str, index: int) -> None:
        deadline = self._state.ledger.record(hash_).expires_at or 0.0
        heapq.heappush(self._queue, (deadline, next(self._order), hash_, index))
        self._open[hash_] += 1

    def _is_wanted(self, hash_: str, index: int) -> bool:
        record = self._state.ledger.record(hash_)
        is_here = index in record.videos and index not in record.remote_videos
        return index < len(record.links) and not is_here

    def drop(self) -> None:
        """Start nothing more."""
        self._queue.clear()
        self._kept_back.clear()
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
            _, _, hash_, index = heapq.heappop(self._queue)
            if not self._is_wanted(hash_, index):  # it was found behind another link
                self._open[hash_] -= 1
            elif self._is_going_on(hash_) and self._unsettled(hash_):
                self._kept_back.setdefault(hash_, []).append(index)
            else:
                self._under_way.add((hash_, index))
                self._start(self._call(hash_, index))

    def _is_going_on(self, hash_: str) -> bool:
        return any(hash_ == of for of, _ in self._under_way)

    def _unsettled(self, hash_: str) -> list[int]:
        """The videos of a task of which it is not known behind which link they are.

        Another machine, or an earlier run, may have seen the links in another order: so they are
        followed one after the other, and the bytes tell.
        """
        record = self._state.ledger.record(hash_)
        return [at for at in sorted(record.videos) if (hash_, at) not in self._settled]

    def handle(self, message: Downloaded) -> Step:
        """What a download comes to."""
        hash_ = message.hash
        self._under_way.discard((hash_, message.index))
        self._open[hash_] -= 1
        for index in self._kept_back.pop(hash_, ()):
            self._open[hash_] -= 1
            self._put(hash_, index)
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
        """A clip is here, at its place; one that was here already was behind another's link."""
        hash_, task_id, place = message.hash, message.task_id, self._place_of(message, video)
        relinked: tuple[Event, ...] = ()
        is_double = False
        if place != message.index:
            record, request = self._state.ledger.record(hash_), self._state.ledger.request(hash_)
            links = list(record.links)
            if place < len(links):
                links[place], links[message.index] = links[message.index], links[place]
                at = record.made_at or self._state.clock.now()
                relinked = (TaskCompleted(hash_, task_id, tuple(links), None, at),)
                self._put(hash_, message.index)  # which is behind the other link, then
            is_double = place in record.videos and place not in record.remote_videos
            if request is not None and not is_double:
                video = self._state.move_clip(video, request.path(place, len(links)))
        if len(self._state.ledger.record(hash_).links) > 1:
            self._settled.add((hash_, place))
        after = self._after(hash_)
        saved = VideoSaved(hash_, place, video, task_id, self._state.mtime(video))
        away = VideoMissing(hash_, place, task_id, put_away=True)
        events = (*relinked, *(() if is_double else (saved,)), *after.events)
        if not is_double and not self._is_left_to_the_store(saved):
            return after._replace(events=events)

        def after_commit() -> None:
            if not is_double or video.path != self._state.ledger.record(hash_).videos[place].path:
                self._state.delete_clip(video)
            after.after_commit()

        return after._replace(
            events=events if is_double else (*events, away), after_commit=after_commit
        )

    def _place_of(self, message: Downloaded, video: Video) -> int:
        """Which of a task's videos it is: that which was recorded with these bytes.

        Whose place is another's, by its bytes, goes to one that nobody has, if there is any.
        """
        hash_, index = message.hash, message.index
        record, request = self._state.ledger.record(hash_), self._state.ledger.request(hash_)
        if record.task_id != message.task_id or request is None:
            return index
        alike = [i for i in self._unsettled(hash_) if record.videos[i].sha256 == video.sha256]
        if index in alike or not (alike or index in record.videos):
            return index
        places = range(max(len(record.links), request.videos))
        free = [place for place in places if place not in record.videos]
        return (*alike, *free, index)[0]

    def _is_left_to_the_store(self, saved: VideoSaved) -> bool:
        """Whether the store alone is to keep a clip, which has it."""
        shared, keeps = self._state.shared, self._state.policy.keep_store
        return keeps and shared is not None and not shared.clips.is_held_back(saved)

    def _call(self, hash_: str, index: int) -> Callable[[], Downloaded]:
        """The call that another thread makes: all that it needs is looked up here."""
        record, request = self._state.ledger.record(hash_), self._state.ledger.request(hash_)
        if request is None:
            raise KeyError(hash_)
        of, task_id, bring = len(record.links), record.task_id or "", self._downloader.download
        link = record.links[index]
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
