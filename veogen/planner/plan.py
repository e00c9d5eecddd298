"""A plan: all requests of a spec, in order, with their price."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, Self, TypeAlias

from veogen.document.nodes import Location
from veogen.document.problems import Problem
from veogen.jsontext import compact
from veogen.models.model import Model
from veogen.models.parameters import Json
from veogen.spec.types import Limits
from veogen.text import counted, rounded_credits

NO_CREDITS = Decimal("0.000")
NOWHERE = Location("", 0, 0)


class Image(NamedTuple):
    """A local image of a request: its path below the root, SHA-256 (hex) and size in bytes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One concrete API call. `body` is the JSON to send, a local image as `file:<path>`.

    One that a run directory tells of has no `seconds` and no `place` in a spec. `promotes` are the
    picked clips that it makes anew, as picks name them.
    """

    address: str
    hash: str
    shot: str
    take: int
    variables: Mapping[str, Json]
    output: str
    body: Mapping[str, Json]
    images: tuple[Image, ...] = ()
    credits: Decimal | None
    seconds: int | None = None
    promotes: tuple[str, ...] = ()
    place: Location = NOWHERE

    def __repr__(self) -> str:
        return f"<Request {self.address}: {credits_text(self.credits)}>"

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def prompt(self) -> str:
        """The rendered prompt."""
        return str(self.body.get("prompt", ""))

    @property
    def videos(self) -> int:
        """How many videos it makes."""
        n = self.body.get("n", 1)
        return n if isinstance(n, int) else 1

    @property
    def paths(self) -> tuple[str, ...]:
        """Where its videos go, below the run directory."""
        return video_paths(self.output, self.hash, self.videos)

    def path(self, index: int, of: int) -> str:
        """Where video `index` (from 0) of `of` goes, below the run directory.

        There may be more than `of`, of which those before it are not known.
        """
        return video_paths(self.output, self.hash, max(self.videos, of, index + 1))[index]


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

    def __repr__(self) -> str:
        return f"<Plan {self._title}>"

    def _repr_html_(self) -> str:
        """A table of its requests, for a notebook."""
        from veogen.notebook import html_table  # noqa: PLC0415 - for notebooks alone

        header = ("address", "model", "seconds", "credits", "prompt")
        rows = ((r.address, r.model, r.seconds, r.credits, r.prompt) for r in self.requests)
        return html_table(self._title, header, rows)

    @property
    def _title(self) -> str:
        profile = f", profile {self.profile}" if self.profile else ""
        size = counted(len(self.requests), "request")
        return f"{self.name}{profile}: {size}, {credits_text(self.credits)}"

    @property
    def tally(self) -> "Tally":
        """Sums over its requests."""
        return Tally.of(self.requests)

    @property
    def credits(self) -> Decimal | None:
        """The price of all requests; None when one of them is unknown."""
        return total_credits(self.requests)


def credits_text(amount: Decimal | None) -> str:
    """An amount as it is said."""
    return "price unknown" if amount is None else f"{rounded_credits(amount)} credits"


def total_credits(requests: Iterable[Request]) -> Decimal | None:
    """The sum of the estimates; None when one of them is unknown."""
    total = NO_CREDITS
    for request in requests:
        if request.credits is None:
            return None
        total += request.credits
    return rounded_credits(total)


def known_credits(amounts: Iterable[Decimal | None]) -> Decimal:
    """The sum of the amounts; an unknown one counts zero."""
    total = sum((amount for amount in amounts if amount is not None), Decimal(0))
    return rounded_credits(total) if total else total


class Tally:
    """Sums over requests. Credits are kept by model; `unpriced` is the first unknown price."""

    def __init__(self) -> None:
        self.requests = 0
        self.videos = 0
        self.seconds = 0
        self.unpriced: str | None = None
        self.credits: dict[str, Decimal] = {}

    @classmethod
    def of(cls, requests: Iterable[Request]) -> Self:
        every = tuple(requests)
        alike = Counter([(r.body["model"], r.videos, r.seconds, r.credits) for r in every])
        tally = cls()
        for (model, videos, seconds, credits_), count in alike.items():
            tally.add_alike(
                count,
                model=str(model),
                videos=videos,
                seconds=seconds or 0,
                credits_=credits_ or Decimal(0),
            )
        tally.unpriced = next((r.address for r in every if r.credits is None), None)
        return tally

    def add(self, request: Request) -> None:
        if request.credits is None:
            self.unpriced = self.unpriced or request.address
        self.add_alike(
            1,
            model=str(request.body["model"]),
            videos=request.videos,
            seconds=request.seconds or 0,
            credits_=request.credits or Decimal(0),
        )

    def add_alike(
        self, count: int, *, model: str, videos: int, seconds: int, credits_: Decimal
    ) -> None:
        """Count requests that make and cost the same."""
        self.requests += count
        self.videos += count * videos
        self.seconds += count * seconds
        self.credits[model] = self.credits.get(model, Decimal(0)) + count * credits_

    def take_in(self, other: "Tally") -> None:
        """Count what `other` has counted."""
        self.requests += other.requests
        self.videos += other.videos
        self.seconds += other.seconds
        self.unpriced = self.unpriced or other.unpriced
        for model, amount in other.credits.items():
            self.credits[model] = self.credits.get(model, Decimal(0)) + amount

    @property
    def total(self) -> Decimal | None:
        """The credits of all, None when the price of one is unknown."""
        total = sum(self.credits.values(), Decimal(0))
        return None if self.unpriced else rounded_credits(total)


FORMAT = "veogen.plan/1"

StateOf: TypeAlias = Callable[[Request], str]


CENT = Decimal("0.01")


MADE_ANEW = "each is made anew from the same words; nothing of a picked clip goes into it"
"""What is to be known of the requests of a profile that promotes."""


def plan_data(
    plan: Plan, totals: Totals, state_of: StateOf, to_buy: Decimal | None
) -> dict[str, Any]:
    """The plan as `veogen.plan/1`, the JSON that `plan --format json` prints."""
    return {
        "format": FORMAT,
        "name": plan.name,
        "spec": plan.spec,
        "profile": plan.profile,
        "totals": {**totals_data(totals), "to_buy": _amount(to_buy)},
        "requests": [request_data(request, state_of(request)) for request in plan.requests],
    }


def request_data(request: Request, state: str | None = None) -> dict[str, Any]:
    """One request; without a state as a lock keeps it."""
    data: dict[str, Any] = {
        "address": request.address,
        "hash": request.hash,
        "shot": request.shot,
        "take": request.take,
        "variables": dict(request.variables),
        "output": request.output,
        "credits": _amount(request.credits),
    }
    if state is not None:
        data["state"] = state
    data["request"] = dict(request.body)
    data["images"] = [
        {"path": image.path, "sha256": image.sha256, "bytes": image.bytes}
        for image in request.images
    ]
    if request.promotes:
        data["from"] = list(request.promotes)
    return data


def request_line(request: Request, state: str) -> str:
    """One request as a line of JSON, without its line end."""
    return compact(request_data(request, state))


def totals_data(totals: Totals) -> dict[str, Any]:
    return {
        "requests": totals.requests,
        "videos": totals.videos,
        "seconds": totals.seconds,
        "credits": _amount(totals.credits),
        "usd": _amount(totals.usd),
    }


def totals_of(requests: Iterable[Request], models: Mapping[str, Model]) -> Totals:
    """Sums over requests; what is unknown of one is unknown of all."""
    every = tuple(requests)
    total = total_credits(every)
    amounts = ((str(request.body["model"]), request.credits or Decimal(0)) for request in every)
    return Totals(
        requests=len(every),
        videos=sum(request.videos for request in every),
        seconds=sum(request.seconds or 0 for request in every),
        credits=total,
        usd=None if total is None else dollars(amounts, models),
    )


def dollars(amounts: Iterable[tuple[str, Decimal]], models: Mapping[str, Model]) -> Decimal | None:
    """What credits spent on models come to, each at its own rate; rounded once, at the end."""
    by_model: dict[str, Decimal] = {}
    for model, amount in amounts:
        by_model[model] = by_model.get(model, Decimal(0)) + amount
    total = Decimal(0)
    for name, amount in by_model.items():
        price = models[name].price
        if price is None:
            return None
        total += price.usd(amount)
    return total.quantize(CENT, ROUND_HALF_UP)


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
