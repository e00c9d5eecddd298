"""What a request is expected to cost, in credits: dated data and exact decimal arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from veogen.catalogue.parameters import Json

_MILLI = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Applies when the request's effective parameters are those of `when`."""

    when: Mapping[str, Json]
    times: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Credits for a second or a call, the least of a request, and where the figures are from."""

    date: str
    source: str
    credits_per_usd: Decimal
    per_second: bool
    credits: Decimal
    minimum: Decimal = Decimal(0)
    multipliers: tuple[Multiplier, ...] = ()

    def estimate(self, effective: Mapping[str, Json]) -> Decimal | None:
        """Credits for a request with its defaults filled in; None where it cannot be told."""
        duration, number = effective.get("duration"), effective.get("n", 1)
        if not isinstance(number, int) or (self.per_second and not isinstance(duration, int)):
            return None
        amount = self.credits * number * self._multiplier(effective)
        if self.per_second and isinstance(duration, int):
            amount *= duration
        try:
            return max(amount, self.minimum).quantize(_MILLI, ROUND_HALF_UP)
        except InvalidOperation:  # more digits than money has
            return None

    def usd(self, credits_: Decimal) -> Decimal:
        """Dollars at the rate of the price's date, not rounded yet."""
        return credits_ / self.credits_per_usd

    def _multiplier(self, effective: Mapping[str, Json]) -> Decimal:
        for multiplier in self.multipliers:
            if all(effective.get(name) == value for name, value in multiplier.when.items()):
                return multiplier.times
        return Decimal(1)
