"""What can happen to a request: the vocabulary of the journal, and its JSON form.

Every event names its request by hash. Times are Unix seconds of this machine's clock.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, json
from msgspec.structs import replace


def refuse_endless(amount: Decimal | None) -> None:
    """Raise `ValueError` unless the amount is unknown or a finite number."""
    if amount is not None and not amount.is_finite():
        raise ValueError("an amount is a finite number")


Status: TypeAlias = Literal[
    "planned", "submitted", "completed", "failed", "indeterminate", "undelivered"
]

STATUSES: tuple[Status, ...] = (
    "planned",
    "submitted",
    "completed",
    "failed",
    "indeterminate",
    "undelivered",
)


def status_of(value: object) -> Status:
    """The status that was written down; raises `ValueError` for anything else."""
    for status in STATUSES:
        if status == value:
            return status
    raise ValueError(f"{value!r} is not a status")


_Count: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
_Number: TypeAlias = Annotated[float, Meta(ge=0, le=10**15)]


class Video(Struct, frozen=True, forbid_unknown_fields=True):
    """A video below the run directory: SHA-256 in hex, seconds, pixels, frames a second."""

    path: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    bytes: _Count
    duration: _Number
    width: _Count
    height: _Count
    fps: _Number
    audio: bool
    warnings: tuple[str, ...]

    def __post_init__(self) -> None:
        if not is_video_path(self.path):
            raise ValueError(f"{self.path!r} is no path of a video")

    def at(self, path: str) -> "Video":
        return replace(self, path=path)


def is_video_path(path: str) -> bool:
    """Whether a path stays below `videos/`: a manifest is input and may not point elsewhere."""
    if _PLAIN_PATH.fullmatch(path):
        return True
    first, *parts = path.split("/")
    return (
        first == "videos"
        and bool(parts)
        and _NO_NAMES.isdisjoint(parts)
        and path.isprintable()
        and "\\" not in path
        and (length := len(path.encode())) <= _LONGEST_PATH
        and (length <= _LONGEST_NAME or all(len(p.encode()) <= _LONGEST_NAME for p in parts))
    )


def by_index(videos: Iterable[Video], hash_: str) -> dict[int, Video]:
    """Videos by their place among those of a task, as their names tell it.

    Of several some may be missing, so the place in the list does not say.
    """
    found: dict[int, Video] = {}
    for place, video in enumerate(videos):
        named = _NUMBERED.search(video.path)
        is_own = named is not None and named[1] == hash_[:10]
        found[int(named[2]) - 1 if named and is_own else place] = video
    return found


def numbered(path: str, index: int) -> str:
    """The path of a clip of several, at another place among them (from 0)."""
    return _PLACE.sub(rf"\g<1>-{index + 1}.mp4", path)


def is_numbered(path: str) -> bool:
    """Whether a path is that of a clip of several."""
    return _NUMBERED.search(path) is not None


_PLACE = re.compile(r"(-[0-9a-f]{10})(?:-[1-9]\d?)?\.mp4$", re.ASCII)
_NUMBERED = re.compile(r"-([0-9a-f]{10})-([1-9]\d?)\.mp4$", re.ASCII)
_PLAIN_PATH = re.compile(r"videos(?:/[0-9A-Za-z_-][0-9A-Za-z_.-]{0,200}){1,8}")  # as most are
_LONGEST_NAME = 255  # bytes that a disk takes
_LONGEST_PATH = 2048
_NO_NAMES = frozenset({"", ".", ".."})


class OtherPurchase(Struct, frozen=True, forbid_unknown_fields=True):
    """A purchase of a request beside the one that counts, as a results manifest tells of it.

    Without a task it is in doubt, or was given up (`failed`).
    """

    attempt: int
    task_id: str | None
    status: Status
    credits: Decimal | None
    videos: tuple[Video, ...]

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class _OfRequest(Struct, frozen=True, tag_field="event", forbid_unknown_fields=True):
    """What has happened to the request of this hash; its JSON says which event it is.

    The tags are those of the first version: they stand in journals. What a later version says
    beside is unset where an earlier one did not: it meant the task, or attempt, that it was about.
    """

    hash: str


class SubmitIntended(_OfRequest, frozen=True, tag="Intended"):
    """About to be sent: `body` is the exact JSON text, `estimate` what it may cost."""

    attempt: int
    key: str
    body: str
    estimate: Decimal | None
    at: float

    def __post_init__(self) -> None:
        refuse_endless(self.estimate)


class TaskCreated(_OfRequest, frozen=True, tag="Accepted"):
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


class SubmitFailed(_OfRequest, frozen=True, tag="NotTaken"):
    """Surely not accepted: nothing was bought, the same attempt can be made again.

    `sent_at` is the time of the intent that it is about; unset: every one of this attempt so far.
    `resend`: whoever wrote this is about to send it again.
    """

    attempt: int
    code: str
    message: str
    sent_at: float | UnsetType = UNSET
    resend: bool | UnsetType = UNSET


class SubmitRejected(_OfRequest, frozen=True, tag="Refused"):
    """Refused for good: nothing was bought, and nothing would be by sending it again."""

    attempt: int
    code: str
    message: str
    sent_at: float | UnsetType = UNSET


class SubmitUnknown(_OfRequest, frozen=True, tag="Unclear"):
    """It may or may not have been accepted: held until somebody decides."""

    attempt: int
    code: str
    message: str


class TaskCompleted(_OfRequest, frozen=True, tag="Made"):
    """The task is completed and billed; `links` live for 24 hours from about `at`."""

    task_id: str
    links: tuple[str, ...]
    credits: Decimal | None
    at: float

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class TaskFailed(_OfRequest, frozen=True, tag="Ended"):
    """The task ended failed or cancelled; the gateway returns what it reserved."""

    task_id: str
    code: str
    message: str


class VideoSaved(_OfRequest, frozen=True, tag="Delivered"):
    """One video of a task is whole on disk; `index` counts from 0 in the order of the links.

    `mtime` is when its file was changed last, in nanoseconds.
    """

    index: int
    video: Video
    task_id: str | UnsetType = UNSET
    mtime: int | UnsetType = UNSET


class VideoNotSaved(_OfRequest, frozen=True, tag="Undelivered"):
    """Made and billed, but not on disk, and why."""

    code: str
    message: str
    task_id: str | UnsetType = UNSET


class VideoMissing(_OfRequest, frozen=True, tag="Missing"):
    """A delivered video is no longer on disk: somebody deleted it, or it was `put_away`.

    What was put away is in the store, and comes home only when that is asked for.
    """

    index: int
    task_id: str | UnsetType = UNSET
    put_away: bool | UnsetType = UNSET


class VideoMoved(_OfRequest, frozen=True, tag="Moved"):
    """A delivered video has a new path, because its request was renamed."""

    index: int
    path: str
    task_id: str | UnsetType = UNSET


class TaskAdopted(_OfRequest, frozen=True, tag="Adopted"):
    """Somebody decided that this task is the request's."""

    task_id: str
    credits: Decimal | None
    at: float
    attempt: int | UnsetType = UNSET

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class RequestAbandoned(_OfRequest, frozen=True, tag="Abandoned"):
    """Somebody decided to wait no longer; what it may have cost stays counted."""

    message: str
    attempt: int | UnsetType = UNSET
    task_id: str | UnsetType = UNSET


