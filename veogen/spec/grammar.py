"""The keys of a spec file: what may be written where, and of which type.

`veogen schema` prints the same shapes for editors.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from veogen.document.nodes import Map, Seq, Value
from veogen.document.problems import did_you_mean
from veogen.document.schema import (
    AmountType,
    AnyType,
    At,
    Field,
    IntegerType,
    ListOf,
    MapOf,
    ObjectType,
    Schema,
    StringType,
    Violations,
    WordType,
    or_null,
    shown,
    wrong_type,
)
from veogen.models.model import DEFAULT_MODEL, default_catalog
from veogen.spec.params import Params, parameters, value_schema

RESERVED = ("vars", "shot", "take")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_name(text: str) -> bool:
    """Whether a spec, shot or profile can have this name."""
    return _NAME.fullmatch(text) is not None


def _name_rule(text: str) -> tuple[str, str] | None:
    if is_name(text):
        return None
    form = "a-z, 0-9, '.', '_' and '-', not first a mark"
    return "bad-name", f"{text!r} is not a name: {form}"


def identifier_rule(text: str) -> tuple[str, str] | None:
    """What keeps a var, an axis or a column from having this name, as code and message."""
    if text in RESERVED:
        return "reserved-name", f"{text!r} means something else in templates; choose another name"
    if _IDENTIFIER.fullmatch(text) is None:
        form = "letters, digits and '_', not first a digit"
        return "bad-name", f"{text!r} is not a name: {form}"
    return None


def identifiers(taken: Iterable[str] = RESERVED) -> StringType:
    """Names that templates see, less those that are taken."""
    return StringType(identifier_rule, f"^(?!({'|'.join(taken)})$){_IDENTIFIER.pattern}$")


NAME = StringType(_name_rule, f"^{_NAME.pattern}$")


def _promoted_rule(text: str) -> tuple[str, str] | None:
    return None if not text else _name_rule(text)


TEXT = StringType()
_STORE = re.compile(r"(s3|gs|az)://[^/?#@]+(/[^?#]*)?|file://(localhost)?/[^?#]+")


def _store_rule(text: str) -> tuple[str, str] | None:
    """A URL with a key in it is not repeated."""
    if _STORE.fullmatch(text):
        return None
    forms = "s3://bucket/prefix, gs://…, az://… or file:///folder"
    return "store", f"a store is {forms}, without credentials and options"


_STORE_URL = StringType(_store_rule, f"^({_STORE.pattern})$")


@dataclass(frozen=True, slots=True)
class LanguageVersion:
    """The version of the language; true and 1.0 are equal to 1, and none."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if type(value) is not int or value != 1:
            message = f"'veogen' is 1, the version of this language, not {shown(value)}"
            flaws.add(at, "version", message)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"const": 1}


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of an axis: no null, nothing infinite, and a mapping only with an id.

    What is wrong may be its name: one of `words`, misspelt.
    """

    words: tuple[str, ...]

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, Seq):
            wrong_type(value, at, "a list", flaws, self._meant(at))
            return
        if not value:
            message = "an axis without values makes no request; null takes an axis away"
            flaws.add(at, "empty-axis", message)
        for index, item in enumerate(value):  # what cannot stand in an address
            if item is None or (isinstance(item, float) and not math.isfinite(item)):
                text = "null" if item is None else f".{item}".replace(".-", "-.")
                flaws.add((at, index), "axis-value", f"{text} is not a value of an axis")
            elif isinstance(item, Map) and type(item.get("id")) not in (str, int, float):
                message = (
                    "a mapping on an axis needs an 'id', a string or a number, to stand for it"
                )
                flaws.add((at, index), "missing-id", message, hint=self._meant(at))

    def _meant(self, axis: At) -> str | None:
        return None if axis is None else did_you_mean(str(axis[1]), self.words)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        identified = {"required": ["id"], "properties": {"id": {"type": ["string", "number"]}}}
        item = {"not": {"type": "null"}, "if": {"type": "object"}, "then": identified}
        return {"type": "array", "minItems": 1, "items": item}


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: the path of one, or a list of mappings."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if not isinstance(value, str):
            _ROW_LIST.check(value, at, flaws)

    def schema(self, definitions: Schema) -> Schema:
        return {"anyOf": [{"type": "string"}, _ROW_LIST.schema(definitions)]}


_BELOW_MATRIX = ("exclude", "include", "zip", "rows", "rows_key", "sample", "axes")
_OF_A_SHOT = ("prompt", "template", "negative_prompt", "takes", "overrides", "output")


def _misplaced(key: str) -> str | None:
    """Where a key belongs that stands in a spec, a shot, an override or a profile."""
    if key in parameters():
        return "as a request parameter it stands below 'params'"
    return f"it stands below 'matrix': matrix: {{{key}: …}}" if key in _BELOW_MATRIX else None


def _misplaced_outside_a_shot(key: str) -> str | None:
    """As `_misplaced`, of a level above the shots."""
    if key in _OF_A_SHOT:
        return f"it belongs to a shot: shots: [{{name: …, {key}: …}}]"
    return _misplaced(key)


_CONDITION = MapOf(AnyType())
_ROW_LIST = ListOf(_CONDITION, called="a path or a list")
_COMBINATIONS = ListOf(_CONDITION)

_STRING = {"type": "string"}


def _not_both(left: str, right: str, of_right: Mapping[str, Any] = _STRING) -> dict[str, Any]:
    both = {left: _STRING, right: of_right}
    return {"not": {"required": [left, right], "properties": both}}


def _not_beside_params(name: str) -> dict[str, Any]:
    return _not_both(
        name, "params", {"type": "object", "required": [name], "properties": {name: _STRING}}
    )


_ONE_PROMPT = {
    "allOf": [
        _not_both("prompt", "template"),
        _not_beside_params("prompt"),
        _not_beside_params("negative_prompt"),
    ]
}

_TAKES = Field(IntegerType(1), "How many times to buy the same request, on purpose.")
_VARS = Field(MapOf(AnyType(), identifiers()), "Values that templates see by their names.")
_PARAMS = Field(Params(), "Request parameters; a string may be a template.")
_PROMPT = Field(TEXT, "What the clip shows: a Jinja2 template.")
_TEMPLATE_KEY = Field(TEXT, "The prompt's file below templates/, instead of `prompt`.")
_NEGATIVE = Field(TEXT, "What the clip should not show: a Jinja2 template.")
_DESCRIPTION = Field(TEXT, "For people.")

SAMPLE = ObjectType(
    "'sample'",
    "Sample",
    "The combinations with the smallest SHA-256 of `<seed>:<address>`, always the same ones.",
    {
        "count": Field(IntegerType(1), "How many combinations to keep.", required=True),
        "seed": Field(IntegerType(), "Another seed keeps other combinations; default 0."),
    },
)
MATRIX_WORDS = {
    "exclude": Field(
        _COMBINATIONS, "Partial combinations to leave out; a list means any of its values."
    ),
    "include": Field(_COMBINATIONS, "Whole combinations to add; every axis is given."),
    "zip": Field(
        ListOf(ListOf(TEXT, example="zip: [[look, move]]")),
        "Lists of names of axes that advance together, of equal length.",
    ),
    "rows": Field(Rows(), "A .csv, .jsonl or .yaml file, or a list; each row is a combination."),
    "rows_key": Field(
        ListOf(TEXT, alone=True), "The columns that make the address; default `id`, else all."
    ),
    "sample": Field(SAMPLE, "Keep only some combinations."),
}
MATRIX = ObjectType(
    "'matrix'",
    "Matrix",
    "Axes by name, each a list of values; six words are not axes.",
    MATRIX_WORDS,
    others=MapOf(Axis(tuple(MATRIX_WORDS)), identifiers((*MATRIX_WORDS, *RESERVED))),
)
BUDGET = ObjectType(
    "'budget'",
    "Budget",
    "What one run directory may spend, and how many requests a plan may have.",
    {
        "max_credits": Field(AmountType(), "The most credits ever spent."),
        "max_requests": Field(IntegerType(1), "The most requests of a plan."),
    },
)
OVERRIDE = ObjectType(
    "an override",
    "Override",
    "A reviewed exception for the combinations that fit `when`; a later one wins.",
    {
        "when": Field(_CONDITION, "A partial combination.", required=True),
        "takes": _TAKES,
        "vars": _VARS,
        "params": _PARAMS,
        "prompt": _PROMPT,
        "template": _TEMPLATE_KEY,
        "negative_prompt": _NEGATIVE,
    },
    elsewhere=_misplaced,
    told=_ONE_PROMPT,
)
SHOT = ObjectType(
    "a shot",
    "Shot",
    "A prompt, and what to vary in it.",
    {
        "name": Field(NAME, "Unique in the spec.", required=True),
        "description": _DESCRIPTION,
        "prompt": _PROMPT,
        "template": _TEMPLATE_KEY,
        "negative_prompt": _NEGATIVE,
        "vars": _VARS,
        "matrix": Field(MATRIX, "Axes of this shot."),
        "params": _PARAMS,
        "takes": _TAKES,
        "overrides": Field(ListOf(OVERRIDE), "Reviewed exceptions."),
        "output": Field(TEXT, "A template of the path of the clips, without extension."),
    },
    elsewhere=_misplaced,
    told=_ONE_PROMPT,
)
PROFILE = ObjectType(
    "a profile",
    "Profile",
    "What `--profile` lays over the spec and over every shot.",
    {
        "description": _DESCRIPTION,
        "vars": _VARS,
        "params": _PARAMS,
        "promotes": Field(
            StringType(_promoted_rule),
            "Make anew what was picked of this profile's clips; '' is the spec without a profile.",
        ),
        "matrix": Field(MATRIX, "Axes of every shot."),
        "budget": Field(BUDGET, "What may be spent."),
        "shots": Field(ListOf(SHOT), "Shots, laid over those of their name."),
    },
    elsewhere=_misplaced_outside_a_shot,
)
SPEC = ObjectType(
    "a spec",
    "Spec",
    "What to buy, as its author writes it.",
    {
        "veogen": Field(LanguageVersion(), "The version of this language."),
        "name": Field(NAME, "Default: the stem of the file."),
        "description": _DESCRIPTION,
        "extends": Field(
            ListOf(TEXT, alone=True),
            "Paths of the specs that this one is laid over, relative to this file.",
        ),
        "vars": _VARS,
        "params": _PARAMS,
        "matrix": Field(MATRIX, "Axes of every shot."),
        "budget": Field(BUDGET, "What may be spent."),
        "profiles": Field(MapOf(PROFILE, NAME), "Variants of the spec, chosen with --profile."),
        "shots": Field(ListOf(SHOT), "What to make."),
    },
    elsewhere=_misplaced_outside_a_shot,
)
SETTINGS = ObjectType(
    "--set", "Settings", "What --set may set.", {"vars": _VARS, "params": _PARAMS}
)
POLICY = ObjectType(
    "a policy",
    "Policy",
    "The team's policy, in `veogen.yaml` at the project root.",
    {
        "veogen": Field(
            LanguageVersion(), "The version of this language, which may be left out here."
        ),
        "limits": Field(
            ObjectType(
                "'limits'",
                "Limits",
                "The team's ceilings for all specs of one command together.",
                {
                    "max_credits": Field(AmountType(), "The most credits that a run may cost."),
                    "max_requests": Field(IntegerType(1), "The most requests that a run may send."),
                    "models": Field(ListOf(TEXT), "The models that may be used."),
                },
            ),
            "What no spec may raise.",
        ),
        "prices": Field(TEXT, "A file of prices of the team's own."),
        "retired": Field(WordType(("allow",)), "Whether models are bought after their last day."),
        "store": Field(
            _STORE_URL, "The bucket or shared folder in which machines keep a run together."
        ),
    },
)


def json_schema() -> Schema:
    """The JSON Schema (2020-12) of spec files, for editors that complete and check."""
    definitions: Schema = {}
    spec = SPEC.whole_schema(definitions)
    for name in default_catalog()[DEFAULT_MODEL].parameters:
        items = value_schema(parameters()[name])
        axis = {"type": "array", "minItems": 1, "items": items}
        definitions["Matrix"]["properties"][name] = or_null(axis)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A spec of veogen",
        **spec,
        "required": ["veogen"],
        "$defs": definitions,
    }


def schema_text() -> str:
    """The schema as it is printed and written."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
