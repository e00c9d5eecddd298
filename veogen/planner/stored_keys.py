"""The keys of locks and plan files."""

from typing import Annotated, Any, Literal

from pydantic import Field

from veogen.spec.file import Amount, BudgetKeys, Keys, Name, Whole

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ImageKeys(Keys):
    """An image of a request, by its bytes."""

    noun = "an image"

    path: str
    sha256: Hash
    bytes: Annotated[int, Field(ge=0)]


class RequestKeys(Keys):
    """One request, as `plan` and a lock write it."""

    noun = "a request of a plan"

    address: str
    hash: Hash
    shot: Name
    take: Whole
    variables: dict[str, Any]
    output: str
    credits: Amount | None
    state: str | None = None
    request: dict[str, Any]
    images: list[ImageKeys]


class TotalsKeys(Keys):
    """The sums that a reviewer reads first."""

    noun = "'totals'"

    requests: int
    videos: int
    seconds: int
    credits: Amount | None
    usd: Amount | None
    to_buy: Amount | None = None


class RateKeys(Keys):
    """Where a price is from."""

    noun = "a price of a lock"

    date: str
    source: str
    credits_per_usd: Amount


class PlanKeys(Keys):
    """A plan file, or with `set`, `budget` and `prices` a lock."""

    noun = "a plan"

    format: Literal["veogen.plan/1"]
    name: Name
    spec: str
    profile: Name | None
    set: list[str] | None = None
    budget: BudgetKeys | None = None
    prices: dict[str, RateKeys | None] | None = None
    totals: TotalsKeys
    requests: list[RequestKeys]