class PurchaseImported(_OfRequest, frozen=True, tag="TakenIn"):
    """What another machine has bought, as the committed results say; `attempts` counts to it.

    A store knows more: the tasks whose claim stands in it are `claimed`, those of which a person
    has said so are `adopted`, and of the attempts that are `not_sent` nothing was bought.
    """

    status: Status
    task_id: str | None
    attempts: int
    credits: Decimal | None
    error_code: str | None
    error_message: str | None
    videos: tuple[Video, ...]
    estimate: Decimal | None
    at: float
    others: tuple[OtherPurchase, ...] | UnsetType = UNSET
    claimed: tuple[str, ...] | UnsetType = UNSET
    not_sent: tuple[int, ...] | UnsetType = UNSET
    adopted: tuple[str, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        refuse_endless(self.credits)
        refuse_endless(self.estimate)


class TaskProgressed(_OfRequest, frozen=True, tag="Progressed"):
    """The task goes on; told to whoever watches, never kept."""

    task_id: str
    state: str
    percent: int | None


Event: TypeAlias = (
    SubmitIntended
    | TaskCreated
    | SubmitFailed
    | SubmitRejected
    | SubmitUnknown
    | TaskCompleted
    | TaskFailed
    | VideoSaved
    | VideoNotSaved
    | VideoMissing
    | VideoMoved
    | TaskAdopted
    | RequestAbandoned
    | PurchaseImported
    | TaskProgressed
)


def tag_of(event: Event) -> str:
    """The word that journals have for its kind."""
    return str(type(event).__struct_config__.tag)


_TIMES = (1.0, 1e15)
"""Between these JSON and Python write a float alike: the shortest that is read as the same."""


def moment_text(at: float) -> str:
    """As `repr`, which takes ten times as long for what a clock says."""
    return _encode(at).decode() if _TIMES[0] <= at < _TIMES[1] else repr(at)


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
