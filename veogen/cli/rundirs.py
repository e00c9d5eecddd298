"""Which run directory is meant: by its path, by a spec, or by being the only one."""

import os
import shlex
from pathlib import Path

from veogen.cli.options import profile_words
from veogen.cli.specs import run_folder
from veogen.document.files import Folder
from veogen.document.problems import MistakesError, Problems
from veogen.errors import UsageError
from veogen.executor.directory import RunDirectory
from veogen.results.advice import RunCommands
from veogen.spec.compose import Composer
from veogen.spec.grammar import is_name
from veogen.spec.project import below_root, project_root

SIMULATED = ".simulated"


def default_directory(root: Path, name: str, profile: str | None, *, simulated: bool) -> Path:
    """Where a spec is run below its project root unless somebody says otherwise.

    As it is typed here, since many a message names it.
    """
    folder = run_folder(name, profile)
    return Path(typed_path(root / (f"{folder}{SIMULATED}" if simulated else folder)))


def find_run(run: str | None, profile: str | None = None) -> Path:
    """The run directory that is meant; raises `UsageError` when there is none, or several."""
    if run is None:
        return _only_run()
    path = Path(run)
    if path.is_file():
        return _run_of_spec(path, profile)
    if not path.exists():
        raise UsageError(f"{run}: there is no such run directory or spec")
    if not RunDirectory(path).has_run:
        raise UsageError(
            f"{run}: this is not a run directory: it has neither results.json nor journal.db"
        )
    return path


def typed_path(path: Path) -> str:
    """A path as it is typed here."""
    return os.path.relpath(path)


def commands_for(path: Path, name: str) -> RunCommands:
    """How a run of the plan `name` is called on a command line here, as far as it is known."""
    runs = path.absolute().parent
    spec = runs.parent / "specs" / f"{name}.yaml"
    is_below_runs = runs.name == "runs"
    folder = path.name.removesuffix(SIMULATED)
    arguments = [typed_path(spec) if is_below_runs and spec.is_file() else "SPEC"]
    if is_below_runs and folder.startswith(f"{name}."):
        arguments += ["--profile", folder.removeprefix(f"{name}.")]
    elif not is_below_runs or folder != name:
        arguments += ["--dir", typed_path(path)]
    if path.name.endswith(SIMULATED):
        arguments.append("--simulate")
    return RunCommands(typed_path(path), tuple(arguments))


def _only_run() -> Path:
    runs = Path(typed_path(project_root(Path("_")) / "runs"))
    inside = sorted(runs.iterdir()) if runs.is_dir() else []
    existing = [path for path in inside if RunDirectory(path).has_run]
    if len(existing) == 1:
        return existing[0]
    if not existing:
        raise UsageError(f"{typed_path(runs)}: there is no run yet; name a run directory or a spec")
    raise UsageError(
        f"{typed_path(runs)} holds several runs; name one of them: {_listed(existing)}"
    )


def _run_of_spec(path: Path, profile: str | None) -> Path:
    root = project_root(path)
    name, profiles = _name_and_profiles(root, path)
    default = default_directory(root, name, profile, simulated=False)
    if RunDirectory(default).has_run:
        return default
    others = profiles if profile is None else ()
    possible = [
        default_directory(root, name, other, simulated=simulated)
        for other in (profile, *others)
        for simulated in (False, True)
    ]
    existing = [run for run in possible if RunDirectory(run).has_run]
    if len(existing) == 1:
        return existing[0]
    if not existing and profile is not None and profile not in profiles:
        raise UsageError(f"{path}: {profile!r} is not a profile of this spec")
    if not existing:
        command = shlex.join(["veogen", "run", str(path), *profile_words(profile)])
        raise UsageError(
            f"{path}: it has not been run yet ({typed_path(default)}); type: {command}"
        )
    raise UsageError(f"{path}: it has several runs; name one of them: {_listed(existing)}")


def _name_and_profiles(root: Path, path: Path) -> tuple[str, tuple[str, ...]]:
    """The name of a spec, even of one that is being edited and has mistakes."""
    problems = Problems()
    spec = Composer(Folder(root), problems).composed(below_root(path, root))
    if spec is None:
        raise MistakesError(problems.all)
    name, profiles = str(spec.get("name", path.stem)), spec.get("profiles")
    if not is_name(name):
        raise UsageError(f"{path}: {name!r} is not a name; 'veogen validate' tells more")
    return name, tuple(profiles) if isinstance(profiles, dict) else ()


def _listed(runs: list[Path]) -> str:
    return ", ".join(shlex.quote(typed_path(run)) for run in runs)
