"""`veogen lock`: write down what is approved, or see whether it still holds."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from veogen.cli.files import written
from veogen.cli.locks import Lock, check, lock_at, lock_file, locks_of, price_note, spec_file
from veogen.cli.options import SpecOptions
from veogen.cli.output import say_line, tell
from veogen.cli.plan import narrowed
from veogen.cli.specs import is_lock_file, load_specs, spec_paths
from veogen.document.files import read_file
from veogen.document.problems import MistakesError, Problems
from veogen.errors import StaleError, UsageError
from veogen.lockfile import lock_text, read_lock
from veogen.planner.checks import over_limits
from veogen.planner.plan import Plan, total_credits
from veogen.planner.planner import plan_specs
from veogen.spec.types import Spec
from veogen.text import counted


def check_locks(specs: Sequence[Path], options: SpecOptions) -> None:
    """Check every lock of every spec, and raise what is wrong with or stale of all of them."""
    problems, stale = Problems(), []
    fresh: defaultdict[str | None, list[tuple[Spec, Plan]]] = defaultdict(list)
    for path in spec_paths(specs, locks=True):
        try:
            for lock, spec in _locks(path, options):
                found = check(lock, spec, options)
                fresh[found[1].profile].append(found)
                _say_fresh(lock, found[1])
        except MistakesError as error:
            problems.extend(error.problems)
        except StaleError as error:
            stale.append(str(error))
    for alike in fresh.values():  # a profile is bought by a command of its own
        problems.extend(over_limits((spec, plan.tally) for spec, plan in alike))
    problems.raise_errors()
    if stale:
        raise StaleError("\n".join(stale))


def _locks(path: Path, options: SpecOptions) -> Iterator[tuple[Lock, Path]]:
    """The locks that are meant by a spec, or by one of them itself, and their spec."""
    if is_lock_file(path):
        lock = lock_at(path)
        yield lock, spec_file(lock)
    else:
        yield from ((lock, path) for lock in locks_of(path, options))


def _say_fresh(lock: Lock, now: Plan) -> None:
    say_line(f"{lock.shown}: up to date, {_counted(now)}")
    note = price_note(lock, now)
    if note is not None:
        say_line(f"note: {note}")


def write_locks(arguments: Sequence[Path], options: SpecOptions) -> None:
    """Write the lock of every spec that is meant."""
    specs = load_specs(arguments, options)
    plans = plan_specs(specs, max_requests=options.max_requests)
    narrowed(plans, options.select, options.deselect)  # a glob that matches nothing is an error
    _refuse_shared(specs)
    for spec, plan in zip(specs, plans, strict=True):
        _write(spec, plan)
    warnings = [warning for plan in plans for warning in plan.warnings]
    tell(warnings, sys.stderr)


def _refuse_shared(specs: Sequence[Spec]) -> None:
    """Two specs whose names differ only in their extension would have one lock."""
    seen: dict[Path, Spec] = {}
    for spec in specs:
        first = seen.setdefault(lock_file(spec), spec)
        if first is not spec:
            raise UsageError(f"{first.path} and {spec.path} would have the same lock; rename one")


def _write(spec: Spec, plan: Plan) -> None:
    path = lock_file(spec)
    shown = os.path.relpath(path)
    before = _before(path, plan, spec)
    text = lock_text(plan, spec.policy.models).encode()
    if before is not None and before == text:
        say_line(f"{shown}: up to date, {_counted(plan)}")
    else:
        with written(Path(os.path.relpath(path))) as file:
            file.write(text)
        say_line(f"{shown}: written, {_counted(plan)}")


def _before(path: Path, plan: Plan, spec: Spec) -> bytes | None:
    """What the lock holds now; raises `UsageError` for the lock of another spec."""
    try:
        raw = read_file(path)
        other = read_lock(raw, str(path)).plan
    except FileNotFoundError:
        return None
    except MistakesError:  # edited by hand or half merged: it is made anew
        return None
    except OSError as error:
        raise UsageError(f"{os.path.relpath(path)}: {error.strerror}") from None
    if other.spec != plan.spec and (spec.files.root / other.spec).is_file():
        raise UsageError(
            f"{os.path.relpath(path)} is the lock of {other.spec}; rename one of the specs"
        )
    return raw


def _counted(plan: Plan) -> str:
    credits_ = total_credits(plan.requests)
    price = "an unknown price" if credits_ is None else f"{credits_} credits"
    return f"{counted(len(plan.requests), 'request')}, {price}"
