"""Where a project begins."""

from collections.abc import Iterator
from pathlib import Path

POLICY = "veogen.yaml"
_FOLDERS = ("templates", "specs")


def project_root(spec: Path) -> Path:
    """The project that `spec` belongs to: the nearest folder with a policy, else with templates."""
    start = spec.absolute().parent.resolve()
    folders = list(_up_to_work_tree(start))
    for marks in ((POLICY,), _FOLDERS):
        for folder in folders:
            if any(_holds(folder, mark) for mark in marks):
                return folder
    return start


def _holds(folder: Path, mark: str) -> bool:
    place = folder / mark
    return place.is_file() if mark == POLICY else place.is_dir()


def _up_to_work_tree(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists():
            return
