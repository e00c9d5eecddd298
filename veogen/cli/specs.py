"""From the SPEC arguments of a command to specs."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias

from veogen.cli.options import RunOptions, SpecOptions
from veogen.document.files import NO_FILE, Files, Folder, read_file
from veogen.document.problems import MistakesError, Problems
from veogen.errors import UsageError, VeogenError
from veogen.spec.load import load_spec
from veogen.spec.project import POLICY, project_root, shared_run_problems, specs_in
from veogen.spec.types import Spec

SPECS = "specs"
"""The folder of a project's specs, where nobody says otherwise."""

if TYPE_CHECKING:
    from veogen.results.ledger import Ledger
    from veogen.results.manifest import Owned


def specs_folder() -> Path:
    """The folder `specs/` of the project that one stands in; raises `UsageError`."""
    folder = Path(os.path.relpath(project_root(Path("_")) / SPECS))
    if not folder.is_dir():
        raise UsageError("name a spec: this project has no folder specs/")
    return folder


Locks: TypeAlias = Literal["refused", "alone", "taken"]
"""Whether a lock may stand where a spec is meant: never, in its place, or also beside it."""


def spec_paths(arguments: Iterable[Path], locks: Locks = "refused") -> tuple[Path, ...]:
    """The files meant by arguments that name files and folders, each once, in order.

    Without an argument those of the project's folder `specs/`.

    Raises `UsageError` for what is no spec.
    """
    named = tuple(arguments) or (specs_folder(),)
    meant = dict[str, Path]()
    for argument in named:
        inside = [argument] if argument.is_file() else []
        if argument.is_dir():
            inside = list(specs_of(argument))
        elif not inside:
            raise UsageError(f"{argument}: {NO_FILE}")
        if not inside:
            below = argument / SPECS
            hint = f"; did you mean {below}?" if below.is_dir() else ""
            message = f"{str(argument)!r} holds no spec: no YAML file with a key 'veogen'{hint}"
            raise UsageError(message)
        for path in inside:
            meant.setdefault(os.path.normpath(path.absolute()), path)
    paths = tuple(meant.values())
    refuse_other_files(paths, locks)
    return paths


_GLANCE = 4096
"""Bytes in which a file says its format."""

_STORED = re.compile(rb"veogen\.([a-z]+)/")
_WHAT_IS_STORED = {b"picks": "a picks file", b"results": "a file of results"}
_MAKES_SHOTS = re.compile(rb"""(?:^|[{,])\s*["']?(?:shots|extends)["']?\s*:""", re.MULTILINE)


def refuse_other_files(paths: Sequence[Path], locks: Locks) -> None:
    """Raise `UsageError` with what those of some files are that cannot be bought as they are.

    A glob of a shell names them beside the specs, where a folder would not.
    """
    mistakes = list[str]()
    for path in paths:
        kind, spec, folder = stored_kind(path), _spec_beside(path), f"or the folder {path.parent}/"
        advice = f"name the spec {spec}, {folder}"
        if kind in _WHAT_IS_STORED:
            advice = advice if spec is not None else "name the spec that they are of"
            mistakes.append(f"{path} is {_WHAT_IS_STORED[kind]}; {advice}")
        elif kind is not None and locks == "refused":
            what = "a lock" if path.stem.endswith(".lock") else "a plan file"
            advice = advice if spec is not None else "name the spec that makes it"
            mistakes.append(f"{path} is {what}; {advice}")
        elif kind is not None and locks == "alone" and spec in paths:
            advice = f"leave one of them out, or name the folder {path.parent}/"
            mistakes.append(f"{path} is the lock of {spec}, which is named too; {advice}")
        elif path.name == POLICY:
            mistakes.append(f"{path} is the policy of a project; name its specs")
        elif path.name.startswith("_") and (raw := _read(path)) and not _MAKES_SHOTS.search(raw):
            mistakes.append(
                f"{path} is a base: it has no shots; name the specs that extend it, {folder}"
            )
    if mistakes:
        raise UsageError("\n".join(mistakes))


def is_lock_file(path: Path) -> bool:
    """Whether a file that is given as a spec is a lock or plan, by its content."""
    return stored_kind(path) is not None


def stored_kind(path: Path) -> bytes | None:
    """What the file's format says it is: `plan`, also of a lock, `picks`, `results`; else None."""
    raw = _read(path, _GLANCE)
    if b"format" not in raw:
        return None
    from veogen.lockfile import is_plan_file  # noqa: PLC0415 - a spec does without it

    kind = _STORED.search(raw) if is_plan_file(raw) else None
    return kind[1] if kind else None


def _read(path: Path, most: int | None = None) -> bytes:
    try:
        return read_file(path, most)
    except OSError:  # whoever reads it tells why
        return b""


