"""The question before money is spent."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import click

from veogen.catalogue.models import Model
from veogen.errors import UsageError
from veogen.executor.session import Session
from veogen.gateway.answers import Balance, Unread
from veogen.results.entries import Entry

_SECONDS_A_CLIP = 110.0
"""How long a clip takes until a run has learned better (measured at a like gateway)."""


def confirm(
    sessions: Sequence[Session],
    *,
    yes: bool,
    at_once: int,
    balance: Callable[[], Balance | Unread],
    models: Mapping[str, Model],
) -> None:
    """Ask on a terminal whether to buy; raises `UsageError` for a no, or off a terminal."""
    entries = [entry for session in sessions for entry in session.to_buy]
    if not entries or yes:
        return
    click.echo(describe(sessions, entries, at_once, models), err=True)
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
    at_once: int,
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
    minutes = max(1, round(len(entries) / at_once * _SECONDS_A_CLIP / 60))
    return (
        f"{len(entries)} requests ({', '.join(parts)}), {videos} videos, {seconds} seconds: "
        f"{_money(entries, models)}; {at_once} at a time, about {minutes} min."
    )


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
    known = sum((entry.credits for entry in entries if entry.credits is not None), Decimal(0))
    unknown = sum(entry.credits is None for entry in entries)
    used = {entry.model for entry in entries}
    prices = {name: models[name].price for name in used if name in models}
    usd = sum(
        (
            price.usd(entry.credits)
            for entry in entries
            if entry.credits is not None and (price := prices.get(entry.model)) is not None
        ),
        Decimal(0),
    )
    text = f"{known} credits (about ${usd})"
    return f"{text} and {unknown} requests of unknown price" if unknown else text
