"""Rows as one dimension of a matrix: each row is a combination of its columns."""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from veogen.document.files import POINTER, Files, OutsideRootError, inside, nearest_file
from veogen.document.nodes import Location, Map, Seq, Value
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import NotJsonError, read, read_json
from veogen.models.model import Model, parameter
from veogen.models.parameters import Parameter
from veogen.planner.axes import AxisValue, Dimension, choice
from veogen.planner.identity import TAKES_HINT
from veogen.spec.grammar import RESERVED, identifier_rule
from veogen.spec.types import Matrix
from veogen.text import counted

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


def read_table(raw: bytes, path: PurePosixPath, label: str) -> Table:
    """The rows of a file; raises `MistakesError`."""
    if raw.startswith(POINTER):
        message = "this file is kept in Git LFS and is not here; get it with: git lfs pull"
        raise _mistake(Location(label, 1, 1), message)
    match path.suffix.lower():
        case ".csv":
            return _csv_table(_text(raw, label), label)
        case ".jsonl":
            problems = Problems()
            return _table(_json_rows(_text(raw, label), label, problems), problems)
        case ".yaml" | ".yml":
            return inline_table(read(raw, label), Location(label, 1, 1))
        case _:
            message = "rows are a .csv, .jsonl or .yaml file, or a list"
            raise _mistake(Location(label, 1, 1), message)


def inline_table(value: Value, place: Location) -> Table:
    """The rows of a YAML list of mappings; raises `MistakesError`."""
    if not isinstance(value, Seq):
        raise _mistake(place, "rows are a list of mappings, column to value")
    rows, problems = list[Row](), Problems()
    for index, item in enumerate(value):
        here = value.value_place(index)
        if isinstance(item, Map):
            cells = {name: (cell, item.value_place(name)) for name, cell in item.items()}
            rows.append(Row({k: cell for k, cell in cells.items() if cell[0] is not None}, here))
        else:
            problems.error(here, "rows", "a row is a mapping, column to value")
    return _table(rows, problems)


def _table(rows: Iterable[Row], problems: Problems) -> Table:
    """The rows that have a cell, with the columns they have, in order of appearance.

    Raises the mistakes of all of them, up to a number.
    """
    rows = tuple(row for row in rows if row.cells)
    problems.raise_errors()
    columns: dict[str, Location] = {}
    for row in rows:
        for name, (_, place) in row.cells.items():
            columns.setdefault(name, place)
    return Table(columns, rows)


def _csv_table(text: str, label: str) -> Table:
    records = _records(text, label)
    header = next(records, [])
    for separator, called in ((";", "';'"), ("\t", "tabs")):  # of spreadsheets in many countries
        if len(header) == 1 and separator in header[0][0]:
            raise _mistake(header[0][1], f"cells are separated by commas, not by {called}")
    columns: dict[str, Location] = {}
    for name, place in header:
        if name in columns:
            raise _mistake(place, f"the column {name!r} stands in the header twice")
        if name.strip():
            columns[name] = place
    names, rows, problems = [name for name, _ in header], list[Row](), Problems()
    for record in records:
        cells = {name: cell for name, cell in zip(names, record, strict=False) if cell[0]}
        blank = (cell for name, cell in zip(names, record, strict=False) if not name.strip())
        unnamed = next((place for cell, place in blank if cell), None)
        if len(record) != len(names):
            place = record[min(len(record), len(names) + 1) - 1][1]
            count = counted(len(record), "cell")
            problems.error(place, "rows", f"this row has {count}, the header has {len(names)}")
        elif unnamed is not None:
            message = "this cell is in a column that the header does not name"
            problems.error(unnamed, "rows", message)
        else:
            rows.append(Row(cells, record[0][1], raw=True))
        if problems.full:
            break
    problems.raise_errors()
    return Table(columns, tuple(rows))


def _records(text: str, label: str) -> Iterator[list[tuple[str, Location]]]:
    """Every row of a CSV text that has a cell: spreadsheets write blank rows too."""
    position, line, start = 0, 1, 0
    while position < len(text):
        record: list[tuple[str, Location]] = []
        while True:
            place = Location(label, line, position - start + 1)
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
    return _LINE_END.sub("\n", quoted[1]).replace('""', '"'), quoted.end()


