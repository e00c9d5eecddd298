"""`veogen models --import`: model files from the gateway's documents, without a network."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import click

from veogen.cli.output import whole_file
from veogen.document.files import Folder, read_file
from veogen.document.nodes import without_nulls
from veogen.document.problems import MistakesError
from veogen.document.reader import read
from veogen.errors import UsageError
from veogen.models.custom import FOLDER
from veogen.models.importer import MOST_BYTES, Imported, import_models, parse_json
from veogen.models.price_document import PriceDocument
from veogen.spec.project import project_root
from veogen.text import plain

_MOST_DIFFERENCES = 20
_SILENT = ("source", "description", "checked")


def run_import(openapi: Path, pricing: Path | None, model_id: str | None) -> None:
    """Write a model file for each id that the document describes, or none at all."""
    prices = None
    if pricing is not None:
        prices = PriceDocument(parse_json(_bytes(pricing), pricing.name), pricing.name)
    models = import_models(_bytes(openapi), openapi.name, prices, model_id)
    folder = Folder(project_root(Path("any.yaml")))
    paths = {model.id: folder.locate(FOLDER / f"{model.id}.yaml") for model in models}
    taken = [line for model in models for line in _taken(folder, paths[model.id], model)]
    if taken:
        raise UsageError("\n".join(taken))
    for model in models:
        path = paths[model.id]
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as file:
            file.write(model.text().encode())
        click.echo(plain(folder.shown(FOLDER / path.name)))
        says = "what is to be settled by hand (also at the end of the file)"
        click.echo(f"{model.id}: {says}", err=True)
        for line in model.unknown:
            click.echo(plain(f"  {line}"), err=True)


def _bytes(path: Path) -> bytes:
    try:
        return read_file(path, MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _taken(folder: Folder, path: Path, model: Imported) -> Iterator[str]:
    """That a file is there already, and what in it differs."""
    if not (path.exists() or path.is_symlink()):
        return
    name = folder.shown(FOLDER / path.name)
    try:
        before: Any = read(read_file(path, MOST_BYTES), name)
    except (OSError, MistakesError):
        yield f"{name} is there already, and cannot be read"
        return
    new: Any = read(model.text().encode(), name)
    differences = list(_differences(without_nulls(before), without_nulls(new), PurePosixPath()))
    says = "differs" if differences else "says the same"
    yield f"{name} is there already and {says}; move it aside to import it anew"
    yield from (f"  {line}" for line in differences[:_MOST_DIFFERENCES])
    if len(differences) > _MOST_DIFFERENCES:
        yield f"  and {len(differences) - _MOST_DIFFERENCES} more"


def _differences(before: Any, new: Any, path: PurePosixPath) -> Iterator[str]:
    """What another file says otherwise, less what is for people."""
    if isinstance(before, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*before, *new)):
            if key not in _SILENT:
                yield from _differences(before.get(key), new.get(key), path / str(key))
    elif before != new or type(before) is not type(new):
        yield f"{path}: {_short(before)} there, {_short(new)} in the document"


def _short(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return "a list" if isinstance(value, list) else "a mapping"
    return "nothing" if value is None else repr(value)
