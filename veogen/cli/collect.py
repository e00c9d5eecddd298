"""`veogen collect`: bring home what was bought; nothing is submitted, no spec is needed."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from veogen.cli.gateways import gateway_of_runs
from veogen.cli.options import RunOptions
from veogen.cli.runs import (
    allow_open_files,
    connect,
    http_log,
    open_session,
    policy_of,
    print_summary,
    progress_of,
    run_all,
    worst,
)
from veogen.cli.store_names import answering, collectable, find_shared_run
from veogen.errors import ExitCode
from veogen.executor.run import Selection
from veogen.results.advice import RunCommands


def collect_runs(runs: Sequence[str], profile: str | None, options: RunOptions) -> ExitCode:
    """Bring home what was bought in run directories; without one, in all that are real.

    With --simulate it is the only simulated one then.
    """
    simulate, typed = options.simulate, options.store
    named: Sequence[str | None] = runs or ([None] if simulate or profile is not None else [])
    meant = [find_shared_run(run, profile, simulate=simulate, store=typed) for run in named]
    chosen = list({os.path.normpath(run.path.absolute()): run for run in meant}.values())
    chosen = chosen or collectable(typed)
    directories = [run.path for run in chosen]
    stores = [answering(run.store) for run in chosen]
    allow_open_files(len(directories))
    policy = policy_of(options)
    with ExitStack() as stack:
        stack.enter_context(http_log(verbose=options.verbose))
        settings = stack.enter_context(gateway_of_runs(directories))
        connection = stack.enter_context(connect(settings, policy, options))
        sessions = [
            stack.enter_context(
                open_session(
                    directory,
                    replace(connection.dependencies(), store=store),
                    policy,
                    RunCommands(os.path.relpath(directory)),
                    progress_of(options),
                    plan=None,
                    selection=Selection(buy=False),
                )
            )
            for directory, store in zip(directories, stores, strict=True)
        ]
        outcomes = list(run_all(sessions, connection.stop, None))
    for directory, outcome in zip(directories, outcomes, strict=False):
        print_summary(directory, outcome, RunCommands(os.path.relpath(directory)).collect)
    code = worst(outcomes)
    is_away = any(run.store is not store for run, store in zip(chosen, stores, strict=True))
    return ExitCode.INCOMPLETE if code is ExitCode.DONE and is_away else code
