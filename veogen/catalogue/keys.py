"""The keys of a project's own model files, and their types."""

from dataclasses import dataclass
from typing import get_args

from veogen.catalogue.parameters import Kind
from veogen.document.flaws import At, Flaws, wrong_type
from veogen.document.sections import Key, ListOf, MapOf, Section
from veogen.document.shape import Amount, Boolean, Integer, Rate, Schema, Text, Word
from veogen.document.values import Map, Seq, Value


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A value that is neither a mapping nor a list; `listed`: or a list of such."""

    listed: bool = False

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if self.listed and isinstance(value, Seq):
            for index, item in enumerate(value):
                _Scalar().check(item, (at, index), flaws)
        elif value is None or isinstance(value, Map | Seq):
            wrong_type(value, at, "a string, a number, true or false", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": ["string", "number", "boolean", *(["array"] if self.listed else [])]}


def _id(text: str) -> tuple[str, str] | None:
    if text and all("!" <= char <= "~" for char in text):
        return None
    return "value", f"an id is letters, digits and signs without white space, not {text!r}"


_TEXTS = ListOf(Text())
_VALUES = MapOf(_Scalar())

_PARAMETER = Section(
    "a parameter",
    "Parameter",
    "A request parameter of a model.",
    {
        "type": Key(Word(get_args(Kind)), "What its values are.", required=True),
        "description": Key(Text(), "For people."),
        "source": Key(Text(), "Who says so."),
        "required": Key(Boolean(), "Whether every request has it."),
        "enum": Key(ListOf(_Scalar()), "All values that it takes."),
        "minimum": Key(Integer(), "The least value."),
        "maximum": Key(Integer(), "The greatest value."),
        "max_length": Key(Integer(0), "The most characters."),
        "max_items": Key(Integer(0), "The most items."),
        "max_bytes": Key(Integer(0), "The most bytes of an item."),
        "default": Key(_Scalar(), "What the gateway takes when it is left out."),
        "unit": Key(Text(), "What it counts."),
    },
)
_RULE = Section(
    "a rule",
    "Rule",
    "What does not go together.",
    {
        "code": Key(Text(), "Its stable name.", required=True),
        "message": Key(Text(), "What it says.", required=True),
        "severity": Key(Word(("error", "warning")), "How bad it is."),
        "source": Key(Text(), "Who says so."),
        "when": Key(MapOf(_Scalar(listed=True)), "The parameters it is for.", required=True),
        "images": Key(
            Section(
                "'images'",
                "Bounds",
                "How many images there may be.",
                {"min": Key(Integer(0), "At least."), "max": Key(Integer(0), "At most.")},
            ),
            "How many images there may be.",
        ),
        "fixes": Key(_VALUES, "The only values that parameters may have."),
        "refuses": Key(_TEXTS, "Parameters that may not be written."),
        "ignores": Key(_TEXTS, "Parameters that are not taken."),
        "about": Key(Text(), "The parameter that it is about."),
    },
)
_DERIVED = Section(
    "'derived'",
    "Derived",
    "What a parameter that is left out is taken as.",
    {
        "parameter": Key(Text(), "Its name.", required=True),
        "by_images": Key(ListOf(_Scalar()), "By the number of images, from 0.", required=True),
        "source": Key(Text(), "Who says so."),
    },
)
_MULTIPLIER = Section(
    "a multiplier",
    "Multiplier",
    "What else a price is multiplied by.",
    {
        "when": Key(_VALUES, "The parameters that it holds for.", required=True),
        "times": Key(Amount(), "The factor.", required=True),
    },
)
_PRICE = Section(
    "'prices'",
    "Price",
    "What a request costs.",
    {
        "date": Key(Text(), "When it was agreed.", required=True),
        "source": Key(Text(), "Who says so."),
        "credits_per_usd": Key(Rate(), "What a dollar is worth.", required=True),
        "rule": Key(Word(("per_second", "per_call")), "What one pays for.", required=True),
        "credits": Key(Amount(), "The price of a second or a call.", required=True),
        "minimum": Key(Amount(), "The least price of a request."),
        "multipliers": Key(ListOf(_MULTIPLIER), "The first that fits counts."),
    },
)
MODEL = Section(
    "a model",
    "Model",
    "A model, or what it has that the one it is like has not.",
    {
        "id": Key(Text(_id), "What the gateway calls it.", required=True),
        "like": Key(Text(), "The model that it has everything else from."),
        "title": Key(Text(), "What people call it."),
        "checked": Key(Text(), "When it was compared with the gateway's pages."),
        "parameters": Key(MapOf(_PARAMETER), "What it takes."),
        "rules": Key(ListOf(_RULE), "What does not go together."),
        "derived": Key(_DERIVED, "What the gateway takes by the number of images."),
        "prices": Key(_PRICE, "What it costs."),
    },
)
