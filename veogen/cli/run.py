"""`veogen run`: buy, download and verify what is missing."""

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from veogen.cli.gateways import gateway, listening, refuse_odd_listening
from veogen.cli.locks import Order, orders
from veogen.cli.options import RunOptions, SpecOptions
from veogen.cli.output import say_line
from veogen.cli.rundirs import default_directory, shown
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
from veogen.cli.specs import spec_paths
from veogen.errors import ExitCode, UsageError
from veogen.executor.connect import connected
from veogen.executor.options import Policy
from veogen.executor.run import Session, Wanted
from veogen.gateway.api import Balance, ReadError
from veogen.models.model import Model
from veogen.planner.plan import dollars
from veogen.planner.selection import selected
from veogen.results.ledger import Entry
from veogen.spec.types import Spec
from veogen.text import counted

_SECONDS_A_CLIP = 110.0
"""How long a clip takes until a run has learned better (measured at a like gateway)."""


def confirm(
    sessions: Sequence[Session],
    *,
    yes: bool,
    policy: Policy,
    balance: Callable[[], Balance | ReadError],
    models: Mapping[str, Model],
) -> None:
    """Ask on a terminal whether to buy; raises `UsageError` for a no, or off a terminal."""
    entries = [entry for session in sessions for entry in session.to_buy]
    if not entries or yes:
        return
    click.echo(describe(sessions, entries, policy, models), err=True)
    if isinstance(account := balance(), Balance):
        click.echo(f"Balance: {account.spendable} credits.", err=True)
    if not click.confirm("Buy them?", err=True):
        raise UsageError("answered no; nothing was sent")


