"""The unit of the amounts that the gateway names: credits, or its own 10,000ths of them.

Which one stands in an answer is documented nowhere, and both have been seen. An
amount out of all proportion to its estimate is told from one in the other unit by that estimate.
"""

from dataclasses import dataclass
from decimal import Decimal

from veogen.models.prices import UNITS_PER_CREDIT
from veogen.text import credits_text, rounded_credits

OUT_OF_PROPORTION = 1_000
_LEAST, _MOST = Decimal("0.5"), Decimal(2)


@dataclass(frozen=True, slots=True)
class ReadAmount:
    """An amount in credits; `note` is what is new about the unit, `wrong` why nothing fits."""

    credits: Decimal
    note: str | None = None
    wrong: str | None = None


class AmountReader:
    """Reads the amounts of one run: once one was in 10,000ths of a credit, all of them are.

    But for one that is plausible as it stands: it is in credits, and would be next to nothing.
    """

    def __init__(self) -> None:
        self._in_units = False

    def read(self, amount: Decimal, estimate: Decimal | None) -> ReadAmount:
        """The amount of a request that was estimated to cost so much, if that is known."""
        in_credits = rounded_credits(amount / UNITS_PER_CREDIT)
        if self._in_units:
            stands = estimate is not None and _is_near(amount, estimate)
            return ReadAmount(amount if stands else in_credits)
        if not estimate or amount < estimate * OUT_OF_PROPORTION:
            return ReadAmount(amount)
        told = f"{credits_text(amount)} for an estimate of {credits_text(estimate)} credits"
        if not _is_near(in_credits, estimate):
            return ReadAmount(amount, wrong=f"the gateway names {told}")
        self._in_units = True
        note = (
            f"the gateway names {told}: its amounts are in 10,000ths of a credit, and every one of "
            "this run is read so"
        )
        return ReadAmount(in_credits, note=note)


def _is_near(amount: Decimal, estimate: Decimal) -> bool:
    return estimate * _LEAST <= amount <= estimate * _MOST
