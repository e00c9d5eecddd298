"""`veogen credits`: the account's balance, which also checks the key for free."""

import json
import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from veogen.cli.options import SpecOptions
from veogen.cli.plan import PlanView
from veogen.cli.specs import load_specs, owned_by
from veogen.cli.specs import root_on_disk as project_root
from veogen.errors import ExitCode, VeogenError
from veogen.gateway.api import Balance, ReadError
from veogen.gateway.client import Evolink
from veogen.gateway.settings import KEY, Settings, from_environment
from veogen.planner.plan import total_credits
from veogen.planner.planner import plan_specs
from veogen.planner.selection import narrowed

_TIMEOUT = 30.0


class AccountError(VeogenError):
    """The gateway does not show the account."""

    exit_code = ExitCode.STOPPED


def print_balance(specs: Sequence[Path], options: SpecOptions, format_: str) -> None:
    """Print the balance of the account, and with specs what buying them would leave."""
    settings = from_environment(os.environ)
    price = _price(specs, options) if specs else None
    balance, simulated = _balance(settings)
    data = _data(balance, simulated=simulated)
    if specs:
        left = None if price is None else str(balance.spendable - price)
        data["plan"] = {"to_buy": None if price is None else str(price), "left": left}
    if format_ == "json":
        click.echo(json.dumps(data, indent=2))
    else:
        click.echo("\n".join(_table(balance, simulated=simulated)))
        if specs:
            click.echo(_after_buying(balance, price))


def _balance(settings: Settings) -> tuple[Balance, bool]:
    with Evolink.from_settings(settings, request_timeout=_TIMEOUT) as gateway:
        balance = gateway.balance()
        if isinstance(balance, ReadError):
            text = f"{balance.message} ({balance.code})"
            if balance.denied:
                raise AccountError(f"the gateway refuses the key in {KEY}: {text}")
            raise AccountError(f"{settings.base_url} does not show the balance: {text}")
        return balance, bool(gateway.simulated)


def _price(paths: Sequence[Path], options: SpecOptions) -> Decimal | None:
    """What a run of the specs would buy; None when a price is unknown."""
    specs = load_specs(paths, options)
    plans = narrowed(
        plan_specs(specs, max_requests=options.max_requests), options.select, options.deselect
    )
    views = [
        PlanView.of(plan, owned_by(spec), project_root(spec), spec.policy.models)
        for spec, plan in zip(specs, plans, strict=True)
    ]
    return total_credits(request for view in views for request in view.to_buy)


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


def _after_buying(balance: Balance, price: Decimal | None) -> str:
    if price is None:
        return "The price of the plan is unknown."
    left = balance.spendable - price
    if left < 0:
        return f"The plan would buy {price} credits: {-left} more than there are."
    return f"The plan would buy {price} credits and leave {left}."
