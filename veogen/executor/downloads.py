"""Bringing one video home: a whole clip under its final name, or a reason why not."""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from veogen.catalogue.parameters import Json
from veogen.executor.clock import SystemClock
from veogen.executor.courier import Broken, Brought, NoSpace
from veogen.executor.media import compare, measure
from veogen.executor.parts import Identity, Part, Writer, boot_id
from veogen.executor.places import (
    KEPT,
    Delivered,
    already_there,
    disk_trouble,
    in_the_way,
    put_in_place,
    room,
)
from veogen.gateway.answers import Body, InterruptedDownload, MediaHost, Unread
from veogen.results.entries import Entry
from veogen.results.videos import Video

LARGEST = 1 << 30
_UNSEEN, _SHARE = 256 << 10, 64
"""So many bytes, or that part of what is free, are taken before the disk is looked at again: all
downloads together take less than `KEPT`, or than what is free, in between."""

_PAGES = ("text/html", "application/xhtml+xml")
_EXPIRED = (403, 404, 410)
_UNSATISFIABLE = 416
_HEAD = 12
_WORTH_A_NOTE, _LONG = 1 << 20, 1.0
"""So many bytes, or what took so many seconds, are not fetched again if this process is killed."""

Effective: TypeAlias = Callable[[Mapping[str, Json]], Mapping[str, Json]]


