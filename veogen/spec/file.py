"""The keys of a spec file: what may be written where, and of which type.

`veogen schema` prints the same shapes for editors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veogen.document.flaws import At, Flaws, shown, wrong_type
from veogen.document.problems import did_you_mean
from veogen.document.sections import Key, ListOf, MapOf, Section
from veogen.document.shape import Amount, Anything, Integer, Schema, Text
from veogen.document.values import Map, Seq, Value
from veogen.spec.names import NAME, RESERVED, identifiers
from veogen.spec.params import Params, parameters

TEXT = Text()


@dataclass(frozen=True, slots=True)
class Version:
    """The version of the language; true and 1.0 are equal to 1, and none."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
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

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, Seq):
            wrong_type(value, at, "a list", flaws, self._meant(at))
            return
        if not value:
            message = "an axis without values makes no request; null takes an axis away"
            flaws.add(at, "empty-axis", message)
        for index, item in enumerate(value):
            self._check_item(item, (at, index), at, flaws)

    def _check_item(self, value: Value, at: At, axis: At, flaws: Flaws) -> None:
        """Refuse what cannot stand in an address."""
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            text = "null" if value is None else f".{value}".replace(".-", "-.")
            flaws.add(at, "axis-value", f"{text} is not a value of an axis")
        elif isinstance(value, Map) and not _is_id(value.get("id")):
            message = "a mapping on an axis needs an 'id', a string or a number, to stand for it"
            flaws.add(at, "missing-id", message, hint=self._meant(axis))

    def _meant(self, axis: At) -> str | None:
        return None if axis is None else did_you_mean(str(axis[1]), self.words)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        identified = {"required": ["id"], "properties": {"id": {"type": ["string", "number"]}}}
        item = {"not": {"type": "null"}, "if": {"type": "object"}, "then": identified}
        return {"type": "array", "minItems": 1, "items": item}


