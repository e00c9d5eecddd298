"""Plans as lines of JSON: written while they are made, whatever their size."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from veogen.cli.holdings import holdings_of
from veogen.cli.options import SpecOptions
from veogen.document.problems import Problem, Problems
from veogen.planner.budget import tallies_over_limits
from veogen.planner.lines import stream
from veogen.planner.plan import Request
from veogen.planner.tally import Tally
from veogen.spec.model import Spec

HELD_BACK = 1 << 23
"""Bytes that are not written before it is known that there is no mistake."""


def write_lines(
    specs: Iterable[Spec], options: SpecOptions, out: Path | None
) -> tuple[Problem, ...]:
    """Write a line for each request of the specs; the warnings. Raises `MistakesError`.

    Where there are mistakes nothing is written, but for what is too large to be held back: a
    reader has to look at the exit code.
    """
    problems = Problems()
    with _opened(out) as file:
        held: list[bytes] | None = []
        size = 0
        for block in _blocks(specs, options, problems):
            if held is None:
                file.write(block)
                continue
            held.append(block)
            size += len(block)
            if size > HELD_BACK and not problems.has_errors:
                file.write(b"".join(held))
                held = None
        problems.raise_errors()
        file.write(b"".join(held or ()))
    return problems.warnings


def _blocks(specs: Iterable[Spec], options: SpecOptions, problems: Problems) -> Iterator[bytes]:
    counted: list[tuple[Spec, Tally]] = []
    for spec in specs:
        for block in stream(
            spec, problems, state_of=_state_of(spec), max_requests=options.max_requests
        ):
            if isinstance(block, Tally):
                counted.append((spec, block))
            else:
                yield block.encode()
    problems.extend(tallies_over_limits(counted))


def _state_of(spec: Spec) -> Callable[[Request], str] | None:
    holdings = holdings_of(spec)
    if holdings is None:
        return None
    return lambda request: holdings.state(request.address, request.hash)


@contextlib.contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    """Where bytes go: stdout, or a file that is there whole or not at all."""
    if out is None:
        stdout = sys.stdout.buffer
        yield stdout
        stdout.flush()
        return
    from veogen.cli.written import written_out  # noqa: PLC0415 - results are loaded where needed

    with written_out(out) as file:
        yield file
