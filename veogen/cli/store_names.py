"""Which store is meant; where none is, nothing of stores is loaded."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from veogen.cli.output import echo
from veogen.cli.rundirs import (
    default_directory,
    find_run,
    name_and_profiles,
    real_runs,
    refuse_profile,
    runs_here,
    typed_path,
)
from veogen.document.files import Folder
from veogen.document.problems import Problems
from veogen.errors import UsageError
from veogen.executor.directory import SIMULATED, RunDirectory
from veogen.executor.journal import Journal, StoreRow
from veogen.executor.snapshot import Snapshot, read_snapshot
from veogen.results.events import Video
from veogen.results.manifest import GatewayName
from veogen.spec.grammar import is_name
from veogen.spec.project import load_policy, project_root

if TYPE_CHECKING:
    from veogen.executor.joining import StoreChoice

ENVIRONMENT = "VEOGEN_STORE"


class StoreURL(NamedTuple):
    """A store as somebody named it; `from_policy`: the team's policy did."""

    url: str
    from_policy: bool = False


class FoundRun(NamedTuple):
    """A run directory, and the store that it is kept in, if there is one."""

    path: Path
    store: "StoreChoice | None"


def store_url(typed: str | None, policy: str | None, *, simulated: bool) -> StoreURL | None:
    """Which store is meant: a real run's is the policy's, where it names one."""
    if policy is not None and not simulated:
        if typed is not None and typed != policy:
            from veogen.store.location import StoreLocation  # noqa: PLC0415 - one URL, two spellings

            if StoreLocation.of(typed) != StoreLocation.of(policy):
                raise UsageError(f"veogen.yaml keeps real runs in {policy}: leave --store out")
        return StoreURL(policy, from_policy=True)
    url = typed or os.environ.get(ENVIRONMENT, "").strip()
    return StoreURL(url) if url else None


def find_shared_run(
    run: str | None, profile: str | None, *, simulate: bool, store: str | None
) -> FoundRun:
    """The run directory that is meant, and its store.

    Of a SPEC that was never run on this machine, and of a directory that is not here but whose
    name is that of a run in the store, it is made of what the store knows.
    """
    if run is not None and Path(run).is_file():
        spec, root = Path(run), project_root(Path(run))
        meant = store_url(store, policy_store(root), simulated=simulate)
        name, _ = name_and_profiles(root, spec) if meant else ("", ())
        directory = default_directory(root, name, profile, simulated=simulate)
        if meant is not None and not RunDirectory(directory).has_run:
            from veogen.cli.stores import bring_run_of_spec  # noqa: PLC0415

            bring_run_of_spec(meant, spec, profile, directory, simulated=simulate)
    elif run is not None and not Path(run).exists():
        run = _run_by_name(run, store)
    path = find_run(run, profile, simulate=simulate)
    return FoundRun(path, store_of_run(path, store))


def _run_by_name(run: str, store: str | None) -> str:
    """The directory of a run that its store has; of a bare name it is below `runs/`."""
    root = project_root(Path("_"))
    is_bare = Path(run).name == run
    path = default_directory(root, run, None, simulated=False) if is_bare else Path(run)
    is_simulated = path.name.endswith(SIMULATED)
    meant = store_url(store, policy_store(root), simulated=is_simulated)
    if meant is None or not is_name(path.name):
        return run
    from veogen.cli.stores import bring_run  # noqa: PLC0415

    return typed_path(path) if RunDirectory(path).has_run or bring_run(meant, path) else run


def collectable(store: str | None) -> list[FoundRun]:
    """All real runs; where none is here, those of the store."""
    paths = real_runs()
    root = project_root(Path("_"))
    meant = store_url(store, policy_store(root), simulated=False)
    if meant is not None and not runs_here():
        from veogen.cli.stores import real_runs_of  # noqa: PLC0415

        paths = [Path(_run_by_name(name, store)) for name in real_runs_of(meant)]
    return [FoundRun(path, store_of_run(path, store)) for path in paths or [find_run(None)]]


def several_runs(profile: str | None, *, simulate: bool, store: str | None) -> list[FoundRun]:
    """All runs below `runs/` with their stores, where there are several; else none.

    With `simulate` the simulated ones alone; raises `UsageError` for a profile.
    """
    refuse_profile(profile)
    paths = runs_here(simulate=simulate)
    if len(paths) < 2:  # noqa: PLR2004 - the only one is shown in full
        return []
    return [FoundRun(path, store_of_run(path, store)) for path in paths]


def look_at(found: FoundRun, now: float) -> Snapshot:
    """Where a run stands, with what its store knows; without a store that is out of reach.

    Who only looks goes on with what is here, and says so.
    """
    store = answering(found.store)
    if store is None:
        return read_snapshot(found.path, now)
    from veogen.store.objects import StoreError  # noqa: PLC0415 - few runs have a store

    try:
        return read_snapshot(found.path, now, store)
    except StoreError as error:
        echo(f"note: {error}; this goes on with what is here")
        return read_snapshot(found.path, now)


def answering(choice: "StoreChoice | None") -> "StoreChoice | None":
    """The store, unless it does not answer within 5 s: that is said, and goes on without it."""
    if choice is None:
        return None
    from veogen.cli.stores import if_it_answers  # noqa: PLC0415

    return if_it_answers(choice)


def fetch_from(choice: "StoreChoice | None") -> Callable[[Video, Path], bool] | None:
    """What fetches a clip from a store: whether it is there, and that clip."""
    if choice is None:
        return None
    from veogen.store.objects import StoreError  # noqa: PLC0415

    def fetch(video: Video, path: Path) -> bool:
        try:
            return choice.store.clips.fetch(video.sha256, video.bytes, path)
        except StoreError:
            return False

    return fetch


def kept_only_there(
    choice: "StoreChoice | None", videos: Iterable[Video], is_here: Callable[[Video], bool]
) -> frozenset[str]:
    """The SHA-256 of the videos that are not here but in the store."""
    if choice is None:
        return frozenset()
    from veogen.store.objects import StoreError  # noqa: PLC0415

    absent, clips = [video for video in videos if not is_here(video)], choice.store.clips
    try:
        return frozenset(v.sha256 for v in absent if clips.has(v.sha256, v.bytes))
    except StoreError:
        return frozenset()


def policy_store(root: Path) -> str | None:
    """The store that the policy of a project names."""
    return load_policy(Folder(root), Problems(), lenient=True).store


def store_of_run(path: Path, typed: str | None, *, looks: bool = True) -> "StoreChoice | None":
    """The store of a run directory: as it is named, or for who only looks as its journal knows."""
    directory = RunDirectory(path)
    row: StoreRow | None = None
    gateway: GatewayName | None = None
    if directory.journal.exists():
        with Journal.read(directory.journal) as journal:
            row, gateway = journal.store(), journal.header.gateway
    is_simulated = path.name.endswith(SIMULATED) or (gateway or directory.gateway) == "simulated"
    meant = store_url(typed, policy_store(project_root(path)), simulated=is_simulated)
    if meant is None and row is not None and looks:
        meant = StoreURL(row.url)
    if meant is None:
        return None
    from veogen.cli.stores import choose_store  # noqa: PLC0415

    return choose_store(meant, row.run if row else path.absolute().name, make=not looks)