def _json_rows(text: str, label: str, problems: Problems) -> Iterator[Row]:
    """The objects that the lines are; what is wrong with one goes to `problems`."""
    for number, line in enumerate(_LINE_END.split(text), 1):
        place = Location(label, number, 1)
        if problems.full or not line.strip():
            continue
        try:
            value = read_json(line)
        except NotJsonError as error:
            problems.error(place._replace(column=error.column or 1), "rows", str(error))
            continue
        if not isinstance(value, dict):
            problems.error(place, "rows", "a row is an object, column to value")
            continue
        depth, places = 0, dict[str, Location]()  # of every key, found in one pass
        for token in _JSON_TOKEN.finditer(line):
            if token[0] in ("{", "["):
                depth += 1
            elif token[0] in ("}", "]"):
                depth -= 1
            elif depth == 1 and token["colon"]:
                places[json.loads(token["text"])] = place._replace(column=token.start() + 1)
        cells = {name: (cell, places[name]) for name, cell in value.items() if cell is not None}
        yield Row(cells, place)


def _text(raw: bytes, label: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _mistake(Location(label, line, 1), "this is not UTF-8") from None


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
    keys = _key_columns(matrix, table, points, problems)
    names = tuple(table.columns)
    return Dimension(names, keys, tuple(points), counted(len(points), "row"), table.columns)


def _read(matrix: Matrix, files: Files, place: Location, problems: Problems) -> Table | None:
    path = matrix.rows_folder
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
        hint = nearest_file(files, path)
        problems.error(place, "rows", f"{matrix.rows} cannot be read: {error.strerror}", hint)
    return None


def _choices(
    row: Row, types: dict[str, Parameter | None], problems: Problems
) -> Iterator[AxisValue]:
    """The cells of a row as choices; the text of one as its parameter's type, if it is of that."""
    for name, (cell, place) in row.cells.items():
        kind, value = types[name], cell
        try:
            if row.raw and kind is not None and kind.kind == "uris":
                text = str(cell)
                value = read(text.encode(), place.path) if text.startswith("[") else text
                if not isinstance(value, Seq):
                    uris = Seq(place)
                    uris.add(value, place)
                    value = uris
            elif row.raw and kind is not None:
                value = kind.parse(str(cell))  # type: ignore[assignment]  # scalars only
        except MistakesError as error:
            problems.extend(error.problems)
            continue
        axis_value = choice(name, value, place, problems)
        if axis_value is not None:
            yield axis_value


def _key_columns(
    matrix: Matrix, table: Table, points: Sequence[tuple[AxisValue, ...]], problems: Problems
) -> frozenset[str]:
    """The columns that make the address: no two rows may be alike in them.

    Every row has those that `rows_key` names, or the column `id`.
    """
    place, columns = matrix.rows_place or matrix.place, table.columns
    keys = frozenset(("id",) if "id" in columns else columns)
    needed = keys.intersection(("id",))
    if matrix.rows_key is not None:
        keys = needed = frozenset(matrix.rows_key)
        for name in matrix.rows_key:
            if name not in columns:  # a misspelt one would make all rows alike
                message = f"rows_key: there is no column {name!r}"
                hint = did_you_mean(name, columns) if problems.few else None
                problems.error(place, "unknown-column", message, hint)
    seen: dict[tuple[tuple[str, str], ...], Location] = {}
    for row, point in zip(table.rows, points, strict=True) if columns.keys() >= keys else ():
        for name in sorted(needed.difference(row.cells)):
            message = f"this row has no {name!r}, which makes its address"
            problems.error(row.place, "rows", message)
        key = tuple((value.name, value.text) for value in point if value.name in keys)
        if key in seen:
            alike = ", ".join(f"{name}={text}" for name, text in key) or "nothing"
            message = f"two requests with one address: {alike} is on line {seen[key].line} too"
            others = (
                "name more columns in 'rows_key', or buy one request several times with 'takes'"
            )
            hint = TAKES_HINT if keys >= columns.keys() else others
            problems.error(row.place, "same-address", message, hint)
        seen.setdefault(key, row.place)
    return keys
