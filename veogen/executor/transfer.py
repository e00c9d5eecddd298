"""The transfer of one video: a whole clip under its final name, or a reason why not."""

import contextlib
import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TypeAlias

from veogen.executor.directory import (
    RESERVED,
    has_content,
    is_inside,
    make_folders,
    move_into_place,
    room,
    sync_folder,
)
from veogen.executor.downloads import DiskFull, DownloadFailed, DownloadResult
from veogen.executor.measurer import measure
from veogen.executor.mp4 import ClipInfo, mismatches
from veogen.executor.options import SystemClock
from veogen.executor.partial_file import HashingWriter, PartialFile, ResumeInfo, boot_id
from veogen.gateway.api import InterruptedDownload, MediaHost, OpenDownload, ReadError
from veogen.gateway.values import link_source
from veogen.models.model import ExpectedClip
from veogen.models.parameters import Json
from veogen.planner.plan import Request
from veogen.results.events import Video
from veogen.results.facts import FEWER_VIDEOS

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeClip:
    """A whole clip under its final name."""

    path: Path
    sha256: str
    bytes: int
    info: ClipInfo


REFUSED = "refused"
"""The folder, below the run directory, of what was refused or had a clip's name."""


def refused_place(target: Path, root: Path) -> DownloadFailed | None:
    """Why nothing may be written at a target; what is a file there may be set aside later."""
    if not is_inside(target.parent, root):
        text = f"{target.parent}: a symbolic link leads out of the run directory"
        return DownloadFailed("outside", text, retry=False)
    if os.path.lexists(target) and (target.is_symlink() or not target.is_file()):
        return blocked(target)
    return None


def blocked(target: Path) -> DownloadFailed:
    text = f"{target}: something else than a file is in the way; move it elsewhere"
    return DownloadFailed("in-the-way", text, retry=False)


def set_aside(target: Path, root: Path) -> None:
    """Move what has a clip's name below `refused/`, under a name that is free there.

    Raises `FileExistsError` where that cannot be done without overwriting something.
    """
    if target.stat().st_size == 0:  # a name that was reserved, and no more
        target.unlink()
        return
    folder = root / REFUSED
    make_folders(folder)
    if folder.is_symlink():
        raise FileExistsError(
            errno.EEXIST, "a symbolic link leads out of the run directory", str(folder)
        )
    for number in count(1):
        place = folder / (target.name if number == 1 else f"{target.stem}-{number}{target.suffix}")
        if not os.path.lexists(place):
            move_into_place(target, place)
            target.unlink(missing_ok=True)
            return


def disk_error(error: OSError, target: Path) -> DownloadFailed | DiskFull:
    where, why = error.filename or target, error.strerror or str(error)
    if error.errno in _FULL:
        return DiskFull(f"{where}: {why}")
    return DownloadFailed("disk", f"{where}: {why}", retry=False)


LARGEST = 1 << 30
_CHECK_DISK_EVERY, _CHECK_DISK_SHARE = 256 << 10, 64
"""Bytes written between two checks of free space: so many, or that part of what was free. All
downloads together then stay within what is kept free, or within what is free."""

_PAGES = ("text/html", "application/xhtml+xml")
_EXPIRED, _UNSATISFIABLE = (403, 404, 410), 416
_HEAD = 12
_WORTH_A_NOTE, _LONG = 1 << 20, 1.0
"""So many bytes, or what took so many seconds, are not fetched again if this process is killed."""

Expects: TypeAlias = Callable[[Mapping[str, Json]], ExpectedClip]