def refuse_without_terminal() -> None:
    """Where nobody can be asked, the answer has to be how beforehand."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on: say --yes to spend money without a word")


def describe(
    sessions: Sequence[Session],
    entries: Sequence[Entry],
    policy: Policy,
    models: Mapping[str, Model],
) -> str:
    """What would be bought, in requests, videos, seconds and money."""
    states: Counter[str] = Counter(
        session.holdings.state(entry.address, entry.hash)
        for session in sessions
        for entry in session.to_buy
    )
    parts = [f"{states[key]} {words}" for key, words in _WORDS.items() if states[key]]
    videos = sum(entry.videos for entry in entries)
    seconds = sum(_seconds(entry, models) for entry in entries)
    told = (
        f"{counted(len(entries), 'request')} ({', '.join(parts)}), {counted(videos, 'video')}, "
        f"{counted(seconds, 'second')}: {_money(entries, models)}; "
        f"{policy.max_in_flight} at a time, about {_minutes(len(entries), policy)} min."
    )
    if policy.max_credits is None:
        return told
    return f"{told} No more than {policy.max_credits} credits are spent now (--max-credits)."


def _minutes(requests: int, policy: Policy) -> int:
    """As many rounds as it takes, or the pace that was asked for where that is slower."""
    rounds = math.ceil(requests / policy.max_in_flight) * _SECONDS_A_CLIP / 60
    paced = requests / policy.submit_rate if policy.submit_rate else 0.0
    return max(1, round(max(rounds, paced)))


_WORDS = {
    "new": "new",
    "changed": "changed, each keeping its older clip",
    "failed": "failed before",
}


def _seconds(entry: Entry, models: Mapping[str, Model]) -> int:
    model = models.get(entry.model)
    duration = model.effective(entry.body).get("duration") if model else None
    return duration * entry.videos if isinstance(duration, int) else 0


def _money(entries: Sequence[Entry], models: Mapping[str, Model]) -> str:
    known = [(e.model, e.credits) for e in entries if e.credits is not None]
    unknown = len(entries) - len(known)
    parts = [_priced(known, models)] if known else []
    parts += [f"{counted(unknown, 'request')} of unknown price"] if unknown else []
    return " and ".join(parts)


def _priced(known: Sequence[tuple[str, Decimal]], models: Mapping[str, Model]) -> str:
    usd = dollars(known, models)
    total = sum((amount for _, amount in known), Decimal(0))
    return f"{total} credits" if usd is None else f"{total} credits (about ${usd})"


def run_specs(specs: Sequence[Path], options: SpecOptions, how: RunOptions) -> ExitCode:
    """Buy, download and verify what is missing."""
    _refuse_odd(specs, how)
    refuse_odd_listening(how)
    policy = policy_of(how)
    with ExitStack() as stack:
        stack.enter_context(ends_by_signal())
        stack.enter_context(logging_exchanges(verbose=how.verbose))
        ordered = orders(specs, options, locked=how.locked)
        for note in (order.note for order in ordered if order.note):
            say_line(f"note: {note}")
        jobs = _jobs(ordered, options, how)
        allow_files(len(jobs))
        models = {
            name: order.spec.policy.models[name]
            for order in ordered
            for name in {str(request.body["model"]) for request in order.plan.requests}
        }
        settings = stack.enter_context(gateway(how, [job.directory for job in jobs], models))
        ears = stack.enter_context(listening(how, settings))
        if ears:
            policy = replace(policy, callbacks=ears.told_of(models))
        connection = stack.enter_context(
            connected(
                settings,
                policy,
                models=models,
                request_timeout=how.request_timeout,
                say=say_line,
            )
        )
        sessions = [stack.enter_context(job.opened(connection, policy, how)) for job in jobs]
        for session in sessions:
            session.check_places()
        _check_money(jobs, sessions)
        yes = how.yes or how.simulate
        confirm(sessions, yes=yes, policy=policy, balance=connection.balance, models=models)
        if ears:
            ears.begin(sessions)
        outcomes = list(carry_out(sessions, connection.stop, policy.max_credits))
    for job, outcome in zip(jobs, outcomes, strict=False):  # what was interrupted ends them
        say(job.directory, outcome)
    if ears:
        ears.end()
    return worst(outcomes)


def _check_money(jobs: Sequence[Job], sessions: Sequence[Session]) -> None:
    """Each spec's budget, then the limit of a project's team for all of its specs together."""
    for session in sessions:
        session.check_money()
    projects: defaultdict[Path, list[tuple[Spec, Session]]] = defaultdict(list)
    for job, session in zip(jobs, sessions, strict=True):
        if job.spec:
            projects[job.spec.files.root].append((job.spec, session))
    for alike in projects.values():
        spec, _ = alike[0]
        _check_limit(spec.policy.limits.max_credits, [session for _, session in alike])


def _check_limit(limit: Decimal | None, sessions: Sequence[Session]) -> None:
    counted = sum((session.spent + session.price_to_buy for session in sessions), Decimal(0))
    if limit is not None and counted > limit and any(session.to_buy for session in sessions):
        raise UsageError(
            f"{counted} credits, with what was spent before, are more than the team's limit of "
            f"{limit} (veogen.yaml); nothing was sent"
        )


def _refuse_odd(specs: Sequence[Path], how: RunOptions) -> None:
    if how.directory and (len(specs) > 1 or len(spec_paths(specs, locks=True)) > 1):
        raise UsageError("--dir takes one spec: several would share one directory")
    if not how.simulate:
        for name in ("faults", "generation_time"):
            if getattr(how, name) is not None:
                raise UsageError(f"--{name.replace('_', '-')} needs --simulate")
        if not how.yes:
            refuse_without_terminal()


def _jobs(ordered: Sequence[Order], options: SpecOptions, how: RunOptions) -> list[Job]:
    chosen = selected(
        (request.address for order in ordered for request in order.plan.requests),
        options.select,
        options.deselect,
    )
    jobs = [_job(order, chosen, options, how) for order in ordered]
    _refuse_shared(jobs)
    return jobs


def _refuse_shared(jobs: Sequence[Job]) -> None:
    owners: dict[Path, Spec] = {}
    for job in jobs:
        if job.spec is None:
            continue
        owner = owners.setdefault(job.directory, job.spec)
        if owner is not job.spec:
            one, other = (spec.files.shown(spec.path) for spec in (owner, job.spec))
            raise UsageError(
                f"{one} and {other} would share {shown(job.directory)}: give one another 'name'"
            )


def _job(order: Order, chosen: Collection[str], options: SpecOptions, how: RunOptions) -> Job:
    spec, plan = order.spec, order.plan
    directory = how.directory or default_directory(
        spec.files.root, plan.name, plan.profile, simulated=how.simulate
    )
    hashes = {request.hash for request in plan.requests if request.address in chosen}
    wanted = Wanted(selected=hashes, only=how.only)
    return Job(spec, plan, directory, wanted, replace(options, settings=spec.settings))
