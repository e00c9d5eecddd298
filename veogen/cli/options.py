"""The options of the commands: their types, and what several commands share.

Nothing of a command is loaded here, so that its help is there at once.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from veogen.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Literal

    from veogen.executor.options import Only
    from veogen.progress import Mode


class ProfileName(click.ParamType[str]):
    """The name of a profile, which becomes a part of the names of files."""

    name = "profile"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value)
        if not name or "/" in name:
            self.fail(f"{name!r} is not the name of a profile", param, ctx)
        return name


def completed_by(name: str) -> Callable[..., Any]:
    """A value that a shell completes as `veogen.cli.completion` knows, loaded when it is asked."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        del parameter
        from veogen.cli import completion  # noqa: PLC0415 - for a shell alone

        return completion.items(name, context, incomplete)

    return complete


def profile_option(help_: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--profile`, wherever a command has it."""
    return click.option(
        "--profile",
        type=ProfileName(),
        metavar="NAME",
        help=help_,
        shell_complete=completed_by("profiles"),
    )


def profile_words(profile: str | None) -> list[str]:
    """The option as it is typed."""
    return ["--profile", profile] if profile else []


class Reading(TypedDict):
    """How a spec is read."""

    settings: tuple[str, ...]
    lenient: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecOptions:
    """How a spec is read and which of its requests are meant."""

    profile: str | None = None
    settings: tuple[str, ...] = ()
    max_requests: int | None = None
    select: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    allow_unknown_model: bool = False

    @property
    def reading(self) -> Reading:
        """What `load_spec` has to know beside the profile."""
        return {"settings": self.settings, "lenient": self.allow_unknown_model}

    @property
    def words(self) -> list[str]:
        """What a command has to be given to read a spec so, as it is typed."""
        set_ = [word for setting in self.settings for word in ("--set", setting)]
        most = ["--max-requests", str(self.max_requests)] if self.max_requests else []
        lenient = ["--allow-unknown-model"] if self.allow_unknown_model else []
        return [*profile_words(self.profile), *set_, *most, *lenient]

    @property
    def selecting(self) -> list[str]:
        """Which requests are meant, as it is typed."""
        meant = [word for glob in self.select for word in ("--select", glob)]
        return meant + [word for glob in self.deselect for word in ("--deselect", glob)]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How requests are bought and brought home; times are seconds, None is adaptive or no limit."""

    directory: Path | None = None
    simulate: bool = False
    faults: Path | None = None
    generation_time: float | None = None
    yes: bool = False
    locked: bool = False
    max_credits: "Decimal | None" = None
    only: "tuple[Only, ...]" = ()
    retry_failed: bool = False
    listen: tuple[str, int] | None = None
    callback_base: str | None = None
    max_in_flight: int = 4
    submit_rate: float | None = None
    task_retries: int = 2
    on_indeterminate: str = "hold"
    poll_interval: float | None = None
    request_timeout: float = 60.0
    task_timeout: float = 1800.0
    store: str | None = None
    keep: "Literal['store'] | None" = None
    shard: tuple[int, int] | None = None
    dask: str | None = None
    progress: "Mode" = "auto"
    verbose: bool = False

    @property
    def words(self) -> list[str]:
        """What makes it the same run, as it is typed."""
        directory = ["--dir", str(self.directory)] if self.directory else []
        store = ["--store", self.store] if self.store else []
        return [*directory, *(["--simulate"] if self.simulate else []), *store]


specs_argument = click.argument(
    "specs",
    metavar="SPEC...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)

optional_specs_argument = click.argument(
    "specs",
    metavar="[SPEC]...",
    nargs=-1,
    type=click.Path(exists=True, path_type=Path),
)

_SELECTING = (
    click.option(
        "--select",
        metavar="GLOB",
        multiple=True,
        shell_complete=completed_by("addresses"),
        help="Only requests whose address fits; @FILE reads addresses. May be repeated.",
    ),
    click.option(
        "--deselect",
        metavar="GLOB",
        multiple=True,
        shell_complete=completed_by("addresses"),
        help="Not the requests whose address fits; @FILE reads addresses. May be repeated.",
    ),
)

_OPTIONS = (
    profile_option("Lay a profile of the spec over it."),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set params.NAME or vars.NAME to JSON, or to the text that it is. May be repeated.",
    ),
    click.option(
        "--max-requests",
        type=click.IntRange(min=1),
        metavar="N",
        help="Refuse a plan of more requests (default: the spec's budget, else 1,000).",
    ),
    *_SELECTING,
    click.option(
        "--allow-unknown-model",
        is_flag=True,
        help="Let models through that nobody knows: unchecked, and at an unknown price.",
    ),
)


def spec_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared options to a command, which takes them as `options: SpecOptions`."""

    @wraps(function)
    def command(
        profile: str | None,
        settings: tuple[str, ...],
        max_requests: int | None,
        select: tuple[str, ...],
        deselect: tuple[str, ...],
        allow_unknown_model: bool,
        **rest: Any,
    ) -> Any:
        options = SpecOptions(
            profile=profile,
            settings=settings,
            max_requests=max_requests,
            select=read_select(select),
            deselect=read_globs(deselect),
            allow_unknown_model=allow_unknown_model,
        )
        return function(options=options, **rest)

    return with_options(_OPTIONS, command)


def selecting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add those that choose requests, to a command that reads no spec."""
    return with_options(_SELECTING, function)


def with_options(options: Sequence[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Add options to a command; its help shows them in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def read_select(texts: tuple[str, ...]) -> tuple[str, ...]:
    """As `read_globs`; raises `UsageError` for empty files alone, as no glob means everything."""
    globs = read_globs(texts)
    if texts and not globs:
        raise UsageError(f"--select {' '.join(texts)} names no address")
    return globs


def read_globs(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The globs as written, with `@FILE` replaced by the file's lines."""
    return tuple(glob for text in texts for glob in _lines(text))


def _lines(text: str) -> list[str]:
    if not text.startswith("@"):
        return [text]
    try:
        content = Path(text[1:]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{text[1:]!r} cannot be read as a list of addresses: {reason}") from None
    return [line.strip() for line in content.split("\n") if line.strip()]


class Credits(click.ParamType["Decimal"]):
    """A number of credits, not negative."""

    name = "credits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Decimal":
        from decimal import Decimal, InvalidOperation  # noqa: PLC0415 - only where one is given

        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number of credits", param, ctx)
        if not _is_amount(amount):
            self.fail(f"{value!r} is not a number of credits", param, ctx)
        return Decimal(f"{amount:f}")  # `1e3` is shown as 1000


CREDITS = Credits()

_MOST_PLACES = 30


def _is_amount(amount: "Decimal") -> bool:
    """Whether it can be counted with, and written out: `1e999999999` is a gigabyte of zeros."""
    places = amount.as_tuple().exponent
    finite = isinstance(places, int) and abs(places) <= _MOST_PLACES
    return finite and amount >= 0 and amount.adjusted() <= _MOST_PLACES


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


STORE = click.option(
    "--store",
    metavar="URL",
    help="The bucket or shared folder that keeps the run (default: VEOGEN_STORE).",
)


_SHARING = (
    STORE,
    click.option(
        "--keep",
        type=click.Choice(["store"]),
        help="Keep clips in the store alone: a plan may be larger than the disk.",
    ),
    click.option(
        "--shard",
        type=ShardParam(),
        metavar="I/N",
        help="Buy a fixed part of the plan, 1 to N; needs a store.",
    ),
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Have the workers of a Dask cluster do it (tcp://…, tls://…, local:N); needs a store.",
    ),
)


def sharing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a run that several machines carry out."""
    return with_options(_SHARING, function)


_COLLECTING = (
    click.option(
        "--poll-interval",
        type=PATIENCE,
        metavar="S",
        help="Look at a task every S seconds (default: adaptive).",
    ),
    click.option(
        "--request-timeout",
        type=PATIENCE,
        default=RunOptions.request_timeout,
        show_default=True,
        metavar="S",
        help="Patience with one HTTP request.",
    ),
    click.option(
        "--task-timeout",
        type=PATIENCE,
        default=RunOptions.task_timeout,
        show_default=True,
        metavar="S",
        help="Patience with one task; it stays submitted after that.",
    ),
    click.option(
        "--progress",
        type=click.Choice(["auto", "bar", "lines", "json", "none"]),
        default=RunOptions.progress,
        show_default=True,
        help="How the run is told; JSON goes to standard output.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Log every HTTP exchange, never the key."),
)

_SUBMITTING = (
    click.option(
        "--max-in-flight",
        type=click.IntRange(1, 256),
        default=RunOptions.max_in_flight,
        show_default=True,
        metavar="N",
        help="Tasks at a time; lowered by itself when the gateway has no room.",
    ),
    click.option(
        "--submit-rate",
        type=RATE,
        metavar="PER_MINUTE",
        help="Submits per minute, at most.",
    ),
    click.option(
        "--task-retries",
        type=click.IntRange(0, 100),
        default=RunOptions.task_retries,
        show_default=True,
        metavar="N",
        help="New attempts of a task that failed for a passing reason.",
    ),
    click.option(
        "--on-indeterminate",
        type=click.Choice(["hold", "replay"]),
        default=RunOptions.on_indeterminate,
        show_default=True,
        help="What to do when it is unknown whether a request was accepted.",
    ),
)


def collecting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that polls and downloads."""
    return with_options(_COLLECTING, function)


def submitting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that also submits."""
    return with_options((*_SUBMITTING, *_COLLECTING), function)


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


_LISTENING = (
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
    return with_options(_LISTENING, function)


_OF_SPEC = (
    profile_option("When RUN is a SPEC: the run of this profile."),
    click.option("--simulate", is_flag=True, help="When RUN is a SPEC: its simulated run."),
    STORE,
)


def options_of_run(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says which run of a SPEC is meant, as `run` has it, and its store."""
    return with_options(_OF_SPEC, function)


def run_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add RUN, which may be left out, and what says which one of a SPEC is meant."""
    run = click.argument(
        "run",
        metavar="[RUN]",
        required=False,
        type=click.Path(),
        shell_complete=completed_by("runs"),
    )
    return with_options((run, *_OF_SPEC), function)


def format_option(help_: str, default: str, *others: str) -> Callable[..., Any]:
    """`--format`, taken as `format_`."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice([default, *others]),
        default=default,
        show_default=True,
        help=help_,
    )


class OutputFile(click.Path):
    """A file to write; None for `-`, which means stdout; a file of that name is `./-`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "-" else super().convert(value, param, ctx)


def as_typed(text: str) -> str:
    """Help whose paragraphs keep their lines."""
    return "\n\n".join(f"\b\n{part}" for part in text.strip().split("\n\n"))


def examples(*lines: str) -> str:
    """An epilog whose lines stay as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
