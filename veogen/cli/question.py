"""What is said before `veogen run` buys, and the question whether it may."""

import math
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veogen.cli.output import echo
from veogen.cli.rundirs import typed_path
from veogen.errors import UsageError, VeogenError
from veogen.executor.directory import SIMULATED, RunDirectory
from veogen.executor.options import RunPolicy
from veogen.executor.run import Run
from veogen.gateway.api import Balance, ReadError
from veogen.models.model import Model
from veogen.planner.plan import dollars, known_credits
from veogen.text import counted, credits_text

if TYPE_CHECKING:
    from veogen.cli.run import RunJob

_NOT_BOUGHT = ("planned", "failed")
_SECONDS_A_CLIP = 110.0
"""How long a clip takes until a run has learned better (measured at a like gateway)."""


def refuse_without_terminal() -> None:
    """Where nobody can be asked, the answer has to be given beforehand."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on: say --yes to spend money without a word")


def bought_elsewhere(root: Path, session: Run) -> Iterator[str]:
    """A line for each run of the project at `root` that holds what this new, empty one would buy.

    A spec that was renamed begins a new run, and pays again for what its old one has.
    """
    own = session.directory
    is_practice = own.path.name.endswith(SIMULATED)
    if is_practice or any(state.record.bought for state in session.ledger.everything):
        return
    hashes = {request.hash for request in session.to_buy}
    for path in sorted((root / "runs").glob("*/results.json")):
        if path.parent.name.endswith(SIMULATED):
            continue
        try:
            manifest = RunDirectory(path.parent).manifest()
        except VeogenError:  # its own commands tell
            continue
        if manifest is None or manifest.gateway != session.gateway_name:
            continue
        lines = [line for line in (*manifest.results, *manifest.former) if line.hash in hashes]
        bought = len({line.hash for line in lines if line.status not in _NOT_BOUGHT})
        if bought:
            old, new = typed_path(path.parent), typed_path(own.path)
            yield (
                f"note: {old} has bought {bought} of these {counted(len(hashes), 'request')}; a "
                f"spec that was renamed goes on there after {shlex.join(['git', 'mv', old, new])} "
                f"({new} is empty: remove it first)"
            )


def confirm(
    jobs: Sequence["RunJob"],
    sessions: Sequence[Run],
    *,
    policy: RunPolicy,
    balance: Callable[[], Balance | ReadError],
    models: Mapping[str, Model],
) -> None:
    """Ask on a terminal whether to buy, if there is anything; raises `UsageError` for a no."""
    if not any(session.to_buy for session in sessions):
        return
    for job, session in zip(jobs, sessions, strict=True):
        if session.to_buy:
            profile = f" with profile {job.plan.profile}" if job.plan.profile else ""
            budget, rest = job.plan.budget.max_credits, "no budget"
            if budget is not None:
                rest = f"{credits_text(budget - session.spent)} of the budget of {budget} left"
            echo(
                f"{job.spec.files.shown(job.spec.path)}{profile}, in {typed_path(job.directory)}: "
                f"{counted(len(session.to_buy), 'request')}, {rest}."
            )
    click.echo(describe(sessions, policy, models), err=True)
    if isinstance(account := balance(), Balance):
        click.echo(f"Balance: {account.spendable} credits.", err=True)
    try:
        answer = click.confirm("Buy them?", err=True)
    except click.Abort as abort:
        if not isinstance(abort.__context__, EOFError):
            raise
        answer = False  # Ctrl-D: there is nothing more to say
        click.echo(err=True)
    if not answer:
        raise UsageError("answered no; nothing was sent")


_WORDS = {
    "new": "new",
    "changed": "changed, each keeping its older clip",
    "failed": "failed before",
}


def describe(sessions: Sequence[Run], policy: RunPolicy, models: Mapping[str, Model]) -> str:
    """What would be bought, in requests, videos, seconds as far as they are known, and money."""
    states = Counter[str]()
    for session in sessions:
        states.update(session.owned.state(r.address, r.hash) for r in session.to_buy)
    parts = [f"{states[key]} {words}" for key, words in _WORDS.items() if states[key]]
    requests = [request for session in sessions for request in session.to_buy]
    asked = [(models[r.model], r.body) for r in requests if r.model in models]
    seconds = sum(model.seconds(body) or 0 for model, body in asked)
    prices = list[str]()
    priced = [(r.model, r.credits) for r in requests if r.credits is not None]
    if priced:
        total, usd = known_credits(amount for _, amount in priced), dollars(priced, models)
        prices.append(f"{total} credits" if usd is None else f"{total} credits (about ${usd})")
    if unknown := len(requests) - len(priced):
        prices.append(f"{counted(unknown, 'request')} of unknown price")
    # As many rounds as it takes, or the pace that was asked for where that is slower.
    expected = [models[r.model].expected_seconds if r.model in models else None for r in requests]
    a_clip = sum(each or _SECONDS_A_CLIP for each in expected) / len(requests)
    rounds = math.ceil(len(requests) / policy.max_in_flight) * a_clip / 60
    paced = len(requests) / policy.submit_rate if policy.submit_rate else 0.0
    line = (
        f"{counted(len(requests), 'request')} ({', '.join(parts)}), "
        f"{counted(sum(request.videos for request in requests), 'video')}, "
        f"{counted(seconds, 'second')}: {' and '.join(prices)}; "
        f"{policy.max_in_flight} at a time, about {max(1, round(max(rounds, paced)))} min."
    )
    if policy.max_credits is None:
        return line
    return f"{line} No more than {policy.max_credits} credits are spent now (--max-credits)."
