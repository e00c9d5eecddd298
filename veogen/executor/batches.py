"""What a run and its workers on a cluster tell each other: batches of requests, and answers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

from veogen.executor.options import RunPolicy
from veogen.executor.transitions import Stop
from veogen.models.model import Model
from veogen.planner.plan import Plan, Request
from veogen.results.manifest import GatewayName

Wish: TypeAlias = Literal["go", "stop", "leave"]
"""What workers are to do: buy; buy no more and bring home; end as after one Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one batch may use of what the run may use at a time, and spend."""

    max_in_flight: int
    submit_rate: float | None = None
    max_credits: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBatch:
    """Requests for one worker; of them `attempts` may be bought, after so many attempts."""

    number: int
    requests: tuple[Request, ...]
    attempts: Mapping[str, int]
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTask:
    """All that is the same in every batch of one run. Nothing in it is secret.

    `read_images` gives the bytes of a request's local images by their path below the project root.
    """

    run: str
    gateway: GatewayName
    base_url: str
    files_url: str
    store_url: str
    plan: Plan
    models: Mapping[str, Model]
    request_timeout: float
    read_images: Callable[[Request], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """A batch as it travels to a worker. The key is not in it: a worker has its own.

    `plan` holds the requests of the batch alone; `topic` names the coordinator, `silence` are the
    seconds after which nothing is bought without a word of it.
    """

    version: str
    topic: str
    number: int
    run: str
    gateway: GatewayName
    base_url: str
    files_url: str
    store_url: str
    plan: Plan
    attempts: Mapping[str, int]
    policy: RunPolicy
    models: Mapping[str, Model]
    images: Mapping[str, bytes]
    request_timeout: float
    silence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """How a batch ended on a worker; `error`: nothing could be begun, and this is why.

    `is_usage`: the mistake is one that a command of this machine would have ended with 2 for.
    """

    worker: str
    name: str
    stop: Stop | None = None
    error: str | None = None
    is_usage: bool = False


@dataclass(frozen=True, slots=True)
class BatchEvents:
    """What happened on a worker since the last such message, as JSON: it moves the bar alone."""

    number: int
    events: Sequence[str] = ()
    notes: Sequence[str] = ()
    in_flight: int = 0
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """A batch is over; without a result the cluster has given it up, which `lost` tells of.

    `crash` is what a worker has raised: a bug.
    """

    number: int
    result: BatchResult | None = None
    lost: str = ""
    crash: BaseException | None = None


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """The threads of each worker by its address, or why the cluster cannot be asked."""

    threads: Mapping[str, int]
    lost: str | None = None


ClusterMessage: TypeAlias = BatchEvents | BatchEnded | ClusterSeen


class Cluster(Protocol):
    """Workers that carry batches out; a scheduler of its own hands them around."""

    def listen(self, topic: str, post: Callable[[ClusterMessage], None]) -> None:
        """Have all that comes of a coordinator's batches posted, in any thread."""
        ...

    def look(self, topic: str, wish: Wish) -> ClusterSeen:
        """Tell workers that the coordinator lives and what it wants; who they are."""
        ...

    def submit(self, job: BatchJob, avoid: Collection[str]) -> None:
        """Have a batch carried out by any worker but those at these addresses."""
        ...

    def forget(self, topic: str) -> None:
        """The coordinator is done: what it asked for is dropped, its workers hear it."""
        ...


class WorkerLink(Protocol):
    """A worker's way to its coordinator; nothing here waits for an answer."""

    @property
    def wish(self) -> Wish:
        """What the worker is to do now; silence is a wish to stop."""
        ...

    def send(self, message: BatchEvents) -> None:
        """Tell the coordinator what happened."""
        ...
