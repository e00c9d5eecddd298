"""Local images, uploaded once per distinct content, just before a request needs them."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from veogen.catalogue.parameters import Json
from veogen.document.files import OutsideRootError
from veogen.executor.clock import Clock
from veogen.executor.preparing import FULL, Prepared, Spare
from veogen.gateway.advice import advice_for
from veogen.gateway.answers import Gateway, Quota, Unread, Upload
from veogen.planner.canonical import FILE
from veogen.planner.pictures import kind_of
from veogen.planner.plan import Image
from veogen.results.entries import Entry

LIFE = 72 * 3600.0
"""Seconds that an upload lives (the gateway's documents)."""

MARGIN = 2 * 3600.0
"""An upload this near its end is not relied on: the gateway reads it when the task's turn comes."""

Read = Callable[[PurePosixPath, int], bytes]
"""The bytes of a file below the project root: no more than so many, and one if there are more."""


class Uploader:
    """Knows what is uploaded and who needs it.

    `known` are the uploads of this run directory, by SHA-256: no other is ever deleted. `tag`
    makes names that nobody else gives, as at the gateway a file of the same name is overwritten.
    """

    def __init__(
        self, gateway: Gateway, read: Read, known: Mapping[str, Upload], clock: Clock, tag: str
    ) -> None:
        self._gateway = gateway
        self._read = read
        self._clock = clock
        self._tag = tag
        self._lock = threading.Lock()  # of all that follows
        self._known = dict(known)
        self._one_at_a_time: dict[str, threading.Lock] = {}
        self._expected: dict[str, frozenset[str]] = {}
        self._holding: dict[str, frozenset[str]] = {}
        self._given_up = 0

    def expect(self, entry: Entry) -> None:
        with self._lock:
            self._expected[entry.hash] = _contents(entry)

    def hold(self, entry: Entry) -> None:
        with self._lock:
            self._expected.pop(entry.hash, None)
            self._holding[entry.hash] = _contents(entry)

    def release(self, hash_: str) -> None:
        with self._lock:
            self._holding.pop(hash_, None)

    @property
    def held(self) -> bool:
        with self._lock:
            return any(not self._known.keys().isdisjoint(c) for c in self._holding.values())

    def spare(self) -> Spare | None:
        """First what nobody will need, and of that what would expire first."""
        now = self._clock.now()
        with self._lock:
            held = frozenset[str]().union(*self._holding.values())
            expected = frozenset[str]().union(*self._expected.values())
            free = [
                ((sha256 in expected, upload.expires_at or 0.0), sha256)
                for sha256, upload in self._known.items()
                if sha256 not in held and (upload.expires_at or 0.0) > now
            ]
            if not free:
                return None
            self._given_up += 1
            sha256 = min(free)[1]
            return Spare(sha256, self._known.pop(sha256))

    def prepare(self, entry: Entry, spare: Spare | None = None) -> Prepared:
        if spare is not None and (kept := self._gateway.delete(spare.upload.file_id)):
            with self._lock:
                self._known.setdefault(spare.sha256, spare.upload)
            return Prepared(entry.hash, kept, {spare.sha256: spare.upload})
        self.hold(entry)
        made: dict[str, Upload] = {}
        urls: dict[str, str] = {}
        for image in entry.images:
            upload = self._uploaded(image, made)
            if isinstance(upload, Unread):
                self.release(entry.hash)
                self.expect(entry)
                return Prepared(entry.hash, upload, made)
            urls[FILE + image.path] = upload.url
        return Prepared(entry.hash, _body(entry, urls), made)

    def _uploaded(self, image: Image, made: dict[str, Upload]) -> Upload | Unread:
        """The upload of an image: the one there is, or a new one, which is put into `made`."""
        with self._lock:
            alone = self._one_at_a_time.setdefault(image.sha256, threading.Lock())
        with alone:
            upload = self._alive(image.sha256)
            if upload is not None:
                return upload
            answer = self._upload(image)
            if isinstance(answer, Upload):
                made[image.sha256] = answer
                with self._lock:
                    self._known[image.sha256] = answer
            return answer

    def _alive(self, sha256: str) -> Upload | None:
        with self._lock:
            upload = self._known.get(sha256)
        if upload is None or upload.expires_at is None:
            return None
        return upload if upload.expires_at - MARGIN > self._clock.now() else None

    def _upload(self, image: Image) -> Upload | Unread:
        content = self._content(image)
        if isinstance(content, Unread):
            return content
        quota = self._gateway.quota()
        if isinstance(quota, Quota) and quota.remaining <= 0:
            return Unread(code=FULL, message=advice_for(FULL))
        kind = kind_of(content)
        name = f"{image.sha256[:16]}-{self._tag}{self._given_up}.{kind}"
        answer = self._gateway.upload(name, content, f"image/{kind}")
        if isinstance(answer, Upload) and answer.expires_at is None:
            life = self._clock.now() + LIFE
            return Upload(file_id=answer.file_id, url=answer.url, expires_at=life)
        return answer

    def _content(self, image: Image) -> bytes | Unread:
        """The bytes that were planned, and no others: they are what was reviewed."""
        path = PurePosixPath(image.path)
        try:
            content = self._read(path, image.bytes)
        except OutsideRootError as error:
            return Unread(code="image-unreadable", message=str(error))
        except OSError as error:
            return Unread(code="image-unreadable", message=f"{path}: {error.strerror}")
        if hashlib.sha256(content).hexdigest() != image.sha256:
            message = f"{path} has changed since it was planned: plan it again"
            return Unread(code="image-changed", message=message)
        return content


def _contents(entry: Entry) -> frozenset[str]:
    return frozenset(image.sha256 for image in entry.images)


def _body(entry: Entry, urls: Mapping[str, str]) -> Mapping[str, Json]:
    body = dict(entry.body)
    images = body.get("image_urls")
    if isinstance(images, list):
        body["image_urls"] = [urls.get(str(url), url) for url in images]
    return body