class ClipDownloader:
    """Brings the videos of one run directory home; what differs from the request is a warning."""

    def __init__(
        self,
        host: MediaHost,
        directory: Path,
        expects: Expects,
        *,
        largest: int = LARGEST,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._host = host
        self._directory = directory
        self._expects = expects
        self._largest = largest
        self._stopped = stopped

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        """Bring video `index` (from 0) of `of` home from its link."""
        path = request.path(index, of)
        brought = download(
            self._host,
            link,
            self._directory / path,
            root=self._directory,
            largest=self._largest,
            stopped=self._stopped,
        )
        if not isinstance(brought, WholeClip):
            message = brought.message  # as it may be committed: without the paths of this machine
            for directory in (self._directory.resolve(), self._directory):
                message = message.replace(f"{directory}{os.sep}", "")
            return replace(brought, message=message)
        differences = mismatches(brought.info, self._expects(request.body))
        if brought.info.trailing:
            differences = (*differences, "trailing-bytes")
        fewer = (FEWER_VIDEOS,) if of < request.videos else ()
        return Video(
            path=path,
            sha256=brought.sha256,
            bytes=brought.bytes,
            duration=brought.info.duration,
            width=brought.info.width,
            height=brought.info.height,
            fps=brought.info.fps,
            audio=brought.info.audio,
            warnings=(*differences, *fewer),
        )


def download(
    host: MediaHost,
    link: str,
    target: Path,
    *,
    root: Path,
    largest: int = LARGEST,
    stopped: Callable[[], bool] = lambda: False,
) -> WholeClip | DownloadFailed | DiskFull:
    """Bring a link home to `target` below `root`; goes on where an earlier try was cut off.

    A file that has the name is the clip only if it has the same bytes; else it is set aside.
    """
    try:
        refused = refused_place(target, root)
        if refused is not None:
            return refused
        make_folders(target.parent)
        return _Download(host, link, target, root, largest, stopped).run()
    except OSError as error:  # of the disk: the host raises none
        return disk_error(error, target)


def _is_page(body: OpenDownload) -> bool:
    return (body.content_type or "").startswith(_PAGES)


def _not_a_video(body: OpenDownload) -> DownloadFailed:
    """What the bytes have decided; the label of what came only helps to say what it is."""
    is_page = _is_page(body)
    text = "the link leads to a web page, not to a clip" if is_page else "what came is no MP4"
    return DownloadFailed("not-a-video", text)


class _RefusedError(Exception):
    """This try has failed; the exception carries what is to be said."""

    def __init__(self, outcome: DownloadFailed | DiskFull) -> None:
        super().__init__()
        self.outcome = outcome


class _Download:
    """One try to bring one file home."""

    def __init__(
        self,
        host: MediaHost,
        link: str,
        target: Path,
        root: Path,
        largest: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._host = host
        self._link = link
        self._target = target
        self._root = root
        self._folder = str(target.parent)
        self._part = PartialFile(target)
        self._largest = largest
        self._stopped = stopped

    def run(self) -> WholeClip | DownloadFailed | DiskFull:
        """What was gone on with and came to nothing is asked for once more, as a whole."""
        try:
            resumable = self._part.resumable(link_source(self._link))
            if resumable is not None:
                try:
                    return self._verified(self._bytes(*resumable))
                except _RefusedError as refused:
                    if isinstance(refused.outcome, DiskFull):
                        raise
                    self._part.drop()
            return self._verified(self._bytes(None, 0))
        except _RefusedError as refused:
            return refused.outcome
        except InterruptedDownload as error:  # what came is kept, and gone on with
            return DownloadFailed("interrupted", f"the download broke off: {error}")
        finally:
            with contextlib.suppress(OSError):  # a full disk: what came is begun anew
                self._part.remember()

    def _bytes(self, begun: ResumeInfo | None, start: int) -> str:
        """All bytes of the file in the part, of which `start` are here; their SHA-256.

        What cannot be a clip, or has no room, is refused before a byte is written.
        """
        if begun and start == begun.length:
            with self._part.resume() as writer:
                return writer.keep()
        etag = begun.etag if begun else None
        with self._host.fetch(self._link, start=start, etag=etag) as body:
            if isinstance(body, ReadError):
                if body.status == _UNSATISFIABLE:
                    self._part.drop()
                gone = body.status in _EXPIRED
                words = f"{body.message}: the link has expired" if gone else body.message
                raise _RefusedError(DownloadFailed("link-expired" if gone else body.code, words))
            if body.length is not None and body.length > self._largest:
                raise _RefusedError(self._too_large(body.length))
            self._look_at_the_disk(body.length - body.start if body.length is not None else 0)
            info = ResumeInfo(link_source(self._link), body.etag, body.length, boot_id())
            if body.start == 0:
                writer = self._part.begin(info)
            elif body.start == start and begun and begun.is_same_file(info):
                writer = self._part.resume()
            else:
                raise self._useless(
                    DownloadFailed("changed", "the file behind the link has changed")
                )
            with writer:
                return self._take(body, writer)

    def _look_at_the_disk(self, missing: int) -> int:
        """How many bytes can be taken until it is looked at again."""
        left = room(self._folder)
        if missing > left:
            free = f"the journal {RESERVED}, {left + RESERVED} are free"
            text = f"{self._folder}: the clip needs {missing} bytes more and {free}"
            raise _RefusedError(DiskFull(text))
        return max(_CHECK_DISK_EVERY, left // _CHECK_DISK_SHARE)

    def _take(self, body: OpenDownload, writer: HashingWriter) -> str:
        clock = SystemClock()
        begun, look_at = clock.monotonic(), writer.size
        for chunk in body.chunks:
            writer.write(chunk)
            if writer.size >= _WORTH_A_NOTE or clock.monotonic() - begun > _LONG:
                self._part.remember()
            if writer.size > self._largest:
                raise self._useless(self._too_large(writer.size))
            if (
                writer.size - len(chunk) < _HEAD <= writer.size
                and writer.head(_HEAD)[4:8] != b"ftyp"
            ):
                raise self._useless(_not_a_video(body))
            if writer.size >= look_at:
                look_at = writer.size + self._look_at_the_disk(0)
            if self._stopped():
                raise InterruptedDownload("the run was stopped")
        if 0 < writer.size < _HEAD and _is_page(body):
            raise self._useless(_not_a_video(body))
        if body.length is not None and writer.size != body.length:
            text = f"{writer.size} bytes came instead of {body.length}"
            if body.start == 0 and writer.size < body.length:  # a host that gives a part at a time
                raise InterruptedDownload(text)
            raise self._useless(DownloadFailed("wrong-length", text))
        return writer.keep()

    def _verified(self, sha256: str) -> WholeClip | DownloadFailed:
        info = measure(self._part.path)
        if isinstance(info, str):
            folder, name = self._root / REFUSED, f"{self._target.stem}.damaged{self._target.suffix}"
            with contextlib.suppress(OSError):  # it is kept, one file a video: it was paid for
                if self._part.path.stat().st_size:
                    make_folders(folder)
                    if not folder.is_symlink():
                        os.replace(self._part.path, folder / name)
                        sync_folder(folder)
            raise self._useless(DownloadFailed("damaged", f"the clip is not whole: {info}"))
        size = self._part.path.stat().st_size
        try:
            move_into_place(self._part.path, self._target)
        except FileExistsError:
            if not has_content(self._target, size, sha256):
                set_aside(self._target, self._root)
                move_into_place(self._part.path, self._target)
        self._part.tidy()
        return WholeClip(path=self._target, sha256=sha256, bytes=size, info=info)

    def _useless(self, outcome: DownloadFailed) -> _RefusedError:
        """The part is of no use to the next try."""
        self._part.drop()
        return _RefusedError(outcome)

    def _too_large(self, size: int) -> DownloadFailed:
        text = f"the clip has {size} bytes or more; at most {self._largest} are taken"
        return DownloadFailed("too-large", text, retry=False)
