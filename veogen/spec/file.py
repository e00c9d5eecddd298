"""The keys of a spec file: what may be written where, and of which type.

The JSON Schema of `veogen schema` is made of these models too.
"""

import math
import re
from collections.abc import Callable, Iterable
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
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

_TAKES = "How many times to buy the same request, on purpose."
_VARS = "Values that templates see by their names."
_PARAMS = "Request parameters; a string may be a template."
_PROMPT = "What the clip shows: a Jinja2 template."
_TEMPLATE = "The prompt's file below templates/, instead of `prompt`."
_NEGATIVE = "What the clip should not show: a Jinja2 template."

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


def name_pattern(taken: Iterable[str]) -> str:
    """What a name of a var or an axis looks like to JSON Schema, less those that are taken."""
    return f"^(?!({'|'.join(taken)})$){_IDENTIFIER.pattern}$"


def is_name(text: str) -> bool:
    """Whether a spec, shot or profile can have this name."""
    return _NAME.fullmatch(text) is not None


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        message = "{name} means something else in templates; choose another name"
        raise PydanticCustomError("reserved-name", message, {"name": repr(name)})
    return name


def _axis_value(value: Any) -> Any:
    """Refuse what cannot stand in an address."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        shown = "null" if value is None else f".{value}".replace(".-", "-.")
        raise PydanticCustomError("axis-value", f"{shown} is not a value of an axis")
    if isinstance(value, dict) and not _is_id(value.get("id")):
        message = "a mapping on an axis needs an 'id', a string or a number, to stand for it"
        raise PydanticCustomError("missing-id", message)
    return value


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


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


def _version(value: Any) -> Any:
    if type(value) is not int or value != 1:  # true and 1.0 are equal to 1
        raise PydanticCustomError("version", "not the version of this language")
    return value


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
    Field(json_schema_extra={"pattern": name_pattern(RESERVED)}),
]
Texts = Annotated[
    list[str],
    BeforeValidator(_listed),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
AxisValue = Annotated[
    Any,
    BeforeValidator(_axis_value),
    WithJsonSchema(
        {
            "not": {"type": "null"},
            "if": {"type": "object"},
            "then": {"required": ["id"], "properties": {"id": {"type": ["string", "number"]}}},
        }
    ),
]
Axis = Annotated[list[AxisValue], Field(min_length=1), BeforeValidator(_axis)]
Version = Annotated[Literal[1], BeforeValidator(_version)]
Whole = Annotated[int, Field(ge=1)]
Vars = dict[Identifier, Any]
Params = dict[str, Any]
Condition = dict[str, Any]
Combinations = list[Condition]
Rows = Annotated[
    Annotated[str, Tag("path")] | Annotated[list[dict[str, Any]], Tag("list")],
    Discriminator(lambda value: "path" if isinstance(value, str) else "list"),
]


class Keys(BaseModel):
    """A mapping of a spec; a key that it does not name is a mistake, null takes a key away."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    noun: ClassVar[str]


class SampleKeys(Keys):
    """The combinations with the smallest SHA-256 of `<seed>:<address>`, always the same ones."""

    noun = "'sample'"

    count: Whole = Field(description="How many combinations to keep.")
    seed: int = Field(0, description="Another seed keeps other combinations.")


class MatrixKeys(Keys):
    """Axes by name, each a list of values; six words are not axes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Identifier, Axis | None]

    noun = "'matrix'"

    exclude: Combinations | None = Field(
        None, description="Partial combinations to leave out; a list means any of its values."
    )
    include: Combinations | None = Field(
        None, description="Whole combinations to add; every axis is given."
    )
    zip: list[list[str]] | None = Field(
        None, description="Lists of names of axes that advance together, of equal length."
    )
    rows: Rows | None = Field(
        None, description="A .csv, .jsonl or .yaml file, or a list; each row is a combination."
    )
    rows_key: Texts | None = Field(
        None, description="The columns that make the address; default `id`, else all."
    )
    sample: SampleKeys | None = Field(None, description="Keep only some combinations.")


class BudgetKeys(Keys):
    """What one run directory may spend, and how many requests a plan may have."""

    noun = "'budget'"

    max_credits: Amount | None = Field(None, description="The most credits ever spent.")
    max_requests: Whole | None = Field(None, description="The most requests of a plan.")


class OverrideKeys(Keys):
    """A reviewed exception for the combinations that fit `when`; a later one wins."""

    noun = "an override"

    when: Condition = Field(description="A partial combination.")
    takes: Whole | None = Field(None, description=_TAKES)
    vars: Vars | None = Field(None, description=_VARS)
    params: Params | None = Field(None, description=_PARAMS)
    prompt: str | None = Field(None, description=_PROMPT)
    template: str | None = Field(None, description=_TEMPLATE)
    negative_prompt: str | None = Field(None, description=_NEGATIVE)


class ShotKeys(Keys):
    """A prompt, and what to vary in it."""

    noun = "a shot"

    name: Name = Field(description="Unique in the spec.")
    description: str | None = Field(None, description="For people.")
    prompt: str | None = Field(None, description=_PROMPT)
    template: str | None = Field(None, description=_TEMPLATE)
    negative_prompt: str | None = Field(None, description=_NEGATIVE)
    vars: Vars | None = Field(None, description=_VARS)
    matrix: MatrixKeys | None = Field(None, description="Axes of this shot.")
    params: Params | None = Field(None, description=_PARAMS)
    takes: Whole | None = Field(None, description=_TAKES)
    overrides: list[OverrideKeys] | None = Field(None, description="Reviewed exceptions.")
    output: str | None = Field(
        None, description="A template of the path of the clips, without extension."
    )


class ProfileKeys(Keys):
    """What `--profile` lays over the spec and over every shot."""

    noun = "a profile"

    description: str | None = Field(None, description="For people.")
    vars: Vars | None = Field(None, description=_VARS)
    params: Params | None = Field(None, description=_PARAMS)
    matrix: MatrixKeys | None = Field(None, description="Axes of every shot.")
    budget: BudgetKeys | None = Field(None, description="What may be spent.")
    shots: list[ShotKeys] | None = Field(None, description="Shots, laid over those of their name.")


class SpecKeys(Keys):
    """A spec: what to buy, as its author writes it."""

    noun = "a spec"

    veogen: Version | None = Field(None, description="The version of this language.")
    name: Name | None = Field(None, description="Default: the stem of the file.")
    description: str | None = Field(None, description="For people.")
    extends: Texts | None = Field(
        None, description="Paths of the specs that this one is laid over, relative to this file."
    )
    vars: Vars | None = Field(None, description=_VARS)
    params: Params | None = Field(None, description=_PARAMS)
    matrix: MatrixKeys | None = Field(None, description="Axes of every shot.")
    budget: BudgetKeys | None = Field(None, description="What may be spent.")
    profiles: dict[Name, ProfileKeys | None] | None = Field(
        None, description="Variants of the spec, chosen with --profile."
    )
    shots: list[ShotKeys] | None = Field(None, description="What to make.")


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