def _is_id(value: Value) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: the path of one, or a list of mappings."""

    def check(self, value: Value, at: At, flaws: Flaws) -> None:
        if not isinstance(value, str):
            _ROW_LIST.check(value, at, flaws)

    def schema(self, definitions: Schema) -> Schema:
        return {"anyOf": [{"type": "string"}, _ROW_LIST.schema(definitions)]}


def _misplaced(key: str) -> str | None:
    return "as a request parameter it stands below 'params'" if key in parameters() else None


_CONDITION = MapOf(Anything())
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

_TAKES = Key(Integer(1), "How many times to buy the same request, on purpose.")
_VARS = Key(MapOf(Anything(), identifiers()), "Values that templates see by their names.")
_PARAMS = Key(Params(), "Request parameters; a string may be a template.")
_PROMPT = Key(TEXT, "What the clip shows: a Jinja2 template.")
_TEMPLATE = Key(TEXT, "The prompt's file below templates/, instead of `prompt`.")
_NEGATIVE = Key(TEXT, "What the clip should not show: a Jinja2 template.")
_DESCRIPTION = Key(TEXT, "For people.")

SAMPLE = Section(
    "'sample'",
    "Sample",
    "The combinations with the smallest SHA-256 of `<seed>:<address>`, always the same ones.",
    {
        "count": Key(Integer(1), "How many combinations to keep.", required=True),
        "seed": Key(Integer(), "Another seed keeps other combinations; default 0."),
    },
)
MATRIX_WORDS = {
    "exclude": Key(
        _COMBINATIONS, "Partial combinations to leave out; a list means any of its values."
    ),
    "include": Key(_COMBINATIONS, "Whole combinations to add; every axis is given."),
    "zip": Key(
        ListOf(ListOf(TEXT)), "Lists of names of axes that advance together, of equal length."
    ),
    "rows": Key(Rows(), "A .csv, .jsonl or .yaml file, or a list; each row is a combination."),
    "rows_key": Key(
        ListOf(TEXT, alone=True), "The columns that make the address; default `id`, else all."
    ),
    "sample": Key(SAMPLE, "Keep only some combinations."),
}
MATRIX = Section(
    "'matrix'",
    "Matrix",
    "Axes by name, each a list of values; six words are not axes.",
    MATRIX_WORDS,
    others=MapOf(Axis(tuple(MATRIX_WORDS)), identifiers((*MATRIX_WORDS, *RESERVED))),
)
BUDGET = Section(
    "'budget'",
    "Budget",
    "What one run directory may spend, and how many requests a plan may have.",
    {
        "max_credits": Key(Amount(), "The most credits ever spent."),
        "max_requests": Key(Integer(1), "The most requests of a plan."),
    },
)
OVERRIDE = Section(
    "an override",
    "Override",
    "A reviewed exception for the combinations that fit `when`; a later one wins.",
    {
        "when": Key(_CONDITION, "A partial combination.", required=True),
        "takes": _TAKES,
        "vars": _VARS,
        "params": _PARAMS,
        "prompt": _PROMPT,
        "template": _TEMPLATE,
        "negative_prompt": _NEGATIVE,
    },
    elsewhere=_misplaced,
    told=_ONE_PROMPT,
)
SHOT = Section(
    "a shot",
    "Shot",
    "A prompt, and what to vary in it.",
    {
        "name": Key(NAME, "Unique in the spec.", required=True),
        "description": _DESCRIPTION,
        "prompt": _PROMPT,
        "template": _TEMPLATE,
        "negative_prompt": _NEGATIVE,
        "vars": _VARS,
        "matrix": Key(MATRIX, "Axes of this shot."),
        "params": _PARAMS,
        "takes": _TAKES,
        "overrides": Key(ListOf(OVERRIDE), "Reviewed exceptions."),
        "output": Key(TEXT, "A template of the path of the clips, without extension."),
    },
    elsewhere=_misplaced,
    told=_ONE_PROMPT,
)
PROFILE = Section(
    "a profile",
    "Profile",
    "What `--profile` lays over the spec and over every shot.",
    {
        "description": _DESCRIPTION,
        "vars": _VARS,
        "params": _PARAMS,
        "matrix": Key(MATRIX, "Axes of every shot."),
        "budget": Key(BUDGET, "What may be spent."),
        "shots": Key(ListOf(SHOT), "Shots, laid over those of their name."),
    },
    elsewhere=_misplaced,
)
SPEC = Section(
    "a spec",
    "Spec",
    "What to buy, as its author writes it.",
    {
        "veogen": Key(Version(), "The version of this language."),
        "name": Key(NAME, "Default: the stem of the file."),
        "description": _DESCRIPTION,
        "extends": Key(
            ListOf(TEXT, alone=True),
            "Paths of the specs that this one is laid over, relative to this file.",
        ),
        "vars": _VARS,
        "params": _PARAMS,
        "matrix": Key(MATRIX, "Axes of every shot."),
        "budget": Key(BUDGET, "What may be spent."),
        "profiles": Key(MapOf(PROFILE, NAME), "Variants of the spec, chosen with --profile."),
        "shots": Key(ListOf(SHOT), "What to make."),
    },
    elsewhere=_misplaced,
)
SETTINGS = Section("--set", "Settings", "What --set may set.", {"vars": _VARS, "params": _PARAMS})
POLICY = Section(
    "a policy",
    "Policy",
    "The team's policy, in `veogen.yaml` at the project root.",
    {
        "limits": Key(
            Section(
                "'limits'",
                "Limits",
                "The team's ceilings for all specs of one command together.",
                {
                    "max_credits": Key(Amount(), "The most credits that a run may cost."),
                    "max_requests": Key(Integer(1), "The most requests that a run may send."),
                    "models": Key(ListOf(TEXT), "The models that may be used."),
                },
            ),
            "What no spec may raise.",
        ),
        "prices": Key(TEXT, "A file of prices of the team's own."),
    },
)
