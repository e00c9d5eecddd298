"""A project's own models, one YAML file each below `models/`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, get_args

from veogen.document.files import Files
from veogen.document.nodes import Map, Place, Seq, Value, without_nulls
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import read_document
from veogen.document.schema import (
    Amount,
    At,
    Boolean,
    Flaws,
    Integer,
    Key,
    ListOf,
    MapOf,
    Rate,
    Schema,
    Section,
    Text,
    Word,
    problems_of,
    wrong_type,
)
from veogen.models.model import Json, Kind, Model, Parameter, parse_model, shipped


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


_IMAGES = "images"


def nonsense(tree: Map, model: Model) -> Iterator[Problem]:
    """What cannot be meant in a model's file whose structure is sound."""
    parameters = tree.get("parameters")
    for name, fields in parameters.items() if isinstance(parameters, Map) else ():
        if isinstance(fields, Map):
            yield from _of_parameter(fields, model.parameters[name])
    prices = tree.get("prices")
    multipliers = prices.get("multipliers") if isinstance(prices, Map) else None
    for conditional in (*_maps(tree.get("rules")), *_maps(multipliers)):
        when = conditional.get("when")
        if isinstance(when, Map):
            yield from _of_conditions(when, model.parameters)


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


def _of_conditions(when: Map, parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """A misspelt condition would never hold."""
    for name, value in when.items():
        known = parameters.get(name)
        if known is None and name != _IMAGES:
            hint = did_you_mean(name, parameters)
            yield _problem(when.key_place(name), f"{name!r} is not a parameter of it", hint)
        for one in value if isinstance(value, Seq) else [value]:
            if known is not None and not isinstance(one, Map | Seq):
                yield from _unfit(known, one, when.value_place(name))


def _unfit(parameter: Parameter, value: Json, place: Place) -> Iterator[Problem]:
    wrong = parameter.check(value)
    if wrong is not None:
        yield _problem(place, f"{parameter.name} {wrong}")


def _problem(place: Place, message: str, hint: str | None = None) -> Problem:
    return Problem(place, "error", "bad-model", message, hint)


def _maps(value: Value) -> Iterator[Map]:
    yield from (item for item in value if isinstance(item, Map)) if isinstance(value, Seq) else ()


FOLDER = PurePosixPath("models")


def own_models(files: Files, problems: Problems) -> Mapping[str, Model]:
    """The models that a project knows: those shipped, and its own over them."""
    own: dict[str, Model] = {}
    for name in files.names(FOLDER):
        if name.endswith((".yaml", ".yml")):
            tree = _document(files, FOLDER / name, problems)
            model = None if tree is None else _model(tree, problems)
            if tree is None or model is None:
                continue
            if model.id in own:
                message = f"{model.id!r} is the model of another file here already"
                problems.error(tree.value_place("id"), "bad-model", message)
            own[model.id] = model
    return {**shipped(), **own}


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
    model = parse_model(_whole(without_nulls(tree)))
    whole = model if base is None else _laid_over(base, model)
    problems.extend(nonsense(tree, whole))
    return whole


def _whole(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The model with what its writer may leave out."""
    source = {"source": "project"}
    parameters = tree.get("parameters", {})
    return {
        "title": tree["id"],
        "checked": "by the project",
        **tree,
        "parameters": {
            name: {"description": "", **source, **fields} for name, fields in parameters.items()
        },
        "rules": [{"severity": "error", **source, **rule} for rule in tree.get("rules", ())],
        "derived": {**source, **tree["derived"]} if "derived" in tree else None,
        "prices": {**source, **tree["prices"]} if "prices" in tree else None,
    }


def _laid_over(base: Model, model: Model) -> Model:
    """A model like another one, but for what its own file says."""
    return Model(
        id=model.id,
        title=model.title,
        checked=model.checked,
        parameters={**base.parameters, **model.parameters},
        rules=(*base.rules, *model.rules),
        derived=model.derived or base.derived,
        price=model.price,
        defaults={**base.defaults, **model.defaults},
    )


def _document(files: Files, path: PurePosixPath, problems: Problems) -> Map | None:
    try:
        tree = read_document(files, path)
    except MistakesError as error:
        problems.extend(error.problems)
        return None
    if not isinstance(tree, Map):
        problems.error(Place(files.shown(path), 1, 1), "type", "the file is a mapping")
        return None
    return tree