class Downloads:
    """Brings the videos of one run directory home; what differs from the request is a warning."""

    def __init__(
        self,
        host: MediaHost,
        directory: Path,
        effective: Effective,
        *,
        largest: int = LARGEST,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._host = host
        self._directory = directory
        self._effective = effective
        self._largest = largest
        self._stopped = stopped

    def bring(self, entry: Entry, index: int, of: int, link: str) -> Brought:
        """Bring video `index` (from 0) of `of` home from its link."""
        path = entry.path(index, of)
        brought = download(
            self._host,
            link,
            self._directory / path,
            root=self._directory,
            largest=self._largest,
            stopped=self._stopped,
        )
        if not isinstance(brought, Delivered):
            return replace(brought, message=self._here(brought.message))
        differences = compare(brought.facts, self._effective(entry.body))
        fewer = ("fewer-videos",) if of < entry.videos else ()
        return _video(brought, path, (*differences, *fewer))

    def _here(self, message: str) -> str:
        """A message as it may be committed: without the paths of this machine."""
        return message.replace(f"{self._directory.resolve()}{os.sep}", "").replace(
            f"{self._directory}{os.sep}", ""
        )


def download(
    host: MediaHost,
    link: str,
    target: Path,
    *,
    root: Path,
    largest: int = LARGEST,
    stopped: Callable[[], bool] = lambda: False,
) -> Delivered | Broken | NoSpace:
    """Bring a link home to `target` below `root`; goes on where an earlier try was cut off."""
    try:
        found = already_there(target, root)
        if found is not None:
            return found
        target.parent.mkdir(parents=True, exist_ok=True)
        return _Download(host, link, target, largest, stopped).run()
    except OSError as error:  # of the disk: the host raises none
        return disk_trouble(error, target)


class _RefusedError(Exception):
    """This try has failed; the exception carries what is to be said."""

    def __init__(self, outcome: Broken | NoSpace) -> None:
        super().__init__()
        self.outcome = outcome


class _Download:
    """One try to bring one file home."""

    def __init__(
        self,
        host: MediaHost,
        link: str,
        target: Path,
        largest: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._host = host
        self._link = link
        self._target = target
        self._folder = str(target.parent)
        self._part = Part(target)
        self._largest = largest
        self._stopped = stopped

    def run(self) -> Delivered | Broken | NoSpace:
        try:
            return self._verified(self._bytes())
        except _RefusedError as refused:
            return refused.outcome
        except InterruptedDownload as error:  # what came is kept, and gone on with
            return Broken("interrupted", f"the download broke off: {error}")
        finally:
            with contextlib.suppress(OSError):  # a full disk: what came is begun anew
                self._part.remember()

    def _bytes(self) -> str:
        """All bytes of the file in the part; their SHA-256."""
        known, start = self._known()
        if known and start == known.length:
            with self._part.resume() as writer:
                return writer.keep()
        etag = known.etag if known else None
        with self._host.fetch(self._link, start=start, etag=etag) as body:
            if isinstance(body, Unread):
                raise self._unread(body)
            self._look_at(body)
            with self._writer(body, known, start) as writer:
                return self._take(body, writer)

    def _known(self) -> tuple[Identity | None, int]:
        """Which file the part is of, if it can be gone on with."""
        found = self._part.found()
        if found is None or found[0].boot != boot_id():
            return None, 0
        identity, size = found
        is_ours = identity.etag is not None or identity.source == _source(self._link)
        return (identity, size) if is_ours else (None, 0)

    def _look_at(self, body: Body) -> None:
        """Refuse what cannot be a clip, or has no room, before a byte is written."""
        if body.content_type and body.content_type.startswith(_PAGES):
            raise _RefusedError(
                Broken("not-a-video", "the link leads to a web page, not to a clip")
            )
        if body.length is not None and body.length > self._largest:
            raise _RefusedError(self._too_large(body.length))
        self._look_at_the_disk(body.length - body.start if body.length is not None else 0)

    def _look_at_the_disk(self, missing: int) -> int:
        """How many bytes can be taken until it is looked at again."""
        left = room(self._folder)
        if missing > left:
            free = f"the journal {KEPT}, {left + KEPT} are free"
            text = f"{self._folder}: the clip needs {missing} bytes more and {free}"
            raise _RefusedError(NoSpace(text))
        return max(_UNSEEN, left // _SHARE)

    def _writer(self, body: Body, known: Identity | None, start: int) -> Writer:
        identity = Identity(_source(self._link), body.etag, body.length, boot_id())
        if body.start == 0:
            return self._part.begin(identity)
        if body.start == start and known and known.is_same_file(identity):
            return self._part.resume()
        self._part.drop()
        raise _RefusedError(Broken("changed", "the file behind the link has changed"))

    def _take(self, body: Body, writer: Writer) -> str:
        clock = SystemClock()
        begun, look_at = clock.monotonic(), writer.size
        for chunk in body.chunks:
            writer.write(chunk)
            if writer.size >= _WORTH_A_NOTE or clock.monotonic() - begun > _LONG:
                self._part.remember()
            if writer.size > self._largest:
                raise self._useless(self._too_large(writer.size))
            if writer.size - len(chunk) < _HEAD <= writer.size and not _is_mp4(writer):
                raise self._useless(Broken("not-a-video", "what came is no MP4"))
            if writer.size >= look_at:
                look_at = writer.size + self._look_at_the_disk(0)
            if self._stopped():
                raise InterruptedDownload("the run was stopped")
        if body.length is not None and writer.size != body.length:
            text = f"{writer.size} bytes came instead of {body.length}"
            raise self._useless(Broken("wrong-length", text))
        return writer.keep()

    def _verified(self, sha256: str) -> Delivered | Broken:
        facts = measure(self._part.path)
        if isinstance(facts, str):
            raise self._useless(Broken("damaged", f"the clip is not whole: {facts}"))
        size = self._part.path.stat().st_size
        try:
            put_in_place(self._part.path, self._target)
        except FileExistsError:
            return in_the_way(self._target)
        self._part.tidy()
        return Delivered(path=self._target, sha256=sha256, bytes=size, facts=facts)

    def _useless(self, outcome: Broken) -> _RefusedError:
        """The part is of no use to the next try."""
        self._part.drop()
        return _RefusedError(outcome)

    def _unread(self, unread: Unread) -> _RefusedError:
        if unread.status == _UNSATISFIABLE:
            self._part.drop()
        gone = unread.status in _EXPIRED
        words = f"{unread.message}: the link has expired" if gone else unread.message
        return _RefusedError(Broken("link-expired" if gone else unread.code, words))

    def _too_large(self, size: int) -> Broken:
        text = f"the clip has {size} bytes or more; at most {self._largest} are taken"
        return Broken("too-large", text, retry=False)


def _is_mp4(writer: Writer) -> bool:
    return writer.head(_HEAD)[4:8] == b"ftyp"


def _source(link: str) -> str:
    """A link without its signature, which changes with every look at the task."""
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _video(delivered: Delivered, path: str, warnings: tuple[str, ...]) -> Video:
    facts: dict[str, Any] = {
        name: getattr(delivered.facts, name)
        for name in ("duration", "width", "height", "fps", "audio")
    }
    return Video(
        path=path, sha256=delivered.sha256, bytes=delivered.bytes, warnings=warnings, **facts
    )
