"""The keys of a project's own model and price files, and their types."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from veogen.catalogue.parameters import Kind


def _not_negative(value: str | float) -> str | float:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise PydanticCustomError("amount", "is an amount such as 6.336")
    return value


_Amount = Annotated[str | int | float, AfterValidator(_not_negative)]
_Json = str | int | float | bool
_Values = _Json | list[_Json]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _ParameterKeys(_Keys):
    type: Kind
    description: str = ""
    source: str = "project"
    required: bool = False
    enum: list[_Json] | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    max_bytes: int | None = None
    default: _Json | None = None
    unit: str | None = None


class _BoundsKeys(_Keys):
    min: int = 0
    max: int | None = None


class _RuleKeys(_Keys):
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"
    source: str = "project"
    when: dict[str, _Values]
    images: _BoundsKeys | None = None
    fixes: dict[str, _Json] = Field(default_factory=dict)
    refuses: list[str] = Field(default_factory=list)
    ignores: list[str] = Field(default_factory=list)
    about: str | None = None


class _MultiplierKeys(_Keys):
    when: dict[str, _Json]
    times: _Amount


class PriceKeys(_Keys):
    """What a request costs."""

    date: str
    source: str = "project"
    credits_per_usd: _Amount
    rule: Literal["per_second", "per_call"]
    credits: _Amount
    minimum: _Amount = 0
    multipliers: list[_MultiplierKeys] = Field(default_factory=list)


class ModelKeys(_Keys):
    """A model, or what it has that the one it is like has not."""

    id: Annotated[str, Field(min_length=1)]
    like: str | None = None
    title: str | None = None
    checked: str = "by the project"
    parameters: dict[str, _ParameterKeys] = Field(default_factory=dict)
    rules: list[_RuleKeys] = Field(default_factory=list)
    prices: PriceKeys | None = None
