"""What is known of a request: facts, each of one attempt. Two accounts are merged by union.

Facts only grow. Of two values of one fact (an amount, a reason) always the same one counts, so
that merging is associative, commutative and idempotent: whoever learns what in which order, all
come to the same. Where a request stands is computed from its facts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from veogen.results.events import Status, Video, is_numbered, numbered

TEMPORARY = frozenset(
    {
        "generation_timeout",
        "service_error",
        "service_unavailable",
        "resource_exhausted",
        "quota_exceeded",
    }
)
"""Reasons for which a task failed that may have passed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request is not completed."""

    code: str
    message: str


REPORTED = "reported"
"""The name of a sending of which only a results manifest tells: whose it was is not known."""

_NO_VIDEOS: Mapping[int, Video] = {}
_NOT_HERE: Mapping[int, int] = {}
NOWHERE = frozenset[int]()
_T = TypeVar("_T")

UNFINISHED = Failure("unfinished", "it was about to be sent when veogen stopped")
"""Why an attempt is in doubt of which no answer is on record."""

ABANDONED = "abandoned"
"""The code of what a person has given up."""

FEWER_VIDEOS = "fewer-videos"
"""The warning of a video of a task that listed fewer of them than were asked for."""


class AttemptFacts(Struct, gc=False):  # no circles: there are many of them
    """What is known of one attempt; changed in place only by who has made it, or a copy.

    `sent` are the sendings that were about to be made, each by a name that no other has, and
    `not_sent` those of them by which surely nothing was bought. `estimate` is what it may cost,
    `unknown` what the answer said that nobody understood, `abandoned` what a person said.
    """

    number: int
    estimate: Decimal | None = None
    sent: tuple[str, ...] = ()
    not_sent: tuple[str, ...] = ()
    refused: Failure | None = None
    unknown: Failure | None = None
    abandoned: str | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether something was sent of which nobody knows what became."""
        return any(name not in self.not_sent for name in self.sent)

    def merge(self, other: "AttemptFacts") -> "AttemptFacts":
        return AttemptFacts(
            self.number,
            _known(max, self.estimate, other.estimate),
            tuple(sorted({*self.sent, *other.sent})),
            tuple(sorted({*self.not_sent, *other.not_sent})),
            _reason(self.refused, other.refused),
            _reason(self.unknown, other.unknown),
            _known(max, self.abandoned, other.abandoned),
        )

    def purchase(self) -> "Purchase | None":
        """What it came to without a task; None where nothing was sent."""
        if self.abandoned is not None:
            error = Failure(ABANDONED, self.abandoned)
            return Purchase(self.number, None, "failed", None, self.estimate, error)
        if self.in_doubt:
            error = self.unknown or UNFINISHED
            return Purchase(self.number, None, "indeterminate", None, self.estimate, error)
        if self.refused is not None:
            return Purchase(self.number, None, "failed", error=self.refused)
        return None


