"""Whether a project's own model says what can be: each value fits its parameter, names exist."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Json, Parameter
from veogen.document.problems import Problem, did_you_mean
from veogen.document.values import Map, Place, Seq, Value

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
