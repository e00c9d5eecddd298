"""`veogen collect`: bring home what was bought; nothing is submitted, no spec is needed."""

from contextlib import ExitStack
from typing import Any

import click

from veogen.cli.gateways import gateway_of
from veogen.cli.options import SpecOptions, collecting_options, examples, policy_of, profile_option
from veogen.cli.output import say_line
from veogen.cli.rundirs import find_run
from veogen.cli.runs import (
    Job,
    allow_files,
    carry_out,
    ends_by_signal,
    logging_exchanges,
    say,
    worst,
)
from veogen.errors import ExitCode
from veogen.executor.connect import connected
from veogen.executor.run import Wanted


@click.command(
    "collect",
    epilog=examples(
        "veogen collect",
        "veogen collect runs/launch",
    ),
)
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@profile_option("When RUN is a SPEC: that of this profile.")
@collecting_options
def command(runs: tuple[str, ...], profile: str | None, **given: Any) -> ExitCode:
    """Poll and download what was bought; submit nothing.

    RUN is a run directory, or a spec; left out, the only one below runs/.
    """
    directories = [find_run(run, profile) for run in runs or (None,)]
    jobs = [
        Job(None, None, directory, Wanted(buy=False), SpecOptions()) for directory in directories
    ]
    allow_files(len(jobs))
    policy = policy_of(given)
    with ExitStack() as stack:
        stack.enter_context(ends_by_signal())
        stack.enter_context(logging_exchanges(given))
        settings = stack.enter_context(gateway_of(directories))
        connection = stack.enter_context(
            connected(
                settings,
                policy,
                models=(),
                request_timeout=given["request_timeout"],
                say=say_line,
            )
        )
        sessions = [stack.enter_context(job.opened(connection, policy, given)) for job in jobs]
        outcomes = list(carry_out(sessions, connection.stop, None))
    for job, outcome in zip(jobs, outcomes, strict=False):
        say(job.directory, outcome)
    return worst(outcomes)
