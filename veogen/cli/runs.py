"""Carrying out the sessions of one command, one after the other, and what to say of it."""

import logging
import os
import resource
import shlex
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from types import FrameType

import click

from veogen.cli.options import RunOptions
from veogen.cli.output import echo
from veogen.errors import ExitCode
from veogen.executor.connect import Connection, connected
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy, SystemClock
from veogen.executor.run import Dependencies, Outcome, Run, Selection
from veogen.executor.transitions import Stop
from veogen.gateway.settings import Settings
from veogen.planner.plan import Plan, known_credits
from veogen.progress import Mode, listener
from veogen.results.advice import RunCommands
from veogen.results.ledger import Ledger, difference_notes
from veogen.text import Terminal, counted, credits_text


@contextmanager
def interrupts(leave: Callable[[], None]) -> Iterator[None]:
    """Call `leave` at the first signal; the second raises `KeyboardInterrupt` where it is."""
    signals = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal signals
        del number, frame
        signals += 1
        if signals > 1:
            raise KeyboardInterrupt
        leave()

    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def policy_of(options: RunOptions) -> RunPolicy:
    """The policy that the options ask for."""
    return RunPolicy(
        max_in_flight=options.max_in_flight,
        submit_rate=options.submit_rate,
        poll_interval=options.poll_interval,
        task_timeout=options.task_timeout,
        task_retries=options.task_retries,
        replay=options.on_indeterminate == "replay",
        retry_failed=options.retry_failed,
        max_credits=options.max_credits,
        keep_store=options.keep == "store",
    )


def progress_of(options: RunOptions) -> Mode:
    """How the run is told: a bar and a log on one screen are neither."""
    return "lines" if options.progress == "auto" and options.verbose else options.progress


@contextmanager
def http_log(*, verbose: bool) -> Iterator[None]:
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


def connect(
    settings: Settings, policy: RunPolicy, options: RunOptions, models: Collection[str] = ()
) -> AbstractContextManager[Connection]:
    """A connection to the gateway, which says whether it has the `models` that are asked for."""
    timeout = options.request_timeout
    return connected(settings, policy, models=models, request_timeout=timeout, say=echo)


@contextmanager
def open_session(
    directory: Path,
    dependencies: Dependencies,
    policy: RunPolicy,
    commands: RunCommands,
    mode: Mode,
    *,
    plan: Plan | None,
    selection: Selection,
) -> Iterator[Run]:
    """A run in a directory, shown on this terminal; without a plan nothing is bought.

    `commands` are how it is called here, for what is said to type.
    """
    progress = listener(
        mode,
        directory=directory,
        names=commands,
        clock=SystemClock(),
        terminal=Terminal(environ=os.environ, data=sys.stdout, messages=sys.stderr),
        retries=policy.task_retries,
    )
    with progress as watching:
        run = open_run(
            directory,
            plan=plan,
            dependencies=dependencies,
            policy=policy,
            listener=watching,
            selection=selection,
        )
        with run as session:
            yield session


def allow_open_files(jobs: int) -> None:
    """Raise the soft limit of open files, which is 256 on some systems, for so many directories."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = jobs * _FILES_OF_A_JOB + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):  # what is open counts; who has too few is told so then
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def run_all(
    sessions: Sequence[Run], stop: Stop | None, max_credits: Decimal | None
) -> Iterator[Outcome]:
    """Run the sessions in order; after one that had to stop the others only bring home."""
    left = max_credits
    for session in sessions:
        with interrupts(session.scheduler.interrupt):
            outcome = session.run(stop, max_credits=left)
        if outcome.code == ExitCode.INDETERMINATE:
            names = RunCommands(run=os.path.relpath(session.directory.path))
            for entry, task in session.candidates():  # of the account's own list
                adopt = names.resolve("--adopt", f"{entry.address}={task.id}")
                says = f"{task.id} ({task.state}) may be its task; if it is, type: {adopt}"
                session.note(f"{entry.address}: {says}")
        session.end()
        yield outcome
        if outcome.interrupted:
            return
        stop = stop or outcome.stop
        left = None if left is None else left - outcome.spent


def worst(outcomes: Iterable[Outcome]) -> ExitCode:
    """The exit code of several sessions."""
    return worst_code(outcome.code for outcome in outcomes)


def worst_code(codes: Iterable[ExitCode]) -> ExitCode:
    """Of several exit codes the one that matters most."""
    every = set(codes)
    return next((code for code in _ORDER if code in every), ExitCode.DONE)


def print_summary(directory: Path, outcome: Outcome, go_on: str | None = None) -> None:
    """One line of what is there now, and one for what to type next.

    Of an interrupted run what is still being made, and the command that would `go_on` with it.
    """
    summary = outcome.ledger.summary()
    counts = ", ".join(f"{n} {status}" for status, n in summary.counts.items() if n)
    marked = {"with a warning": 0, "not here": 0}  # `status` tells which
    for state in outcome.ledger.planned:
        marked["with a warning"] += bool(state.record.warnings)
        marked["not here"] += len(state.record.remote_videos)
    notes = ", ".join(f"{number} {words}" for words, number in marked.items() if number)
    run = shlex.quote(os.path.relpath(directory))
    click.echo(
        f"{counted(summary.requests, 'request')}{counts and ': '}{counts}; "
        f"{counted(summary.videos, 'video')}{notes and f' ({notes})'}. "
        f"{'; '.join(_money(outcome.ledger))}. {os.path.relpath(directory / 'results.json')}",
        err=True,
    )
    if outcome.interrupted:
        made = [s.record for s in outcome.ledger.everything if s.record.status == "submitted"]
        paid = credits_text(known_credits(record.credits for record in made))
        verb = "is" if len(made) == 1 else "are"
        being = (
            f"{counted(len(made), 'request')} {verb} paid for and still being made, {paid} credits"
        )
        being = being if made else "nothing is being made"
        click.echo(f"Interrupted: everything known is on record; {being}.", err=True)
        if go_on is not None:
            click.echo(f"Go on: {go_on}", err=True)
    if outcome.code != ExitCode.DONE or summary.counts["indeterminate"]:
        click.echo(f"What stands where, and what to do: veogen status {run}", err=True)
    elif summary.counts["submitted"]:  # somebody decided so, and nothing was watched
        click.echo(f"Bring home what it makes: veogen collect {run}", err=True)
    elif marked["not here"]:
        click.echo(f"Bring home what is not here: veogen collect {run}", err=True)
    elif summary.videos:
        click.echo(f"Look at them: veogen gallery {run} --open", err=True)


def _money(ledger: Ledger) -> Iterator[str]:
    """What is known to be reserved or charged, as progress told it, and what may be beyond it."""
    purchases = [p for s in ledger.everything for p in s.record.purchases if p.status == "failed"]
    failed = sum((p.credits for p in purchases if p.credits and p.task_id), Decimal(0))
    amount = credits_text(failed)
    returned = f" ({amount} of failed tasks, which the gateway returns)" if failed else ""
    yield f"{credits_text(ledger.reserved)} credits reserved or charged so far{returned}"
    if ledger.estimated:
        yield estimate_note(ledger)
    yield from difference_notes(ledger.everything)
    if ledger.in_doubt:
        yield f"indeterminate requests may have cost {credits_text(ledger.in_doubt)} more"


def estimate_note(ledger: Ledger) -> str:
    """What was bought without a word of the gateway on what it reserved or charged."""
    return f"{credits_text(ledger.estimated)} more by estimate, as the gateway named no amount"
