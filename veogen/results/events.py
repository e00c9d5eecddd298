"""What can happen to a request: the vocabulary of the journal, and its JSON form.

Every event names its request by hash. Times are Unix seconds of this machine's clock.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from sys import intern
from typing import Any, TypeAlias, get_args

from veogen.document.compact import compact
from veogen.results.shared import amount
from veogen.results.videos import Video

Status: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Intended:
    """About to be sent: `body` is the exact JSON text, `estimate` what it may cost."""

    hash: str
    attempt: int
    key: str
    body: str
    estimate: Decimal | None
    at: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it, under a task id; `credits` is what it reserved, if it said so."""

    hash: str
    attempt: int
    task_id: str
    credits: Decimal | None
    at: float
    estimated_seconds: float | None = None
    replayed: bool = False
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Surely not accepted: nothing was bought, the same attempt can be made again."""

    hash: str
    attempt: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused for good: nothing was bought, and nothing would be by sending it again."""

    hash: str
    attempt: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may or may not have been accepted: held until somebody decides."""

    hash: str
    attempt: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Made:
    """The task is completed and billed; `links` live for 24 hours from about `at`."""

    hash: str
    task_id: str
    links: tuple[str, ...]
    credits: Decimal | None
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The task ended failed or cancelled; the gateway returns what it reserved."""

    hash: str
    task_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """One video of a task is whole on disk; `index` counts from 0 in the order of the links."""

    hash: str
    index: int
    video: Video


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Made and billed, but not on disk, and why."""

    hash: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A delivered video is no longer on disk: somebody deleted it."""

    hash: str
    index: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivered video has a new path, because its request was renamed."""

    hash: str
    index: int
    path: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """Somebody decided that this task is the request's."""

    hash: str
    task_id: str
    credits: Decimal | None
    at: float


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Somebody decided to wait no longer; what it may have cost stays counted."""

    hash: str
    message: str


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A purchase that another machine made, as the committed results say."""

    hash: str
    status: Status
    task_id: str | None
    attempts: int
    credits: Decimal | None
    error_code: str | None
    error_message: str | None
    videos: tuple[Video, ...]
    estimate: Decimal | None
    at: float


@dataclass(frozen=True, slots=True)
class Progressed:
    """The task goes on; told to whoever watches, never kept."""

    hash: str
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


_TYPED: Mapping[str, Callable[[Any], Any]] = {
    "credits": amount,
    "estimate": amount,
    "links": tuple,
    "video": Video.from_json,
    "videos": lambda videos: tuple(map(Video.from_json, videos)),
}
"""How a field is read whose value is not as JSON has it."""

_READING: Mapping[str, tuple[type[Event], Sequence[tuple[str, Callable[[Any], Any]]]]] = {
    kind.__name__: (kind, [(f.name, _TYPED[f.name]) for f in fields(kind) if f.name in _TYPED])
    for kind in get_args(Event)
}


def to_json(event: Event) -> str:
    """The event as one line of JSON, its kind under `event`; decimals are strings."""
    data = {"event": type(event).__name__}
    data.update((f.name, _plain(getattr(event, f.name))) for f in fields(event))
    return compact(data)


def from_json(text: str) -> Event:
    """The event that `to_json` wrote; raises `ValueError` for anything else."""
    return event_of(json.loads(text), text)


def parsed(texts: Sequence[str]) -> Sequence[Any]:
    """The JSON of each text: many of them read at once take half the time."""
    try:
        found = json.loads(f"[{','.join(texts)}]")
    except ValueError:
        found = ()
    return found if len(found) == len(texts) else list(map(json.loads, texts))


def event_of(data: Any, text: str) -> Event:
    """The event that was written as `text`, whose JSON is `data`; raises `ValueError`."""
    try:
        kind, typed = _READING[data.pop("event")]
        data["hash"] = intern(data["hash"])
        for name, read in typed:
            data[name] = read(data[name])
        return kind(**data)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not an event: {text[:200]}") from error


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return str(value)
        case Video():
            return value.to_json()
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value
