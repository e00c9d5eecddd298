"""What `run` is asked to buy: plans made of specs, or locks bought as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veogen.cli.locks import (
    Lock,
    check,
    lock_of,
    price_note,
    refuse_stale,
    spec_file,
)
from veogen.cli.options import Reading, SpecOptions
from veogen.cli.specs import is_lock_file, spec_paths
from veogen.document.files import Folder
from veogen.document.problems import MistakesError, Problems
from veogen.errors import StaleError, UsageError
from veogen.planner.approval import approved, spec_of
from veogen.planner.budget import over_limits
from veogen.planner.build import plan_as_far
from veogen.planner.plan import Plan
from veogen.planner.stored import MAX_BYTES, read_lock
from veogen.spec.load import load_spec
from veogen.spec.model import Spec
from veogen.spec.root import below_root, project_root


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
    problems.extend(over_limits((order.spec, order.plan) for order in found))
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
    plan = plan_as_far(spec, own, max_requests=options.max_requests)
    if lock is not None and not own.has_errors:
        refuse_stale(lock, plan, spec, options)
    problems.extend(own.all)
    return Order(spec, plan, price_note(lock, plan) if lock else None)


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
