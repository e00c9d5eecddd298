"""A project's own models, one YAML file each below `models/`, and the grammar of such a file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, get_args

from veogen.document.files import Files
from veogen.document.nodes import Location, Map, Seq, Value, without_nulls
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import read, read_document
from veogen.document.schema import (
    AmountType,
    AnyType,
    At,
    BooleanType,
    Field,
    IntegerType,
    ListOf,
    MapOf,
    NumberType,
    ObjectType,
    RateType,
    Schema,
    StringType,
    Type,
    Violations,
    WordType,
    problems_of,
    wrong_type,
)
from veogen.models.model import Model, ModelsOver, parse_model, shipped
from veogen.models.parameters import Json, Kind, Media, Parameter
from veogen.models.prices import SETTLEMENTS, RulePrice
from veogen.models.rules import COUNTED


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A value that is neither a mapping nor a list; `listed`: or a list of such."""

    listed: bool = False

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        if self.listed and isinstance(value, Seq):
            for index, item in enumerate(value):
                _Scalar().check(item, (at, index), flaws)
        elif value is None or isinstance(value, Map | Seq):
            wrong_type(value, at, "a string, a number, true or false", flaws)

    def schema(self, definitions: Schema) -> Schema:
        del definitions
        return {"type": ["string", "number", "boolean", *(["array"] if self.listed else [])]}


def _like(pattern: str, meant: str) -> StringType:
    """A text of one form; `meant` is what is said of any other, less the text itself."""
    form = re.compile(pattern)
    return StringType(
        lambda text: None if form.fullmatch(text) else ("value", f"{meant}, not {text!r}")
    )


_TEXTS = ListOf(StringType())
_VALUES = MapOf(_Scalar())


