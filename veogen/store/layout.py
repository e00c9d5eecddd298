"""What lies where in a store, and how each kind of record is written: `veogen.store/1`.

    veogen.json                                   the version of this layout
    clips/<sha256>.mp4                            clips, for all runs of the store
    runs/<name>/run.json                          which gateway the run is of
    runs/<name>/claims/<hash>.<attempt>           a process is about to buy an attempt
    runs/<name>/decisions/<hash>.<attempt>.<n>    a person decided about a claim without a task id
    runs/<name>/log/<process>/<n>                 what happened, in batches, one log a process
    runs/<name>/money/<n>                         pieces of the budget, taken and given back
    runs/<name>/closings/<process>                a process that may buy nothing any more
    runs/<name>/checkpoints/<time>-<process>      facts so far, and how far each log was read
    runs/<name>/signs/<process>                   signs of life

All are JSON and created only if absent, but for the clips, and the signs of life, which alone are
written again. Numbers are of a fixed width so that names sort as they count. What cannot be read
is never taken for absent: `UnreadableError` names it, and nothing is bought.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, TypeAlias, TypeVar

from msgspec import Meta, Raw, Struct, json

from veogen.results.events import Event, from_json, refuse_endless, to_json
from veogen.store.objects import StoreError
from veogen.text import plain

FORMAT = "veogen.store/1"
VERSION_NAME = "veogen.json"
RUNS = "runs"
CLIPS = "clips"

LIMIT = 4 << 20
"""Bytes of a record: prompts are of 64 KiB, a batch is cut before it is as long."""

CHECKPOINT_LIMIT = 512 << 20
CLIP_LIMIT = 4 << 30

HASH = r"[0-9a-f]{64}"
_PROCESS = r"[a-z0-9._-]{1,80}"
_RUN = re.compile(r"[a-z0-9][a-z0-9._-]{0,200}")
_CLAIM = re.compile(rf"({HASH})\.([0-9]{{4}})")
_DECISION = re.compile(rf"({HASH})\.([0-9]{{4}})\.([0-9]{{2}})")
_NUMBER = re.compile(r"[0-9]{8}")
_MOST_ATTEMPTS = 9999

_Process: TypeAlias = Annotated[str, Meta(pattern=rf"^{_PROCESS}\Z")]
_Short: TypeAlias = Annotated[str, Meta(max_length=200)]
_Time: TypeAlias = Annotated[float, Meta(ge=0, le=1e12)]
_ClaimName: TypeAlias = Annotated[str, Meta(min_length=69, max_length=69)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=10**8 - 1)]

T = TypeVar("T")


class UnreadableError(StoreError):
    """A record cannot be read, so that nothing may be bought."""


class Version(Struct, frozen=True):
    """The version of the layout; other fields may come."""

    format: str


class RunInfo(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run is: a simulated one is no real one."""

    name: str
    gateway: Literal["evolink", "simulated"]


class AttemptId(NamedTuple):
    """One attempt to buy one request; attempts count from 1."""

    hash: str
    attempt: int

    @property
    def name(self) -> str:
        """The name of its claim, in the folder of claims."""
        return f"{self.hash}.{self.attempt:04}"


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """`owner` is a process that is about to send `body` under `key`; it may cost `credits`."""

    owner: _Process
    key: Annotated[str, Meta(max_length=200)]
    body: str
    address: Annotated[str, Meta(max_length=20_000)]
    credits: Decimal | None
    machine: _Short
    at: _Time

    def __post_init__(self) -> None:
        refuse_endless(self.credits)
        if self.credits is not None and self.credits < 0:
            raise ValueError("a claim costs something")


DecisionKind: TypeAlias = Literal["adopt", "replay", "abandon", "rebuy"]


class StoredDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person decided about an attempt, through this process."""

    decision: DecisionKind
    owner: _Process
    machine: _Short
    at: _Time
    task_id: str | None = None


class Closing(Struct, frozen=True, forbid_unknown_fields=True):
    """A process that buys nothing more: its journal's next one took over, or a person said so."""

    owner: _Process
    machine: _Short
    kind: Literal["next", "closed"]
    at: _Time


class Sign(Struct, frozen=True, forbid_unknown_fields=True):
    """A process lives; what counts is when the store says that this was written."""

    machine: _Short
    at: _Time


