"""How far a run is: its requests counted as they change, and when it will have ended."""

from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, TypeAlias

from veogen.executor.state import RunProgress
from veogen.results.advice import duration_text
from veogen.results.events import Event, TaskCompleted, TaskCreated, TaskFailed, VideoNotSaved
from veogen.results.record import Record
from veogen.text import columns, credits_text, plain, shortened

Stage: TypeAlias = Literal["waiting", "going", "done", "failed", "held", "lost"]

_REMEMBERED = 200
_OVERDUE = 0.1


class RunCounts:
    """Counts the requests that a run is about. What is bought again by itself has not failed."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._stages: dict[str, Stage] = {}
        self._by_stage: Counter[Stage] = Counter()
        self._since: dict[str, float] = {}
        self._estimates: dict[str, float] = {}
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._watched: set[str] = set()

    def start(self, counted: Collection[str], view: RunProgress) -> None:
        """Begin with where every request stands already."""
        for hash_ in counted:
            record = view.ledger.record(hash_)
            self._put(hash_, self._stage(record))
            if record.status == "submitted":
                self._follow(record)

    def apply(self, event: Event, record: Record) -> None:
        """Count what has happened, and learn how long tasks take."""
        match event:
            case TaskCreated(hash=hash_):
                self._follow(record)
                self._watched.add(hash_)
            case TaskCompleted(hash=hash_, at=at):
                since = self._since.pop(hash_, None)
                if since is not None and hash_ in self._watched:  # else it may have ended long ago
                    self._took.append(max(0.0, at - since))
            case TaskFailed(hash=hash_):
                self._since.pop(hash_, None)
            case _:
                pass
        if event.hash in self._stages:
            lost = isinstance(event, VideoNotSaved)
            self._put(event.hash, "lost" if lost else self._stage(record))

    def end(self, view: RunProgress) -> None:
        """Count what would be bought again as failed: the run has ended before."""
        for hash_ in self._stages:
            if view.ledger.record(hash_).status == "failed":
                self._put(hash_, "failed")

    def count(self, stage: Stage) -> int:
        return self._by_stage[stage]

    @property
    def total(self) -> int:
        return len(self._stages)

    def is_retried(self, record: Record) -> bool:
        """Whether a failed request is bought again without anybody's doing."""
        return record.retries_left(self._retries)

    def seconds_left(self, now: float, in_flight: int) -> float | None:
        """When the run will have ended, as far as the tasks seen so far can tell."""
        estimates = (seconds for key, seconds in self._estimates.items() if key in self._since)
        durations = self._took or list(estimates)
        if not durations:
            return None
        ages = [now - since for since in self._since.values()]
        return seconds_left(median(durations), ages, self.count("waiting"), in_flight)

    def _stage(self, record: Record) -> Stage:
        match record.status:
            case "planned":
                return "waiting"
            case "submitted" | "undelivered":
                return "going"
            case "completed":
                return "done"
            case "failed":
                return "waiting" if self.is_retried(record) else "failed"
            case "indeterminate":
                return "held"

    def _put(self, hash_: str, stage: Stage) -> None:
        before = self._stages.get(hash_)
        if before is not None:
            self._by_stage[before] -= 1
        self._stages[hash_] = stage
        self._by_stage[stage] += 1

    def _follow(self, record: Record) -> None:
        if record.accepted_at is not None:
            self._since[record.hash] = record.accepted_at
        if record.estimated_seconds is not None:
            self._estimates[record.hash] = record.estimated_seconds


def seconds_left(
    typical: float, ages: Sequence[float], waiting: int, in_flight: int
) -> float | None:
    """The work that is left, shared by as many tasks at a time as there are now."""
    if not ages and not waiting:
        return None
    left = [max(typical - age, _OVERDUE * typical) for age in ages]
    work = sum(left) + waiting * typical
    return max([work / max(in_flight, 1), *left])


_BETWEEN = ", "
_LONGEST_REASON = 48


@dataclass(frozen=True, slots=True)
class StatusPart:
    """A part of the line; the one with the greatest `rank` is left out first."""

    rank: int
    text: str


def status_parts(
    counts: RunCounts, view: RunProgress, now: float, *, ended: bool = False
) -> tuple[StatusPart, ...]:
    """What there is to say beside the count of what is done, in the order of reading."""
    left = None if ended else counts.seconds_left(now, view.in_flight)
    parts = (
        StatusPart(5, "" if ended else _counted(view.in_flight, "in flight")),
        StatusPart(1, _counted(counts.count("failed"), "failed")),
        StatusPart(0, _counted(counts.count("held"), "indeterminate")),
        StatusPart(2, _counted(counts.count("lost"), "undelivered")),
        StatusPart(6, f"{credits_text(view.ledger.reserved)} credits"),
        StatusPart(4, "" if left is None else f"about {duration_text(left)} left"),
        StatusPart(3, "" if ended else shortened(plain(view.waiting or ""), _LONGEST_REASON)),
    )
    return tuple(part for part in parts if part.text)


def fit_parts(parts: tuple[StatusPart, ...], width: int) -> str:
    """As many parts as fit into `width` columns, the most important ones."""
    text = join_parts(parts)
    if not parts or columns(text) <= width:
        return text
    least = max(parts, key=lambda part: part.rank)
    return fit_parts(tuple(part for part in parts if part is not least), width)


def join_parts(parts: tuple[StatusPart, ...]) -> str:
    return _BETWEEN.join(part.text for part in parts)


def _counted(number: int, words: str) -> str:
    return f"{number} {words}" if number else ""