def _spec_beside(path: Path) -> Path | None:
    """The spec of a lock or of picks, by their names: `a.draft.lock.yaml` is of `a.yaml`."""
    stem = re.split(r"\.(?:lock|picks)(?=\.)", path.name)[0]
    while stem and stem != path.name:
        for extension in (".yaml", ".yml"):
            if (spec := path.with_name(f"{stem}{extension}")).is_file():
                return spec
        stem = stem.rpartition(".")[0]
    return None


def specs_of(folder: Path) -> Iterator[Path]:
    """The specs of a folder on disk; links may lead out of it, not out of its project."""
    here = folder.resolve()
    root = project_root(here / POLICY)
    for path in specs_in(Folder(root), PurePosixPath(here.relative_to(root))):
        yield folder / path.name


def load_specs(
    arguments: Iterable[Path], options: SpecOptions, *, simulated: bool = False
) -> tuple[Spec, ...]:
    """Every spec that is meant; raises the mistakes of all of them in one `MistakesError`.

    Those with a profile that promotes plan what is picked, with `simulated` of the simulated run.
    """
    problems = Problems()
    specs, paths = [], spec_paths(arguments)
    problems.extend(shared_run_problems(paths))
    for path in paths:
        try:
            spec = load_spec(path, profile=options.profile, **options.reading)
            specs.append(with_chosen(spec, problems, options, simulated=simulated))
        except MistakesError as error:
            problems.extend(error.problems)
    problems.raise_errors()
    return tuple(specs)


def with_chosen(
    spec: Spec,
    problems: Problems,
    options: SpecOptions,
    *,
    simulated: bool = False,
    needs_one: bool = True,
) -> Spec:
    """The spec, and what its profile promotes by the committed picks if it does."""
    if spec.promotion is None:
        return spec
    from veogen.results.promotion import with_picks  # noqa: PLC0415 - few profiles promote

    most = options.max_requests
    return with_picks(spec, problems, simulated=simulated, max_requests=most, needs_one=needs_one)


def root_on_disk(spec: Spec) -> Path | None:
    """The folder that the spec's project is, None when it is no folder on this disk."""
    return spec.files.root if isinstance(spec.files, Folder) else None


def owned_by(spec: Spec, run: RunOptions | None = None) -> "Owned | None":
    """What `results.json` of the spec's run directory tells; None when there is none.

    That of a `run` with a directory of its own, or of a simulated one, where one is meant. Whether
    what failed for a passing reason is bought again by itself, the journal says where there is one:
    only who has read that failure does so.
    """
    run = run or RunOptions()
    if run.directory is None:
        owned = owned_in(spec.files, spec.name, spec.profile, simulated=run.simulate)
    else:
        path = run.directory / "results.json"
        owned = _owned(str(path), lambda: read_file(path))
    if owned is None or not owned.has_passing_failures or (ledger := ledger_of(spec, run)) is None:
        return owned
    from veogen.results.manifest import Owned  # noqa: PLC0415 - few have failed so

    return Owned.of_ledger(ledger)


def ledger_of(spec: Spec, run: RunOptions) -> "Ledger | None":
    """All that is known here of the run that is meant; None where nothing can be read of it."""
    from veogen.cli.rundirs import default_directory  # noqa: PLC0415 - few plans ask
    from veogen.executor.options import SystemClock  # noqa: PLC0415
    from veogen.executor.snapshot import read_snapshot  # noqa: PLC0415

    folder, root = run.directory, root_on_disk(spec)
    if folder is None and root is not None:
        folder = default_directory(root, spec.name, spec.profile, simulated=run.simulate)
    if folder is not None:
        with suppress(VeogenError):  # a run will say what is wrong with its journal
            return read_snapshot(folder, SystemClock().now()).ledger
    return None


def owned_in(
    files: Files, name: str, profile: str | None, *, simulated: bool = False
) -> "Owned | None":
    """What is known of a spec's purchases where its project was read, None if nothing is."""
    folder = run_folder(name, profile)
    if simulated:
        from veogen.executor.directory import SIMULATED  # noqa: PLC0415 - for practice alone

        folder = folder.with_name(f"{folder.name}{SIMULATED}")
    path = folder / "results.json"
    # On this disk `runs` may well be a link to a larger one.
    on_disk = isinstance(files, Folder)
    return _owned(
        files.shown(path),
        lambda: read_file(files.root / path) if on_disk else files.read(path),
    )


def _owned(shown: str, read: Callable[[], bytes]) -> "Owned | None":
    try:
        raw = read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{shown}: it cannot be read: {error.strerror}") from None
    # A fifth of the time of a plan, and most specs have no results yet.
    from veogen.results.manifest import Owned, parse  # noqa: PLC0415

    return Owned.of_manifest(parse(raw, shown))


def run_folder(name: str, profile: str | None) -> PurePosixPath:
    """`runs/<name>` below the project root, with a profile `runs/<name>.<profile>`."""
    return PurePosixPath("runs") / (name if profile is None else f"{name}.{profile}")
