"""Rows as one dimension of a matrix: each row is a combination of its columns."""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar, cast

from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.json_values import NotJsonError, read_json
from veogen.document.nodes import Location, Map, Seq, Value
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import read
from veogen.models.model import Model, parameter
from veogen.models.parameters import Parameter
from veogen.planner.axes import AxisValue, BadValueError, Dimension, choice
from veogen.spec.grammar import RESERVED, identifier_rule
from veogen.spec.types import Matrix
from veogen.text import counted

_T = TypeVar("_T")

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_BARE = re.compile(r"[^,\r\n]*")
_LINE_END = re.compile(r"\r\n|\n|\r")
_JSON_TOKEN = re.compile(r'[\[{]|[\]}]|(?P<text>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?')


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row that are there, by column; `raw` says that they are only text."""

    cells: Mapping[str, tuple[Value, Location]]
    place: Location
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, and the place of every column's name."""

    columns: Mapping[str, Location]
    rows: tuple[Row, ...]


def read_table(raw: bytes, path: PurePosixPath, shown: str) -> Table:
    """The rows of a file; raises `MistakesError`."""
    match path.suffix.lower():
        case ".csv":
            return _csv_table(_text(raw, shown), shown)
        case ".jsonl":
            every = enumerate(_LINE_END.split(_text(raw, shown)), 1)
            lines = ((line, Location(shown, number, 1)) for number, line in every if line.strip())
            return _table(_each(_json_row, lines))
        case ".yaml" | ".yml":
            return inline_table(read(raw, shown), Location(shown, 1, 1))
        case _:
            message = "rows are a .csv, .jsonl or .yaml file, or a list"
            raise _mistake(Location(shown, 1, 1), message)


def inline_table(value: Value, place: Location) -> Table:
    """The rows of a YAML list of mappings; raises `MistakesError`."""
    if not isinstance(value, Seq):
        raise _mistake(place, "rows are a list of mappings, column to value")
    items = ((item, value.value_place(index)) for index, item in enumerate(value))
    return _table(_each(_yaml_row, items))


def _table(rows: tuple[Row, ...]) -> Table:
    """The rows that have a cell, with the columns they have, in order of appearance."""
    rows = tuple(row for row in rows if row.cells)
    columns: dict[str, Location] = {}
    for row in rows:
        for name, (_, place) in row.cells.items():
            columns.setdefault(name, place)
    return Table(columns, rows)


def _yaml_row(placed: tuple[Value, Location]) -> Row:
    item, place = placed
    if not isinstance(item, Map):
        raise _mistake(place, "a row is a mapping, column to value")
    cells = {
        name: (cell, item.value_place(name)) for name, cell in item.items() if cell is not None
    }
    return Row(cells, place)


def _csv_table(text: str, shown: str) -> Table:
    records = _records(text, shown)
    header = next(records, [])
    for separator, called in ((";", "';'"), ("\t", "tabs")):  # of spreadsheets in many countries
        if len(header) == 1 and separator in header[0][0]:
            raise _mistake(header[0][1], f"cells are separated by commas, not by {called}")
    columns: dict[str, Location] = {}
    for name, place in header:
        if not name.strip():
            continue
        if name in columns:
            raise _mistake(place, f"the column {name!r} stands in the header twice")
        columns[name] = place
    names = [name for name, _ in header]
    return Table(columns, _each(lambda record: _csv_row(record, names), records))


def _csv_row(record: list[tuple[str, Location]], names: list[str]) -> Row:
    if len(record) != len(names):
        place = record[min(len(record), len(names) + 1) - 1][1]
        count = counted(len(record), "cell")
        raise _mistake(place, f"this row has {count}, the header has {len(names)}")
    cells: dict[str, tuple[Value, Location]] = {}
    for name, (cell, place) in zip(names, record, strict=True):
        if cell and not name.strip():
            raise _mistake(place, "this cell is in a column that the header does not name")
        if cell:
            cells[name] = (cell, place)
    return Row(cells, record[0][1], raw=True)


def _each(row: Callable[[_T], Row], records: Iterable[_T]) -> tuple[Row, ...]:
    """A row for each record; raises the mistakes of all of them, up to a number."""
    rows: list[Row] = []
    problems = Problems()
    for record in records:
        try:
            rows.append(row(record))
        except MistakesError as error:
            problems.extend(error.problems)
        if problems.full:
            break
    problems.raise_errors()
    return tuple(rows)


def _records(text: str, shown: str) -> Iterator[list[tuple[str, Location]]]:
    """Every row of a CSV text that has a cell: spreadsheets write blank rows too."""
    position, line, start = 0, 1, 0
    while position < len(text):
        record: list[tuple[str, Location]] = []
        while True:
            place = Location(shown, line, position - start + 1)
            cell, end = _cell(text, position, place)
            record.append((cell, place))
            for line_end in _LINE_END.finditer(text, position, end):
                line, start = line + 1, line_end.end()
            position = end
            if text[position : position + 1] != ",":
                break
            position += 1
        if any(cell.strip() for cell, _ in record):
            yield record
        if (line_end_here := _LINE_END.match(text, position)) is not None:
            position = start = line_end_here.end()
            line += 1


