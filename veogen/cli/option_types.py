"""What the value of an option may be: numbers, shares, addresses, names of profiles and files."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from decimal import Decimal


class ProfileName(click.ParamType[str]):
    """The name of a profile, which becomes a part of the names of files."""

    name = "profile"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value)
        if not name or "/" in name:
            self.fail(f"{name!r} is not the name of a profile", param, ctx)
        return name


class Url(click.ParamType[str]):
    """An address; an empty text, as of a variable that is not set, would be an option left out."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not str(value).strip():
            self.fail("an empty text is no address", param, ctx)
        return str(value)


_MOST_PLACES = 30
"""Of an amount, before and behind the point: `1e999999999` is a gigabyte of zeros."""


_NUMBER = re.compile(r"[0-9.eE+-]+")  # and nothing else that a Decimal is read from


class Credits(click.ParamType["Decimal"]):
    """A number of credits, not negative, that can be counted with and written out."""

    name = "credits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Decimal":
        from decimal import Decimal, InvalidOperation  # noqa: PLC0415 - only where one is given

        try:
            amount = Decimal(value if _NUMBER.fullmatch(str(value)) else "nan")
        except InvalidOperation:
            amount = Decimal("nan")
        places = amount.as_tuple().exponent
        is_short = isinstance(places, int) and abs(places) <= _MOST_PLACES
        if not (is_short and amount >= 0 and amount.adjusted() <= _MOST_PLACES):
            self.fail(f"{value!r} is not a number of credits", param, ctx)
        return Decimal(f"{amount:f}")  # `1e3` is shown as 1000


CREDITS = Credits()


class NumberParam(click.FloatRange):
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

PATIENCE = NumberParam(min=0, min_open=True, max=_LONGEST)
SECONDS = NumberParam(min=0, max=_LONGEST)
RATE = NumberParam(min=0, min_open=True, max=_LONGEST)


class ShardParam(click.ParamType[tuple[int, int]]):
    """`I/N`: the I-th of N parts, from 1."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", str(value), re.ASCII)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            self.fail(f"{value!r} is not I/N, such as 1/4: the first of four parts", param, ctx)
        return int(match[1]), int(match[2])


_PORT = re.compile(r"\d{1,5}", re.ASCII)


class Listen(click.ParamType[tuple[str, int]]):
    """`HOST:PORT`, an IPv6 address in brackets."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        host, _, port = str(value).rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            self.fail(f"{value!r} is not HOST:PORT; an IPv6 address stands in [ ]", param, ctx)
        if not host or not _PORT.fullmatch(port) or int(port) > 65535:  # noqa: PLR2004
            self.fail(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8080", param, ctx)
        return host, int(port)


class GivenPath(click.Path):
    """A path to write to; an empty text, as of a variable that is not set, is none.

    It would be the folder that one stands in.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty text is no path", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = GivenPath(file_okay=False, path_type=Path)


class OutputFile(GivenPath):
    """A file to write; None for `-`, which means stdout; a file of that name is `./-`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "-" else super().convert(value, param, ctx)
