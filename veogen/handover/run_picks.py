"""The picks about a run directory: those of the spec below its project's root with its name."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from veogen.document.files import Folder, read_file
from veogen.document.problems import Problems
from veogen.executor.directory import profile_of
from veogen.executor.snapshot import Snapshot
from veogen.results.picks import MAX_BYTES, Picks, PicksFolder, load_picks
from veogen.spec.compose import Composer
from veogen.spec.project import POLICY, below_root, is_spec, project_root

_OF_PROJECTS = ("specs", "templates")
_SKIPPED = frozenset(("runs", "templates", "videos", "node_modules"))


@dataclass(frozen=True, slots=True)
class RunPicks:
    """The picks about a run: their place below `root`, and what is in them."""

    root: Path
    place: PicksFolder
    picks: Picks

    def path(self, person: str) -> Path:
        return self.root / self.place.file(person)


def run_picks(run: Path, snapshot: Snapshot) -> RunPicks:
    """The picks about a run directory; raises `MistakesError` with all that is wrong in them."""
    root, place = project_root(run), picks_folder(run, snapshot)
    problems = Problems()
    picks = load_picks(Folder(root), place, problems)
    problems.raise_errors()
    return RunPicks(root, place, picks)


def picks_folder(run: Path, snapshot: Snapshot) -> PicksFolder:
    """Where the picks about a run are: beside the spec below the root that has its name."""
    root, name = project_root(run), snapshot.ledger.name
    named = (below_root(path, root) for path in _yaml_files(root) if _has_name(root, path, name))
    spec = next(named, None)
    if spec is None:  # where it would be if there were one
        specs = PurePosixPath("specs") if (root / "specs").is_dir() else PurePosixPath()
        spec = specs / f"{name}.yaml"
    return PicksFolder.of(spec, profile_of(run, name), simulated=snapshot.gateway == "simulated")


def _yaml_files(root: Path) -> Iterator[Path]:
    """The YAML of a project; of a folder that is none what lies in it, and nothing deeper."""
    is_project = (root / POLICY).is_file() or any((root / name).is_dir() for name in _OF_PROJECTS)
    for folder, folders, names in os.walk(root):
        kept = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        folders[:] = sorted(kept) if is_project else []
        for name in sorted(names):
            if name.endswith((".yaml", ".yml")):
                yield Path(folder, name)


def _has_name(root: Path, path: Path, name: str) -> bool:
    """Whether a file is the spec of this name; most are told by their letters."""
    try:
        raw = read_file(path, MAX_BYTES)
    except OSError:
        return False
    if path.stem != name and name.encode() not in raw and b"extends" not in raw:
        return False
    files, below = Folder(root), below_root(path, root)
    if not is_spec(files, below):
        return False
    spec = Composer(files, Problems()).composed(below)
    return spec is not None and str(spec.get("name", path.stem)) == name
