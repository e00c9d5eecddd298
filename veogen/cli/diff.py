"""`veogen diff`: what a change would buy, drop, rename and cost."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self, TypeAlias

import click

from veogen.cli.options import SpecOptions
from veogen.cli.output import print_problems
from veogen.cli.specs import owned_in, specs_of, with_chosen
from veogen.diff.causes import causes_of
from veogen.diff.compare import Difference, compare, credit_change
from veogen.diff.markdown import markdown
from veogen.diff.report import Report, SpecDiff, diff_data, grouped
from veogen.diff.terminal import lines
from veogen.document.files import NO_FILE, Files, Folder, OutsideRootError
from veogen.document.git import Repository, Revision, Tree
from veogen.document.nodes import Location
from veogen.document.problems import MistakesError, Problems
from veogen.errors import UsageError
from veogen.lockfile import MAX_BYTES, is_plan_file, read_stored
from veogen.planner.checks import over_budget, over_limits
from veogen.planner.plan import Plan, Request, total_credits
from veogen.planner.planner import plan
from veogen.planner.selection import narrowed
from veogen.results.manifest import Owned
from veogen.results.picks import (
    NO_PICKS,
    Picks,
    PicksFolder,
    load_picks,
    open_decisions,
    picks_change,
    planned_clips,
    review,
)
from veogen.spec.load import load_spec
from veogen.spec.project import below_root, nearest_root, project_root, specs_in
from veogen.spec.types import Spec
from veogen.text import paint, plain_json


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSide:
    """One plan to compare: where it was read, the spec that makes it, what is owned of it.

    `spec` is None for a lock or a plan file, `results` where nothing is known. `picks` are what
    people decided about the clips of its run, `unread` what is wrong with their files.
    """

    label: str
    plan: Plan
    spec: Spec | None
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

    def read(self, word: str) -> tuple[DiffSide, ...]:
        """What a word of the command line means: a path, or `REV:path`."""
        here = Path(word)
        if here.is_file() or here.is_dir():
            return tuple(self.on_disk(here))
        if here.exists():
            raise UsageError(f"{word}: {NO_FILE}; what git holds is written REV:PATH")
        revision, path = _split_revision(word)
        if path is None:
            raise UsageError(f"{word}: there is no such file, and it is not REV:PATH either")
        repository = self.repository(Path.cwd())
        tree = Tree(repository, repository.commit(revision), revision)
        return tuple(self.at_revision(tree, _below_top(tree, path)))

    def on_disk(self, path: Path) -> Iterator[DiffSide]:
        """The sides at a path on this disk; none where nothing is."""
        if path.is_dir():
            for spec in specs_of(path):
                yield from self.on_disk(spec)
        elif path.exists():
            root = project_root(path)
            yield from self._sides(Folder(root), below_root(path, root))

    def at_revision(self, tree: Tree, path: PurePosixPath) -> Iterator[DiffSide]:
        """The sides at a path below the top of a tree; none where nothing is."""
        match tree.kind(path):
            case "folder":
                for spec in specs_in(Revision(tree, PurePosixPath()), path):
                    yield from self.at_revision(tree, spec)
            case "file":
                root = nearest_root(list(path.parents), lambda at, kind: tree.kind(at) == kind)
                yield from self._sides(Revision(tree, root), path.relative_to(root))
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

    def _sides(self, files: Files, path: PurePosixPath) -> Iterator[DiffSide]:
        try:
            raw = files.read(path, MAX_BYTES)
        except OSError as error:
            raise UsageError(f"{files.shown(path)}: {error.strerror}") from None
        if why := _unreadable_format(raw):
            raise UsageError(f"{files.shown(path)}: {why}; write it with --format json or yaml")
        if is_plan_file(raw):
            for stored in read_stored(raw, files.shown(path)):
                yield self._side(files, path, stored.plan, None)
            return
        spec = self._spec(files, path)
        if spec is not None:
            # Money over a budget is worth a note in a review, and no reason not to have one.
            free = replace(spec, budget=replace(spec.budget, max_credits=None))
            problems = Problems()
            free = with_chosen(free, problems, self._options, needs_one=False)
            made = plan(free, problems, max_requests=self._options.max_requests)
            problems.raise_errors()
            yield self._side(files, path, replace(made, budget=spec.budget), spec)

    def _side(self, files: Files, path: PurePosixPath, made: Plan, spec: Spec | None) -> DiffSide:
        place = PicksFolder.of(PurePosixPath(made.spec), made.profile, simulated=False)
        problems = Problems()
        picks = load_picks(files, place, problems)
        return DiffSide(
            label=files.shown(path),
            plan=made,
            spec=spec,
            results=owned_in(files, made.name, made.profile),
            picks=picks,
            unread=tuple(map(str, problems.all)),
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


def _unreadable_format(raw: bytes) -> str | None:
    """What is wrong with a plan in one of the formats that cannot be read back."""
    if raw.startswith(b'{"address":'):
        return "a plan in lines does not say of which spec it is"
    if b" (project root: " in raw.partition(b"\n")[0]:
        return "a plan as a table is for people"
    return None


def _split_revision(word: str) -> tuple[str, str | None]:
    """A revision and a path, parted as git does it: by the first colon outside of braces."""
    depth = 0
    for index, character in enumerate(word):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == ":" and depth == 0 and index > 0:
            return word[:index], word[index + 1 :]
    return word, None


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


Pair: TypeAlias = tuple[DiffSide | None, DiffSide | None]


def compared(old: Sequence[DiffSide], new: Sequence[DiffSide], options: SpecOptions) -> Report:
    """What buying `new` would be, measured by `old`."""
    plans = narrowed([side.plan for side in (*old, *new)], options.select, options.deselect)
    sides = [replace(side, plan=chosen) for side, chosen in zip((*old, *new), plans, strict=True)]
    pairs = _pairs(sides[: len(old)], sides[len(old) :])
    # What the team's limits have against all new plans together, whatever is selected.
    tallies = [(side.spec, side.plan.tally) for side in new if side.spec is not None]
    notes = tuple(problem.message for problem in over_limits(tallies))
    return Report(reviews=tuple(_review(*pair) for pair in pairs), notes=notes)


def _pairs(old: Sequence[DiffSide], new: Sequence[DiffSide]) -> Iterator[Pair]:
    """The same spec of both sides: by its path, else by its name; and what has no other."""
    if len(old) == 1 and len(new) == 1:
        yield old[0], new[0]
        return
    left = list(old)
    partners: dict[int, DiffSide] = {}
    for key in (attrgetter("plan.spec", "plan.profile"), attrgetter("plan.name", "plan.profile")):
        for index, side in enumerate(new):
            partner = next((other for other in left if key(other) == key(side)), None)
            if index not in partners and partner is not None:
                partners[index] = partner
                left.remove(partner)
    for index, side in enumerate(new):
        yield partners.get(index), side
    for side in left:
        yield side, None


def _review(old: DiffSide | None, new: DiffSide | None) -> SpecDiff:
    before, after = _requests(old), _requests(new)
    difference = compare(before, after)
    side = new or old
    return SpecDiff(
        name=side.plan.name if side else "",
        old=old.label if old else None,
        new=new.label if new else None,
        difference=difference,
        groups=grouped(difference.changed, causes_of(_spec(old), _spec(new))),
        money=credit_change(before, after, _is_bought(old)),
        changes=tuple(_changes(old, new)),
        notes=tuple(_notes(old, new, difference)),
    )


def _changes(old: DiffSide | None, new: DiffSide | None) -> Iterator[str]:
    """What differs beside the requests: what people decided."""
    before, after = (NO_PICKS if side is None else side.picks for side in (old, new))
    change = picks_change(before, after)
    if change is not None:
        yield change


def _open_decisions(side: DiffSide) -> Iterator[str]:
    """What is left to decide about the clips of a spec, once somebody has begun to."""
    yield from side.unread
    if side.picks.people:
        left = open_decisions(review(planned_clips(side.plan.requests), side.picks))
        if left is not None:
            yield f"picks: {left}"


def _requests(side: DiffSide | None) -> tuple[Request, ...]:
    return side.plan.requests if side else ()


def _spec(side: DiffSide | None) -> Spec | None:
    return side.spec if side else None


def _is_bought(old: DiffSide | None) -> Callable[[Request], bool]:
    """What the old side's results tell; where there are none, all that it holds counts as bought.

    The results of the new side do not count: a pull request could write into them what it likes.
    """
    results = old.results if old else None
    if results is not None:
        return lambda request: not results.would_buy(request.hash)
    held = {request.hash for request in _requests(old)}
    return lambda request: request.hash in held


def _notes(old: DiffSide | None, new: DiffSide | None, difference: Difference) -> Iterator[str]:
    if old is not None and new is not None and old.plan.name != new.plan.name:
        yield (
            f"the name changes from {old.plan.name} to {new.plan.name}: a run begins a new "
            f"directory, runs/{new.plan.name}, and buys everything in it anew, "
            f"{_credits(new.plan.requests)} credits"
        )
    if new is not None:
        tally, budget, profile = new.plan.tally, new.plan.budget, new.plan.profile
        yield from (
            p.message for p in over_budget(tally, budget, profile, Location(new.label, 1, 1))
        )
        yield from _open_decisions(new)
    moved = [pair for pair in difference.unchanged if pair[0].credits != pair[1].credits]
    if moved:
        before, after = (_credits(side) for side in zip(*moved, strict=True))
        yield f"a price moved: {before} → {after} credits for requests that stay the same"


def _credits(requests: Iterable[Request]) -> str:
    total = total_credits(requests)
    return "unknown" if total is None else str(total)


def print_diff(sides: Sequence[str], options: SpecOptions, base: str | None, format_: str) -> bool:
    """Print what differs of OLD and NEW, or of specs since `base`; whether anything does."""
    with SideReader(options) as reader:
        if base is not None:
            old, new = _since(reader, base, sides)
        elif len(sides) == 2:  # noqa: PLR2004 - old and new
            old, new = reader.read(sides[0]), reader.read(sides[1])
        else:
            raise UsageError("a diff has two sides, OLD and NEW; or --base REV and specs")
        report = compared(old, new, options)
    _write(report, format_)
    warnings = [warning for side in new for warning in side.plan.warnings]
    print_problems([each for each in warnings if each.code == "retired"], sys.stderr)
    return bool(report)


def _since(
    reader: SideReader, revision: str, words: Sequence[str]
) -> tuple[Sequence[DiffSide], Sequence[DiffSide]]:
    """What the specs were at the merge base of a revision and HEAD, and what they are."""
    old: dict[tuple[str, str], DiffSide] = {}
    new: dict[tuple[str, str], DiffSide] = {}
    for word in words:
        path = Path(os.path.normpath(Path(word).absolute()))
        repository = reader.repository(path)
        base = repository.merge_base(revision)
        tree = Tree(repository, base, base[:10])
        below = _below(path, repository.top)
        now, before = list(reader.on_disk(Path(word))), list(reader.at_revision(tree, below))
        if not now and not before:
            raise UsageError(f"{word}: there is no spec, neither here nor at {base[:10]}")
        new.update((_key(side), side) for side in now)
        old.update((_key(side), side) for side in before)
    return list(old.values()), list(new.values())


def _key(side: DiffSide) -> tuple[str, str]:
    """What is meant twice, by a folder and by its name, counts once."""
    return side.label, side.plan.spec


def _below(path: Path, top: Path) -> PurePosixPath:
    """A path below the top of a repository, whether it is there or not."""
    inside = path if path.is_dir() else path.parent
    real = Path(os.path.realpath(inside)) / ("" if path.is_dir() else path.name)
    return PurePosixPath(real.relative_to(os.path.realpath(top)))


def _write(report: Report, format_: str) -> None:
    match format_:
        case "json":
            text = json.dumps(diff_data(report), indent=2, ensure_ascii=False)
            click.echo(plain_json(text))
        case "markdown":
            click.echo(markdown(report))
        case _:
            for line in lines(report, paint(sys.stdout, os.environ)):
                click.echo(line, color=True)
