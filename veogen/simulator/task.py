"""Tasks: what was asked for, when it begins and ends, and how it looks from outside."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from veogen.models.model import Model
from veogen.models.prices import RulePrice
from veogen.simulator.video import EncodedClip

_SECONDS, _LONGEST = 8, 60
_MOST = 16


def seconds_of(settled: Mapping[str, Any]) -> int:
    return _whole(settled.get("duration"), _LONGEST, _SECONDS)


def number_of(settled: Mapping[str, Any]) -> int:
    return _whole(settled.get("n"), _MOST, 1)


def has_audio(model: Model, settled: Mapping[str, Any]) -> bool:
    """As its model says; where it does not, unless the request says no."""
    audio = model.audio
    if audio is None:
        return settled.get("generate_audio") is not False
    return settled.get(audio.by) in (True, "on") if audio.word == "by" else audio.word == "always"


def _whole(value: Any, most: int, default: int) -> int:
    return value if type(value) is int and 1 <= value <= most else default


State: TypeAlias = Literal["pending", "processing", "completed", "failed", "cancelled"]
TERMINAL = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """Why a task ended without a clip; `cancelled` is an end of its own."""

    code: str
    message: str
    cancelled: bool = False
    charged: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class SimulatedTask:
    """One task; `takes` is how long it should be worked on, `finished` when it ended.

    Credits are `reserved` when it is made, and `charge` is what it costs in the end; it tells of
    `unit`s of them, so many to a credit.

    What happens to it by chance hangs on its `name`, which is the same from run to run.
    """

    id: str
    name: str
    created: float
    model: Model
    body: dict[str, Any]
    settled: dict[str, Any]
    body_hash: str
    reserved: Decimal
    charge: Decimal
    unit: int
    seed: int
    takes: float
    key: str | None = None
    failure: TaskFailure | None = None
    clips: tuple[EncodedClip, ...] = ()
    started: float | None = None
    finished: float | None = None
    polls: int = 0
    downloads: int = 0
    stuck: bool = False

    @property
    def prompt(self) -> str:
        return str(self.body.get("prompt", ""))

    @property
    def state(self) -> State:
        if self.finished is None:
            return "pending" if self.started is None else "processing"
        if self.failure is None:
            return "completed"
        return "cancelled" if self.failure.cancelled else "failed"

    @property
    def charged(self) -> bool:
        """Whether its end costs what it reserved: failed tasks are not billed, unless told so."""
        return self.finished is not None and (self.failure is None or self.failure.charged)

    def delete_clips(self) -> None:
        for clip in self.clips:
            clip.path.unlink(missing_ok=True)

    def progress(self, now: float) -> int:
        """Percent done; 100 only when it is completed."""
        if self.state == "completed":
            return 100
        if self.started is None:
            return 0
        return max(0, min(99, int(100 * (now - self.started) / max(self.takes, 0.001))))


def task_json(task: SimulatedTask, now: float, links: list[str], estimate: int) -> dict[str, Any]:
    """A task as submit, poll and callback show it."""
    state, price = task.state, task.model.price
    if isinstance(price, RulePrice):
        rule = "per_token" if price.settlement == "actual_usage" else "per_second"
    else:
        rule = "per_second" if price and price.per_second else "per_call"
    usage: dict[str, Any] = {
        "billing_rule": rule,
        "credits_reserved": float(task.reserved * task.unit),
        "user_group": "default",
    }
    data: dict[str, Any] = {
        "created": int(task.created),
        "id": task.id,
        "model": task.model.id,
        "object": "video.generation.task",
        "progress": task.progress(now),
        "status": state,
        "type": "video",
        "task_info": {
            "can_cancel": state not in TERMINAL,
            "estimated_time": estimate,
            "video_duration": seconds_of(task.settled),
        },
        "usage": usage,
    }
    if task.finished is not None:
        data["duration"] = round(task.finished - task.created, 3)
        usage["credits_used"] = float(task.charge * task.unit) if task.charged else 0.0
    if state == "completed":
        data["results"] = links
    elif task.failure and state in TERMINAL:
        failure = task.failure
        error = {"code": failure.code, "message": failure.message, "type": "task_error"}
        data["error"] = {**error, **failure.details}
    return data


def summary(task: SimulatedTask, now: float) -> dict[str, Any]:
    """A task as the list shows it: no links and no prompt."""
    return {
        "id": task.id,
        "status": task.state,
        "model": task.model.id,
        "type": "video",
        "progress": task.progress(now),
        "created_at": int(task.created),
        "credits_used": float(task.charge * task.unit) if task.charged else 0.0,
        "has_results": task.state == "completed",
        "has_error": task.failure is not None and task.state in TERMINAL,
    }


def bill(task: SimulatedTask) -> dict[str, Any]:
    """A task as the audit shows it."""
    return {
        "task_id": task.id,
        "idempotency_key": task.key,
        "body_sha256": task.body_hash,
        "model": task.model.id,
        "prompt": task.prompt,
        "credits": str(task.charge if task.charged else task.reserved),
        "status": task.state,
        "charged": task.charged,
        "in_flight": task.state not in TERMINAL,
        "polls": task.polls,
        "downloads": task.downloads,
    }


_EVERY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told where to go, not to listen


def address(host: str, port: int) -> str:
    """Where a client reaches who listens on `host`."""
    reached = _EVERY.get(host, host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"


class Links:
    """Makes and checks result links; `port` is known once the media host listens."""

    def __init__(self, host: str, lifetime: float, seed: int) -> None:
        self.port = 0
        self._host = host
        self._lifetime = lifetime
        self._secret = f"simulator {seed}".encode()

    def base(self, host: str | None = None) -> str:
        """The media host as a client that reaches us at `host` reaches it."""
        return address(host or self._host, self.port)

    def path(self, url: Any) -> str | None:
        """The path of `url` on the media host; None if it leads elsewhere, or is no URL."""
        try:
            parts = urlsplit(url) if isinstance(url, str) else None
            ours = parts and parts.hostname and parts.port == self.port
        except ValueError:
            return None
        return parts.path if parts and ours else None

    def of(self, task: SimulatedTask, host: str | None = None) -> list[str]:
        """One link a clip of a finished task."""
        numbers = range(1, len(task.clips) + 1)
        return [
            f"{self.base(host)}/videos/{task.id}/{number}.mp4"
            f"?expires={int(self.expires(task))}&signature={self.signature(task.id, number)}"
            for number in numbers
        ]

    def expires(self, task: SimulatedTask) -> float:
        return (task.finished or task.created) + self._lifetime

    def signature(self, task_id: str, number: int) -> str:
        text = f"{task_id}/{number}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]
