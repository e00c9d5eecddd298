"""`veogen collect`: bring home what was bought; nothing is submitted, no spec is needed."""

import os
from collections.abc import Sequence
from contextlib import ExitStack

from veogen.cli.gateways import gateway_of
from veogen.cli.options import RunOptions
from veogen.cli.output import say_line
from veogen.cli.rundirs import find_run
from veogen.cli.runs import (
    allow_files,
    carry_out,
    ends_by_signal,
    logging_exchanges,
    open_session,
    policy_of,
    progress_of,
    say,
    worst,
)
from veogen.errors import ExitCode
from veogen.executor.connect import connected
from veogen.executor.run import Selection
from veogen.results.advice import RunCommands


def collect_runs(runs: Sequence[str], profile: str | None, options: RunOptions) -> ExitCode:
    """Bring home what was bought in run directories; without one, in the only one there is."""
    directories = [find_run(run, profile) for run in runs or (None,)]
    allow_files(len(directories))
    policy = policy_of(options)
    with ExitStack() as stack:
        stack.enter_context(ends_by_signal())
        stack.enter_context(logging_exchanges(verbose=options.verbose))
        settings = stack.enter_context(gateway_of(directories))
        timeout = options.request_timeout
        connection = stack.enter_context(
            connected(settings, policy, models=(), request_timeout=timeout, say=say_line)
        )
        sessions = [
            stack.enter_context(
                open_session(
                    directory,
                    connection.dependencies(),
                    policy,
                    RunCommands(os.path.relpath(directory), ("SPEC",)),
                    progress_of(options),
                    plan=None,
                    wanted=Selection(buy=False),
                )
            )
            for directory in directories
        ]
        outcomes = list(carry_out(sessions, connection.stop, None))
    for directory, outcome in zip(directories, outcomes, strict=False):
        say(directory, outcome)
    return worst(outcomes)
