"""The keys of a spec file: what may be written where, and of which type.

The JSON Schema of `veogen schema` is made of these models too.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)
from pydantic_core import PydanticCustomError

RESERVED = ("vars", "shot", "take")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _matching(pattern: re.Pattern[str], code: str, form: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            message = "{text} is not a name: {form}"
            raise PydanticCustomError(code, message, {"text": repr(text), "form": form})
        return text

    return check


def is_name(text: str) -> bool:
    """Whether a spec, shot or profile can have this name."""
    return _NAME.fullmatch(text) is not None


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        message = "{name} means something else in templates; choose another name"
        raise PydanticCustomError("reserved-name", message, {"name": repr(name)})
    return name


def axis_value(value: Any) -> Any:
    """Refuse what cannot stand in an address."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        shown = "null" if value is None else f".{value}".replace(".-", "-.")
        raise PydanticCustomError("axis-value", f"{shown} is not a value of an axis")
    if isinstance(value, dict) and not isinstance(value.get("id"), str | int | float):
        message = "a mapping on an axis needs an 'id', a string or a number, to stand for it"
        raise PydanticCustomError("missing-id", message)
    return value


def _axis(value: Any) -> Any:
    if value == []:
        message = "an axis without values makes no request; null takes an axis away"
        raise PydanticCustomError("empty-axis", message)
    return value


def credits_of(value: Any) -> Decimal | None:
    """A number of credits; None if it is none."""
    try:
        amount = Decimal("nan" if isinstance(value, bool) else str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _amount(value: Any) -> Decimal:
    amount = credits_of(value)
    if amount is None:
        raise PydanticCustomError("amount", "not a number of credits")
    return amount


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Name = Annotated[
    str,
    AfterValidator(_matching(_NAME, "bad-name", "a-z, 0-9, '.', '_' and '-', not first a mark")),
    Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$"}),
]
Identifier = Annotated[
    str,
    AfterValidator(
        _matching(_IDENTIFIER, "bad-name", "letters, digits and '_', not first a digit")
    ),
    AfterValidator(_not_reserved),
    Field(json_schema_extra={"pattern": f"^{_IDENTIFIER.pattern}$"}),
]
Texts = Annotated[list[str], BeforeValidator(_listed)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Axis = Annotated[
    list[Annotated[Any, BeforeValidator(axis_value)]], Field(min_length=1), BeforeValidator(_axis)
]
Whole = Annotated[int, Field(ge=1)]
Vars = dict[Identifier, Any]
Params = dict[str, Any]
Combinations = list[dict[str, Any]]
Rows = Annotated[
    Annotated[str, Tag("path")] | Annotated[list[dict[str, Any]], Tag("list")],
    Discriminator(lambda value: "path" if isinstance(value, str) else "list"),
]


class Keys(BaseModel):
    """A mapping of a spec; a key that it does not name is a mistake, null takes a key away."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    noun: ClassVar[str]


class SampleKeys(Keys):
    """Buy only some of the combinations, always the same ones."""

    noun = "'sample'"

    count: Whole
    seed: int = 0


class MatrixKeys(Keys):
    """Axes by name, each a list of values, and six words that are not axes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Identifier, Axis | None]

    noun = "'matrix'"

    exclude: Combinations | None = None
    include: Combinations | None = None
    zip: list[list[str]] | None = None
    rows: Rows | None = None
    rows_key: Texts | None = None
    sample: SampleKeys | None = None


class BudgetKeys(Keys):
    """What one run directory may spend, and how many requests a plan may have."""

    noun = "'budget'"

    max_credits: Amount | None = None
    max_requests: Whole | None = None


class OverrideKeys(Keys):
    """A reviewed exception for the combinations that fit `when`."""

    noun = "an override"

    when: dict[str, Any]
    takes: Whole | None = None
    vars: Vars | None = None
    params: Params | None = None
    prompt: str | None = None
    template: str | None = None
    negative_prompt: str | None = None


class ShotKeys(Keys):
    """A prompt, and what to vary in it."""

    noun = "a shot"

    name: Name
    description: str | None = None
    prompt: str | None = None
    template: str | None = None
    negative_prompt: str | None = None
    vars: Vars | None = None
    matrix: MatrixKeys | None = None
    params: Params | None = None
    takes: Whole | None = None
    overrides: list[OverrideKeys] | None = None
    output: str | None = None


class ProfileKeys(Keys):
    """What `--profile` lays over the spec and every shot."""

    noun = "a profile"

    description: str | None = None
    vars: Vars | None = None
    params: Params | None = None
    matrix: MatrixKeys | None = None
    budget: BudgetKeys | None = None
    shots: list[ShotKeys] | None = None


class SpecKeys(Keys):
    """A spec: what to buy, as its author writes it."""

    noun = "a spec"

    veogen: Literal[1] | None = None
    name: Name | None = None
    description: str | None = None
    extends: Texts | None = None
    vars: Vars | None = None
    params: Params | None = None
    matrix: MatrixKeys | None = None
    budget: BudgetKeys | None = None
    profiles: dict[Name, ProfileKeys | None] | None = None
    shots: list[ShotKeys] | None = None


class SettingsKeys(Keys):
    """What `--set` may set."""

    noun = "--set"

    vars: Vars | None = None
    params: Params | None = None


class LimitsKeys(Keys):
    """The team's ceilings for all specs of one command together."""

    noun = "'limits'"

    max_credits: Amount | None = None
    max_requests: Whole | None = None
    models: list[str] | None = None


class PolicyKeys(Keys):
    """The team's policy, in `veogen.yaml` at the project root."""

    noun = "a policy"

    limits: LimitsKeys | None = None
    prices: str | None = None