def _cell(text: str, position: int, place: Location) -> tuple[str, int]:
    if text[position : position + 1] != '"':
        match = _BARE.match(text, position)
        return (match[0], match.end()) if match else ("", position)
    quoted = _QUOTED.match(text, position)
    if quoted is None:
        raise _mistake(place, "this cell's quote is never closed")
    if text[quoted.end() : quoted.end() + 1] not in ("", ",", "\r", "\n"):
        raise _mistake(place, 'this cell goes on after its closing quote; a quote inside is `""`')
    return quoted[1].replace('""', '"'), quoted.end()


def _json_row(placed: tuple[str, Location]) -> Row:
    line, place = placed
    values, columns = _json_object(line, place), _json_columns(line)
    cells = {
        name: (cast("Value", cell), place._replace(column=columns[name]))
        for name, cell in values.items()
        if cell is not None
    }
    return Row(cells, place)


def _json_object(line: str, place: Location) -> dict[str, Any]:
    try:
        value = read_json(line)
    except NotJsonError as error:
        raise _mistake(place._replace(column=error.column or place.column), str(error)) from None
    if not isinstance(value, dict):
        raise _mistake(place, "a row is an object, column to value")
    return value


def _json_columns(line: str) -> dict[str, int]:
    """The column of every key of the object that a line is, found in one pass."""
    depth, columns = 0, {}
    for token in _JSON_TOKEN.finditer(line):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
        elif depth == 1 and token["colon"]:
            columns[json.loads(token["text"])] = token.start() + 1
    return columns


def _text(raw: bytes, shown: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _mistake(Location(shown, line, 1), "this is not UTF-8") from None


def _mistake(place: Location, message: str) -> MistakesError:
    return MistakesError([Problem(place, "error", "rows", message)])


LARGEST_FILE = 64 * 1024 * 1024


def rows_path(matrix: Matrix) -> PurePosixPath | None:
    """The file of the rows below the root, None when there is none."""
    if not isinstance(matrix.rows, str):
        return None
    with contextlib.suppress(OutsideRootError):  # told when it is read
        return inside(matrix.rows_folder, matrix.rows)
    return None


def rows_of(
    matrix: Matrix,
    files: Files,
    models: Callable[[Iterable[str]], Iterable[Model]],
    problems: Problems,
) -> Dimension | None:
    """The rows of a matrix, None if it has none.

    `models` are those that its requests may be for, given the names in a column `model`.
    """
    if matrix.rows is None:
        return None
    place = matrix.rows_place or matrix.place
    table = _read(matrix, files, place, problems)
    if table is None:
        return Dimension((), frozenset(), (), "no rows")
    if not table.rows:
        problems.error(place, "empty-axis", "there are no rows")
    for name in RESERVED:
        if (wrong := identifier_rule(name)) is not None and name in table.columns:
            problems.error(table.columns[name], *wrong)
    cells = [row.cells["model"][0] for row in table.rows if "model" in row.cells]
    used = tuple(models(map(str, cells)))
    types = {name: parameter(name, used) for name in table.columns}
    points = [tuple(_choices(row, types, problems)) for row in table.rows]
    keys = _key_columns(matrix, table.columns, place, problems)
    named = matrix.rows_key is not None or "id" in table.columns
    needed = keys.intersection(table.columns) if named else frozenset[str]()
    if table.columns.keys() >= keys:
        _check_keys(table.rows, points, keys, needed, problems)
    names = tuple(table.columns)
    return Dimension(names, keys, tuple(points), counted(len(points), "row"), table.columns)


def _read(matrix: Matrix, files: Files, place: Location, problems: Problems) -> Table | None:
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
    matrix: Matrix, columns: Iterable[str], place: Location, problems: Problems
) -> frozenset[str]:
    if matrix.rows_key is None:
        return frozenset(("id",) if "id" in columns else columns)
    for name in matrix.rows_key:
        if name not in columns:  # a misspelt one would make all rows alike
            hint = did_you_mean(name, columns) if problems.few else None
            problems.error(place, "unknown-column", f"rows_key: there is no column {name!r}", hint)
    return frozenset(matrix.rows_key)


def _choices(
    row: Row, types: dict[str, Parameter | None], problems: Problems
) -> Iterator[AxisValue]:
    for name, (cell, place) in row.cells.items():
        kind = types[name]
        try:
            value = _typed(cell, kind, place) if row.raw and kind else cell
            yield choice(name, value, place)
        except BadValueError as error:
            problems.error(place, "axis-value", str(error))
        except MistakesError as error:
            problems.extend(error.problems)


def _typed(cell: Value, kind: Parameter, place: Location) -> Value:
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
    points: Sequence[tuple[AxisValue, ...]],
    keys: frozenset[str],
    needed: frozenset[str],
    problems: Problems,
) -> None:
    """Every row needs an address of its own, and the columns that are `needed`."""
    seen: dict[tuple[tuple[str, str], ...], Location] = {}
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
