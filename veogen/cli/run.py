"""`veogen run`: buy, download and verify what is missing."""

import math
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from veogen.cli.gateways import check_listen_options, gateway, webhooks_for
from veogen.cli.lock import Lock, check_lock, lock_of, price_note, refuse_stale, spec_file
from veogen.cli.options import Reading, RunOptions, SpecOptions
from veogen.cli.other_runs import bought_elsewhere
from veogen.cli.output import echo
from veogen.cli.rundirs import default_directory, typed_path
from veogen.cli.runs import (
    allow_open_files,
    connect,
    ends_by_signal,
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
from veogen.gateway.api import Balance, ReadError
from veogen.lockfile import (
    MAX_BYTES,
    read_lock,
    reprice,
    spec_for_lock,
)
from veogen.models.model import Model
from veogen.planner.checks import over_limits
from veogen.planner.plan import Plan, Request, dollars, known_credits
from veogen.planner.planner import plan
from veogen.planner.selection import narrowed
from veogen.results.advice import RunCommands
from veogen.spec.load import load_spec
from veogen.spec.project import below_root, project_root
from veogen.spec.run_names import shared_run_problems
from veogen.spec.types import Spec
from veogen.text import counted, credits_text

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
        return choose_store(meant, name) if meant else None


def run_specs(specs: Sequence[Path], options: SpecOptions, run: RunOptions) -> ExitCode:
    """Buy, download and verify what is missing."""
    _check_options(specs, run)
    check_listen_options(run)
    with ExitStack() as stack:
        stack.enter_context(ends_by_signal())
        stack.enter_context(http_log(verbose=run.verbose))
        jobs = _jobs(specs, options, run)
        allow_open_files(len(jobs))
        models = _models(jobs)
        _note_slow(models, run)
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
        yes = run.yes or run.simulate
        confirm(jobs, sessions, yes=yes, policy=policy, balance=connection.balance, models=models)
        if webhooks:
            webhooks.start(sessions)
        outcomes = list(run_all(sessions, connection.stop, policy.max_credits))
    for job, outcome in zip(jobs, outcomes, strict=False):  # what was interrupted ends them
        print_summary(job.directory, outcome, job.commands(run).buy)
    if webhooks:
        webhooks.print_received()
    return worst(outcomes)


def _note_slow(models: Mapping[str, Model], run: RunOptions) -> None:
    """Say of which models a task is likely to outlast the time that it is watched."""
    for model in models.values():
        if model.expected_seconds is not None and model.expected_seconds >= run.task_timeout:
            echo(
                f"note: {model.id} takes about {model.expected_seconds} s a task, and "
                f"--task-timeout is {run.task_timeout:.0f}: what is not made by then is for a "
                "later run or collect"
            )


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


def _check_options(specs: Sequence[Path], run: RunOptions) -> None:
    if run.directory and (len(specs) > 1 or len(spec_paths(specs, locks=True)) > 1):
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
    """Everything that is meant, each with what is selected of it."""
    jobs = _planned(specs, options, run)
    for note in (job.note for job in jobs if job.note):
        echo(f"note: {note}")
    plans = narrowed([job.plan for job in jobs], options.select, options.deselect)
    _refuse_shared(jobs)
    return [
        replace(job, selection=Selection(selected=_selected(plan, run), only=run.only))
        for job, plan in zip(jobs, plans, strict=True)
    ]


def _selected(plan_: Plan, run: RunOptions) -> set[str]:
    """The requests that are meant, in a shard those of its part by hash: the same everywhere."""
    hashes = {request.hash for request in plan_.requests}
    if run.shard is None:
        return hashes
    part, of = run.shard
    return {hash_ for hash_ in hashes if int(hash_[:16], 16) % of == part - 1}


def _planned(specs: Sequence[Path], options: SpecOptions, run: RunOptions) -> list[RunJob]:
    """Everything that is meant, within the team's limits together.

    Raises `MistakesError` with the mistakes of all; with `--locked` `StaleError` when a lock is
    missing or stale.
    """
    problems = Problems()
    jobs, stale = [], []
    paths = spec_paths(specs, locks=True)
    problems.extend(shared_run_problems(path for path in paths if not is_lock_file(path)))
    for path in paths:
        try:
            jobs.append(_job(path, options, run, problems))
        except MistakesError as error:
            problems.extend(error.problems)
        except StaleError as error:
            stale.append(str(error))
    problems.extend(over_limits((job.spec, job.plan.tally) for job in jobs))
    problems.raise_errors()
    if stale:
        raise StaleError("\n".join(stale))
    return jobs


def _job(path: Path, options: SpecOptions, run: RunOptions, problems: Problems) -> RunJob:
    make = _of_lock if is_lock_file(path) else _of_spec
    spec, plan, note = make(path, options, problems, run)
    directory = run.directory or default_directory(
        spec.files.root, plan.name, plan.profile, simulated=run.simulate
    )
    made_with = replace(options, settings=spec.settings)
    return RunJob(spec=spec, plan=plan, directory=directory, options=made_with, note=note)


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


def _refuse_shared(jobs: Sequence[RunJob]) -> None:
    owners: dict[Path, Spec] = {}
    for job in jobs:
        owner = owners.setdefault(job.directory, job.spec)
        if owner is not job.spec:
            first, second = (spec.files.shown(spec.path) for spec in (owner, job.spec))
            raise UsageError(
                f"{first} and {second} would share {typed_path(job.directory)}: "
                "give one of them another 'name'"
            )


def _models(jobs: Sequence[RunJob]) -> dict[str, Model]:
    """Those that are asked for anything."""
    return {
        name: job.spec.policy.models[name]
        for job in jobs
        for name in {str(request.body["model"]) for request in job.plan.requests}
    }


def _check(jobs: Sequence[RunJob], sessions: Sequence[Run]) -> None:
    """Each spec's places and budget, then the limit of a project's team for all of its specs."""
    for session in sessions:
        session.check_places()
        session.check_models()
    for session in sessions:
        session.check_money()
    projects: defaultdict[Path, list[tuple[Spec, Run]]] = defaultdict(list)
    for job, session in zip(jobs, sessions, strict=True):
        projects[job.spec.files.root].append((job.spec, session))
    for alike in projects.values():
        spec, _ = alike[0]
        _check_limit(spec.policy.limits.max_credits, [session for _, session in alike])


def _check_limit(limit: Decimal | None, sessions: Sequence[Run]) -> None:
    counted = known_credits(session.spent + session.price_to_buy for session in sessions)
    if limit is not None and counted > limit and any(session.to_buy for session in sessions):
        raise UsageError(
            f"{counted} credits, with what was spent before, are more than the team's limit of "
            f"{limit} (veogen.yaml); nothing was sent"
        )


_SECONDS_A_CLIP = 110.0
"""How long a clip takes until a run has learned better (measured at a like gateway)."""


def confirm(
    jobs: Sequence[RunJob],
    sessions: Sequence[Run],
    *,
    yes: bool,
    policy: RunPolicy,
    balance: Callable[[], Balance | ReadError],
    models: Mapping[str, Model],
) -> None:
    """Ask on a terminal whether to buy; raises `UsageError` for a no, or off a terminal."""
    for job, session in zip(jobs, sessions, strict=True):
        for line in bought_elsewhere(job.spec.files.root, session):
            echo(line)
    requests = [request for session in sessions for request in session.to_buy]
    if not requests or yes:
        return
    for job, session in zip(jobs, sessions, strict=True):
        if session.to_buy:
            echo(_where(job, session))
    click.echo(describe(sessions, requests, policy, models), err=True)
    if isinstance(account := balance(), Balance):
        click.echo(f"Balance: {account.spendable} credits.", err=True)
    if not click.confirm("Buy them?", err=True):
        raise UsageError("answered no; nothing was sent")


def _where(job: RunJob, session: Run) -> str:
    """Of which spec something is bought, in which directory, and what its budget still allows."""
    spec = job.spec.files.shown(job.spec.path)
    profile = f" with profile {job.plan.profile}" if job.plan.profile else ""
    line = f"{spec}{profile}, in {typed_path(job.directory)}"
    budget = job.plan.budget.max_credits
    if budget is None:
        return f"{line}: {counted(len(session.to_buy), 'request')}, no budget."
    left = credits_text(budget - session.spent)
    return (
        f"{line}: {counted(len(session.to_buy), 'request')}, {left} of the budget of {budget} left."
    )


def refuse_without_terminal() -> None:
    """Where nobody can be asked, the answer has to be given beforehand."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on: say --yes to spend money without a word")


def describe(
    sessions: Sequence[Run],
    requests: Sequence[Request],
    policy: RunPolicy,
    models: Mapping[str, Model],
) -> str:
    """What would be bought, in requests, videos, seconds and money."""
    states: Counter[str] = Counter(
        session.owned.state(request.address, request.hash)
        for session in sessions
        for request in session.to_buy
    )
    parts = [f"{states[key]} {words}" for key, words in _WORDS.items() if states[key]]
    videos = sum(request.videos for request in requests)
    seconds = sum(_seconds(request, models) for request in requests)
    line = (
        f"{counted(len(requests), 'request')} ({', '.join(parts)}), {counted(videos, 'video')}, "
        f"{counted(seconds, 'second')}: {_money(requests, models)}; "
        f"{policy.max_in_flight} at a time, about {_minutes(requests, policy, models)} min."
    )
    if policy.max_credits is None:
        return line
    return f"{line} No more than {policy.max_credits} credits are spent now (--max-credits)."


def _minutes(requests: Sequence[Request], policy: RunPolicy, models: Mapping[str, Model]) -> int:
    """As many rounds as it takes, or the pace that was asked for where that is slower."""
    count = len(requests)
    expected = [models[r.model].expected_seconds if r.model in models else None for r in requests]
    a_clip = sum(seconds or _SECONDS_A_CLIP for seconds in expected) / count
    rounds = math.ceil(count / policy.max_in_flight) * a_clip / 60
    paced = count / policy.submit_rate if policy.submit_rate else 0.0
    return max(1, round(max(rounds, paced)))


_WORDS = {
    "new": "new",
    "changed": "changed, each keeping its older clip",
    "failed": "failed before",
}


def _seconds(request: Request, models: Mapping[str, Model]) -> int:
    """Seconds of video, as far as they are known before."""
    model = models.get(request.model)
    return (model.seconds(request.body) or 0) if model else 0


def _money(requests: Sequence[Request], models: Mapping[str, Model]) -> str:
    priced = [(r.model, r.credits) for r in requests if r.credits is not None]
    unknown = len(requests) - len(priced)
    parts = []
    if priced:
        total, usd = known_credits(amount for _, amount in priced), dollars(priced, models)
        parts.append(f"{total} credits" if usd is None else f"{total} credits (about ${usd})")
    parts += [f"{counted(unknown, 'request')} of unknown price"] if unknown else []
    return " and ".join(parts)
