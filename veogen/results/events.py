"""What can happen to a request: the vocabulary of the journal, and its JSON form.

Every event names its request by hash. Times are Unix seconds of this machine's clock.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct, json

from veogen.results.amounts import refuse_endless
from veogen.results.statuses import Status
from veogen.results.videos import Video


class _OfRequest(Struct, frozen=True, tag_field="event", tag=True, forbid_unknown_fields=True):
    """What has happened to the request of this hash; its JSON says which event it is."""

    hash: str


class Intended(_OfRequest, frozen=True):
    """About to be sent: `body` is the exact JSON text, `estimate` what it may cost."""

    attempt: int
    key: str
    body: str
    estimate: Decimal | None
    at: float

    def __post_init__(self) -> None:
        refuse_endless(self.estimate)


class Accepted(_OfRequest, frozen=True):
    """The gateway has it, under a task id; `credits` is what it reserved, if it said so."""

    attempt: int
    task_id: str
    credits: Decimal | None
    at: float
    estimated_seconds: float | None = None
    replayed: bool = False
    request_id: str | None = None

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class NotTaken(_OfRequest, frozen=True):
    """Surely not accepted: nothing was bought, the same attempt can be made again."""

    attempt: int
    code: str
    message: str


class Refused(_OfRequest, frozen=True):
    """Refused for good: nothing was bought, and nothing would be by sending it again."""

    attempt: int
    code: str
    message: str


class Unclear(_OfRequest, frozen=True):
    """It may or may not have been accepted: held until somebody decides."""

    attempt: int
    code: str
    message: str


class Made(_OfRequest, frozen=True):
    """The task is completed and billed; `links` live for 24 hours from about `at`."""

    task_id: str
    links: tuple[str, ...]
    credits: Decimal | None
    at: float

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class Ended(_OfRequest, frozen=True):
    """The task ended failed or cancelled; the gateway returns what it reserved."""

    task_id: str
    code: str
    message: str


class Delivered(_OfRequest, frozen=True):
    """One video of a task is whole on disk; `index` counts from 0 in the order of the links."""

    index: int
    video: Video


class Undelivered(_OfRequest, frozen=True):
    """Made and billed, but not on disk, and why."""

    code: str
    message: str


class Missing(_OfRequest, frozen=True):
    """A delivered video is no longer on disk: somebody deleted it."""

    index: int


class Moved(_OfRequest, frozen=True):
    """A delivered video has a new path, because its request was renamed."""

    index: int
    path: str


class Adopted(_OfRequest, frozen=True):
    """Somebody decided that this task is the request's."""

    task_id: str
    credits: Decimal | None
    at: float

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class Abandoned(_OfRequest, frozen=True):
    """Somebody decided to wait no longer; what it may have cost stays counted."""

    message: str


class TakenIn(_OfRequest, frozen=True):
    """A purchase that another machine made, as the committed results say."""

    status: Status
    task_id: str | None
    attempts: int
    credits: Decimal | None
    error_code: str | None
    error_message: str | None
    videos: tuple[Video, ...]
    estimate: Decimal | None
    at: float

    def __post_init__(self) -> None:
        refuse_endless(self.credits)
        refuse_endless(self.estimate)


class Progressed(_OfRequest, frozen=True):
    """The task goes on; told to whoever watches, never kept."""

    task_id: str
    state: str
    percent: int | None


Event: TypeAlias = (
    Intended
    | Accepted
    | NotTaken
    | Refused
    | Unclear
    | Made
    | Ended
    | Delivered
    | Undelivered
    | Missing
    | Moved
    | Adopted
    | Abandoned
    | TakenIn
    | Progressed
)


_encode = json.Encoder().encode
_decode: Callable[[str], Event] = json.Decoder(Event).decode


def to_json(event: Event) -> str:
    """The event as one line of JSON, its kind under `event`; decimals are strings."""
    return _encode(event).decode()


def from_json(text: str) -> Event:
    """The event that `to_json` wrote; raises `ValueError` for anything else."""
    try:
        return _decode(text)
    except ValueError as error:
        raise ValueError(f"not an event ({error}): {text[:200]}") from None