class TaskFacts(Struct, gc=False):  # as above
    """What is known of one task; changed in place only by who has made it, or a copy.

    `attempt` is 0 while it is not known of which attempt it is. `own`: this journal submitted it,
    `end_read`: and has read its end itself. `failed` is that end, `made` that it was completed and
    billed, `undelivered` why its videos are not here. `whole`: somebody has had every video of it
    whole; `here` are those that this journal has seen on this machine, and when their files were
    changed last (nanoseconds; 0: not known); `put_away`: this journal left them to the store.
    `adopted`: a person has said here that it is the attempt's. `least`: there are at least so many
    videos, whatever a look lists: somebody has some of them and lacks another.
    Other times are Unix seconds.
    """

    id: str
    attempt: int = 0
    own: bool = False
    end_read: bool = False
    estimate: Decimal | None = None
    reserved: Decimal | None = None
    charged: Decimal | None = None
    accepted_at: float | None = None
    estimated_seconds: float | None = None
    failed: Failure | None = None
    abandoned: str | None = None
    made: bool = False
    made_at: float | None = None
    links: tuple[str, ...] = ()
    undelivered: Failure | None = None
    videos: Mapping[int, Video] = _NO_VIDEOS
    whole: bool = False
    here: Mapping[int, int] = _NOT_HERE
    put_away: bool = False
    adopted: bool = False
    least: int = 0

    @property
    def away(self) -> frozenset[int]:
        """The videos that are somewhere else, or nowhere any more."""
        here, videos = self.here.keys(), self.videos.keys()
        return NOWHERE if here == videos else frozenset(videos - here)

    @property
    def places(self) -> int:
        """How many videos it has, as far as anybody has seen."""
        return max(len(self.links), self.least)

    @property
    def lacks_some(self) -> bool:
        """Whether videos are known that were not listed to who had all: fewer than asked for."""
        are_fewer = any(FEWER_VIDEOS in video.warnings for video in self.videos.values())
        return are_fewer and len(self.videos) < self.places

    @property
    def status(self) -> Status:
        """Where it stands; what was made cannot have failed since."""
        if self.whole:
            return "completed"
        if self.abandoned is not None:
            return "failed"
        if self.made:
            return "undelivered"
        return "failed" if self.failed is not None else "submitted"

    @property
    def error(self) -> Failure | None:
        """Why it is not completed."""
        status = self.status
        if status == "failed":
            return self.failed if self.abandoned is None else Failure(ABANDONED, self.abandoned)
        return self.undelivered if status == "undelivered" else None

    @property
    def credits(self) -> Decimal | None:
        """What the gateway charged, else what it reserved."""
        return self.reserved if self.charged is None else self.charged

    def merge(self, other: "TaskFacts") -> "TaskFacts":
        return TaskFacts(
            self.id,
            min(self.attempt, other.attempt) or max(self.attempt, other.attempt),
            self.own or other.own,
            self.end_read or other.end_read,
            _known(max, self.estimate, other.estimate),
            _known(max, self.reserved, other.reserved),
            _known(max, self.charged, other.charged),
            _known(min, self.accepted_at, other.accepted_at),
            _known(min, self.estimated_seconds, other.estimated_seconds),
            _reason(self.failed, other.failed),
            _known(max, self.abandoned, other.abandoned),
            self.made or other.made,
            _known(min, self.made_at, other.made_at),
            max(self.links, other.links, key=lambda links: (len(links), links)),
            _reason(self.undelivered, other.undelivered),
            _merged_videos(self.videos, other.videos),
            self.whole or other.whole,
            {**other.here, **self.here} if self.here != other.here else self.here,
            self.put_away or other.put_away,
            self.adopted or other.adopted,
            max(self.least, other.least),
        )

    def purchase(self, estimate: Decimal | None = None) -> "Purchase":
        """What its attempt came to; `estimate` is the attempt's."""
        status = self.status
        return Purchase(
            self.attempt or 1,
            self.id,
            status,
            self.reserved if self.charged is None else self.charged,
            estimate if self.estimate is None else _known(max, self.estimate, estimate),
            None if status in ("completed", "submitted") else self.error,
            self.videos,
            self.own and self.end_read,
        )


class RequestFacts(Struct, frozen=True, gc=False):
    """All that is known of one request: attempts by number, tasks by id, both sorted.

    `least` is a number of attempts that somebody has counted, of which nothing else may be known.
    """

    attempts: tuple[AttemptFacts, ...] = ()
    tasks: tuple[TaskFacts, ...] = ()
    least: int = 0

    def attempt(self, number: int) -> AttemptFacts | None:
        return next((facts for facts in self.attempts if facts.number == number), None)

    def task(self, task_id: str | None) -> TaskFacts | None:
        return next((facts for facts in self.tasks if facts.id == task_id), None)


NOTHING_KNOWN = RequestFacts()


