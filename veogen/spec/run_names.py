"""Specs that would have one run directory: a copy whose `name` was not changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from veogen.document.files import Files, Folder
from veogen.document.nodes import Location, Map
from veogen.document.problems import MistakesError, Problem, Problems
from veogen.document.reader import read_document
from veogen.spec.compose import Composer
from veogen.spec.layers import mapping_at
from veogen.spec.project import below_root, project_root, specs_in


@dataclass(frozen=True, slots=True)
class _RunNames:
    """The names of the runs that a spec may have, one for each profile, and where it is named."""

    path: PurePosixPath
    names: frozenset[str]
    place: Location


def shared_run_problems(paths: Iterable[Path]) -> Iterator[Problem]:
    """What is wrong with specs by the names of their runs.

    Each is compared with the others, and with those that lie beside it.
    """
    projects: dict[Path, list[Path]] = {}
    for path in paths:
        projects.setdefault(project_root(path), []).append(path)
    for root, specs in projects.items():
        files = Folder(root)
        named = list(dict.fromkeys(below_root(path, root) for path in specs))
        beside = [each for path in named for each in specs_in(files, path.parent)]
        every = [_run_names(files, path) for path in dict.fromkeys((*named, *beside))]
        yield from _shared(files, [each for each in every if each is not None], len(named))


def _shared(files: Files, every: list[_RunNames], named: int) -> Iterator[Problem]:
    """The mistakes of the first `named` of some specs."""
    owners: dict[str, list[int]] = {}
    for index, each in enumerate(every):
        for name in each.names:
            owners.setdefault(name, []).append(index)
    told = set[int]()
    for name in sorted(name for name, indices in owners.items() if len(indices) > 1):
        first, second = owners[name][:2]
        spec, other = (second, first) if second < named else (first, second)
        if spec < named and spec not in told:
            told.add(spec)
            message = (
                f"{files.shown(every[other].path)} would have the run directory runs/{name} too"
            )
            hint = "give one of them another 'name'"
            yield Problem(every[spec].place, "error", "same-run", message, hint)


def _run_names(files: Files, path: PurePosixPath) -> _RunNames | None:
    """None for a file that cannot be read: whoever asks for it is told why."""
    try:
        tree = read_document(files, path)
    except MistakesError:
        return None
    if isinstance(tree, Map) and "extends" in tree:  # a base may name both
        tree = Composer(files, Problems()).composed(path)
    if not isinstance(tree, Map):
        return None
    name = tree.get("name")
    if not isinstance(name, str):
        name = path.stem
    profiles = [f"{name}.{profile}" for profile in mapping_at(tree, "profiles")]
    start = Location(files.shown(path), 1, 1)
    place = tree.value_place("name") if "name" in tree else start
    return _RunNames(path, frozenset((name, *profiles)), place)
