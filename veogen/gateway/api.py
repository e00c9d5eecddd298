"""What the gateway's answers mean to us: one frozen value for each thing that can happen."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A submit was accepted: 2xx with an id. `credits` is what was reserved, when it says so."""

    task_id: str
    credits: Decimal | None = None
    estimated_seconds: float | None = None
    replayed: bool = False
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAccepted:
    """Surely not accepted: send again with the same key.

    `reached` is False when nothing answered (refused, unresolved, connect time-out, TLS). `once`
    marks 500, 502 and 504 in the gateway's own JSON: to be sent again once, then unknown.
    `from_gateway`: the answer was JSON of the gateway, not of somebody on the way.
    """

    code: str
    message: str
    status: int | None = None
    retry_after: float | None = None
    reached: bool = True
    once: bool = False
    from_gateway: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may or may not have been accepted; `message` has what was said, word for word."""

    code: str
    message: str
    status: int | None = None
    from_gateway: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Refused for good; with `stops` no other request of the batch would fare better."""

    code: str
    message: str
    status: int
    stops: bool = False
    from_gateway: bool = field(default=True, compare=False)


Submission: TypeAlias = Accepted | NotAccepted | Unknown | Rejected


class Task(NamedTuple):
    """A task as read; `state` is the gateway's own word, known or not.

    `links` are those of finished files; `credits` what was reserved or, when it ended, charged,
    and `reserved` what was reserved beside that.
    A tuple, since thousands are read again and again.
    """

    id: str
    state: str
    progress: int | None = None
    links: tuple[str, ...] = ()
    credits: Decimal | None = None
    estimated_seconds: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    model: str | None = None
    type: str | None = None
    created: float | None = None
    reserved: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadError:
    """A read (not a submit) that brought nothing usable; it is free to ask again.

    `denied` means 401 or 403; `reached` False that nothing answered; `status` None likewise or
    that the answer could not be understood. `from_gateway`: it was JSON of the gateway.
    """

    code: str
    message: str
    status: int | None = None
    retry_after: float | None = None
    reached: bool = True
    denied: bool = False
    from_gateway: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Credits left to the key (None: unlimited) and to its user, and what both have used."""

    key_remaining: Decimal | None
    key_used: Decimal
    user_remaining: Decimal
    user_used: Decimal

    @property
    def spendable(self) -> Decimal:
        """What can be spent now."""
        if self.key_remaining is None:
            return self.user_remaining
        return min(self.key_remaining, self.user_remaining)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of ours at the gateway; `expires_at` in Unix seconds, when it says so."""

    file_id: str
    url: str
    expires_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many files the account holds and may hold."""

    used: int
    limit: int
    remaining: int


class Gateway(Protocol):
    """The EvoLink API as the executor needs it; no method raises for what the network does."""

    def submit(self, body: bytes, key: str) -> Submission:
        """POST the body byte for byte under an idempotency key, over a fresh connection."""
        ...

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, Task | ReadError]:
        """Read tasks, in batches where the gateway has them; every id asked for is answered."""
        ...

    def recent_tasks(self, model: str) -> tuple[Task, ...] | ReadError:
        """The newest tasks of the account for a model, newest first, without links."""
        ...

    def balance(self) -> Balance | ReadError:
        """The account's credits."""
        ...

    @property
    def reads_at_once(self) -> int:
        """How many tasks one call of `tasks` should ask for."""
        ...

    def models(self) -> frozenset[str] | ReadError:
        """The ids of the models that the key may use."""
        ...

    def upload(self, name: str, content: bytes, mime: str) -> Upload | ReadError:
        """Upload one image."""
        ...

    def quota(self) -> Quota | ReadError:
        """The quota of the file API."""
        ...

    def delete(self, file_id: str) -> ReadError | None:
        """Delete one uploaded file; None when it is gone."""
        ...

    @property
    def simulated(self) -> bool | None:
        """Whether the last answer said that it comes from a simulator; None before any answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDownload:
    """An open download: `start` is the offset of the first byte, `length` of the whole file.

    Iterating `chunks` raises `InterruptedDownload` when the connection breaks or bytes are missing.
    """

    start: int
    length: int | None
    etag: str | None
    content_type: str | None
    chunks: Iterator[bytes]


class InterruptedDownload(Exception):  # noqa: N818 - it says what happened
    """The connection broke before the whole file had come."""


class MediaHost(Protocol):
    """Where clips are downloaded from: another host, which never sees the key."""

    def fetch(
        self, url: str, *, start: int = 0, etag: str | None = None
    ) -> AbstractContextManager[OpenDownload | ReadError]:
        """Open a link, from `start` on if the file still is the one with `etag`."""
        ...
