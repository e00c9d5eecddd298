"""Which run directory is meant: by its path, by a spec, or by being the only one."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from veogen.cli.lock import lock_at
from veogen.cli.options import profile_words
from veogen.cli.output import echo
from veogen.cli.specs import is_lock_file, run_folder
from veogen.document.files import Folder
from veogen.document.problems import MistakesError, Problems
from veogen.errors import UsageError
from veogen.executor.directory import SIMULATED, RunDirectory, profile_of
from veogen.results.advice import RunCommands
from veogen.spec.compose import Composer
from veogen.spec.grammar import is_name
from veogen.spec.project import below_root, project_root

RUN_FILES = ("results.json", "journal.db")


def default_directory(root: Path, name: str, profile: str | None, *, simulated: bool) -> Path:
    """Where a spec is run below its project root unless somebody says otherwise.

    As it is typed here, since many a message names it.
    """
    folder = run_folder(name, profile)
    return Path(typed_path(root / (f"{folder}{SIMULATED}" if simulated else folder)))


def find_run(run: str | None, profile: str | None = None, *, simulate: bool = False) -> Path:
    """The run directory that is meant; raises `UsageError` when there is none, or several.

    Of a spec it is the one in which `run` would put it; where that is not there but just one other
    of the profile, else of the spec is, that one, which is said. With `simulate` it is practice.
    """
    if run is None:
        refuse_profile(profile)
        existing, folder = runs_here(simulate=simulate), _runs_folder()
        if not existing:
            which = "simulated run" if simulate else "run"
            raise UsageError(f"{folder}: there is no {which} yet; name a run directory or a spec")
        if len(existing) == 1:
            return existing[0]
        if not simulate and len(real := real_runs()) == 1:
            return real[0]
        raise UsageError(f"{folder} holds several runs; name one of them: {_listed(existing)}")
    if not run:  # a variable that is not set
        raise UsageError("an empty text names no run")
    path = Path(run)
    if path.name in RUN_FILES and RunDirectory(path.parent).has_run:
        raise UsageError(f"{run}: a run is named by its directory, {typed_path(path.parent)}")
    if path.is_file():
        return _run_of_spec(path, profile, simulate=simulate)
    if not path.exists():
        raise UsageError(f"{run}: there is no such run directory or spec")
    if not RunDirectory(path).has_run:
        raise UsageError(
            f"{run}: this is not a run directory: it has neither results.json nor journal.db"
        )
    refuse_profile(profile)
    return path


def refuse_profile(profile: str | None) -> None:
    """Raise `UsageError` for a profile where no spec is named that could have it."""
    if profile is not None:
        raise UsageError("--profile is for a SPEC; a run directory has a profile of its own")


def runs_here(*, simulate: bool = False) -> list[Path]:
    """The run directories below `runs/` of the project that one stands in, sorted.

    With `simulate` those of simulated runs alone.
    """
    runs = _runs_folder()
    inside = sorted(runs.iterdir()) if runs.is_dir() else []
    meant = [path for path in inside if path.name.endswith(SIMULATED) or not simulate]
    return [path for path in meant if RunDirectory(path).has_run]


def real_runs() -> list[Path]:
    """Those that were paid for, as their results say; where none was, those not of `--simulate`.

    The latter were bought of a simulator that somebody serves: practice of what is real.
    """
    runs = [path for path in runs_here() if not path.name.endswith(SIMULATED)]
    return [path for path in runs if RunDirectory(path).gateway != "simulated"] or runs


def typed_path(path: Path) -> str:
    """A path as it is typed here."""
    return os.path.relpath(path)


def commands_for(path: Path, name: str) -> RunCommands:
    """How a run of the plan `name` is called on a command line here, as far as it is known."""
    runs = path.absolute().parent
    spec = runs.parent / "specs" / f"{name}.yaml"
    is_below_runs = runs.name == "runs"
    folder, profile = path.name.removesuffix(SIMULATED), profile_of(path, name)
    arguments = [typed_path(spec) if is_below_runs and spec.is_file() else "SPEC"]
    is_practice = RunDirectory(path).gateway == "simulated"  # what is printed here never spends
    is_named_so = path.name.endswith(SIMULATED)
    if is_below_runs and profile is not None:
        arguments += ["--profile", profile]
    elif not is_below_runs or folder != name or (is_practice and not is_named_so):
        arguments += ["--dir", typed_path(path)]
    if is_practice or is_named_so:
        arguments.append("--simulate")
    return RunCommands(typed_path(path), tuple(arguments))


def _runs_folder() -> Path:
    return Path(typed_path(project_root(Path("_")) / "runs"))


def _run_of_spec(path: Path, profile: str | None, *, simulate: bool) -> Path:
    root = project_root(path)
    profiles: tuple[str | None, ...]
    words = profile_words(profile)
    if is_lock_file(path):  # which is of one profile
        if profile is not None:
            raise UsageError(f"{path}: a lock has a profile of its own: leave yours out")
        if not path.name.endswith(".lock.yaml"):
            raise UsageError(f"{path}: this is neither a run directory nor a spec")
        plan = lock_at(path).stored.plan
        name, profile, profiles = plan.name, plan.profile, (plan.profile,)
    else:
        name, of_spec = name_and_profiles(root, path)
        profiles = (None, *of_spec)
    if profile not in profiles:
        raise UsageError(f"{path}: {profile!r} is not a profile of this spec")
    default = default_directory(root, name, profile, simulated=simulate)
    if RunDirectory(default).has_run:
        return default
    existing = {
        directory: of
        for of in profiles
        for simulated in ((True,) if simulate else (False, True))
        if RunDirectory(directory := default_directory(root, name, of, simulated=simulated)).has_run
    }
    own = [directory for directory, of in existing.items() if of == profile and profile]
    for others in (own, list(existing)):
        if len(others) == 1:
            echo(f"note: {typed_path(default)} is not there; this is about {typed_path(others[0])}")
            return others[0]
    if existing and profile is None:
        raise UsageError(f"{path}: it has several runs; name one of them: {_listed(existing)}")
    practice = ["--simulate"] if simulate else []
    command = shlex.join(["veogen", "run", str(path), *words, *practice])
    raise UsageError(f"{path}: it has not been run yet ({typed_path(default)}); type: {command}")


def name_and_profiles(root: Path, path: Path) -> tuple[str, tuple[str, ...]]:
    """The name of a spec, even of one that is being edited and has mistakes."""
    problems = Problems()
    spec = Composer(Folder(root), problems).composed(below_root(path, root))
    if spec is None:
        raise MistakesError(problems.all)
    name, profiles = str(spec.get("name", path.stem)), spec.get("profiles")
    if not is_name(name):
        raise UsageError(f"{path}: {name!r} is not a name; 'veogen validate' tells more")
    return name, tuple(profiles) if isinstance(profiles, dict) else ()


def _listed(runs: Iterable[Path]) -> str:
    return ", ".join(shlex.quote(typed_path(run)) for run in runs)
