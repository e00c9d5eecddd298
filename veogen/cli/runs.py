"""Carrying out the sessions of one command, one after the other, and what to say of it."""

import logging
import os
import resource
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import FrameType

import click

from veogen.cli.options import RunOptions, SpecOptions
from veogen.errors import ExitCode
from veogen.executor.connect import Connection, no_project
from veogen.executor.options import Policy, SystemClock
from veogen.executor.run import Outcome, Session, Wanted, opened
from veogen.executor.transitions import Stop
from veogen.planner.plan import Plan
from veogen.progress import Mode, listener
from veogen.results.advice import RunCommands
from veogen.results.ledger import Ledger
from veogen.spec.types import Spec
from veogen.text import Terminal, counted


@contextmanager
def ends_by_signal() -> Iterator[None]:
    """Both signals end a command from its first moment on, also where a script had one ignored."""
    with _handling(signal.default_int_handler):
        yield


@contextmanager
def interrupts(leave: Callable[[], None]) -> Iterator[None]:
    """Call `leave` at the first signal; the second raises `KeyboardInterrupt` where it is."""
    seen = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        del number, frame
        seen += 1
        if seen > 1:
            raise KeyboardInterrupt
        leave()

    with _handling(handle):
        yield


@contextmanager
def _handling(handle: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def policy_of(options: RunOptions) -> Policy:
    """The policy that the options ask for."""
    return Policy(
        max_in_flight=options.max_in_flight,
        submit_rate=options.submit_rate,
        poll_interval=options.poll_interval,
        task_timeout=options.task_timeout,
        task_retries=options.task_retries,
        replay=options.on_indeterminate == "replay",
        retry_failed=options.retry_failed,
        max_credits=options.max_credits,
    )


def progress_of(options: RunOptions) -> Mode:
    """How the run is told: a bar and a log on one screen are neither."""
    return "lines" if options.progress == "auto" and options.verbose else options.progress


@contextmanager
def logging_exchanges(*, verbose: bool) -> Iterator[None]:
    """Show what the gateway's room logs while the block runs, if it is wanted."""
    if not verbose:
        yield
        return
    logger, handler = logging.getLogger("veogen.gateway"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


_ORDER = (ExitCode.INTERRUPTED, ExitCode.STOPPED, ExitCode.INDETERMINATE, ExitCode.INCOMPLETE)

_FILES_OF_A_JOB = 4
"""The lock and the journal with its log and index."""

_OTHER_FILES = 1024
"""For the connections and clips of one run: no two go on at a time."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run directory to use, with a plan to buy or, without one, to collect only.

    `options` are those that made the plan.
    """

    spec: Spec | None
    plan: Plan | None
    directory: Path
    wanted: Wanted
    options: SpecOptions

    @contextmanager
    def opened(self, connection: Connection, policy: Policy, how: RunOptions) -> Iterator[Session]:
        names = RunCommands(os.path.relpath(self.directory), self._arguments(how))
        with (
            listener(
                progress_of(how),
                directory=self.directory,
                names=names,
                clock=SystemClock(),
                terminal=Terminal(environ=os.environ, data=sys.stdout, messages=sys.stderr),
                retries=policy.task_retries,
            ) as shows,
            opened(
                self.directory,
                plan=self.plan,
                services=connection.services(
                    self._read, self.spec.policy.models if self.spec else None
                ),
                policy=self._policy(policy),
                listener=shows,
                wanted=self.wanted,
            ) as session,
        ):
            yield session

    def _arguments(self, how: RunOptions) -> tuple[str, ...]:
        """What has to be typed after `veogen run` to go on with this run."""
        if self.spec is None:
            return ("SPEC",)
        options = self.options
        found = [self.spec.files.shown(self.spec.path), *options.words, *options.selecting]
        return (*found, *how.words)

    def _policy(self, policy: Policy) -> Policy:
        """The tightest of the spec's budget and the team's limit."""
        return policy.within(
            self.plan.budget.max_credits if self.plan else None,
            self.spec.policy.limits.max_credits if self.spec else None,
        )

    def _read(self, path: PurePosixPath, at_most: int) -> bytes:
        if self.spec is None:
            return no_project(path, at_most)
        return self.spec.files.read(path, at_most)


def allow_files(jobs: int) -> None:
    """Raise the soft limit of open files, which is 256 on some systems, for so many directories."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = jobs * _FILES_OF_A_JOB + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):  # what is open counts; who has too few is told so then
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def carry_out(
    sessions: Sequence[Session], stop: Stop | None, max_credits: Decimal | None
) -> Iterator[Outcome]:
    """Run the sessions in order; after one that had to stop the others only bring home."""
    left = max_credits
    for session in sessions:
        with interrupts(session.runner.interrupt):
            outcome = session.run(stop, max_credits=left)
        if outcome.code == ExitCode.INDETERMINATE:
            _show_candidates(session)
        session.end()
        yield outcome
        if outcome.interrupted:
            return
        stop = stop or outcome.stop
        left = None if left is None else left - outcome.spent


def _show_candidates(session: Session) -> None:
    """What the account's own list knows about requests that nobody is sure of."""
    names = RunCommands(run=os.path.relpath(session.directory.path))
    for entry, task in session.candidates():
        adopt = names.resolve("--adopt", f"{entry.address}={task.id}")
        text = f"{entry.address}: {task.id} ({task.state}) may be its task; if it is, type: {adopt}"
        session.tell(text)


def worst(outcomes: Iterable[Outcome]) -> ExitCode:
    """Of several exit codes the one that matters most."""
    codes = {outcome.code for outcome in outcomes}
    return next((code for code in _ORDER if code in codes), ExitCode.DONE)


def say(directory: Path, outcome: Outcome) -> None:
    """One line of what is there now, and one for what to type next."""
    summary = outcome.ledger.summary()
    counts = ", ".join(f"{n} {status}" for status, n in summary.counts.items() if n)
    run = shlex.quote(os.path.relpath(directory))
    click.echo(
        f"{counted(summary.requests, 'request')}{counts and ': '}{counts}; "
        f"{counted(summary.videos, 'video')}{_warned(outcome.ledger)}. "
        f"{'; '.join(_money(outcome.ledger))}. {os.path.relpath(directory / 'results.json')}",
        err=True,
    )
    if outcome.code != ExitCode.DONE or summary.counts["indeterminate"]:
        click.echo(f"What stands where, and what to do: veogen status {run}", err=True)
    elif summary.counts["submitted"]:  # somebody decided so, and nothing was watched
        click.echo(f"Bring home what it makes: veogen collect {run}", err=True)
    elif summary.videos:
        click.echo(f"Look at them: veogen gallery {run}", err=True)


def _warned(ledger: Ledger) -> str:
    """How many came otherwise than asked for; `status` tells which."""
    number = sum(bool(standing.record.warnings) for standing in ledger.planned)
    return f" ({number} with a warning)" if number else ""


def _money(ledger: Ledger) -> Iterator[str]:
    """What is known to be reserved or charged, as progress told it, and what may be beyond it."""
    purchases = [p for s in ledger.everything for p in s.record.purchases.values() if p.failed]
    failed = sum((p.credits for p in purchases if p.credits and not p.estimated), Decimal(0))
    returned = f" ({failed:.3f} of failed tasks, which the gateway returns)" if failed else ""
    yield f"{ledger.reserved:.3f} credits reserved or charged so far{returned}"
    if ledger.estimated:
        yield unnamed(ledger)
    if ledger.in_doubt:
        yield f"held requests may have cost {ledger.in_doubt:.3f} more"


def unnamed(ledger: Ledger) -> str:
    """What was bought without a word of the gateway on what it reserved or charged."""
    return f"{ledger.estimated:.3f} more by estimate, as the gateway named no amount"