_ID = _like("[!-~]+", "an id is letters, digits and signs without white space")
_DATE = _like("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "a date is like 2026-11-22")
_AUDIO = _like("always|never|by [^ ]+", "'audio' is 'always', 'never' or 'by PARAMETER'")
_SIZE = _like("[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", "a size is like 1280x720")


class _Parameters:
    """Parameters within parameters, as deep as they are written."""

    def __init__(self, *, named: bool) -> None:
        self._named = named

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        self._shape().check(value, at, flaws)

    def schema(self, definitions: Schema) -> Schema:
        return self._shape().schema(definitions)

    def _shape(self) -> Type:
        return MapOf(_PARAMETER) if self._named else _PARAMETER


_PARAMETER = ObjectType(
    "a parameter",
    "Parameter",
    "A request parameter of a model.",
    {
        "type": Field(WordType(get_args(Kind)), "What its values are.", required=True),
        "description": Field(StringType(), "For people."),
        "source": Field(StringType(), "Who says so."),
        "required": Field(BooleanType(), "Whether every request has it."),
        "enum": Field(ListOf(_Scalar()), "All values that it takes."),
        "words": Field(ListOf(_Scalar()), "Values beside those of its type and bounds, like auto."),
        "minimum": Field(NumberType(), "The least value."),
        "maximum": Field(NumberType(), "The greatest value."),
        "max_length": Field(IntegerType(0), "The most characters."),
        "utf16": Field(BooleanType(), "Whether characters are counted as UTF-16 has them."),
        "min_items": Field(IntegerType(0), "The fewest items."),
        "max_items": Field(IntegerType(0), "The most items."),
        "max_bytes": Field(IntegerType(0), "The most bytes of an item."),
        "media": Field(WordType(get_args(Media)), "What a uri, or the items of uris, lead to."),
        "types": Field(ListOf(WordType(("jpeg", "png", "webp"))), "The kinds of images taken."),
        "min_side": Field(IntegerType(1), "The fewest pixels of an image's side."),
        "max_side": Field(IntegerType(1), "The most pixels of an image's side."),
        "max_ratio": Field(NumberType(), "How many times as long one side may be."),
        "properties": Field(_Parameters(named=True), "The parameters within an object."),
        "item": Field(_Parameters(named=False), "What the items of a list are."),
        "default": Field(_Scalar(), "What the gateway takes when it is left out."),
        "moving": Field(BooleanType(), "Whether the default was another one before."),
        "unit": Field(StringType(), "What it counts."),
    },
)
_BOUNDS = ObjectType(
    "bounds",
    "Bounds",
    "How many there may be.",
    {"min": Field(IntegerType(0), "At least."), "max": Field(IntegerType(0), "At most.")},
)
_RULE = ObjectType(
    "a rule",
    "Rule",
    "What does not go together.",
    {
        "code": Field(StringType(), "Its stable name.", required=True),
        "message": Field(StringType(), "What it says.", required=True),
        "severity": Field(WordType(("error", "warning")), "How bad it is."),
        "source": Field(StringType(), "Who says so."),
        "when": Field(MapOf(_Scalar(listed=True)), "The parameters it is for.", required=True),
        "images": Field(_BOUNDS, "How many images there may be."),
        "videos": Field(_BOUNDS, "How many videos there may be."),
        "audios": Field(_BOUNDS, "How many sounds there may be."),
        "fixes": Field(_VALUES, "The only values that parameters may have."),
        "refuses": Field(_TEXTS, "Parameters that may not be written."),
        "ignores": Field(_TEXTS, "Parameters that are not taken."),
        "needs": Field(_TEXTS, "Parameters that must be there."),
        "adds_up": Field(MapOf(StringType()), "Parts, and the parameter that is their sum."),
        "about": Field(StringType(), "The parameter that it is about."),
    },
)
_DERIVED = ObjectType(
    "'derived'",
    "Derived",
    "What a parameter that is left out is taken as.",
    {
        "parameter": Field(StringType(), "Its name.", required=True),
        "by_images": Field(ListOf(_Scalar()), "By the number of images, from 0.", required=True),
        "source": Field(StringType(), "Who says so."),
    },
)
_MULTIPLIER = ObjectType(
    "a multiplier",
    "Multiplier",
    "What else a price is multiplied by.",
    {
        "when": Field(_VALUES, "The parameters that it holds for.", required=True),
        "times": Field(AmountType(), "The factor.", required=True),
    },
)
RULES = ("per_second", "per_call", "components")
_PRICE_KEYS = {
    "date": Field(StringType(), "When it was agreed.", required=True),
    "source": Field(StringType(), "Who says so."),
    "lowest": Field(
        BooleanType(), "Whether the source says that it is the lowest price configured."
    ),
    "credits_per_usd": Field(RateType(), "What a dollar is worth.", required=True),
    "rule": Field(
        WordType(("per_second", "per_call", "components")), "What one pays for.", required=True
    ),
}
_PRICE = ObjectType(
    "'prices'",
    "Price",
    "What a request costs.",
    {
        **_PRICE_KEYS,
        "credits": Field(AmountType(), "The price of a second or a call.", required=True),
        "minimum": Field(AmountType(), "The least price of a request."),
        "multipliers": Field(ListOf(_MULTIPLIER), "The first that fits counts."),
    },
)
_RULE_PRICE = ObjectType(
    "'prices'",
    "RulePrice",
    "What a request costs by the gateway's published rules.",
    {
        **_PRICE_KEYS,
        "settlement": Field(WordType(SETTLEMENTS), "What the gateway settles by."),
        "surcharges": Field(ListOf(_MULTIPLIER), "What the total is multiplied by besides."),
        "expects": Field(MapOf(AnyType()), "Measured amounts, as far as they can be told before."),
        "parameters": Field(ListOf(AnyType()), "What enters the rules.", required=True),
        "components": Field(ListOf(AnyType()), "The parts of the sum.", required=True),
    },
)


class _Prices:
    """One of the two forms of a price, by its rule."""

    def check(self, value: Value, at: At, flaws: Violations) -> None:
        published = isinstance(value, Map) and value.get("rule") == "components"
        (_RULE_PRICE if published else _PRICE).check(value, at, flaws)

    def schema(self, definitions: Schema) -> Schema:
        return {"anyOf": [_PRICE.schema(definitions), _RULE_PRICE.schema(definitions)]}


MODEL = ObjectType(
    "a model",
    "Model",
    "A model, or what it has that the one it is like has not.",
    {
        "id": Field(_ID, "What the gateway calls it.", required=True),
        "like": Field(StringType(), "The model that it has everything else from."),
        "title": Field(StringType(), "What people call it."),
        "checked": Field(StringType(), "When it was compared with the gateway's pages."),
        "parameters": Field(MapOf(_PARAMETER), "What it takes."),
        "rules": Field(ListOf(_RULE), "What does not go together."),
        "derived": Field(_DERIVED, "What the gateway takes by the number of images."),
        "prices": Field(_Prices(), "What it costs."),
        "audio": Field(_AUDIO, "Whether clips have sound: always, never, by PARAMETER."),
        "pixels": Field(MapOf(MapOf(_SIZE)), "Sizes of clips, by quality and ratio."),
        "expected_seconds": Field(IntegerType(1), "How long a task takes, about."),
        "retired": Field(
            ObjectType(
                "'retired'",
                "Retired",
                "When a model is not served any more.",
                {
                    "date": Field(_DATE, "The day, in UTC.", required=True),
                    "instead": Field(_ID, "The model to use instead.", required=True),
                },
            ),
            "When it is not served any more, and what is.",
        ),
        "notes": Field(_TEXTS, "What else people should know."),
    },
)


def nonsense(tree: Map, model: Model) -> Iterator[Problem]:
    """What cannot be meant in a model's file whose structure is sound."""
    parameters, prices = tree.get("parameters"), tree.get("prices")
    for name, fields in parameters.items() if isinstance(parameters, Map) else ():
        if isinstance(fields, Map):
            yield from _of_parameter(fields, model.parameters[name])
    conditionals = list(_maps(tree.get("rules")))
    if isinstance(prices, Map):
        conditionals += [*_maps(prices.get("multipliers")), *_maps(prices.get("surcharges"))]
    for conditional in conditionals:
        yield from _of_conditions(conditional.get("when"), model)
    if isinstance(prices, Map) and isinstance(model.price, RulePrice):
        try:
            expects = model.price.rules.expects
        except ValueError as error:  # rules that cannot be read
            yield _problem(prices.value_place("components"), str(error))
            return
        for name in sorted({name for each in expects.values() for name in each.variables}):
            if name not in model.parameters:
                yield _unknown(name, model, prices.value_place("expects"))


def _of_conditions(when: Value, model: Model) -> Iterator[Problem]:
    """A misspelt condition would never hold."""
    if not isinstance(when, Map):
        return
    for name, value in when.items():
        parameter = _inner(model.parameters, name)
        if parameter is None and name not in COUNTED:
            yield _unknown(name, model, when.key_place(name))
        for item in value if isinstance(value, Seq) else [value]:
            if parameter is not None and not isinstance(item, Map | Seq):
                yield from _unfit(parameter, item, when.value_place(name))


def _unknown(name: str, model: Model, place: Location) -> Problem:
    hint = did_you_mean(name, model.parameters)
    return _problem(place, f"{name!r} is not a parameter of it", hint)


def _of_parameter(fields: Map, parameter: Parameter) -> Iterator[Problem]:
    free = replace(parameter, enum=None)
    enum = fields.get("enum")
    if isinstance(enum, Seq):
        for index, value in enumerate(parameter.enum or ()):
            yield from _unfit(free, value, enum.value_place(index))
    if parameter.default is not None:
        yield from _unfit(parameter, parameter.default, fields.value_place("default"))
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and low > high:
        message = f"'maximum' is {high}, less than the 'minimum' {low}"
        yield _problem(fields.value_place("maximum"), message)


def _inner(parameters: Mapping[str, Parameter], name: str) -> Parameter | None:
    """The parameter of a name, `outer.inner` for one within another."""
    outer, _, inner = name.partition(".")
    parameter = parameters.get(outer)
    return _inner(parameter.properties, inner) if inner and parameter else parameter


def _unfit(parameter: Parameter, value: Json, place: Location) -> Iterator[Problem]:
    wrong = parameter.check(value)
    if wrong is not None:
        yield _problem(place, f"{parameter.name} {wrong}")


def _problem(place: Location, message: str, hint: str | None = None) -> Problem:
    return Problem(place, "error", "bad-model", message, hint)


def _maps(value: Value) -> Iterator[Map]:
    yield from (item for item in value if isinstance(item, Map)) if isinstance(value, Seq) else ()


FOLDER = PurePosixPath("models")


def own_models(files: Files, problems: Problems) -> Mapping[str, Model]:
    """The models that a project knows: those shipped, and its own over them."""
    own: dict[str, Model] = {}
    for name in files.names(FOLDER):
        path = FOLDER / name
        if not name.endswith((".yaml", ".yml")):
            continue
        try:
            tree = read_document(files, path)
        except MistakesError as error:
            problems.extend(error.problems)
            continue
        if not isinstance(tree, Map):
            problems.error(Location(files.shown(path), 1, 1), "type", "the file is a mapping")
            continue
        model = _model(tree, problems)
        if model is None:
            continue
        if model.id in own:
            message = f"{model.id!r} is the model of another file here already"
            problems.error(tree.value_place("id"), "bad-model", message)
        own[model.id] = model
    return ModelsOver(own)


def read_model(raw: bytes, name: str) -> Model:
    """The model of one file; raises `MistakesError`."""
    problems = Problems()
    tree = read(raw, name)
    model = _model(tree, problems) if isinstance(tree, Map) else None
    if model is None and not problems.has_errors:
        problems.error(Location(name, 1, 1), "type", "the file is a mapping")
    problems.raise_errors()
    if model is None:
        raise MistakesError(tuple(problems.all))
    return model


def _model(tree: Map, problems: Problems) -> Model | None:
    wrong = list(problems_of(tree, MODEL, tree.place))
    problems.extend(wrong)
    if wrong:
        return None
    like = tree.get("like")
    base = shipped().get(str(like))
    if like is not None and base is None:
        hint = did_you_mean(str(like), shipped())
        message = f"{like!r} is not a model that veogen comes with"
        problems.error(tree.value_place("like"), "bad-model", message, hint)
        return None
    data: Mapping[str, Any] = without_nulls(tree)
    source = {"source": "project"}
    parameters = data.get("parameters", {})
    model = parse_model(
        {
            "title": data["id"],
            "checked": "by the project",
            **data,
            "parameters": {name: {**source, **fields} for name, fields in parameters.items()},
            "rules": [{"severity": "error", **source, **rule} for rule in data.get("rules", ())],
            "derived": {**source, **data["derived"]} if "derived" in data else None,
            "prices": {**source, **data["prices"]} if "prices" in data else None,
        }
    )
    whole = model if base is None else _laid_over(base, model)
    problems.extend(nonsense(tree, whole))
    return whole


def _laid_over(base: Model, model: Model) -> Model:
    """A model like another one, but for what its own file says: its own id is the only one."""
    inherited = {
        name: replace(parameter, enum=None) if name == "model" else parameter
        for name, parameter in base.parameters.items()
    }
    return replace(
        model,
        parameters={**inherited, **model.parameters},
        rules=(*base.rules, *model.rules),
        derived=model.derived or base.derived,
        defaults={**base.defaults, **model.defaults},
        audio=model.audio or base.audio,
        pixels=model.pixels or base.pixels,
        expected_seconds=model.expected_seconds or base.expected_seconds,
    )
