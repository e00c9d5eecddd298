"""The simulator and the client hold the same data by code of their own: do they agree?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veogen.models.model import Model, shipped
from veogen.models.parameters import Parameter
from veogen.simulator.account import price
from veogen.simulator.refusals import RefusedError
from veogen.simulator.validation import check, settled

IMAGE = "https://example.org/a.png"


def near(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Values that fit a parameter, or nearly do."""
    edges = [parameter.minimum, parameter.maximum]
    numbers = [edge + step for edge in edges if edge is not None for step in (-1, 0, 1)]
    wrong: st.SearchStrategy[Any] = st.sampled_from([None, True, 1, 8.5, "", [], {}])
    words = st.sampled_from(list(parameter.words)) if parameter.words else st.nothing()
    match parameter.kind:
        case "uris":
            return st.lists(st.just(IMAGE), max_size=4) | wrong
        case "uri":
            return st.just(IMAGE) | wrong
        case "boolean":
            return st.booleans() | wrong
        case "object":
            return inner_bodies(parameter.properties) | wrong
        case "list":
            assert parameter.item is not None
            return st.lists(near(parameter.item), max_size=7) | wrong
        case _ if parameter.enum:
            return st.sampled_from(list(parameter.enum)) | wrong
        case "integer" | "number":
            return st.sampled_from(numbers or [1]) | words | wrong
        case _:
            return st.sampled_from(["a boat", "3"]) | wrong


def inner_bodies(parameters: Mapping[str, Parameter]) -> st.SearchStrategy[dict[str, Any]]:
    optional = {name: near(parameter) for name, parameter in parameters.items()}
    return st.fixed_dictionaries({}, optional={**optional, "unheard_of": st.just(1)})


def bodies(model: Model) -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        name: near(parameter)
        for name, parameter in model.parameters.items()
        if name not in ("model", "prompt", "callback_url")
    }
    fixed = {"model": st.just(model.id), "prompt": st.just("a boat")}
    return st.fixed_dictionaries(fixed, optional=optional)


MODELS = [pytest.param(model, id=model.id) for model in shipped().values()]


@pytest.mark.parametrize("model", MODELS)
def test_what_the_client_finds_wrong_is_refused_and_nothing_else(model: Model) -> None:
    @given(body=bodies(model))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def agree(body: dict[str, Any]) -> None:
        assert refused(body) == bool(mistakes(model, body))

    agree()


@pytest.mark.parametrize("model", MODELS)
def test_what_is_charged_is_what_the_client_estimates(model: Model) -> None:
    @given(body=bodies(model))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def agree(body: dict[str, Any]) -> None:
        if not mistakes(model, body) and not warned(model, body):
            assert price(model, settled(model, body)) == (model.estimate(body) or Decimal(0))

    agree()


def refused(body: dict[str, Any]) -> bool:
    try:
        check(body, shipped())
    except RefusedError:
        return True
    return False


def mistakes(model: Model, body: dict[str, Any]) -> list[str]:
    """What the client's own checks say."""
    found = [
        message
        for name, value in body.items()
        if (message := model.parameters[name].check(value)) is not None
    ]
    found += [
        n for n, parameter in model.parameters.items() if parameter.required and n not in body
    ]
    if found:
        return found
    return [f.message for f in model.findings(body) if f.severity == "error"]


def warned(model: Model, body: dict[str, Any]) -> bool:
    """Whether something written has no effect, which the client prices all the same."""
    return any(finding.severity == "warning" for finding in model.findings(body))
