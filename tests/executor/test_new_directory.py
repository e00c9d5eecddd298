"""A run directory that was made for a run which was refused before it began is not left behind."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.virtual import World, cities

from veogen.errors import UsageError
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy
from veogen.executor.run import Selection


def refused(world: World) -> None:
    """Open a run and refuse it, as a question that is answered no does."""
    with (
        pytest.raises(UsageError, match="answered no"),
        open_run(
            world.path,
            plan=cities("Tokyo"),
            dependencies=world.dependencies(),
            policy=RunPolicy(),
            listener=world.memory,
            selection=Selection(),
        ),
    ):
        raise UsageError("answered no")


def nothing(folder: Path) -> None:
    del folder


def folder_of_others(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("ours")


def own_ignore(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("*.txt\n")


def empty_folder(folder: Path) -> None:
    folder.mkdir(parents=True)


def earlier_run(folder: Path) -> None:
    World(folder).run(cities("Paris"))


def clone(folder: Path) -> None:
    """Of an earlier run only what is committed."""
    earlier_run(folder)
    for path in folder.iterdir():
        if path.is_file() and path.name != "results.json":
            path.unlink()


def content(root: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its bytes, and every folder; journals by their names."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        if path.is_file() and not path.name.startswith(("journal.db", ".lock"))
        else None
        for path in sorted(root.rglob("*"))
    }


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(nothing, id="no folder, nor one above it"),
        pytest.param(empty_folder, id="an empty folder of the user"),
        pytest.param(folder_of_others, id="a folder with something else"),
        pytest.param(own_ignore, id="a folder with a .gitignore of its own"),
        pytest.param(earlier_run, id="an earlier run"),
    ],
)
def test_a_refusal_leaves_everything_as_it_was(
    tmp_path: Path, before: Callable[[Path], None]
) -> None:
    world = World(tmp_path / "deep/runs/trip")
    before(world.path)
    was = content(tmp_path)

    refused(world)

    assert content(tmp_path) == was


def test_what_is_committed_stays_where_nothing_else_was(tmp_path: Path) -> None:
    world = World(tmp_path / "runs/trip")
    clone(world.path)
    was = (world.path / "results.json").read_bytes()

    refused(world)

    assert (world.path / "results.json").read_bytes() == was
    assert (world.path / "journal.db").is_file()  # it holds what was taken in


def test_what_was_begun_stays_whatever_ends_it(tmp_path: Path) -> None:
    world = World(tmp_path / "runs/trip")
    opened = open_run(
        world.path,
        plan=cities("Tokyo"),
        dependencies=world.dependencies(),
        policy=RunPolicy(),
        listener=world.memory,
        selection=Selection(),
    )
    with contextlib.suppress(KeyboardInterrupt), opened as run:
        run.run()
        raise KeyboardInterrupt

    assert (world.path / "journal.db").is_file()
    assert (world.path / "results.json").is_file()
