"""Imports point down the plan of the house, and the dear libraries stay in their rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "veogen"

ROOMS = [
    "errors",
    "text",
    "hosts",
    "jsontext",
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
