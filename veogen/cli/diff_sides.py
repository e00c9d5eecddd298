"""The sides of a diff: specs, locks and plan files, here and at revisions of the repository."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from veogen.cli.options import SpecOptions
from veogen.cli.specs import owned_in, refuse_other_files, specs_of, with_chosen
from veogen.document.files import NO_FILE, Files, Folder, OutsideRootError
from veogen.document.git import Repository, Revision, Tree
from veogen.document.problems import Problems
from veogen.errors import UsageError
from veogen.lockfile import MAX_BYTES, is_plan_file, read_stored
from veogen.planner.plan import Plan
from veogen.planner.planner import plan
from veogen.results.manifest import Owned
from veogen.results.picks import NO_PICKS, Picks, PicksFolder, load_picks
from veogen.spec.load import load_spec
from veogen.spec.project import below_root, nearest_root, project_root, specs_in
from veogen.spec.types import Limits, Spec

_REV_AND_PATH = re.compile(r"((?:[^:{}]|\{[^{}]*\})+):(.*)", re.DOTALL)
"""A revision and a path, parted as git does it: by the first colon outside of braces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSource:
    """A spec without a profile, or one plan of a lock or plan file, and where it was read.

    `locked_budget` is what a lock says of the spec's ceilings; a plan file says nothing of them.
    """

    files: Files
    path: PurePosixPath
    spec: Spec | None = None
    stored: Plan | None = None
    locked_budget: Limits | None = None

    @property
    def label(self) -> str:
        return self.files.shown(self.path)

    @property
    def name(self) -> str:
        return self.spec.name if self.spec else self.stored.name if self.stored else ""

    @property
    def spec_path(self) -> str:
        return str(self.path) if self.stored is None else self.stored.spec

    def has_profile(self, profile: str) -> bool:
        return self.spec is not None and profile in self.spec.profiles

    def has_lock(self, profile: str) -> bool:
        """Whether the spec was locked with a profile."""
        return f"{self.path.stem}.{profile}.lock.yaml" in self.files.names(self.path.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSide:
    """One plan to compare: where it was read, the spec that makes it, what is owned of it.

    `spec` is None for a lock or a plan file, `budget` for the latter, `results` where nothing is
    known. `picks` are what people decided about the clips of its run, `unread` what is wrong with
    their files.
    """

    label: str
    plan: Plan
    spec: Spec | None
    budget: Limits | None
    results: Owned | None
    picks: Picks = NO_PICKS
    unread: tuple[str, ...] = ()


class SideReader:
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

    def read(self, word: str) -> tuple[DiffSource, ...]:
        """What a word of the command line means: a path, or `REV:path`."""
        here = Path(word)
        refuse_other_files([here], "taken")
        if here.is_file() or here.is_dir():
            return tuple(self.on_disk(here))
        if here.exists():
            raise UsageError(f"{word}: {NO_FILE}; what git holds is written REV:PATH")
        parts = _REV_AND_PATH.fullmatch(word)
        if parts is None:
            raise UsageError(f"{word}: there is no such file, and it is not REV:PATH either")
        revision, path = parts.groups()
        repository = self.repository(Path.cwd())
        tree = Tree(repository, repository.commit(revision), revision)
        return tuple(self.at_revision(tree, _below_top(tree, path)))

    def since(
        self, revision: str, words: Sequence[str]
    ) -> tuple[Sequence[DiffSource], Sequence[DiffSource]]:
        """What specs were at the merge base of a revision and HEAD, and what they are."""
        refuse_other_files(list(map(Path, words)), "alone")
        old: dict[tuple[str, str], DiffSource] = {}
        new: dict[tuple[str, str], DiffSource] = {}
        for word in words:
            path = Path(os.path.normpath(Path(word).absolute()))
            repository = self.repository(path)
            base = repository.merge_base(revision)
            tree = Tree(repository, base, base[:10])
            inside = path if path.is_dir() else path.parent  # whether it is there or not
            real = Path(os.path.realpath(inside)) / ("" if path.is_dir() else path.name)
            below = PurePosixPath(real.relative_to(os.path.realpath(repository.top)))
            now, before = list(self.on_disk(Path(word))), list(self.at_revision(tree, below))
            if not now and not before:
                raise UsageError(f"{word}: there is no spec, neither here nor at {base[:10]}")
            # What is meant twice, by a folder and by its name, counts once.
            new.update(((each.label, each.spec_path), each) for each in now)
            old.update(((each.label, each.spec_path), each) for each in before)
        return list(old.values()), list(new.values())

    def on_disk(self, path: Path) -> Iterator[DiffSource]:
        """The sources at a path on this disk; none where nothing is."""
        if path.is_dir():
            for spec in specs_of(path):
                yield from self.on_disk(spec)
        elif path.exists():
            root = project_root(path)
            yield from self._sources(Folder(root), below_root(path, root))

    def at_revision(self, tree: Tree, path: PurePosixPath) -> Iterator[DiffSource]:
        """The sources at a path below the top of a tree; none where nothing is."""
        match tree.kind(path):
            case "folder":
                for spec in specs_in(Revision(tree, PurePosixPath()), path):
                    yield from self.at_revision(tree, spec)
            case "file":
                root = nearest_root(list(path.parents), lambda at, kind: tree.kind(at) == kind)
                yield from self._sources(Revision(tree, root), path.relative_to(root))
            case _:
                return

    def repository(self, folder: Path) -> Repository:
        """The repository that a folder, or the nearest above it that is there, is in."""
        while not folder.is_dir():
            folder = folder.parent
        repository = Repository.around(folder)
        if repository.top not in self._repositories:
            self._repositories[repository.top] = self._stack.enter_context(repository)
        return self._repositories[repository.top]

    def side(self, source: DiffSource, profile: str | None) -> DiffSide | None:
        """The plan of a source; None where the spec has no such profile: nothing is bought."""
        if source.stored is not None:
            return _side(source, source.stored, None)
        spec = source.spec
        if profile is not None and source.has_profile(profile):
            reading = self._options.reading
            spec = load_spec(Path(source.path), profile=profile, files=source.files, **reading)
        elif profile is not None:
            return None
        if spec is None:
            return None
        # Money over a budget is worth a note in a review, and no reason not to have one.
        free = replace(spec, budget=replace(spec.budget, max_credits=None))
        problems = Problems()
        free = with_chosen(free, problems, self._options, needs_one=False)
        made = plan(free, problems, max_requests=self._options.max_requests)
        problems.raise_errors()
        return _side(source, replace(made, budget=spec.budget), spec)

    def _sources(self, files: Files, path: PurePosixPath) -> Iterator[DiffSource]:
        try:
            raw = files.read(path, MAX_BYTES)
        except OSError as error:
            raise UsageError(f"{files.shown(path)}: {error.strerror}") from None
        why = None  # a plan in one of the formats that cannot be read back
        if raw.startswith(b'{"address":'):
            why = "a plan in lines does not say of which spec it is"
        elif b" (project root: " in raw.partition(b"\n")[0]:
            why = "a plan as a table is for people"
        if why is not None:
            raise UsageError(f"{files.shown(path)}: {why}; write it with --format json or yaml")
        if is_plan_file(raw):
            for stored in read_stored(raw, files.shown(path)):
                yield DiffSource(
                    files=files,
                    path=path,
                    stored=stored.plan,
                    locked_budget=stored.plan.budget if stored.is_lock else None,
                )
        else:
            spec = load_spec(Path(path), files=files, **self._options.reading)
            yield DiffSource(files=files, path=path, spec=spec)


def _side(source: DiffSource, made: Plan, spec: Spec | None) -> DiffSide:
    place = PicksFolder.of(PurePosixPath(made.spec), made.profile, simulated=False)
    problems = Problems()
    picks = load_picks(source.files, place, problems)
    return DiffSide(
        label=source.label,
        plan=made,
        spec=spec,
        budget=source.locked_budget if spec is None else spec.budget,
        results=owned_in(source.files, made.name, made.profile),
        picks=picks,
        unread=tuple(map(str, problems.all)),
    )


def _below_top(tree: Tree, path_text: str) -> PurePosixPath:
    """A path of `REV:path` below the top; with a dot first it is relative to where we are."""
    here = Path.cwd().resolve().relative_to(tree.repository.top.resolve())
    relative = PurePosixPath(os.path.normpath(here / path_text))
    is_relative = path_text.startswith(("./", "../"))
    path = relative if is_relative else PurePosixPath(os.path.normpath(path_text))
    try:
        tree.find(path)
    except (OSError, OutsideRootError):
        hint = f"; did you mean {tree.label}:./{path_text}?" if tree.kind(relative) else ""
        message = f"{tree.label}:{path_text}: there is no such file at that revision{hint}"
        raise UsageError(message) from None
    return path