class Claimed(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What has to be known of a claim once its request was answered."""

    owner: _Process
    address: str
    credits: Decimal | None

    def __post_init__(self) -> None:
        refuse_endless(self.credits)


class Fact(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event of one attempt. Whoever sent it says of which claim; what was not claimed has none.

    `address` is of a purchase that was made before there was a store, or with another one.
    """

    attempt: Annotated[int, Meta(ge=0, le=_MOST_ATTEMPTS)]
    event: Raw
    claim: Claimed | None = None
    address: str | None = None

    @classmethod
    def of(
        cls,
        event: Event,
        attempt: int,
        *,
        claim: Claimed | None = None,
        address: str | None = None,
    ) -> "Fact":
        return cls(attempt, Raw(to_json(event).encode()), claim, address)

    def read(self) -> Event:
        """The event; raises `ValueError` for anything else."""
        return from_json(bytes(self.event).decode())


class Batch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A record of a log. The first says who writes it, the last that nothing more follows."""

    process: _Process
    machine: _Short
    at: _Time
    facts: tuple[Fact, ...] = ()
    opens: int = 0
    ends: bool = False


class MoneyRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of the budget that a process takes, or below zero gives back, or another for it.

    `taken` is what all records up to this one come to; one of an earlier version does not say it.
    """

    process: _Process
    credits: Decimal
    at: _Time
    by: _Process
    taken: Decimal | None = None

    def __post_init__(self) -> None:
        refuse_endless(self.credits)
        refuse_endless(self.taken)
        if self.taken is not None and self.taken < 0:
            raise ValueError("no more can be given back than was taken")


class Checkpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """Facts, and how far each log was read for them: the number of the next record of each.

    `purchases` has `count` facts, of each attempt an array of them by the name of its claim, below
    the process that claimed it. `facts`, by the process that wrote each, is of earlier versions.
    """

    process: _Process
    at: _Time
    read: dict[_Process, _Count]
    ended: frozenset[_Process]
    machines: dict[_Process, _Short]
    facts: dict[_Process, tuple[Fact, ...]] = {}
    purchases: dict[_Process, dict[_ClaimName, Raw]] = {}
    count: _Count = 0


Facts: TypeAlias = tuple[Fact, ...]


UNCLAIMED = "-"
"""In a checkpoint in the place of a process: what was bought without a claim."""


def encode(record: Struct | Sequence[Struct]) -> bytes:
    """The record as it is written: one line of JSON."""
    return json.encode(record)


def decode(content: bytes | Raw, kind: type[T], name: str) -> T:
    """The record that `encode` wrote; raises `UnreadableError` with its name."""
    try:
        return json.decode(content, type=kind)
    except (ValueError, RecursionError) as error:
        raise unreadable(name, str(error)) from None


def unreadable(name: str, reason: str) -> UnreadableError:
    return UnreadableError(f"{plain(name)}: this record cannot be read: {plain(reason)[:200]}")


def names_run(name: str) -> bool:
    """Whether a run of a store can have this name."""
    return _RUN.fullmatch(name) is not None


class RunNames:
    """The names of the objects of one run."""

    def __init__(self, run: str) -> None:
        if not names_run(run):
            raise ValueError(run)
        self._run = f"{RUNS}/{run}"

    @property
    def info(self) -> str:
        return f"{self._run}/run.json"

    def folder(self, kind: str) -> str:
        return f"{self._run}/{kind}"

    def claim(self, of: AttemptId) -> str:
        return f"{self._run}/claims/{of.name}"

    def decision(self, of: AttemptId, number: int) -> str:
        return f"{self._run}/decisions/{of.name}.{number:02}"

    def batch(self, process: str, number: int) -> str:
        return f"{self._run}/log/{process}/{number:08}"

    def money(self, number: int) -> str:
        return f"{self._run}/money/{number:08}"

    def closing(self, process: str) -> str:
        return f"{self._run}/closings/{process}"

    def sign(self, process: str) -> str:
        return f"{self._run}/signs/{process}"

    def checkpoint(self, process: str, at: float) -> str:
        """The newest comes first: its name begins with what is left of a long time."""
        return f"{self._run}/checkpoints/{10**15 - int(at * 1000):016}-{process}"


def clip(sha256: str) -> str:
    """The name of a clip; raises `ValueError` for what is no SHA-256 in hex."""
    if not re.fullmatch(HASH, sha256):
        raise ValueError(sha256)
    return f"{CLIPS}/{sha256}.mp4"


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def claimed(name: str) -> AttemptId | None:
    """Which attempt a claim's name is of; None for an odd name."""
    match = _CLAIM.fullmatch(_last(name))
    return AttemptId(match[1], int(match[2])) if match else None


def decided(name: str) -> tuple[AttemptId, int] | None:
    """Which attempt a decision's name is of, and its number; None for an odd name."""
    match = _DECISION.fullmatch(_last(name))
    return (AttemptId(match[1], int(match[2])), int(match[3])) if match else None


def numbered(name: str) -> int | None:
    """The number that a name is; None for an odd name."""
    return int(_last(name)) if _NUMBER.fullmatch(_last(name)) else None


def process_of(name: str) -> str | None:
    """The process that a name is; None for an odd name."""
    return _last(name) if re.fullmatch(_PROCESS, _last(name)) else None
