"""Rows as one dimension of a matrix: each row is a combination of its columns."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Parameter
from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.problems import MistakesError, Problems, did_you_mean
from veogen.document.reader import read
from veogen.document.values import Place, Seq, Value
from veogen.planner.axes import Dimension
from veogen.planner.choices import BadValueError, Choice, choice
from veogen.planner.names import parameter
from veogen.planner.tables import Row, Table, inline_table, read_table
from veogen.spec.model import Matrix
from veogen.spec.names import identifier_rule
from veogen.terminal import counted

LARGEST_FILE = 64 * 1024 * 1024


def rows_path(matrix: Matrix) -> PurePosixPath | None:
    """The file of the rows below the root, None when there is none."""
    if not isinstance(matrix.rows, str):
        return None
    with contextlib.suppress(OutsideRootError):  # told when it is read
        return inside(matrix.rows_folder, matrix.rows)
    return None


def rows_of(
    matrix: Matrix, files: Files, models: Iterable[Model], problems: Problems
) -> Dimension | None:
    """The rows of a matrix, None if it has none."""
    if matrix.rows is None:
        return None
    place = matrix.rows_place or matrix.place
    table = _read(matrix, files, place, problems)
    if table is None:
        return Dimension((), frozenset(), (), "no rows")
    if not table.rows:
        problems.error(place, "empty-axis", "there are no rows")
    for name, where in table.columns.items():
        if (wrong := identifier_rule(name)) is not None:
            problems.error(where, *wrong)
    models = tuple(models)
    types = {name: parameter(name, models) for name in table.columns}
    points = [tuple(_choices(row, types, problems)) for row in table.rows]
    keys = _key_columns(matrix, table.columns, place, problems)
    named = matrix.rows_key is not None or "id" in table.columns
    needed = keys.intersection(table.columns) if named else frozenset[str]()
    if table.columns.keys() >= keys:
        _check_keys(table.rows, points, keys, needed, problems)
    names = tuple(table.columns)
    return Dimension(names, keys, tuple(points), counted(len(points), "row"))


def _read(matrix: Matrix, files: Files, place: Place, problems: Problems) -> Table | None:
    try:
        if isinstance(matrix.rows, Seq):
            return inline_table(matrix.rows, place)
        path = inside(matrix.rows_folder, str(matrix.rows))
        raw = files.read(path, LARGEST_FILE)
        if len(raw) > LARGEST_FILE:
            problems.error(place, "rows", f"rows are at most {LARGEST_FILE >> 20} MiB")
            return None
        return read_table(raw, path, files.shown(path))
    except MistakesError as error:
        problems.extend(error.problems)
    except OutsideRootError as error:
        problems.error(place, "outside-root", str(error))
    except OSError as error:
        problems.error(place, "rows", f"{matrix.rows} cannot be read: {error.strerror}")
    return None


def _key_columns(
    matrix: Matrix, columns: Iterable[str], place: Place, problems: Problems
) -> frozenset[str]:
    if matrix.rows_key is None:
        return frozenset(("id",) if "id" in columns else columns)
    for name in matrix.rows_key:
        if name not in columns:  # a misspelt one would make all rows alike
            hint = did_you_mean(name, columns) if problems.few else None
            problems.error(place, "unknown-column", f"rows_key: there is no column {name!r}", hint)
    return frozenset(matrix.rows_key)


def _choices(row: Row, types: dict[str, Parameter | None], problems: Problems) -> Iterator[Choice]:
    for name, (cell, place) in row.cells.items():
        kind = types[name]
        try:
            value = _typed(cell, kind, place) if row.raw and kind else cell
            yield choice(name, value, place)
        except BadValueError as error:
            problems.error(place, "axis-value", str(error))
        except MistakesError as error:
            problems.extend(error.problems)


def _typed(cell: Value, kind: Parameter, place: Place) -> Value:
    """The text of a cell as its parameter's type; a text that is none is left as it is."""
    text = str(cell)
    if kind.kind != "uris":
        return kind.parse(text)  # type: ignore[return-value]  # scalars only
    value = read(text.encode(), place.path) if text.startswith("[") else text
    if isinstance(value, Seq):
        return value
    uris = Seq(place)
    uris.add(value, place)
    return uris


def _check_keys(
    rows: Sequence[Row],
    points: Sequence[tuple[Choice, ...]],
    keys: frozenset[str],
    needed: frozenset[str],
    problems: Problems,
) -> None:
    """Every row needs an address of its own, and the columns that are `needed`."""
    seen: dict[tuple[tuple[str, str], ...], Place] = {}
    for row, point in zip(rows, points, strict=True):
        for name in sorted(needed.difference(row.cells)):
            message = f"this row has no {name!r}, which makes its address"
            problems.error(row.place, "rows", message)
        key = tuple((one.name, one.text) for one in point if one.name in keys)
        if key in seen:
            shown = ", ".join(f"{name}={text}" for name, text in key) or "nothing"
            message = f"two requests with one address: {shown} is on line {seen[key].line} too"
            problems.error(row.place, "same-address", message, "name more columns in 'rows_key'")
        seen.setdefault(key, row.place)
