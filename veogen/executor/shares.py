"""How a plan is cut into batches, and what each may use of in-flight, rate and credits."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import ceil

from veogen.executor.batches import Share
from veogen.executor.options import RunPolicy
from veogen.planner.plan import Request

MOST = 50
"""Requests in a batch."""

ROUNDS = 10
"""A batch takes about as long as so many clips, one after the other, at most."""

_ZERO = Decimal(0)
_LEAST = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Cut:
    """The next batch: its requests, and what it may use."""

    requests: tuple[Request, ...]
    share: Share


class BatchCutter:
    """Cuts batches from what waits, so that what is under way together never passes the policy.

    What is left is shared out evenly: a batch is at most a slot's part of what waits, so that all
    end at about the same time (guided self-scheduling, Polychronopoulos and Kuck 1987).
    """

    def __init__(self, policy: RunPolicy) -> None:
        self._policy = policy
        self._waiting: deque[Request] = deque()
        self._shares: dict[int, Share] = {}
        self._spent = _ZERO

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def under_way(self) -> int:
        return len(self._shares)

    @property
    def credits_left(self) -> Decimal | None:
        """What no batch may spend yet."""
        if self._policy.max_credits is None:
            return None
        given = sum((share.max_credits or _ZERO for share in self._shares.values()), _ZERO)
        return self._policy.max_credits - self._spent - given

    def add(self, requests: Iterable[Request]) -> None:
        self._waiting.extend(requests)

    def put_back(self, requests: Sequence[Request]) -> None:
        """These come first again."""
        self._waiting.extendleft(reversed(requests))

    def clear(self) -> None:
        self._waiting.clear()

    def cut(self, number: int, slots: int) -> Cut | None:
        """The next batch for one of `slots`; None where none is free, or no credits are."""
        slots = min(slots, self._policy.max_in_flight)
        free = slots - len(self._shares)
        in_flight = self._policy.max_in_flight - sum(s.max_in_flight for s in self._shares.values())
        if not self._waiting or free <= 0 or in_flight <= 0:
            return None
        # as many as have something to do; a slot without work keeps no share
        free = min(free, in_flight, len(self._waiting))
        at_once = max(1, in_flight // free)
        size = min(MOST, at_once * ROUNDS, max(at_once, ceil(len(self._waiting) / slots)))
        requests = tuple(self._waiting.popleft() for _ in range(min(size, len(self._waiting))))
        credits_ = self.credits_left
        if credits_ is not None:  # an even part, but one that pays for the dearest, if it can
            even = (credits_ / free).quantize(_LEAST, ROUND_DOWN)
            credits_ = min(credits_, max(even, *map(_price, requests)))
        if credits_ is not None and credits_ < _price(requests[0]):
            self.put_back(requests)
            return None
        rate = self._policy.submit_rate
        if rate is not None:
            given = sum(share.submit_rate or 0.0 for share in self._shares.values())
            rate = max(rate - given, rate / 1000) / free
        share = Share(min(at_once, len(requests)), rate, credits_)
        self._shares[number] = share
        return Cut(requests, share)

    def ended(self, number: int, spent: Decimal) -> None:
        """A batch is over, and has cost so much."""
        del self._shares[number]
        self._spent += spent

    def next_passes(self) -> Request | None:
        """The next request, if the ceiling does not cover it, whatever comes back."""
        left = self.credits_left
        if left is None or not self._waiting or self._shares or left >= _price(self._waiting[0]):
            return None
        return self._waiting[0]


def _price(request: Request) -> Decimal:
    return request.credits or _ZERO
