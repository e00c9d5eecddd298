"""A project's own models, one YAML file each below `models/`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from veogen.document.files import Files
from veogen.document.nodes import Location, Map, without_nulls
from veogen.document.problems import MistakesError, Problems, did_you_mean
from veogen.document.reader import read, read_document
from veogen.document.schema import problems_of
from veogen.models.model import Model, ModelsOver, parse_model, shipped
from veogen.models.model_file import MODEL, nonsense

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
