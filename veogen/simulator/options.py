"""What a simulator is told when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from typing import Any

from veogen.catalogue.models import Model, shipped
from veogen.errors import UsageError
from veogen.simulator.faults import Fault

DEFAULT_GENERATION_TIME = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Nothing listens from so many seconds after the start, for so many."""

    since: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The account and its limits; the real gateway publishes no number, so these are ours."""

    concurrency: int = 16
    requests_per_minute: int | None = None
    reads_per_minute: int | None = None
    retry_after: str = "none"
    credits: Decimal = Decimal(1_000_000)
    links_expire: float = 24 * 3600
    files_expire: float = 72 * 3600
    max_files: int = 100
    spread: float = 0.25
    estimated_time: int | None = None
    models: tuple[str, ...] | None = None
    clips: str = "each"
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A task that a simulator before this one had taken, `age` seconds ago."""

    task_id: str
    body: dict[str, Any]
    key: str | None
    age: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`port` 0 is any free one; equal seeds make equal times, seeds of clips and faults.

    `models` are those there are; the account may be allowed fewer.
    `memories` are tasks that it has from the start.
    """

    host: str = "127.0.0.1"
    port: int = 0
    generation_time: float = DEFAULT_GENERATION_TIME
    seed: int = 0
    gateway: Gateway = field(default_factory=Gateway)
    models: Mapping[str, Model] = field(default_factory=shipped)
    faults: tuple[Fault, ...] = ()
    memories: tuple[Memory, ...] = ()

    def __post_init__(self) -> None:
        """Raise `UsageError` for a time that does not pass."""
        if not 0 <= self.generation_time < float("inf"):
            raise UsageError("the generation time is a number of seconds, 0 or more")


def check_installed() -> None:
    """Raise `UsageError` where what the simulator needs is not installed."""
    try:
        for name in ("aiohttp", "anyascii"):
            import_module(name)
    except ImportError:
        message = "the simulator is not installed: pip install 'veogen[simulator]'"
        raise UsageError(message) from None
