"""What a run may do, and how patient it is."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Have the gateway tell us below `base`; `models` are those that take such an address."""

    base: str
    models: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The options of a run. Times are seconds; None means no limit, or adaptive.

    `max_credits` bounds what this run newly spends, `budget` all that its directory ever spent.
    """

    max_in_flight: int = 4
    submit_rate: float | None = None
    poll_interval: float | None = None
    task_timeout: float = 1800.0
    task_retries: int = 2
    replay: bool = False
    retry_failed: bool = False
    max_credits: Decimal | None = None
    budget: Decimal | None = None
    silence: float = 60.0
    download_tries: int = 5
    downloads_at_once: int = 8
    callbacks: Callbacks | None = None

    def within(self, *budgets: Decimal | None) -> "Policy":
        """The same, with the tightest budget of all."""
        amounts = [amount for amount in (self.budget, *budgets) if amount is not None]
        return replace(self, budget=min(amounts, default=None))


Only = Literal["new", "changed", "failed"]