class Purchase(Struct, frozen=True, gc=False):
    """What one attempt came to: a task, or money of which nobody knows whether it moved.

    Two tasks of one attempt are two of these. `credits` is what the gateway named, `estimate` what
    it may cost otherwise. `own`: this journal submitted the task, and has read its end.
    """

    attempt: int
    task_id: str | None
    status: Status
    credits: Decimal | None = None
    estimate: Decimal | None = None
    error: Failure | None = None
    videos: Mapping[int, Video] = _NO_VIDEOS
    own: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether nothing was bought by it."""
        error = self.error
        is_decided = error is not None and error.code == ABANDONED
        return self.status == "failed" and self.task_id is None and not is_decided

    @property
    def counted(self) -> Decimal | None:
        """What it counts for in a budget; None when that is not known."""
        return self.estimate if self.credits is None else self.credits

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self.status in ("submitted", "undelivered", "indeterminate")


class Account(Struct, frozen=True, gc=False):
    """Where a request stands: the attempt that counts, and every other purchase.

    `current` is None where nothing was sent, and may have been refused: then it is no purchase.
    `attempts` is the highest number that was used.
    """

    current: Purchase | None
    others: tuple[Purchase, ...]
    attempts: int

    @property
    def status(self) -> Status:
        return "planned" if self.current is None else self.current.status

    @property
    def purchases(self) -> tuple[Purchase, ...]:
        """Everything that money may have moved for."""
        current, others = self.current, self.others
        if current is None or (current.task_id is None and current.is_refused):
            return others
        return (current, *others) if others else (current,)

    def retries_left(self, retries: int) -> bool:
        """Whether it failed for a passing reason and may be bought again by itself.

        What others say about a task is no ground to buy: it was submitted, and its end read, here.
        Nor is anything bought while something may come of an earlier purchase.
        """
        current = self.current
        return (
            current is not None
            and current.status == "failed"
            and current.own
            and current.error is not None
            and current.error.code in TEMPORARY
            and self.attempts <= retries
            and not any(other.is_open for other in self.others)
        )


def merge(one: RequestFacts, other: RequestFacts) -> RequestFacts:
    """The union of two accounts of one request."""
    if one == other:
        return one
    return RequestFacts(
        _merged(one.attempts, other.attempts, lambda attempt: attempt.number),
        _merged(one.tasks, other.tasks, lambda task: task.id),
        max(one.least, other.least),
    )


def learn(own: RequestFacts, told: RequestFacts) -> RequestFacts:
    """The union of what this journal knows with what others say of a request.

    Of a task that it knows, its own amounts, links and videos stay as they are.
    """
    merged = merge(own, told)
    tasks = []
    for union in merged.tasks:
        task, before, theirs = union, own.task(union.id), told.task(union.id)
        if before is not None and theirs is not None:
            task = copy(union)
            if before.credits is not None:
                task.reserved, task.charged = before.reserved, before.charged
            task.links = before.links
            places = max(before.places, len(theirs.videos))
            task.videos = united_videos(before.videos, theirs.videos, places)
            if len(task.videos) < before.places:  # they have seen fewer links
                task.whole = before.whole
            task.whole = task.whole and not task.lacks_some
        tasks.append(task)
    return RequestFacts(merged.attempts, tuple(tasks), merged.least)


def united_videos(
    own: Mapping[int, Video], others: Mapping[int, Video], places: int
) -> Mapping[int, Video]:
    """Our videos where they are, and those of others that we do not have: a SHA-256 tells.

    Others may have seen the links in another order: whose place is taken goes to a free one, of
    so many as there are.
    """
    videos, have = dict(own), Counter(video.sha256 for video in own.values())
    for index, video in sorted(others.items()):
        if have[video.sha256] > 0:  # of a host whose clips are all alike so many are ours
            have[video.sha256] -= 1
        elif index not in videos:
            videos[index] = video
        elif (free := next((at for at in range(places) if at not in videos), None)) is not None:
            videos[free] = video.at(numbered(video.path, free))
    return videos


def account(facts: RequestFacts) -> Account:
    """What counts: a completed purchase before any other, of several the latest.

    Else the latest attempt that is not known as not sent; of two task ids of one attempt the
    completed one, else the smaller.
    """
    if len(facts.tasks) == 1 == len(facts.attempts):  # as nearly always
        task, attempt = facts.tasks[0], facts.attempts[0]
        if attempt.number == (task.attempt or 1):
            current = task.purchase(attempt.estimate)
            return Account(current, (), max(facts.least, current.attempt))
    estimates = {attempt.number: attempt.estimate for attempt in facts.attempts}
    purchases = [task.purchase(estimates.get(task.attempt or 1)) for task in facts.tasks]
    settled = {purchase.attempt for purchase in purchases}  # a task settles a doubt
    for attempt in facts.attempts:
        doubtful = None if attempt.number in settled else attempt.purchase()
        if doubtful is not None:
            purchases.append(doubtful)
    if not purchases:
        return Account(None, (), facts.least)
    purchases.sort(key=lambda purchase: (purchase.attempt, purchase.task_id or ""))
    current = min(purchases, key=lambda p: (p.status != "completed", -p.attempt, p.task_id or ""))
    others = [p for p in purchases if p is not current and not p.is_refused]
    return Account(current, tuple(others), max(facts.least, purchases[-1].attempt))


def reported(purchases: Iterable[Purchase], least: int = 0) -> RequestFacts:
    """The facts in what somebody else says became of some attempts of one request.

    It may come from a pull request: nothing in it counts as submitted or read here.
    """
    attempts: list[AttemptFacts] = []
    tasks: list[TaskFacts] = []
    for purchase in purchases:
        if purchase.task_id is None:
            attempts.append(_reported_attempt(purchase))
        else:
            tasks.append(_reported_task(purchase, purchase.task_id))
    return RequestFacts(
        _merged(attempts, (), lambda attempt: attempt.number),
        _merged(tasks, (), lambda task: task.id),
        least,
    )


def _reported_attempt(purchase: Purchase) -> AttemptFacts:
    """In `others` no reason stands: what failed there without a task was given up."""
    facts = AttemptFacts(purchase.attempt, purchase.estimate)
    error = purchase.error
    if purchase.status == "indeterminate":
        facts.sent, facts.unknown = (REPORTED,), None if error == UNFINISHED else error
    elif error is None or error.code == ABANDONED:
        facts.abandoned = "" if error is None else error.message
    else:
        facts.refused = error
    return facts


def _reported_task(purchase: Purchase, task_id: str) -> TaskFacts:
    facts = TaskFacts(task_id, purchase.attempt, estimate=purchase.estimate)
    error = purchase.error
    if purchase.status == "completed":
        facts.made = facts.whole = True
        facts.videos, facts.charged = purchase.videos, purchase.credits
        return facts
    facts.reserved = purchase.credits
    if purchase.status == "undelivered":
        facts.made, facts.undelivered, facts.videos = True, error, purchase.videos
        if any(is_numbered(video.path) for video in purchase.videos.values()):
            facts.least = len(purchase.videos) + 1
    elif purchase.status == "failed" and error is not None and error.code == ABANDONED:
        facts.abandoned = error.message
    elif purchase.status == "failed":
        facts.failed = error or Failure("", "")
    return facts


def _merged(one: Iterable[_T], other: Iterable[_T], key: Callable[[_T], Any]) -> tuple[_T, ...]:
    """The union by key, sorted; what both have of one key is merged."""
    merged: dict[Any, Any] = {}
    for facts in (*one, *other):
        before = merged.get(key(facts))
        merged[key(facts)] = facts if before is None else before.merge(facts)
    return tuple([merged[at] for at in sorted(merged)])


def _merged_videos(one: Mapping[int, Video], other: Mapping[int, Video]) -> Mapping[int, Video]:
    """By index; of two accounts of one video the one whose text is smaller."""
    return {
        index: min(
            [videos[index] for videos in (one, other) if index in videos],
            key=lambda video: (video.sha256, video.path, str(video)),
        )
        for index in sorted({*one, *other})
    }


def _known(choose: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    """Which of two values of one kind `choose` takes; of None, which is not known, the other."""
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)


def _reason(one: Failure | None, other: Failure | None) -> Failure | None:
    """Of two reasons the one that buys nothing again: a passing one counts less than others."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=lambda r: (bool(r.code), r.code not in TEMPORARY, r.code, r.message))
