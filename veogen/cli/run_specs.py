"""What `veogen run` does: specs bought, one after the other or all together."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from veogen.cli.carry import Job, allow_files, carry_out, worst
from veogen.cli.closing import say
from veogen.cli.confirm import confirm, refuse_without_terminal
from veogen.cli.interrupts import ends_by_signal
from veogen.cli.listening import Listening, listening, refuse_odd_listening
from veogen.cli.options import SpecOptions
from veogen.cli.orders import Order, orders
from veogen.cli.pace import policy_of
from veogen.cli.reckoning import Reckoning
from veogen.cli.rundirs import default_directory, shown
from veogen.cli.saying import say_line
from veogen.cli.specs import spec_paths
from veogen.cli.stand_in import gateway
from veogen.cli.verbose import logging_exchanges
from veogen.errors import ExitCode, UsageError
from veogen.executor.services import Connection, connected
from veogen.executor.session import Outcome, Session, Wanted
from veogen.planner.selection import selected
from veogen.spec.model import Spec


def run_specs(specs: Sequence[Path], options: SpecOptions, given: Mapping[str, Any]) -> ExitCode:
    """Buy, download and verify what is missing; `given` are the other options."""
    _refuse_odd(specs, given)
    refuse_odd_listening(given)
    policy = policy_of(given)
    with ExitStack() as stack:
        stack.enter_context(ends_by_signal())
        stack.enter_context(logging_exchanges(given))
        ordered = orders(specs, options, locked=given["locked"])
        for note in (order.note for order in ordered if order.note):
            say_line(f"note: {note}")
        jobs = _jobs(ordered, options, given)
        allow_files(len(jobs))
        models = {
            name: order.spec.policy.models[name]
            for order in ordered
            for name in {str(request.body["model"]) for request in order.plan.requests}
        }
        settings = stack.enter_context(gateway(given, [job.directory for job in jobs], models))
        ears = stack.enter_context(listening(given, settings))
        if ears:
            policy = replace(policy, callbacks=ears.told_of(models))
        connection = stack.enter_context(
            connected(
                settings,
                policy,
                models=models,
                request_timeout=given["request_timeout"],
                say=say_line,
            )
        )
        sessions = [stack.enter_context(job.opened(connection, policy, given)) for job in jobs]
        for session in sessions:
            session.check_places()
        _check_money(jobs, sessions)
        yes = given["yes"] or given["simulate"]
        confirm(sessions, yes=yes, policy=policy, balance=connection.balance, models=models)
        if ears:
            ears.begin(sessions)
        reckoning = _reckoning(connection, sessions)
        outcomes = list(carry_out(sessions, connection.stop, policy.max_credits))
        odd = reckoning.close() if reckoning and not _is_cut_off(outcomes) else None
    _say_last(jobs, outcomes, odd, ears)
    return worst(outcomes)


def _say_last(
    jobs: Sequence[Job], outcomes: Sequence[Outcome], odd: str | None, ears: Listening | None
) -> None:
    for job, outcome in zip(jobs, outcomes, strict=False):  # what was interrupted ends them
        say(job.directory, outcome)
    if odd:
        say_line(odd)
    if ears:
        ears.end()


def _reckoning(connection: Connection, sessions: Sequence[Session]) -> Reckoning | None:
    """Asked for only where money may move."""
    if not any(session.to_buy or session.policy.replay for session in sessions):
        return None
    return Reckoning(connection.balance, [session.ledger for session in sessions])


def _is_cut_off(outcomes: Sequence[Outcome]) -> bool:
    """Whether the user waits to leave, or the gateway does not answer."""
    return any(o.interrupted or (o.stop is not None and o.stop.deaf) for o in outcomes)


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


def _refuse_odd(specs: Sequence[Path], given: Mapping[str, Any]) -> None:
    if given["directory"] and (len(specs) > 1 or len(spec_paths(specs, locks=True)) > 1):
        raise UsageError("--dir takes one spec: several would share one directory")
    if not given["simulate"]:
        for name in ("faults", "generation_time"):
            if given[name] is not None:
                raise UsageError(f"--{name.replace('_', '-')} needs --simulate")
        if not given["yes"]:
            refuse_without_terminal()


def _jobs(ordered: Sequence[Order], options: SpecOptions, given: Mapping[str, Any]) -> list[Job]:
    chosen = selected(
        (request.address for order in ordered for request in order.plan.requests),
        options.select,
        options.deselect,
    )
    jobs = [_job(order, chosen, options, given) for order in ordered]
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


def _job(
    order: Order, chosen: Collection[str], options: SpecOptions, given: Mapping[str, Any]
) -> Job:
    spec, plan = order.spec, order.plan
    directory = given["directory"] or default_directory(
        spec.files.root, plan.name, plan.profile, simulated=given["simulate"]
    )
    hashes = {request.hash for request in plan.requests if request.address in chosen}
    wanted = Wanted(selected=hashes, only=given["only"])
    return Job(spec, plan, directory, wanted, replace(options, settings=spec.settings))
