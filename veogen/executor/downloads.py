"""Which video is downloaded next: that whose links die first."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, Protocol, TypeAlias

from veogen.executor.options import Random, retry_wait
from veogen.executor.poller import as_of
from veogen.executor.reconcile import named_beside
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
from veogen.results.record import Record


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


class _BoughtTask(NamedTuple):
    """A task of a request: there are two where two machines have sent the same attempt."""

    hash: str
    id: str


class DownloadQueue:
    """Owns which video is downloaded next; a failed one gets a fresh look at its task."""

    def __init__(
        self,
        state: RunState,
        downloader: Downloader,
        random: Random,
        start: Callable[[Callable[[], Downloaded]], None],
        poll_again: Callable[[str, str], None],
    ) -> None:
        self._state = state
        self._downloader = downloader
        self._random = random
        self._start = start
        self._poll_again = poll_again
        self._queue: list[tuple[float, int, _BoughtTask, int]] = []
        self._order = count()
        self._under_way: set[tuple[_BoughtTask, int]] = set()
        self._kept_back: dict[_BoughtTask, list[int]] = {}
        self._settled: set[tuple[_BoughtTask, int]] = set()
        self._open: Counter[_BoughtTask] = Counter()
        self._tries: dict[_BoughtTask, int] = {}
        self._failed: dict[_BoughtTask, DownloadFailed] = {}
        self._later: DelayQueue[_BoughtTask] = DelayQueue()
        self._named: dict[str, str] = {}

    def enqueue(self, hash_: str, task_id: str) -> None:
        """Bring home every video of a completed task that is not here yet."""
        task = _BoughtTask(hash_, task_id)
        for index in range(len(self._record(task).links)):
            if self._is_wanted(task, index):
                self._put(task, index)

    def _put(self, task: _BoughtTask, index: int) -> None:
        deadline = self._record(task).expires_at or 0.0
        heapq.heappush(self._queue, (deadline, next(self._order), task, index))
        self._open[task] += 1

    def _is_wanted(self, task: _BoughtTask, index: int) -> bool:
        record = self._record(task)
        is_here = index in record.videos and index not in record.remote_videos
        return index < len(record.links) and not is_here

    def drop(self) -> None:
        """Start nothing more."""
        self._queue.clear()
        self._kept_back.clear()
        self._open = Counter(task for task, _ in self._under_way)
        self._later.clear()

    @property
    def idle(self) -> bool:
        return not (self._queue or self._under_way or self._later)

    def next_due(self) -> float | None:
        return self._later.next if self._later else None

    def dispatch(self, now: float) -> None:
        """Start downloads, and look again at tasks whose links did not work."""
        while task := self._later.due(now):
            self._poll_again(task.hash, task.id)
        while self._queue and len(self._under_way) < self._state.policy.downloads_at_once:
            _, _, task, index = heapq.heappop(self._queue)
            if not self._is_wanted(task, index):  # it was found behind another link
                self._open[task] -= 1
            elif any(task == of for of, _ in self._under_way) and self._unsettled(task):
                self._kept_back.setdefault(task, []).append(index)
            else:
                self._under_way.add((task, index))
                self._start(self._call(task, index))

    def _unsettled(self, task: _BoughtTask) -> list[int]:
        """The videos of a task of which it is not known behind which link they are.

        Another machine, or an earlier run, may have seen the links in another order: so they are
        followed one after the other, and the bytes tell.
        """
        record = self._record(task)
        return [at for at in sorted(record.videos) if (task, at) not in self._settled]

    def handle(self, message: Downloaded) -> Step:
        """What a download comes to."""
        task = _BoughtTask(message.hash, message.task_id)
        self._under_way.discard((task, message.index))
        self._open[task] -= 1
        for index in self._kept_back.pop(task, ()):
            self._open[task] -= 1
            self._put(task, index)
        match message.result:
            case Video() as video:
                return self._saved(message, video)
            case DownloadFailed() as broken:
                self._failed[task] = broken
                return self._after(task)
            case DiskFull(message=text):
                self._state.stop_buying(Stop("disk", text))
                why = "there was no room for it on the disk"
                return Step((VideoNotSaved(task.hash, "disk-full", why, task.id),))

    def _saved(self, message: Downloaded, video: Video) -> Step:
        """A clip is here, at its place; one that was here already was behind another's link."""
        task, place = _BoughtTask(message.hash, message.task_id), self._place_of(message, video)
        relinked: tuple[Event, ...] = ()
        is_double = False
        if place != message.index:
            record = self._record(task)
            links = list(record.links)
            if place < len(links):
                links[place], links[message.index] = links[message.index], links[place]
                at = record.made_at or self._state.clock.now()
                relinked = (TaskCompleted(task.hash, task.id, tuple(links), None, at),)
                self._put(task, message.index)  # which is behind the other link, then
            is_double = place in record.videos and place not in record.remote_videos
            if not is_double:
                path = self._request(task).path(place, len(links))
                video = self._state.move_clip(video, path)
        if len(self._record(task).links) > 1:
            self._settled.add((task, place))
        after = self._after(task)
        saved = VideoSaved(task.hash, place, video, task.id, self._state.mtime(video))
        away = VideoMissing(task.hash, place, task.id, put_away=True)
        events = (*relinked, *(() if is_double else (saved,)), *after.events)
        shared, keeps = self._state.shared, self._state.policy.keep_store
        is_in_store = shared is not None and not shared.clips.is_held_back(saved)
        if not is_double and not (keeps and is_in_store):  # else the store alone keeps it
            return after._replace(events=events)

        def after_commit() -> None:
            if not is_double or video.path != self._record(task).videos[place].path:
                self._state.delete_clip(video)
            after.after_commit()

        return after._replace(
            events=events if is_double else (*events, away), after_commit=after_commit
        )

    def _place_of(self, message: Downloaded, video: Video) -> int:
        """Which of a task's videos it is: that which was recorded with these bytes.

        Whose place is another's, by its bytes, goes to one that nobody has, if there is any.
        """
        task, index = _BoughtTask(message.hash, message.task_id), message.index
        record, request = self._record(task), self._state.ledger.request(task.hash)
        if record.task_id != message.task_id or request is None:
            return index
        alike = [i for i in self._unsettled(task) if record.videos[i].sha256 == video.sha256]
        if index in alike or not (alike or index in record.videos):
            return index
        places = range(max(len(record.links), request.videos))
        free = [place for place in places if place not in record.videos]
        return (*alike, *free, index)[0]

    def _call(self, task: _BoughtTask, index: int) -> Callable[[], Downloaded]:
        """The call that another thread makes: all that it needs is looked up here."""
        links, request, bring = self._record(task).links, self._request(task), self._downloader
        of, link = len(links), links[index]
        return lambda: Downloaded(
            task.hash, task.id, index, bring.download(request, index, of, link)
        )

    def _record(self, task: _BoughtTask) -> Record:
        return as_of(self._state.ledger.record(task.hash), task.id)

    def _request(self, task: _BoughtTask) -> Request:
        """The request, with the names that the clips of this task of it have.

        Those of the first task that is made have the request's own; those of another one, which
        was bought for it too, have its id in theirs: neither takes the place of the other. What was
        named so once stays so.
        """
        request, record = self._state.request(task.hash), self._state.ledger.record(task.hash)
        beside = named_beside(request, task.id)
        own, others = set[str](), set[str]()
        for facts in record.facts.tasks:
            if facts.id == task.id or facts.whole:
                paths = own if facts.id == task.id else others
                paths.update([video.path for video in facts.videos.values()])
        was_beside = not own.isdisjoint(beside.paths)
        is_taken = not others.isdisjoint(request.paths)
        if was_beside or (is_taken and task.id != record.task_id):
            return beside
        made = [(t.made_at, t.id) for t in record.facts.tasks if t.made_at is not None]
        first = min(made, default=(0.0, task.id))[1]  # the next run names them alike
        return request if self._named.setdefault(task.hash, first) == task.id else beside

    def _after(self, task: _BoughtTask) -> Step:
        """What follows once no other video of a task is on its way, if one of them has failed.

        Links are taken afresh from the task: the old ones may have died.
        """
        if self._open[task] > 0 or task not in self._failed:
            return Step()
        broken = self._failed.pop(task)
        tries = self._tries.get(task, 0) + 1
        if not broken.retry or tries >= self._state.policy.download_tries:
            return Step((VideoNotSaved(task.hash, broken.code, broken.message, task.id),))

        def look_again() -> None:
            self._tries[task] = tries
            due = self._state.clock.monotonic() + retry_wait(tries, self._random)
            self._later.put(due, task)

        return Step(after_commit=look_again)
