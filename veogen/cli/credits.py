"""`veogen credits`: the account's balance, which also checks the key for free."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from veogen.cli.options import SpecOptions
from veogen.cli.plan import plan_views
from veogen.cli.specs import load_specs
from veogen.errors import ExitCode, VeogenError
from veogen.gateway.api import Balance, ReadError
from veogen.gateway.client import Evolink
from veogen.gateway.settings import KEY, from_environment
from veogen.planner.plan import total_credits

_TIMEOUT = 30.0


class AccountError(VeogenError):
    """The gateway does not show the account."""

    exit_code = ExitCode.STOPPED


def print_balance(specs: Sequence[Path], options: SpecOptions, format_: str) -> None:
    """Print the balance of the account, and with specs what buying them would leave."""
    settings = from_environment(os.environ)
    views = plan_views(load_specs(specs, options), options) if specs else []
    price = total_credits(request for view in views for request in view.to_buy)
    with Evolink.from_settings(settings, request_timeout=_TIMEOUT) as gateway:
        balance = gateway.balance()
        if isinstance(balance, ReadError):
            text = f"{balance.message} ({balance.code})"
            if balance.denied:
                raise AccountError(f"the gateway refuses the key in {KEY}: {text}")
            raise AccountError(f"{settings.base_url} does not show the balance: {text}")
        simulated = bool(gateway.simulated)
    left = None if price is None else balance.spendable - price
    if format_ == "json":
        data = _data(balance, simulated=simulated)
        if specs:
            amounts = {"to_buy": price, "left": left}
            data["plan"] = {k: None if v is None else str(v) for k, v in amounts.items()}
        click.echo(json.dumps(data, indent=2))
        return
    click.echo("\n".join(_table(balance, simulated=simulated)))
    if specs:
        says = "The price of the plan is unknown."
        if left is not None:
            rest = f" and leave {left}." if left >= 0 else f": {-left} more than there are."
            says = f"The plan would buy {price} credits{rest}"
        click.echo(says)


def _data(balance: Balance, *, simulated: bool) -> dict[str, Any]:
    key, user = balance.key_remaining, balance.user_remaining
    return {
        "format": "veogen.credits/1",
        "gateway": "simulated" if simulated else "evolink",
        "spendable": str(balance.spendable),
        "key": {
            "remaining": None if key is None else str(key),
            "unlimited": key is None,
            "used": str(balance.key_used),
        },
        "user": {"remaining": str(user), "used": str(balance.user_used)},
    }


def _table(balance: Balance, *, simulated: bool) -> Iterator[str]:
    key = "unlimited" if balance.key_remaining is None else str(balance.key_remaining)
    rows = [
        ("credits", "left", "used"),
        ("this key", key, str(balance.key_used)),
        ("the account", str(balance.user_remaining), str(balance.user_used)),
    ]
    left, right = (max(len(row[column]) for row in rows) for column in (1, 2))
    for name, left_text, used_text in rows:
        yield f"{name:<11}  {left_text:>{left}}  {used_text:>{right}}"
    yield f"{balance.spendable} credits can be spent{' (simulated)' if simulated else ''}"
