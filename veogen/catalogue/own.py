"""A project's own models, one YAML file each below `models/`."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from veogen.catalogue.keys import ModelKeys
from veogen.catalogue.models import Model, parse_model, shipped
from veogen.document.files import Files, OutsideRootError
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import MAX_BYTES, read
from veogen.document.values import Map, Place, place_of

FOLDER = PurePosixPath("models")


def own_models(files: Files, problems: Problems) -> Mapping[str, Model]:
    """The models that a project knows: those shipped, and its own over them."""
    models = dict(shipped())
    for name in files.names(FOLDER):
        if name.endswith((".yaml", ".yml")):
            tree = _document(files, FOLDER / name, problems)
            model = None if tree is None else _model(tree, problems)
            if model is not None:
                models[model.id] = model
    return models


def _model(tree: Map, problems: Problems) -> Model | None:
    keys = _checked(tree, problems)
    if keys is None:
        return None
    base = shipped().get(keys.like or "")
    if keys.like is not None and base is None:
        hint = did_you_mean(keys.like, shipped())
        message = f"{keys.like!r} is not a model that veogen comes with"
        problems.error(tree.value_place("like"), "bad-model", message, hint)
        return None
    data = keys.model_dump(exclude_none=True, exclude={"like"})
    model = parse_model({"title": keys.id, **data})
    return model if base is None else _laid_over(base, model)


def _laid_over(base: Model, model: Model) -> Model:
    """A model like another one, but for what its own file says."""
    return Model(
        id=model.id,
        title=model.title,
        checked=model.checked,
        parameters={**base.parameters, **model.parameters},
        rules=(*base.rules, *model.rules),
        price=model.price,
        defaults={**base.defaults, **model.defaults},
    )


def _document(files: Files, path: PurePosixPath, problems: Problems) -> Map | None:
    shown = files.shown(path)
    start = Place(shown, 1, 1)
    try:
        tree = read(files.read(path, MAX_BYTES), shown)
    except MistakesError as error:
        problems.extend(error.problems)
        return None
    except OutsideRootError as error:
        problems.error(start, "outside-root", str(error))
        return None
    except OSError as error:
        message = f"{shown!r} cannot be read: {error.strerror}"
        problems.error(start, "missing-file", message)
        return None
    if not isinstance(tree, Map):
        problems.error(start, "type", "the file is a mapping")
        return None
    return tree


def _checked(tree: Map, problems: Problems) -> ModelKeys | None:
    try:
        return ModelKeys.model_validate(tree)
    except ValidationError as error:
        problems.extend(_told(tree, error))
        return None


def _told(tree: Map, error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        extra = detail["type"] == "extra_forbidden"
        place = place_of(tree, detail["loc"], key=extra)
        label = ".".join(map(str, detail["loc"]))
        yield Problem(place, "error", "unknown-key" if extra else "bad-model", _said(label, detail))


def _said(label: str, detail: ErrorDetails) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return f"{label!r} is not a key that is known here"
        case "missing":
            return f"{label!r} is missing"
        case "amount":
            return f"{label} {detail['msg']}"
        case _:
            return f"{label}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
