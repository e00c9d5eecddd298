"""The question before money is spent."""

import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import click

from veogen.catalogue.models import Model
from veogen.errors import UsageError
from veogen.executor.policy import Policy
from veogen.executor.session import Session
from veogen.gateway.answers import Balance, Unread
from veogen.planner.document import dollars
from veogen.results.entries import Entry
from veogen.terminal import counted

_SECONDS_A_CLIP = 110.0
"""How long a clip takes until a run has learned better (measured at a like gateway)."""


def confirm(
    sessions: Sequence[Session],
    *,
    yes: bool,
    policy: Policy,
    balance: Callable[[], Balance | Unread],
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
    """Where nobody can be asked, the answer has to be given beforehand."""
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
