"""A plan: all requests of a spec, in order, with their price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from veogen.catalogue.parameters import Json
from veogen.document.problems import Problem
from veogen.document.values import Place
from veogen.spec.model import Limits

NO_CREDITS = Decimal("0.000")


class Image(NamedTuple):
    """A local image of a request: its path below the root, SHA-256 (hex) and size in bytes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One concrete API call. `body` is the JSON to send, a local image as `file:<path>`."""

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Json]
    output: str
    body: Mapping[str, Json]
    images: tuple[Image, ...] = ()
    credits: Decimal | None
    seconds: int | None
    place: Place

    @property
    def videos(self) -> int:
        """How many videos it makes."""
        n = self.body.get("n", 1)
        return n if isinstance(n, int) else 1

    @property
    def paths(self) -> tuple[str, ...]:
        """Where its videos go, below the run directory."""
        return video_paths(self.output, self.hash, self.videos)


def video_paths(output: str, hash_: str, videos: int) -> tuple[str, ...]:
    """`videos/<output>-<first 10 of hash>.mp4`, `-1` to `-N` before `.mp4` for several videos."""
    stem = f"videos/{output}-{hash_[:10]}"
    if videos == 1:
        return (f"{stem}.mp4",)
    return tuple(f"{stem}-{index}.mp4" for index in range(1, videos + 1))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over requests; credits and usd are None when a price is unknown."""

    requests: int
    videos: int
    seconds: int
    credits: Decimal | None
    usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All requests of a spec, in order; `spec` is its path below the project root."""

    name: str
    spec: str
    profile: str | None
    settings: tuple[str, ...] = ()
    requests: tuple[Request, ...]
    budget: Limits
    warnings: tuple[Problem, ...] = ()


def total_credits(requests: Iterable[Request]) -> Decimal | None:
    """The sum of the estimates, with three places; None when one of them is unknown."""
    total = NO_CREDITS
    for request in requests:
        if request.credits is None:
            return None
        total += request.credits
    return total
