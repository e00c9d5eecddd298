"""What requests come to, counted as they come, so that no plan has to be kept for its sums."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Self

from veogen.planner.plan import Request


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
        found = tuple(requests)
        alike = Counter([(r.body["model"], r.videos, r.seconds, r.credits) for r in found])
        tally = cls()
        for (model, videos, seconds, credits_), count in alike.items():
            tally.add_alike(
                count,
                model=str(model),
                videos=videos,
                seconds=seconds or 0,
                credits_=credits_ or Decimal(0),
            )
        tally.unpriced = next((r.address for r in found if r.credits is None), None)
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
        return None if self.unpriced else sum(self.credits.values(), Decimal(0))
