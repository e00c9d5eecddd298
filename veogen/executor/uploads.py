"""Local images, uploaded once per distinct content, just before a request needs them."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Protocol

from veogen.document.files import OutsideRootError
from veogen.executor.breaker import PATIENCE
from veogen.executor.options import Clock, Random, retry_wait, time_of_day
from veogen.executor.state import RunState
from veogen.executor.transitions import Retry, Step, Stop
from veogen.gateway.api import Gateway, Quota, ReadError, Upload
from veogen.gateway.parse import advice_for
from veogen.models.parameters import Json
from veogen.planner.identity import FILE, with_images
from veogen.planner.images import kind_of
from veogen.planner.plan import Image, Request, known_credits
from veogen.results import events

FULL = "40003"
"""The file API's code for an account that holds as many files as it may."""

_FINAL = frozenset({"40001", "40002", "40004", "image-changed", "image-unreadable"})
_PASSING = frozenset({FULL, "50001"})
_OF_THE_IMAGE = frozenset({400, 413, 415, 422})
_NO_CREDITS = 402


@dataclass(frozen=True, slots=True)
class PreparedBody:
    """The body of a request with local images, or why they could not be uploaded.

    `uploads` are those that were made for it, by SHA-256.
    """

    hash: str
    body: Mapping[str, Json] | ReadError
    uploads: Mapping[str, Upload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvictableUpload:
    """An upload of ours that no request needs now: it can make room for another."""

    sha256: str
    upload: Upload


class Uploads(Protocol):
    """Puts local images where the gateway can read them; called by several threads."""

    def expect(self, request: Request) -> None:
        """It will be prepared: what it needs is given up last."""
        ...

    def pin(self, request: Request) -> None:
        """It needs its images at the gateway, until it is released."""
        ...

    def unpin(self, hash_: str) -> None:
        """The gateway has no more use for the images of this request."""
        ...

    def prepare(self, request: Request, evicted: EvictableUpload | None = None) -> PreparedBody:
        """Pin it, and give its body with every local image replaced by its uploaded address.

        With `evicted` that one is deleted first.
        """
        ...

    def evict(self) -> EvictableUpload | None:
        """Give up one upload of ours that no request needs now."""
        ...

    @property
    def pinned(self) -> bool:
        """Whether room may come by itself: a request that is going on holds an upload of ours."""
        ...


class UploadQueue:
    """Owns whose images are being uploaded, and the bodies that were prepared."""

    def __init__(
        self,
        state: RunState,
        uploads: Uploads,
        random: Random,
        start: Callable[[Callable[[], PreparedBody]], None],
    ) -> None:
        self._state = state
        self._uploads = uploads
        self._random = random
        self._start = start
        self._under_way: dict[str, Request] = {}
        self._bodies: dict[str, Mapping[str, Json]] = {}
        self._tries: dict[str, int] = {}
        self._full_since: dict[str, float] = {}
        for item in state.ledger.everything:
            if item.request.images and item.record.status in ("submitted", "indeterminate"):
                uploads.pin(item.request)

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._under_way

    def __len__(self) -> int:
        """How many requests are being prepared."""
        return len(self._under_way)

    @property
    def price(self) -> Decimal:
        """What they will cost."""
        return known_credits(request.credits for request in self._under_way.values())

    def expect(self, requests: Iterable[Request]) -> None:
        for request in requests:
            if request.images:
                self._uploads.expect(request)

    def needs(self, request: Request) -> bool:
        """Whether it has to be prepared before it can be sent."""
        return bool(request.images) and request.hash not in self._bodies

    def begin(self, request: Request, evicted: EvictableUpload | None = None) -> None:
        self._under_way[request.hash] = request
        self._start(lambda: self._uploads.prepare(request, evicted))

    def upload(self, request: Request) -> Mapping[str, Json] | ReadError:
        """The body of a request, its images uploaded while the caller waits."""
        prepared = self._uploads.prepare(request)
        self._state.keep_uploads(prepared.uploads)
        return prepared.body

    def body(self, request: Request) -> Mapping[str, Json]:
        """What is to be sent, once."""
        return self._bodies.pop(request.hash, request.body)

    def unpin(self, hash_: str) -> None:
        """Its images are needed no more."""
        self._uploads.unpin(hash_)

    def handle(self, message: PreparedBody) -> Step:
        """What an upload comes to.

        It is free: it is tried again unless the gateway says that it never will do.
        """
        request, unread = self._under_way.pop(message.hash), message.body
        self._state.keep_uploads(message.uploads)
        if not isinstance(unread, ReadError):
            self._bodies[request.hash] = unread
            self._tries.pop(request.hash, None)
            self._full_since.pop(request.hash, None)
            return Step()
        why = f"{unread.message} ({unread.code})"
        if unread.denied or unread.status == _NO_CREDITS:
            return Step(stop=Stop("refused", why))
        room = self._make_room(request, unread) if unread.code == FULL else None
        if room is not None:
            return room
        attempt = self._state.ledger.record(request.hash).attempts + 1
        if is_final(unread):
            refused = events.SubmitRejected(request.hash, attempt, unread.code, unread.message)
            return Step((refused,))
        tries = self._tries[request.hash] = self._tries.get(request.hash, 0) + 1
        if tries < self._state.policy.download_tries:
            return self._again(unread, tries)
        self._state.listener.note(
            f"{request.address}: an image could not be uploaded, it stays planned: {why}"
        )
        left = events.SubmitFailed(request.hash, attempt, unread.code, unread.message)
        return Step((left,))

    def _make_room(self, request: Request, unread: ReadError) -> Step | None:
        """Delete an upload of ours, forgotten first: a journal must not name what is gone."""
        evicted = self._uploads.evict()
        if evicted is not None:
            self._state.forget_upload(evicted.sha256)
            if self._state.stop is None:
                self.begin(request, evicted)
            return Step()
        now = self._state.clock.monotonic()
        since = self._full_since.setdefault(request.hash, now)
        waits = self._uploads.pinned and now - since < PATIENCE
        return self._again(unread, 5) if waits else None

    def _again(self, unread: ReadError, tries: int) -> Step:
        wait = retry_wait(tries, self._random, unread.retry_after)
        until = time_of_day(self._state.clock.now() + wait)
        why = f"waits {wait:.0f} s, until {until}: {unread.message} ({unread.code})"
        return Step(retry=Retry(wait, why))


def is_final(unread: ReadError) -> bool:
    """Whether another try could not end otherwise: the image is wrong, not the moment or place."""
    if unread.code in _PASSING:
        return False
    return unread.code in _FINAL or unread.status in _OF_THE_IMAGE


LIFE = 72 * 3600.0
"""Seconds that an upload lives (the gateway's documents)."""

MARGIN = 2 * 3600.0
"""An upload this near its end is not relied on: the gateway reads it when the task's turn comes."""

ReadFile = Callable[[PurePosixPath, int], bytes]
"""The bytes of a file below the project root: no more than so many, and one if there are more."""


class Uploader:
    """Knows what is uploaded and who needs it.

    `known` are the uploads of this run directory, by SHA-256: no other is ever deleted. `tag`
    makes names that nobody else gives, as at the gateway a file of the same name is overwritten.
    """

    def __init__(
        self, gateway: Gateway, read: ReadFile, known: Mapping[str, Upload], clock: Clock, tag: str
    ) -> None:
        self._gateway = gateway
        self._read = read
        self._clock = clock
        self._tag = tag
        self._lock = threading.Lock()  # of all that follows
        self._known = dict(known)
        self._one_at_a_time: dict[str, threading.Lock] = {}
        self._expected: dict[str, frozenset[str]] = {}
        self._pinned: dict[str, frozenset[str]] = {}
        self._evictions = 0

    def expect(self, request: Request) -> None:
        with self._lock:
            self._expected[request.hash] = _contents(request)

    def pin(self, request: Request) -> None:
        with self._lock:
            self._expected.pop(request.hash, None)
            self._pinned[request.hash] = _contents(request)

    def unpin(self, hash_: str) -> None:
        with self._lock:
            self._pinned.pop(hash_, None)

    @property
    def pinned(self) -> bool:
        with self._lock:
            return any(not self._known.keys().isdisjoint(c) for c in self._pinned.values())

    def evict(self) -> EvictableUpload | None:
        """First what nobody will need, and of that what would expire first."""
        now = self._clock.now()
        with self._lock:
            held = frozenset[str]().union(*self._pinned.values())
            expected = frozenset[str]().union(*self._expected.values())
            free = [
                ((sha256 in expected, upload.expires_at or 0.0), sha256)
                for sha256, upload in self._known.items()
                if sha256 not in held and (upload.expires_at or 0.0) > now
            ]
            if not free:
                return None
            self._evictions += 1
            sha256 = min(free)[1]
            return EvictableUpload(sha256, self._known.pop(sha256))

    def prepare(self, request: Request, evicted: EvictableUpload | None = None) -> PreparedBody:
        if evicted is not None and (kept := self._gateway.delete(evicted.upload.file_id)):
            with self._lock:
                self._known.setdefault(evicted.sha256, evicted.upload)
            return PreparedBody(request.hash, kept, {evicted.sha256: evicted.upload})
        self.pin(request)
        made: dict[str, Upload] = {}
        urls: dict[str, str] = {}
        for image in request.images:
            upload = self._uploaded(image, made)
            if isinstance(upload, ReadError):
                self.unpin(request.hash)
                self.expect(request)
                return PreparedBody(request.hash, upload, made)
            urls[FILE + image.path] = upload.url
        return PreparedBody(request.hash, dict(with_images(request.body, urls)), made)

    def _uploaded(self, image: Image, made: dict[str, Upload]) -> Upload | ReadError:
        """The upload of an image: the one there is, or a new one, which is put into `made`.

        One that ends soon is not relied on.
        """
        with self._lock:
            alone = self._one_at_a_time.setdefault(image.sha256, threading.Lock())
        with alone:
            with self._lock:
                upload = self._known.get(image.sha256)
            if upload is not None and (upload.expires_at or 0.0) - MARGIN > self._clock.now():
                return upload
            answer = self._upload(image)
            if isinstance(answer, Upload):
                made[image.sha256] = answer
                with self._lock:
                    self._known[image.sha256] = answer
            return answer

    def _upload(self, image: Image) -> Upload | ReadError:
        """Upload the bytes that were planned, and no others: they are what was reviewed."""
        path = PurePosixPath(image.path)
        try:
            content = self._read(path, image.bytes)
        except OutsideRootError as error:
            return ReadError(code="image-unreadable", message=str(error))
        except OSError as error:
            return ReadError(code="image-unreadable", message=f"{path}: {error.strerror}")
        if hashlib.sha256(content).hexdigest() != image.sha256:
            message = f"{path} has changed since it was planned: plan it again"
            return ReadError(code="image-changed", message=message)
        quota = self._gateway.quota()
        if isinstance(quota, Quota) and quota.remaining <= 0:
            return ReadError(code=FULL, message=advice_for(FULL))
        kind = kind_of(content)
        name = f"{image.sha256[:16]}-{self._tag}{self._evictions}.{kind}"
        answer = self._gateway.upload(name, content, f"image/{kind}")
        if isinstance(answer, Upload) and answer.expires_at is None:
            life = self._clock.now() + LIFE
            return Upload(file_id=answer.file_id, url=answer.url, expires_at=life)
        return answer


def _contents(request: Request) -> frozenset[str]:
    return frozenset(image.sha256 for image in request.images)
