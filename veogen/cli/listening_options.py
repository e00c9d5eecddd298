"""`--listen` and `--callback-base`, the options."""

import re
from collections.abc import Callable
from typing import Any

import click

from veogen.cli.options import with_options

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


_OPTIONS = (
    click.option(
        "--listen",
        type=Listen(),
        metavar="HOST:PORT",
        help="Take the gateway's callbacks there, as hints to look at a task at once.",
    ),
    click.option(
        "--callback-base",
        metavar="URL",
        help="With --listen: the public https address that leads there.",
    ),
)


def listening_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that can be told by the gateway."""
    return with_options(_OPTIONS, function)
