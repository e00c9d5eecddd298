"""Numbers on the command line: credits as decimals, never floats; others finite."""

import math
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
        if not _is_amount(amount):
            self.fail(f"{value!r} is not a number of credits", param, ctx)
        return Decimal(f"{amount:f}")  # `1e3` is shown as 1000


CREDITS = Credits()

_MOST_PLACES = 30


def _is_amount(amount: Decimal) -> bool:
    """Whether it can be counted with, and written out: `1e999999999` is a gigabyte of zeros."""
    places = amount.as_tuple().exponent
    finite = isinstance(places, int) and abs(places) <= _MOST_PLACES
    return finite and amount >= 0 and amount.adjusted() <= _MOST_PLACES


class Number(click.FloatRange):
    """A number in a range, which `nan` and `inf` are not: a run would wait for ever."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


_LONGEST = 10**6
"""Seconds, eleven days: far beyond any use, and short of what the system's timers take."""

PATIENCE = Number(min=0, min_open=True, max=_LONGEST)
SECONDS = Number(min=0, max=_LONGEST)
RATE = Number(min=0, min_open=True, max=_LONGEST)
