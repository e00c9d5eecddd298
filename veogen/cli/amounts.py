"""Amounts of credits on the command line: decimals, never floats."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click


class Credits(click.ParamType[Decimal]):
    """A number of credits, not negative."""

    name = "credits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number of credits", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is not a number of credits", param, ctx)
        return amount


CREDITS = Credits()
