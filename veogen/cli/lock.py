"""`veogen lock`: write down what is approved, or see whether it still holds."""

import os
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from veogen.cli.options import Reading, SpecOptions
from veogen.cli.output import echo, print_problems, whole_file
from veogen.cli.specs import is_lock_file, load_specs, spec_paths, with_chosen
from veogen.diff.causes import causes_of
from veogen.diff.report import grouped
from veogen.diff.terminal import difference_lines
from veogen.document.files import read_file
from veogen.document.problems import MistakesError, Problems
from veogen.errors import StaleError, UsageError
from veogen.lockfile import (
    SUFFIX,
    LoadedPlan,
    drift,
    lock_path,
    lock_text,
    moved_price,
    read_lock,
)
from veogen.planner.checks import over_limits
from veogen.planner.plan import MADE_ANEW, Plan, total_credits
from veogen.planner.planner import plan, plan_specs
from veogen.planner.selection import narrowed
from veogen.spec.load import load_spec
from veogen.spec.project import project_root, shared_run_problems
from veogen.spec.types import Spec
from veogen.text import counted, uncoloured


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock on disk."""

    path: Path
    stored: LoadedPlan

    @property
    def path_text(self) -> str:
        return os.path.relpath(self.path)


def check_locks(specs: Sequence[Path], options: SpecOptions) -> None:
    """Check every lock of every spec, and raise what is wrong with or stale of all of them."""
    problems, stale = Problems(), list[str]()
    fresh: defaultdict[str | None, list[tuple[Spec, Plan]]] = defaultdict(list)
    paths = spec_paths(specs, "taken")
    problems.extend(shared_run_problems(path for path in paths if not is_lock_file(path)))
    for lock, spec in _meant_locks(paths, options, stale):
        try:
            checked = check_lock(lock, spec, options)
        except MistakesError as error:
            problems.extend(error.problems)
        except StaleError as error:
            stale.append(str(error))
        else:
            fresh[checked[1].profile].append(checked)
            echo(f"{lock.path_text}: up to date, {_size_and_price(checked[1])}")
            if note := price_note(lock, checked[1]):
                echo(f"note: {note}")
    for alike in fresh.values():  # a profile is bought by a command of its own
        problems.extend(over_limits((spec, now.tally) for spec, now in alike))
    problems.raise_errors()
    if stale:
        raise StaleError("\n".join(stale))


def _meant_locks(
    paths: Sequence[Path], options: SpecOptions, stale: list[str]
) -> Iterable[tuple[Lock, Path]]:
    """The locks that are meant by specs or by their own names, each once, with their specs.

    What is to be said of those that cannot be relied on goes to `stale`.
    """
    meant: dict[Path, tuple[Lock, Path]] = {}
    for path in paths:
        try:
            if is_lock_file(path):
                lock = lock_at(path)
                meant[path] = lock, spec_file(lock)
            else:
                meant |= {lock.path: (lock, path) for lock in locks_of(path, options, stale)}
        except StaleError as error:
            stale.append(str(error))
    return meant.values()


def write_locks(arguments: Sequence[Path], options: SpecOptions) -> None:
    """Write the lock of every spec that is meant."""
    specs = load_specs(arguments, options)
    plans = plan_specs(specs, max_requests=options.max_requests)
    narrowed(plans, options.select, options.deselect)  # a glob that matches nothing is an error
    owners: dict[Path, Spec] = {}  # two specs whose names differ only in their extension
    for spec in specs:
        first = owners.setdefault(lock_file(spec), spec)
        if first is not spec:
            raise UsageError(f"{first.path} and {spec.path} would have the same lock; rename one")
    if any(request.promotes for made in plans for request in made.requests):
        echo(f"picked clips are promoted: {MADE_ANEW}")
    for spec, made in zip(specs, plans, strict=True):
        path = Path(os.path.relpath(lock_file(spec)))
        text = lock_text(made, spec.policy.models).encode()
        is_new = text != _lock_there(path, made, spec)
        if is_new:
            with whole_file(path) as file:
                file.write(text)
        echo(f"{path}: {'written' if is_new else 'up to date'}, {_size_and_price(made)}")
    warnings = [warning for made in plans for warning in made.warnings]
    print_problems(warnings, sys.stderr)


def _lock_there(path: Path, now: Plan, spec: Spec) -> bytes | None:
    """What the lock holds now; raises `UsageError` for the lock of another spec."""
    try:
        raw = read_file(path)
        other = read_lock(raw, str(lock_file(spec))).plan
    except (FileNotFoundError, MistakesError):  # or half merged, by hand: it is made anew
        return None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if other.spec != now.spec and (spec.files.root / other.spec).is_file():
        raise UsageError(f"{path} is the lock of {other.spec}; rename one of the specs")
    return raw


def _size_and_price(now: Plan) -> str:
    credits_ = total_credits(now.requests)
    price = "an unknown price" if credits_ is None else f"{credits_} credits"
    return f"{counted(len(now.requests), 'request')}, {price}"


def lock_file(spec: Spec) -> Path:
    """Where the lock of a spec is on disk."""
    return spec.files.root / lock_path(spec.path, spec.profile)


def spec_file(lock: Lock) -> Path:
    """The spec that a lock says it was made of."""
    return project_root(lock.path) / lock.stored.plan.spec


def lock_beside(spec: Path, profile: str | None) -> Path:
    """Where the lock of a spec is, which need not be readable."""
    return spec.with_name(lock_path(PurePosixPath(spec), profile).name)


def lock_of(spec: Path, options: SpecOptions) -> Lock:
    """The lock of a spec; raises `StaleError` when there is none that can be relied on."""
    advice = f"type: {_command_line(['lock'], spec, options)}"
    return lock_at(lock_beside(spec, options.profile), advice)


def lock_at(path: Path, advice: str = "'veogen lock' writes it") -> Lock:
    """The lock in a file; raises `StaleError` when there is none that can be relied on."""
    path_text = os.path.relpath(path)
    try:
        return Lock(path=path, stored=read_lock(read_file(path), path_text))
    except FileNotFoundError:
        raise StaleError(f"{path_text}: there is no lock; {advice}") from None
    except OSError as error:
        raise UsageError(f"{path_text}: {error.strerror}") from None
    except MistakesError as error:
        raise StaleError(f"this lock cannot be relied on\n{error}") from None


def locks_of(spec: Path, options: SpecOptions, stale: list[str]) -> list[Lock]:
    """The locks of a spec: that of one profile, or all there are of any and of none.

    Raises `StaleError` when there is none; what is to be said of others that cannot be relied on
    goes to `stale`.
    """
    own = lock_beside(spec, options.profile)
    locks = []
    for path in () if options.profile else sorted(spec.parent.glob(f"*{SUFFIX}")):
        if path == own or not path.name.startswith(f"{spec.stem}."):
            continue
        try:
            lock = lock_at(path)
        except StaleError as error:
            stale.append(str(error))
            continue
        profile = lock.stored.plan.profile
        if profile is not None and lock_path(PurePosixPath(spec), profile).name == path.name:
            locks.append(lock)
    return [lock_of(spec, options), *locks] if own.exists() or not locks else locks


def check_lock(lock: Lock, spec: Path, options: SpecOptions) -> tuple[Spec, Plan]:
    """The spec and what it makes, planned as its lock was.

    Raises `StaleError` if that is not the lock.
    """
    old = lock.stored.plan
    if not spec.exists():
        raise StaleError(f"{lock.path_text}: its spec is gone: {os.path.relpath(spec)}")
    reading: Reading = {**options.reading, "settings": options.settings or old.settings}
    try:
        loaded = load_spec(spec, profile=old.profile, **reading)
    except MistakesError as error:
        if any(problem.code == "unknown-profile" for problem in error.problems):
            raise StaleError(f"{lock.path_text}: the spec has no profile {old.profile!r}") from None
        raise
    problems = Problems()
    loaded = with_chosen(loaded, problems, options)
    now = plan(loaded, problems, max_requests=options.max_requests)
    problems.raise_errors()
    refuse_stale(lock, now, loaded, options)
    return loaded, now


def refuse_stale(lock: Lock, now: Plan, spec: Spec, options: SpecOptions) -> None:
    """Raise `StaleError` with all that differs in what is selected, and what shows or accepts it.

    The commands are typed here, with the profile and settings that made the lock.
    """
    plans = narrowed((now, lock.stored.plan), options.select, options.deselect)
    differences = drift(*reversed(plans))
    if not differences:
        return
    typed = replace(options, profile=now.profile, settings=now.settings)
    beside = lock.path.parent / PurePosixPath(lock.stored.plan.spec).name
    groups = grouped(differences.difference.changed, causes_of(None, spec))
    lines = [
        f"{lock.path_text}: stale; the spec makes something else now",
        *(f"  ~ {fact}" for fact in differences.facts),
        *difference_lines(differences.difference, groups, uncoloured),
        f"Look at it: {_command_line(['diff', lock.path_text], beside, typed)}",
        f"Approve it: {_command_line(['lock'], beside, typed)}",
    ]
    raise StaleError("\n".join(lines))


def _command_line(words: Sequence[str], spec: Path, options: SpecOptions) -> str:
    """A command about a spec, as it is typed."""
    return shlex.join(["veogen", *words, os.path.relpath(spec), *options.words])


def price_note(lock: Lock, now: Plan) -> str | None:
    moved = moved_price(lock.stored, now)
    return None if moved is None else f"{lock.path_text}: {moved}"
