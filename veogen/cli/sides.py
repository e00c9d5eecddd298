"""The sides of a diff: specs, locks, plan files and folders, here or at a revision."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from veogen.cli.holdings import results_of
from veogen.cli.options import SpecOptions
from veogen.cli.specs import specs_of
from veogen.document.files import NO_FILE, Files, Folder, OutsideRootError
from veogen.document.git import Repository
from veogen.document.problems import MistakesError
from veogen.document.revision import Revision
from veogen.document.tree import Tree
from veogen.errors import UsageError
from veogen.planner.build import plan
from veogen.planner.plan import Plan
from veogen.planner.stored import MAX_BYTES, is_stored, read_stored
from veogen.results.states import Holdings
from veogen.spec.folder import specs_in
from veogen.spec.load import load_spec
from veogen.spec.model import Spec
from veogen.spec.root import below_root, nearest_root, project_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One plan to compare: where it was read, the spec that makes it, what is owned of it.

    `spec` is None for a lock or a plan file, `results` where nothing is known.
    """

    shown: str
    plan: Plan
    spec: Spec | None
    results: Holdings | None


class Sides:
    """Reads sides with the options of one command; closes the repositories it had to open."""

    def __init__(self, options: SpecOptions) -> None:
        self._options = options
        self._stack = ExitStack()
        self._repositories: dict[Path, Repository] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def read(self, written: str) -> tuple[Side, ...]:
        """What a word of the command line means: a path, or `REV:path`."""
        here = Path(written)
        if here.is_file() or here.is_dir():
            return tuple(self.here(here))
        if here.exists():
            raise UsageError(f"{written}: {NO_FILE}; what git holds is written REV:PATH")
        revision, path = _parted(written)
        if path is None:
            raise UsageError(f"{written}: there is no such file, and it is not REV:PATH either")
        repository = self.repository(Path.cwd())
        tree = Tree(repository, repository.commit(revision), revision)
        return tuple(self.there(tree, _below_top(tree, path)))

    def here(self, path: Path) -> Iterator[Side]:
        """The sides at a path on this disk; none where nothing is."""
        if path.is_dir():
            for spec in specs_of(path):
                yield from self.here(spec)
        elif path.exists():
            root = project_root(path)
            yield from self._sides(Folder(root), below_root(path, root))

    def there(self, tree: Tree, path: PurePosixPath) -> Iterator[Side]:
        """The sides at a path below the top of a tree; none where nothing is."""
        match tree.kind(path):
            case "folder":
                for spec in specs_in(Revision(tree, PurePosixPath()), path):
                    yield from self.there(tree, spec)
            case "file":
                root = _root_in(tree, path)
                yield from self._sides(Revision(tree, root), path.relative_to(root))
            case _:
                return

    def repository(self, folder: Path) -> Repository:
        """The repository that a folder, or the nearest above it that is there, is in."""
        while not folder.is_dir():
            folder = folder.parent
        found = Repository.around(folder)
        if found.top not in self._repositories:
            self._repositories[found.top] = self._stack.enter_context(found)
        return self._repositories[found.top]

    def _sides(self, files: Files, path: PurePosixPath) -> Iterator[Side]:
        try:
            raw = files.read(path, MAX_BYTES)
        except OSError as error:
            raise UsageError(f"{files.shown(path)}: {error.strerror}") from None
        if why := _says_too_little(raw):
            raise UsageError(f"{files.shown(path)}: {why}; write it with --format json or yaml")
        if is_stored(raw):
            for stored in read_stored(raw, files.shown(path)):
                yield self._side(files, path, stored.plan, None)
            return
        spec = self._spec(files, path)
        if spec is not None:
            # Money over a budget is worth a note in a review, and no reason not to have one.
            free = replace(spec, budget=replace(spec.budget, max_credits=None))
            found = plan(free, max_requests=self._options.max_requests)
            yield self._side(files, path, replace(found, budget=spec.budget), spec)

    def _side(self, files: Files, path: PurePosixPath, found: Plan, spec: Spec | None) -> Side:
        return Side(
            shown=files.shown(path),
            plan=found,
            spec=spec,
            results=results_of(files, found.name, found.profile),
        )

    def _spec(self, files: Files, path: PurePosixPath) -> Spec | None:
        """The spec, or None where it has not the profile that is asked for: nothing is bought."""
        profile, reading = self._options.profile, self._options.reading
        try:
            return load_spec(Path(path), profile=profile, files=files, **reading)
        except MistakesError as error:
            known = {problem.code for problem in error.problems if problem.severity == "error"}
            if isinstance(files, Revision) and known == {"unknown-profile"}:
                return None
            raise


def _says_too_little(raw: bytes) -> str | None:
    """What is wrong with a plan in one of the formats that cannot be read back."""
    if raw.startswith(b'{"address":'):
        return "a plan in lines does not say of which spec it is"
    if b" (project root: " in raw.partition(b"\n")[0]:
        return "a plan as a table is for people"
    return None


def _parted(written: str) -> tuple[str, str | None]:
    """A revision and a path, parted as git does it: by the first colon outside of braces."""
    depth = 0
    for index, character in enumerate(written):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == ":" and depth == 0 and index > 0:
            return written[:index], written[index + 1 :]
    return written, None


def _below_top(tree: Tree, written: str) -> PurePosixPath:
    """A path of `REV:path` below the top; with a dot first it is relative to where we are."""
    here = Path.cwd().resolve().relative_to(tree.repository.top.resolve())
    relative = PurePosixPath(os.path.normpath(here / written))
    is_relative = written.startswith(("./", "../"))
    path = relative if is_relative else PurePosixPath(os.path.normpath(written))
    try:
        tree.find(path)
    except (OSError, OutsideRootError):
        hint = f"; did you mean {tree.label}:./{written}?" if tree.kind(relative) else ""
        message = f"{tree.label}:{written}: there is no such file at that revision{hint}"
        raise UsageError(message) from None
    return path


def _root_in(tree: Tree, spec: PurePosixPath) -> PurePosixPath:
    return nearest_root(list(spec.parents), lambda place, kind: tree.kind(place) == kind)
