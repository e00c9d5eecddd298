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
from veogen.models.parameters import Parameter

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
        "parameters": {name: {**source, **fields} for name, fields in parameters.items()},
        "rules": [{"severity": "error", **source, **rule} for rule in tree.get("rules", ())],
        "derived": {**source, **tree["derived"]} if "derived" in tree else None,
        "prices": {**source, **tree["prices"]} if "prices" in tree else None,
    }


def _under_another_id(parameters: Mapping[str, Parameter]) -> Mapping[str, Parameter]:
    """The parameters of a model, less that its own id is the only one."""
    return {
        name: replace(parameter, enum=None) if name == "model" else parameter
        for name, parameter in parameters.items()
    }


def _laid_over(base: Model, model: Model) -> Model:
    """A model like another one, but for what its own file says."""
    return Model(
        id=model.id,
        title=model.title,
        checked=model.checked,
        parameters={**_under_another_id(base.parameters), **model.parameters},
        rules=(*base.rules, *model.rules),
        derived=model.derived or base.derived,
        price=model.price,
        defaults={**base.defaults, **model.defaults},
        audio=model.audio or base.audio,
        pixels=model.pixels or base.pixels,
        expected_seconds=model.expected_seconds or base.expected_seconds,
        retired=model.retired,
        notes=model.notes,
    )


def _document(files: Files, path: PurePosixPath, problems: Problems) -> Map | None:
    try:
        tree = read_document(files, path)
    except MistakesError as error:
        problems.extend(error.problems)
        return None
    if not isinstance(tree, Map):
        problems.error(Location(files.shown(path), 1, 1), "type", "the file is a mapping")
        return None
    return tree
