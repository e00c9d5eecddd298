"""The JSON Schema of specs: right ones pass, wrong ones fail where the mistake is."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from veogen.document.reader import read
from veogen.spec.grammar import json_schema

ROOT = Path(__file__).parents[2]
SPECS = sorted(p for p in (ROOT / "specs").glob("*.y*ml") if ".picks." not in p.name)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def plain(text: str) -> Any:
    return json.loads(json.dumps(read(text.encode(), "a.yaml")))


def wrong_at(validator: Draft202012Validator, text: str) -> list[str]:
    errors = validator.iter_errors(plain(text))
    return sorted("/".join(map(str, error.absolute_path)) for error in errors)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_shipped_specs_pass_and_name_their_schema(
    path: Path, validator: Draft202012Validator
) -> None:
    text = path.read_text()

    assert wrong_at(validator, text) == []
    assert text.startswith("# yaml-language-server: $schema=veogen.schema.json\n")


def test_the_schema_beside_the_specs_is_the_one_that_is_printed() -> None:
    written = (ROOT / "specs/veogen.schema.json").read_text()

    assert written == json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


HEAD = "veogen: 1\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("params: {duration: 8, aspect_ratio: 16:9}", id="parameters"),
        pytest.param('params: {duration: "{{ length }}"}', id="a template for a number"),
        pytest.param("params: {seed: null}", id="null takes a key away"),
        pytest.param("extends: [_a.yaml, _b.yaml]", id="several bases"),
        pytest.param("matrix: {look: [{id: noir, light: low}], seed: [1, 2]}", id="axes"),
        pytest.param("matrix: {city: null, rows: cities.csv, rows_key: name}", id="rows"),
        pytest.param("shots: [{name: a, prompt: x, template: null}]", id="no template"),
        pytest.param("profiles: {draft: null}", id="an empty profile"),
        pytest.param("budget: {max_credits: 10.5}", id="a budget"),
        pytest.param('budget: {max_credits: "1064.448"}', id="a budget as text"),
        pytest.param("shots: [{name: a, template: x, params: {prompt: y}}]", id="a template wins"),
        pytest.param("shots: [{name: a, prompt: x, params: null}]", id="no params"),
        pytest.param("shots: [{name: a, overrides: [{when: {x: 1}, takes: 2}]}]", id="overrides"),
    ],
)
def test_right_specs_pass(text: str, validator: Draft202012Validator) -> None:
    assert wrong_at(validator, HEAD + text) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("name: a", "", id="no version"),
        pytest.param("veogen: 2", "veogen", id="another version"),
        pytest.param(HEAD + "shotz: []", "", id="an unknown key"),
        pytest.param(HEAD + "name: Big Name", "name", id="a bad name"),
        pytest.param(HEAD + "params: {durration: 8}", "params", id="an unknown parameter"),
        pytest.param(HEAD + "params: {duration: 99}", "params/duration", id="a bad value"),
        pytest.param(HEAD + "params: {seed: 0}", "params/seed", id="too small"),
        pytest.param(HEAD + "params: {generate_audio: no}", "params/generate_audio", id="no"),
        pytest.param(HEAD + "vars: {9x: 1}", "vars", id="a bad name of a var"),
        pytest.param(HEAD + "vars: {shot: 1}", "vars", id="a reserved name"),
        pytest.param(HEAD + "matrix: {shot: [1]}", "matrix", id="a reserved name of an axis"),
        pytest.param(HEAD + "matrix: {city: []}", "matrix/city", id="an empty axis"),
        pytest.param(HEAD + "matrix: {city: [null]}", "matrix/city/0", id="null on an axis"),
        pytest.param(HEAD + "matrix: {look: [{a: 1}]}", "matrix/look/0", id="no id"),
        pytest.param(HEAD + "matrix: {quality: [8k]}", "matrix/quality/0", id="a bad value on one"),
        pytest.param(HEAD + "matrix: {sample: {seed: 1}}", "matrix/sample", id="no count"),
        pytest.param(HEAD + "budget: {max: 1}", "budget", id="an unknown key of a budget"),
        pytest.param(HEAD + "budget: {max_credits: -1}", "budget/max_credits", id="a debt"),
        pytest.param(
            HEAD + "budget: {max_credits: 1_0}", "budget/max_credits", id="grouped digits"
        ),
        pytest.param(
            HEAD + "shots: [{name: a, prompt: x, params: {prompt: y}}]",
            "shots/0",
            id="prompt twice",
        ),
        pytest.param(HEAD + "shots: [{prompt: x}]", "shots/0", id="a shot without a name"),
        pytest.param(
            HEAD + "shots: [{name: a, prompt: x, template: y}]", "shots/0", id="two prompts"
        ),
        pytest.param(HEAD + "shots: [{name: a, takes: 0}]", "shots/0/takes", id="no takes"),
        pytest.param(
            HEAD + "shots: [{name: a, overrides: [{takes: 2}]}]",
            "shots/0/overrides/0",
            id="an override of nothing",
        ),
        pytest.param(
            HEAD + "profiles: {draft: {params: {n: 5}}}",
            "profiles/draft/params/n",
            id="a bad value in a profile",
        ),
    ],
)
def test_wrong_specs_fail_where_they_are_wrong(
    text: str, where: str, validator: Draft202012Validator
) -> None:
    found = list(validator.iter_errors(plain(text)))
    deepest = ["/".join(map(str, leaf.absolute_path)) for error in found for leaf in _leaves(error)]

    assert where in deepest


def _leaves(error: Any) -> list[Any]:
    """The errors below the alternatives of an error, and itself."""
    return [error, *(leaf for inner in error.context or () for leaf in _leaves(inner))]
