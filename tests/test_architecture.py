"""Imports point down the plan of the house, and the dear libraries stay in their rooms."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "veogen"

ROOMS = [
    "errors",
    "text",
    "hosts",
    "jsontext",
    "notebook",
    "document",
    "models",
    "templates",
    "spec",
    "planner",
    "diff",
    "lockfile",
    "results",
    "gateway",
    "store",
    "executor",
    "handover",
    "gallery",
    "simulator",
    "progress",
    "library",
    "cli",
    "__main__",
]

SEEN_BY_SIMULATOR = {"errors", "text", "jsontext", "document", "models", "simulator"}

SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "veogen" and parts[1] in ROOMS:
                yield parts[1]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_itself_and_the_rooms_above_it(path: Path) -> None:
    room = room_of(path)

    below = {name for name in imported_rooms(path) if ROOMS.index(name) > ROOMS.index(room)}

    assert below == set()


def test_the_simulator_sees_no_code_of_the_client() -> None:
    paths = sorted((PACKAGE / "simulator").rglob("*.py"))

    seen = {name for path in paths for name in imported_rooms(path)}

    assert seen <= SEEN_BY_SIMULATOR


# Files that just one other imports, and why they stand alone all the same.
ALONE = {
    # loaded late: a start-up does without them
    "library": "the public functions, loaded when one of them is used",
    "planner/bulk": "optional: large plain shots as lines",
    "planner/line_template": "optional: the texts of those lines",
    "models/importer": "late: veogen models --import alone",
    "document/git": "late: veogen diff alone",
    "diff/markdown": "late: a comment of a pull request alone",
    "gateway/webhook": "optional: --listen alone",
    "gallery/page": "late: veogen gallery alone",
    "gallery/posters": "late: it decodes clips",
    "progress/bar": "one file a kind of progress, and alone with tqdm",
    "progress/jsonl": "one file a kind of progress",
    "progress/lines": "one file a kind of progress",
    "store/cloud": "optional: alone with obstore",
    "templates/worker": "a process of its own",
    "templates/sandbox": "late: most templates need no process",
    # one subject a file on the evening path
    "executor/amounts": "the unit of what the gateway names, as a pure function",
    "executor/journal_file": "made, opened, proved and closed, without what is in it",
    "executor/measurer": "a process of its own",
    "executor/mp4_boxes": "bytes of strangers, without a library",
    "executor/partial_file": "what came of a clip that has not come as a whole",
    "executor/poller": "one part of the scheduler a file",
    "executor/scheduler": "the loop",
    "executor/transfer": "one file from a link to its place",
    "gateway/media_host": "the other host",
    "gateway/submission": "the one place that decides whether a request may have been paid for",
    "handover/edit": "late: needs an extra",
    "handover/formats": "what is written beside the clips",
    "planner/lint": "what is allowed, but likely a mistake",
    "simulator/delivery": "one API of the simulator a file",
    "simulator/file_routes": "one API of the simulator a file",
    "simulator/openapi": "one API of the simulator a file",
    "simulator/routes": "one API of the simulator a file",
    "spec/shots": "how a shot is read",
    "store/budget": "one kind of record a file",
    "store/log": "one kind of record a file",
    "store/promises": "late: veogen store --check alone",
    "executor/shared_budget": "one thing that machines share a file",
    "executor/cluster": "late: alone with Dask",
    "executor/batch_worker": "what runs on a worker of a cluster",
    "executor/joining": "how a run joins the others of a store",
    "executor/others": "what other machines do",
    "executor/replays": "late in a run, and judged as input from others",
}


def defined_classes(path: Path) -> Iterator[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return (node.name for node in nodes if isinstance(node, ast.ClassDef))


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def imported_files(path: Path) -> set[str]:
    """The files of the package that this one imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    paths = {name.removeprefix("veogen.").replace(".", "/") for name in names}
    return {name for name in paths if (PACKAGE / f"{name}.py").is_file()}


def test_no_two_classes_share_a_name() -> None:
    counted = Counter(name for path in SOURCES for name in defined_classes(path))

    assert [name for name, times in counted.items() if times > 1] == []


def test_no_two_files_share_a_name() -> None:
    counted = Counter(path.name for path in SOURCES if room_of(path) != "cli")
    del counted["__init__.py"]

    assert [name for name, times in counted.items() if times > 1] == []


def test_a_file_that_one_other_imports_has_its_reason() -> None:
    imports = {path: imported_files(path) for path in [*SOURCES, PACKAGE / "__init__.py"]}
    counted = Counter(name for names in imports.values() for name in names)
    alone = {
        module_of(path)
        for path in SOURCES
        if counted[module_of(path)] == 1 and room_of(path) != "cli" and path.stem != "__init__"
    }

    assert alone - ALONE.keys() == set()
    assert {name for name in ALONE if not (PACKAGE / f"{name}.py").is_file()} == set()
