"""Clips on their way between a run directory and a store."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from veogen.executor.directory import file_signature, move_into_place
from veogen.executor.downloads import Downloader, DownloadFailed, DownloadResult
from veogen.executor.others import ClipMoved
from veogen.executor.reconcile import is_clip
from veogen.executor.transfer import refused_place, set_aside
from veogen.planner.plan import Request
from veogen.results.events import Event, Video, VideoSaved
from veogen.results.ledger import RequestState
from veogen.store.objects import StoreError
from veogen.store.opening import Clips

AT_ONCE = 4
"""Clips that are put into a store, or fetched from it, at a time."""


class ClipTransfers:
    """Owns which clips the store lacks, and which are to come home from it."""

    def __init__(self, clips: Clips, directory: Path) -> None:
        self._clips = clips
        self._directory = directory
        self._held_back: set[tuple[str, str]] = set()
        self._wanted: list[VideoSaved] = []
        self._under_way = 0
        self.lacking: list[VideoSaved] = []

    @property
    def idle(self) -> bool:
        return not (self.lacking or self._wanted or self._under_way)

    def want(self, state: RequestState) -> None:
        """Have the clips of a request brought home that are not here."""
        request, record = state
        for index in sorted(record.remote_videos):
            video = record.videos[index].at(request.path(index, len(record.videos)))
            saved = VideoSaved(record.hash, index, video, task_id=record.task_id or "")
            self._wanted.append(saved)

    def next(self) -> Callable[[], ClipMoved] | None:
        """The call that moves the next clip, if one may be moved now."""
        if self._under_way >= AT_ONCE or not (self.lacking or self._wanted):
            return None
        self._under_way += 1
        if self.lacking:
            return partial(self._move, self.lacking.pop(), home=False)
        return partial(self._move, self._wanted.pop(), home=True)

    def moved(self) -> None:
        """A call has answered."""
        self._under_way -= 1

    def drop(self) -> None:
        """Move nothing more: what the store lacks is put there by the next command."""
        self.lacking.clear()
        self._wanted.clear()

    def put(self, path: Path, video: Video) -> bool:
        """Have a clip in the store; whether it is there now. In any thread."""
        try:
            self._clips.put(path, video.sha256)
        except (StoreError, OSError):
            return False
        return True

    def _move(self, saved: VideoSaved, *, home: bool) -> ClipMoved:
        """Put a clip into the store, or fetch it: what has its name here is then moved aside."""
        path, video = self._directory / saved.video.path, saved.video
        if not home:
            return ClipMoved(saved, self.put(path, video))
        part = path.with_name(f".{path.name}.came.part")
        done = False
        try:
            if refused_place(path, self._directory) is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                done = self._clips.fetch(video.sha256, video.bytes, part)
            if done:
                self._place(part, path)
        except (StoreError, OSError):
            done = False
        return ClipMoved(saved, done, fetched=True)

    def _place(self, part: Path, path: Path) -> None:
        try:
            move_into_place(part, path)
        except FileExistsError:
            set_aside(path, self._directory)
            move_into_place(part, path)
        part.unlink(missing_ok=True)

    def hold_back(self, hash_: str, sha256: str) -> None:
        """A clip could not be put into the store: nobody is told that it is there."""
        self._held_back.add((hash_, sha256))

    def is_held_back(self, event: Event) -> bool:
        if not isinstance(event, VideoSaved):
            return False
        return (event.hash, event.video.sha256) in self._held_back


class StoringDownloader:
    """Downloads, and has the store keep what came, before anybody is told of it."""

    def __init__(self, inner: Downloader, transfers: ClipTransfers, directory: Path) -> None:
        self._inner = inner
        self._transfers = transfers
        self._directory = directory

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        """As the one inside; a clip that the store does not take stays here all the same.

        Where a store is away that takes a minute, and somebody may change the file meanwhile.
        """
        result = self._inner.download(request, index, of, link)
        if not isinstance(result, Video):
            return result
        path = self._directory / result.path
        before = file_signature(path)
        if not self._transfers.put(path, result):
            self._transfers.hold_back(request.hash, result.sha256)
        if file_signature(path) != before and not is_clip(path, result):
            text = f"{result.path} was changed while the store was given it"
            return DownloadFailed("changed", text)
        return result
