"""Where a project begins."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias, TypeVar

POLICY = "veogen.yaml"

Kind: TypeAlias = Literal["file", "folder"]

_MARKS: tuple[tuple[tuple[str, ...], Kind], ...] = (
    ((POLICY,), "file"),
    (("templates", "specs"), "folder"),
)

_Place = TypeVar("_Place", Path, PurePosixPath)


def project_root(spec: Path) -> Path:
    """The project that `spec` belongs to: the nearest folder with a policy, else with templates."""
    start = spec.absolute().parent.resolve()
    return nearest_root(list(_up_to_work_tree(start)), _is_on_disk)


def below_root(path: Path, root: Path) -> PurePosixPath:
    """A file's path in its project: folders may be links, and so may the file by itself."""
    return PurePosixPath((path.absolute().parent.resolve() / path.name).relative_to(root))


def nearest_root(folders: Sequence[_Place], is_there: Callable[[_Place, Kind], bool]) -> _Place:
    """As `project_root`, of a spec in the first of `folders`, wherever those are kept."""
    for names, kind in _MARKS:
        for folder in folders:
            if any(is_there(folder / name, kind) for name in names):
                return folder
    return folders[0]


def _is_on_disk(place: Path, kind: Kind) -> bool:
    return place.is_file() if kind == "file" else place.is_dir()


def _up_to_work_tree(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists():
            return
