"""`veogen run`: buy, download and verify what is missing."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from veogen.cli.gateways import check_listen_options, gateway, webhooks_for
from veogen.cli.lock import Lock, check_lock, lock_of, price_note, refuse_stale, spec_file
from veogen.cli.options import Reading, RunOptions, SpecOptions
from veogen.cli.output import echo
from veogen.cli.question import bought_elsewhere, confirm, refuse_without_terminal
from veogen.cli.rundirs import default_directory, typed_path
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
from veogen.cli.specs import is_lock_file, spec_paths, with_chosen
from veogen.document.files import Folder
from veogen.document.problems import MistakesError, Problems
from veogen.errors import ExitCode, StaleError, UsageError
from veogen.executor.connect import Connection
from veogen.executor.options import RunPolicy
from veogen.executor.run import Run, Selection
from veogen.lockfile import (
    MAX_BYTES,
    read_lock,
    reprice,
    spec_for_lock,
)
from veogen.models.model import Model
from veogen.planner.checks import over_limits
from veogen.planner.plan import Plan, known_credits
from veogen.planner.planner import plan
from veogen.planner.selection import narrowed
from veogen.results.advice import RunCommands
from veogen.spec.load import load_spec
from veogen.spec.project import below_root, project_root, shared_run_problems
from veogen.spec.types import Spec

if TYPE_CHECKING:
    from veogen.executor.batches import Cluster
    from veogen.executor.joining import StoreChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """A plan to buy in a run directory, and the spec, or the lock in its place, that it is from.

    `options` are those that made the plan; `note` tells of a price that moved since it was locked.
    """

    spec: Spec
    plan: Plan
    directory: Path
    options: SpecOptions
    note: str | None = None
    selection: Selection = field(default_factory=Selection)

    def commands(self, run: RunOptions) -> RunCommands:
        """How the run is called, and what runs it again."""
        words = self.spec.files.shown(self.spec.path), *self.options.words, *self.options.selecting
        return RunCommands(os.path.relpath(self.directory), (*words, *run.words))

    @contextmanager
    def session(
        self,
        connection: Connection,
        policy: RunPolicy,
        run: RunOptions,
        cluster: "Cluster | None",
    ) -> Iterator[Run]:
        """The run of it, within the tightest of the spec's budget and the team's limit."""
        store = self.store(run)
        dependencies = replace(
            connection.dependencies(self.spec.files.read, self.spec.policy.models), store=store
        )
        if cluster is not None and store is not None:
            work = connection.work(
                cluster,
                self.plan,
                store,
                read=self.spec.files.read,
                models=self.spec.policy.models,
            )
            dependencies = replace(dependencies, work=work)
        with open_session(
            self.directory,
            dependencies,
            replace(
                policy.within(self.plan.budget.max_credits, self.spec.policy.limits.max_credits),
                retired=self.spec.policy.retired,
                expected_seconds=self.spec.policy.expected_seconds,
            ),
            self.commands(run),
            progress_of(run),
            plan=self.plan,
            selection=self.selection,
        ) as session:
            yield session

    def store(self, run: RunOptions) -> "StoreChoice | None":
        """The store of the run, of which nothing is loaded without one."""
        policy = None if run.simulate else self.spec.policy.store
        if not (run.store or policy or os.environ.get("VEOGEN_STORE", "").strip()):
            if run.keep or run.shard or run.dask:
                option = "--dask" if run.dask else "--shard" if run.shard else "--keep"
                raise UsageError(
                    f"{option} needs a store: --store, VEOGEN_STORE, or store: in veogen.yaml"
                )
            return None
        from veogen.cli.store_names import store_url  # noqa: PLC0415
        from veogen.cli.stores import choose_store  # noqa: PLC0415
        from veogen.executor.joining import run_in_store  # noqa: PLC0415

        meant = store_url(run.store, policy, simulated=run.simulate)
        name = run_in_store(self.plan.name, self.plan.profile, simulated=run.simulate)
        return choose_store(meant, name, make=True) if meant else None


@contextmanager
def cluster_for(run: RunOptions, jobs: Sequence[RunJob]) -> Iterator["Cluster | None"]:
    """The cluster that is meant, asked whether its workers can take part."""
    if run.dask is None:
        yield None
        return
    for job in jobs:
        job.store(run)
    try:
        from veogen.executor.cluster import cluster_at  # noqa: PLC0415 - dear, and an extra
    except ModuleNotFoundError:
        raise UsageError("--dask needs the extra: pip install 'veogen[dask]'") from None
    with cluster_at(run.dask, run.max_in_flight, simulated=run.simulate) as cluster:
        yield cluster


def run_specs(specs: Sequence[Path], options: SpecOptions, run: RunOptions) -> ExitCode:
    """Buy, download and verify what is missing."""
    _check_options(specs, run)
    check_listen_options(run)
    with ExitStack() as stack:
        stack.enter_context(http_log(verbose=run.verbose))
        jobs = _jobs(specs, options, run)
        allow_open_files(len(jobs))
        models = _models(jobs, run)
        settings = stack.enter_context(gateway(run, [job.directory for job in jobs], models))
        webhooks = stack.enter_context(webhooks_for(run, settings))
        policy = replace(
            policy_of(run), callbacks=webhooks.callbacks_for(models) if webhooks else None
        )
        connection = stack.enter_context(connect(settings, policy, run, models))
        cluster = stack.enter_context(cluster_for(run, jobs))
        sessions = [
            stack.enter_context(job.session(connection, policy, run, cluster)) for job in jobs
        ]
        _check(jobs, sessions)
        for job, session in zip(jobs, sessions, strict=True):
            for line in bought_elsewhere(job.spec.files.root, session):
                echo(line)
        if not (run.yes or run.simulate):
            confirm(jobs, sessions, policy=policy, balance=connection.balance, models=models)
        if webhooks:
            webhooks.start(sessions)
        outcomes = list(run_all(sessions, connection.stop, policy.max_credits))
    for job, outcome in zip(jobs, outcomes, strict=False):  # what was interrupted ends them
        print_summary(job.directory, outcome, job.commands(run).buy)
    if webhooks:
        webhooks.print_received()
    return worst(outcomes)


def _models(jobs: Sequence[RunJob], run: RunOptions) -> dict[str, Model]:
    """Those that are asked for anything; says whose tasks are likely to outlast their watch."""
    models = {
        name: job.spec.policy.models[name]
        for job in jobs
        for name in {str(request.body["model"]) for request in job.plan.requests}
    }
    for model in models.values():
        if model.expected_seconds is not None and model.expected_seconds >= run.task_timeout:
            echo(
                f"note: {model.id} takes about {model.expected_seconds} s a task, and "
                f"--task-timeout is {run.task_timeout:.0f}: what is not made by then is for a "
                "later run or collect"
            )
    return models


def _check_options(specs: Sequence[Path], run: RunOptions) -> None:
    if run.directory and (len(specs) > 1 or len(spec_paths(specs, "alone")) > 1):
        raise UsageError("--dir takes one spec: several would share one directory")
    if run.dask is not None and run.listen is not None:
        raise UsageError("--listen is for one machine: the workers of a cluster poll")
    if not run.simulate:
        for name in ("faults", "generation_time"):
            if getattr(run, name) is not None:
                raise UsageError(f"--{name.replace('_', '-')} needs --simulate")
        if not run.yes:
            refuse_without_terminal()


def _jobs(specs: Sequence[Path], options: SpecOptions, run: RunOptions) -> list[RunJob]:
    """Everything that is meant, each with what is selected of it: in a shard its part by hash.

    Raises `UsageError` where two would share a directory.
    """
    jobs = _planned(specs, options, run)
    for note in (job.note for job in jobs if job.note):
        echo(f"note: {note}")
    plans = narrowed([job.plan for job in jobs], options.select, options.deselect)
    owners: dict[Path, Spec] = {}
    for job in jobs:
        owner = owners.setdefault(job.directory, job.spec)
        if owner is not job.spec:
            first, second = (spec.files.shown(spec.path) for spec in (owner, job.spec))
            raise UsageError(
                f"{first} and {second} would share {typed_path(job.directory)}: "
                "give one of them another 'name'"
            )
    part, of = run.shard or (1, 1)
    selections = (
        {r.hash for r in narrow.requests if int(r.hash[:16], 16) % of == part - 1}
        for narrow in plans
    )
    return [
        replace(job, selection=Selection(selected=selected, only=run.only))
        for job, selected in zip(jobs, selections, strict=True)
    ]


def _planned(specs: Sequence[Path], options: SpecOptions, run: RunOptions) -> list[RunJob]:
    """Everything that is meant, within the team's limits together.

    Raises `MistakesError` with the mistakes of all; with `--locked` `StaleError` when a lock is
    missing or stale.
    """
    problems = Problems()
    jobs, stale = list[RunJob](), list[str]()
    paths = spec_paths(specs, "alone")
    problems.extend(shared_run_problems(path for path in paths if not is_lock_file(path)))
    for path in paths:
        make = _of_lock if is_lock_file(path) else _of_spec
        try:
            spec, made, note = make(path, options, problems, run)
        except MistakesError as error:
            problems.extend(error.problems)
        except StaleError as error:
            stale.append(str(error))
        else:
            directory = run.directory or default_directory(
                spec.files.root, made.name, made.profile, simulated=run.simulate
            )
            typed = replace(options, settings=spec.settings)
            jobs.append(RunJob(spec=spec, plan=made, directory=directory, options=typed, note=note))
    problems.extend(over_limits((job.spec, job.plan.tally) for job in jobs))
    problems.raise_errors()
    if stale:
        raise StaleError("\n".join(stale))
    return jobs


Planned: TypeAlias = tuple[Spec, Plan, str | None]
"""A spec, what it makes, and a note where a price moved."""


def _of_spec(path: Path, options: SpecOptions, problems: Problems, run: RunOptions) -> Planned:
    """The plan of a spec; a locked one is made with the settings of its lock."""
    lock = lock_of(path, options) if run.locked else None
    settings = options.settings or (lock.stored.plan.settings if lock else ())
    reading: Reading = {**options.reading, "settings": settings}
    spec = load_spec(path, profile=options.profile, **reading)
    own = Problems()
    spec = with_chosen(spec, own, options, simulated=run.simulate)
    made = plan(spec, own, max_requests=options.max_requests)
    if lock is not None and not own.has_errors:
        refuse_stale(lock, made, spec, options)
    problems.extend(own.all)
    return spec, made, price_note(lock, made) if lock else None


def _of_lock(path: Path, options: SpecOptions, problems: Problems, run: RunOptions) -> Planned:
    """The plan of a lock, exactly; `locked` asks whether its spec still makes it."""
    if options.profile is not None or options.settings:
        raise UsageError(f"{path}: a lock has a profile and --set of its own: leave yours out")
    root = project_root(path)
    files = Folder(root)
    below = below_root(path, root)
    stored = read_lock(files.read(below, MAX_BYTES), files.shown(below))
    lock = Lock(path=path, stored=stored)
    if run.locked:
        check_lock(lock, spec_file(lock), options)
    spec = spec_for_lock(stored, files, below, problems, lenient=options.allow_unknown_model)
    made = reprice(stored, spec, problems, options.max_requests)
    return spec, made, price_note(lock, made)


def _check(jobs: Sequence[RunJob], sessions: Sequence[Run]) -> None:
    """Each spec's places and budget, then the limit of a project's team for all of its specs."""
    for session in sessions:
        session.check_places()
        session.check_models()
    for session in sessions:
        session.check_money()
    projects: defaultdict[Path, list[Run]] = defaultdict(list)
    limits: dict[Path, Decimal | None] = {}
    for job, session in zip(jobs, sessions, strict=True):
        projects[job.spec.files.root].append(session)
        limits.setdefault(job.spec.files.root, job.spec.policy.limits.max_credits)
    for root, alike in projects.items():
        limit = limits[root]
        amount = known_credits(session.spent + session.price_to_buy for session in alike)
        if limit is not None and amount > limit and any(session.to_buy for session in alike):
            raise UsageError(
                f"{amount} credits, with what was spent before, are more than the team's limit of "
                f"{limit} (veogen.yaml); nothing was sent"
            )
