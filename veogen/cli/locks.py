"""The locks of specs on disk: where they are, and whether their specs still make them."""

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from veogen.cli.options import Reading, SpecOptions
from veogen.cli.specs import is_lock_file, spec_paths
from veogen.diff.causes import causes_of
from veogen.diff.report import grouped
from veogen.diff.terminal import difference_lines
from veogen.document.files import Folder, read_file
from veogen.document.problems import MistakesError, Problems
from veogen.errors import StaleError, UsageError
from veogen.lockfile import (
    MAX_BYTES,
    SUFFIX,
    Drift,
    Stored,
    approved,
    drift,
    lock_path,
    moved_price,
    read_lock,
    spec_of,
)
from veogen.planner.checks import over_limits
from veogen.planner.plan import Plan
from veogen.planner.planner import plan
from veogen.planner.selection import selected
from veogen.spec.load import load_spec
from veogen.spec.project import below_root, project_root
from veogen.spec.types import Spec
from veogen.text import uncoloured


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock on disk."""

    path: Path
    stored: Stored

    @property
    def shown(self) -> str:
        return os.path.relpath(self.path)


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
    advice = f"type: {_typed(['lock'], spec, options)}"
    return lock_at(lock_beside(spec, options.profile), advice)


def lock_at(path: Path, advice: str = "'veogen lock' writes it") -> Lock:
    """The lock in a file; raises `StaleError` when there is none that can be relied on."""
    shown = os.path.relpath(path)
    try:
        return Lock(path=path, stored=read_lock(read_file(path), shown))
    except FileNotFoundError:
        raise StaleError(f"{shown}: there is no lock; {advice}") from None
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}") from None
    except MistakesError as error:
        raise StaleError(f"this lock cannot be relied on\n{error}") from None


def locks_of(spec: Path, options: SpecOptions) -> Iterator[Lock]:
    """The locks of a spec: that of one profile, or all there are of any and of none.

    Raises `StaleError` when there is none.
    """
    own = lock_beside(spec, options.profile)
    others = [] if options.profile else [path for path in _beside(spec) if path != own]
    locks = [lock for lock in map(lock_at, others) if _is_of(lock, spec)]
    if own.exists() or not locks:
        yield lock_of(spec, options)
    yield from locks


def check(lock: Lock, spec: Path, options: SpecOptions) -> tuple[Spec, Plan]:
    """The spec and what it makes, planned as its lock was.

    Raises `StaleError` if that is not the lock.
    """
    old = lock.stored.plan
    if not spec.exists():
        raise StaleError(f"{lock.shown}: its spec is gone: {os.path.relpath(spec)}")
    reading: Reading = {**options.reading, "settings": options.settings or old.settings}
    try:
        loaded = load_spec(spec, profile=old.profile, **reading)
    except MistakesError as error:
        if any(problem.code == "unknown-profile" for problem in error.problems):
            raise StaleError(f"{lock.shown}: the spec has no profile {old.profile!r}") from None
        raise
    now = plan(loaded, max_requests=options.max_requests)
    refuse_stale(lock, now, loaded, options)
    return loaded, now


def refuse_stale(lock: Lock, now: Plan, spec: Spec, options: SpecOptions) -> None:
    """Raise `StaleError` with all that differs in what is selected."""
    found = drift(*_narrowed(lock.stored.plan, now, options))
    if found:
        typed = replace(options, profile=now.profile, settings=now.settings)
        raise StaleError("\n".join(_told(lock, found, spec, typed)))


def _told(lock: Lock, found: Drift, spec: Spec, typed: SpecOptions) -> Iterator[str]:
    yield f"{lock.shown}: stale; the spec makes something else now"
    yield from (f"  ~ {fact}" for fact in found.facts)
    groups = grouped(found.difference.changed, causes_of(None, spec))
    yield from difference_lines(found.difference, groups, uncoloured)
    yield f"Look at it: {_command('diff', lock, typed)}"
    yield f"Approve it: {_command('lock', lock, typed)}"


def _narrowed(lock: Plan, now: Plan, options: SpecOptions) -> tuple[Plan, Plan]:
    """Both plans with only the requests that count for the exit code."""
    if not options.select and not options.deselect:
        return lock, now
    addresses = dict.fromkeys(r.address for one in (now, lock) for r in one.requests)
    chosen = selected(addresses, options.select, options.deselect)
    kept = [tuple(r for r in one.requests if r.address in chosen) for one in (lock, now)]
    return replace(lock, requests=kept[0]), replace(now, requests=kept[1])


def _command(name: str, lock: Lock, options: SpecOptions) -> str:
    """The command that shows or accepts what differs, as it is typed."""
    spec = lock.path.parent / PurePosixPath(lock.stored.plan.spec).name
    words = [name, lock.shown] if name == "diff" else [name]
    return _typed(words, spec, options)


def _typed(words: Sequence[str], spec: Path, options: SpecOptions) -> str:
    """A command about a spec, as it is typed."""
    return shlex.join(["veogen", *words, os.path.relpath(spec), *options.words])


def _beside(spec: Path) -> Iterator[Path]:
    """The locks that may be those of profiles of the spec."""
    for path in sorted(spec.parent.glob(f"*{SUFFIX}")):
        if path.name.startswith(f"{spec.stem}."):
            yield path


def _is_of(lock: Lock, spec: Path) -> bool:
    profile = lock.stored.plan.profile
    named = lock_path(PurePosixPath(spec), profile).name
    return profile is not None and named == lock.path.name


def price_note(lock: Lock, now: Plan) -> str | None:
    moved = moved_price(lock.stored, now)
    return None if moved is None else f"{lock.shown}: {moved}"


@dataclass(frozen=True, slots=True)
class Order:
    """A plan to buy, and the spec, or the lock in its place, that it is from.

    `note` tells of a price that moved since it was locked.
    """

    spec: Spec
    plan: Plan
    note: str | None = None


def orders(arguments: Sequence[Path], options: SpecOptions, *, locked: bool) -> list[Order]:
    """Everything that is meant, within the team's limits together.

    Raises `MistakesError` with the mistakes of all; with `locked` `StaleError` when a lock is
    missing or stale.
    """
    problems = Problems()
    found, stale = [], []
    for path in spec_paths(arguments, locks=True):
        try:
            found.append(_order(path, options, problems, locked=locked))
        except MistakesError as error:
            problems.extend(error.problems)
        except StaleError as error:
            stale.append(str(error))
    problems.extend(over_limits((order.spec, order.plan.tally) for order in found))
    problems.raise_errors()
    if stale:
        raise StaleError("\n".join(stale))
    return found


def _order(path: Path, options: SpecOptions, problems: Problems, *, locked: bool) -> Order:
    if is_lock_file(path):
        return _of_lock(path, options, problems, locked=locked)
    return _of_spec(path, options, problems, locked=locked)


def _of_spec(path: Path, options: SpecOptions, problems: Problems, *, locked: bool) -> Order:
    """The plan of a spec; a locked one is made with the settings of its lock."""
    lock = lock_of(path, options) if locked else None
    settings = options.settings or (lock.stored.plan.settings if lock else ())
    reading: Reading = {**options.reading, "settings": settings}
    spec = load_spec(path, profile=options.profile, **reading)
    own = Problems()
    made = plan(spec, own, max_requests=options.max_requests)
    if lock is not None and not own.has_errors:
        refuse_stale(lock, made, spec, options)
    problems.extend(own.all)
    return Order(spec, made, price_note(lock, made) if lock else None)


def _of_lock(path: Path, options: SpecOptions, problems: Problems, *, locked: bool) -> Order:
    """The plan of a lock, exactly; `locked` asks whether its spec still makes it."""
    if options.profile is not None or options.settings:
        raise UsageError(f"{path}: a lock has a profile and --set of its own: leave yours out")
    root = project_root(path)
    files = Folder(root)
    below = below_root(path, root)
    stored = read_lock(files.read(below, MAX_BYTES), files.shown(below))
    lock = Lock(path=path, stored=stored)
    if locked:
        check(lock, spec_file(lock), options)
    spec = spec_of(stored, files, below, problems, lenient=options.allow_unknown_model)
    plan = approved(stored, spec, problems, options.max_requests)
    return Order(spec, plan, price_note(lock, plan))
