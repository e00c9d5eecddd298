"""`veogen collect`: bring home what was bought; nothing is submitted, no spec is needed."""

from collections.abc import Sequence
from contextlib import ExitStack

from veogen.cli.gateways import gateway_of
from veogen.cli.options import RunOptions, SpecOptions
from veogen.cli.output import say_line
from veogen.cli.rundirs import find_run
from veogen.cli.runs import (
    Job,
    allow_files,
    carry_out,
    ends_by_signal,
    logging_exchanges,
    policy_of,
    say,
    worst,
)
from veogen.errors import ExitCode
from veogen.executor.connect import connected
from veogen.executor.run import Wanted


def collect_runs(runs: Sequence[str], profile: str | None, options: RunOptions) -> ExitCode:
    """Bring home what was bought in run directories; without one, in the only one there is."""
    directories = [find_run(run, profile) for run in runs or (None,)]
    jobs = [
        Job(None, None, directory, Wanted(buy=False), SpecOptions()) for directory in directories
    ]
    allow_files(len(jobs))
    policy = policy_of(options)
    with ExitStack() as stack:
        stack.enter_context(ends_by_signal())
        stack.enter_context(logging_exchanges(verbose=options.verbose))
        settings = stack.enter_context(gateway_of(directories))
        connection = stack.enter_context(
            connected(
                settings,
                policy,
                models=(),
                request_timeout=options.request_timeout,
                say=say_line,
            )
        )
        sessions = [stack.enter_context(job.opened(connection, policy, options)) for job in jobs]
        outcomes = list(carry_out(sessions, connection.stop, None))
    for job, outcome in zip(jobs, outcomes, strict=False):
        say(job.directory, outcome)
    return worst(outcomes)
