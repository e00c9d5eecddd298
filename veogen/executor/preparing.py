"""Requests with local images: uploaded before they are sent, and what a failed upload means."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from veogen.catalogue.parameters import Json
from veogen.executor import backoff
from veogen.executor.desk import Desk
from veogen.executor.life import PATIENCE, Stop
from veogen.gateway.answers import Unread, Upload
from veogen.results import events
from veogen.results.entries import Entry
from veogen.results.events import Event

FULL = "40003"
"""The file API's code for an account that holds as many files as it may."""

_FINAL = frozenset({"40001", "40002", "40004", "image-changed", "image-unreadable"})
_PASSING = frozenset({FULL, "50001"})
_OF_THE_IMAGE = frozenset({400, 413, 415, 422})
_NO_CREDITS = 402


@dataclass(frozen=True, slots=True)
class Prepared:
    """The body of a request with local images, or why they could not be uploaded.

    `uploads` are those that were made for it, by SHA-256.
    """

    hash: str
    body: Mapping[str, Json] | Unread
    uploads: Mapping[str, Upload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spare:
    """An upload of ours that no request needs now: it can make room for another."""

    sha256: str
    upload: Upload


class Uploads(Protocol):
    """Puts local images where the gateway can read them; called by several threads."""

    def expect(self, entry: Entry) -> None:
        """It will be prepared: what it needs is given up last."""
        ...

    def hold(self, entry: Entry) -> None:
        """It needs its images at the gateway, until it is released."""
        ...

    def release(self, hash_: str) -> None:
        """The gateway has no more use for the images of this request."""
        ...

    def prepare(self, entry: Entry, spare: Spare | None = None) -> Prepared:
        """Hold it, and give its body with every local image replaced by its uploaded address.

        With `spare` that one is deleted first.
        """
        ...

    def spare(self) -> Spare | None:
        """Give up one upload of ours that no request needs now."""
        ...

    @property
    def held(self) -> bool:
        """Whether room may come by itself: a request that is going on holds an upload of ours."""
        ...


@dataclass(frozen=True, slots=True)
class Next:
    """What follows an upload: the request can be sent, or is prepared again after `wait`."""

    ready: bool = False
    wait: float | None = None
    why: str | None = None
    events: tuple[Event, ...] = ()


class Preparing:
    """Owns whose images are being uploaded, and the bodies that were prepared."""

    def __init__(
        self,
        desk: Desk,
        uploads: Uploads,
        chance: backoff.Chance,
        start: Callable[[Callable[[], Prepared]], None],
    ) -> None:
        self._desk = desk
        self._uploads = uploads
        self._chance = chance
        self._start = start
        self._under_way: dict[str, Entry] = {}
        self._bodies: dict[str, Mapping[str, Json]] = {}
        self._tries: dict[str, int] = {}
        self._full_since: dict[str, float] = {}
        for standing in desk.ledger.everything:
            if standing.entry.images and standing.record.status in ("submitted", "indeterminate"):
                uploads.hold(standing.entry)

    def __len__(self) -> int:
        """How many requests are being prepared."""
        return len(self._under_way)

    @property
    def price(self) -> Decimal:
        """What they will cost."""
        return sum((e.credits for e in self._under_way.values() if e.credits), Decimal(0))

    def expect(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.images:
                self._uploads.expect(entry)

    def needs(self, entry: Entry) -> bool:
        """Whether it has to be prepared before it can be sent."""
        return bool(entry.images) and entry.hash not in self._bodies

    def begin(self, entry: Entry, spare: Spare | None = None) -> None:
        self._under_way[entry.hash] = entry
        self._start(lambda: self._uploads.prepare(entry, spare))

    def body(self, entry: Entry) -> Mapping[str, Json]:
        """What is to be sent, once."""
        return self._bodies.pop(entry.hash, entry.body)

    def release(self, hash_: str) -> None:
        """Its images are needed no more."""
        self._uploads.release(hash_)

    def handle(self, message: Prepared) -> Next:
        """What an upload comes to."""
        entry = self._under_way.pop(message.hash)
        self._desk.keep_uploads(message.uploads)
        if isinstance(message.body, Unread):
            return self._after_failure(entry, message.body)
        self._bodies[entry.hash] = message.body
        self._tries.pop(entry.hash, None)
        self._full_since.pop(entry.hash, None)
        return Next(ready=True)

    def _after_failure(self, entry: Entry, unread: Unread) -> Next:
        """An upload is free: it is tried again unless the gateway says that it never will do."""
        if unread.denied or unread.status == _NO_CREDITS:
            self._desk.halt(Stop("refused", f"{unread.message} ({unread.code})"))
            return Next()
        if unread.code == FULL:
            found = self._make_room(entry, unread)
            if found is not None:
                return found
        attempt = self._desk.ledger.record(entry.hash).attempts + 1
        if is_final(unread):
            refused = events.Refused(entry.hash, attempt, unread.code, unread.message)
            return Next(events=(refused,))
        tries = self._tries[entry.hash] = self._tries.get(entry.hash, 0) + 1
        if tries < self._desk.policy.download_tries:
            return self._again(unread, tries)
        why = f"{unread.message} ({unread.code})"
        self._desk.listener.note(
            f"{entry.address}: an image could not be uploaded, it stays planned: {why}"
        )
        left = events.NotTaken(entry.hash, attempt, unread.code, unread.message)
        return Next(events=(left,))

    def _make_room(self, entry: Entry, unread: Unread) -> Next | None:
        """Delete an upload of ours, forgotten first: a journal must not name what is gone."""
        spare = self._uploads.spare()
        if spare is not None:
            self._desk.forget_upload(spare.sha256)
            if self._desk.stop is None:
                self.begin(entry, spare)
            return Next()
        now = self._desk.clock.monotonic()
        since = self._full_since.setdefault(entry.hash, now)
        waits = self._uploads.held and now - since < PATIENCE
        return self._again(unread, 5) if waits else None

    def _again(self, unread: Unread, tries: int) -> Next:
        wait = backoff.wait(tries, self._chance, unread.retry_after)
        why = f"waits {wait:.0f} s: {unread.message} ({unread.code})"
        return Next(wait=wait, why=why)


def is_final(unread: Unread) -> bool:
    """Whether another try could not end otherwise: the image is wrong, not the moment or place."""
    if unread.code in _PASSING:
        return False
    return unread.code in _FINAL or unread.status in _OF_THE_IMAGE
